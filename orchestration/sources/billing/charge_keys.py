"""SQL that identifies a charge of a bill, whichever delivery it is in."""

from __future__ import annotations

from pathlib import Path

from orchestration.warehouse.sql import literal

# Columns that distinguish charges of a bill format, besides time, cost, resource and tags.
_DETAILS = {
    "aws_cur": "line_item_line_item_type, line_item_product_code, line_item_usage_type, line_item_operation",
    "focus": "lower(trim(charge_category)), service_name, sku_id, x_usage_type, x_operation, "
    "charge_description",
}
_COLUMNS = {
    "aws_cur": "coalesce(bill_payer_account_id, line_item_usage_account_id) as account, "
    "line_item_currency_code as currency, line_item_unblended_cost as billed, "
    "line_item_resource_id as resource, resource_tags as tag_map",
    "focus": "billing_account_id as account, billing_currency as currency, billed_cost as billed, "
    "resource_id as resource, tags as tag_map",
}


def account_name(account: str) -> str:
    """SQL: an account id without its path and without leading zeros, which spreadsheets drop."""
    return f"ltrim(regexp_extract(lower({account}), '[^/]*$'), '0')"


def charge_keys(family: str, file: Path) -> str:
    """A subquery of a file's charges with `keys` that distinguish them, the finest last."""
    same_time = "covered_from, covered_until"
    details = f"{same_time}, billed, {_DETAILS[family]}"
    return (
        f"(select '{family}' as family, landed_file, billing_period, "
        f"coalesce({account_name('account')}, '') as account, currency, usage_date, hours, billed, "
        f"[hash({same_time}, round(billed, 6)), hash({details}), hash({details}, resource), "
        f"hash({details}, tag_map), hash({details}, resource, tag_map)] as keys, "
        "resource is not null as has_resource, cardinality(tag_map) > 0 as has_tags "
        f"from (select *, {_COLUMNS[family]}, "
        "coalesce(date_diff('hour', covered_from, covered_until), 24) as hours "
        f"from read_parquet({literal(file)}, hive_partitioning = false)) where billed <> 0)"
    )
