"""SQL that identifies a charge of a bill, whichever delivery it is in."""

from __future__ import annotations

from pathlib import Path

from orchestration.warehouse.sql import literal

# Columns that distinguish charges of a bill format, besides time, cost, resource and tags.
_DETAILS = {
    "aws_cur": "line_item_line_item_type, line_item_product_code, line_item_usage_type, line_item_operation",
    "focus": "lower(trim(charge_category)), charge_class, service_name, sku_id, x_usage_type, x_operation, "
    "charge_description",
}
_COLUMNS = {
    "aws_cur": "coalesce(bill_payer_account_id, line_item_usage_account_id) as account, "
    "line_item_usage_account_id as sub_account, 'aws' as provider, "
    "line_item_currency_code as currency, line_item_unblended_cost as billed, "
    "line_item_resource_id as resource, resource_tags as tag_map",
    "focus": "billing_account_id as account, sub_account_id as sub_account, "
    "lower(trim(provider_name)) as provider, billing_currency as currency, billed_cost as billed, "
    "resource_id as resource, tags as tag_map",
}
KEYS = 6
"""Number of keys without the sub account; those with it follow in the same order."""


def account_name(account: str) -> str:
    """SQL: an account id without path, hyphens (AWS) and leading zeros, which spreadsheets drop."""
    name = f"regexp_extract(lower(trim({account})), '[^/]*$')"
    return f"ltrim(regexp_replace({name}, '^(\\d{{4}})-(\\d{{4}})-(\\d{{4}})$', '\\1\\2\\3'), '0')"


def charge_keys(family: str, file: Path) -> str:
    """A subquery of a file's charges with `keys` that distinguish them.

    The first is of time and amount alone, for bills that have no other words in common; the last has all but
    the amount, and only charges of a resource have it.
    """
    same_time = "covered_from, covered_until"
    charge = f"{same_time}, {_DETAILS[family]}"
    details = f"{charge}, billed"
    keys = [
        f"{same_time}, round(billed, 6)",
        details,
        f"{details}, resource",
        f"{details}, tag_map",
        f"{details}, resource, tag_map",
        f"{charge}, resource, tag_map",
    ]
    hashed = [f"hash({key}{sub})" for sub in ("", ", sub_account") for key in keys]
    for place in (KEYS - 1, 2 * KEYS - 1):
        hashed[place] = f"case when resource is not null then {hashed[place]} end"
    return (
        f"(select '{family}' as family, landed_file, billing_period, account, sub_account, provider, "
        f"currency, usage_date, hours, billed, [{', '.join(hashed)}] as keys, "
        "resource is not null as has_resource, cardinality(tag_map) > 0 as has_tags "
        f"from (select * replace (coalesce({account_name('account')}, '') as account, "
        f"{account_name('sub_account')} as sub_account), "
        "coalesce(date_diff('hour', covered_from, covered_until), 24) as hours "
        f"from (select *, {_COLUMNS[family]} "
        f"from read_parquet({literal(file)}, hive_partitioning = false)) where billed <> 0))"
    )
