"""SQL that identifies a charge of a bill, whichever delivery it is in."""

from __future__ import annotations

from orchestration.sources.billing.required_costs import NO_SPLIT

# Columns of a bill format under the names of this module.
_COLUMNS = {
    "aws_cur": {
        "account_written": "coalesce(bill_payer_account_id, line_item_usage_account_id)",
        "provider_written": "'aws'",
        "sub_written": "line_item_usage_account_id",
        "currency": "line_item_currency_code",
        # Pod and task lines repeat what their instances bill.
        "billed": f"case when {NO_SPLIT} then line_item_unblended_cost end",
        "resource": "line_item_resource_id",
        "tag_map": "coalesce(spelled_tags, resource_tags)",
        "category": "line_item_line_item_type",
        "service": "line_item_product_code",
        "region": "coalesce(product_region_code, product['region'], product_region)",
        "sku": "product_sku",
        "usage_type": "line_item_usage_type",
        "operation": "line_item_operation",
        "description": "line_item_line_item_description",
    },
    "focus": {
        "account_written": "billing_account_id",
        "provider_written": "provider_name",
        "sub_written": "sub_account_id",
        "currency": "billing_currency",
        "billed": "billed_cost",
        "resource": "resource_id",
        "tag_map": "coalesce(spelled_tags, tags)",
        "category": "concat_ws(' ', charge_category, charge_class)",
        "service": "service_name",
        "region": "region_id",
        "sku": "sku_id",
        "usage_type": "x_usage_type",
        "operation": "x_operation",
        "description": "charge_description",
    },
}
# The author's words for a charge: comparable between bills of one author only.
WORDS = ("category", "service", "region", "sku", "usage_type", "operation", "description")
# Hashes of what tells charges apart, in `charge_keys`.
KEYS = ("time_key", "amount_key", "words_key", "description_key", "resource_key", "tags_key", "sub")
# Providers that bills call by several names.
_PROVIDERS = {"aws": "amazon|^aws", "microsoft": "microsoft|azure", "google": "google|^gcp"}
_PROVIDERS["oracle"] = "oracle|^oci"


def account_name(account: str) -> str:
    """SQL: an account id without its path, its hyphens if it is a number, and without the leading zeros that
    spreadsheets drop.
    """
    name = f"regexp_extract(lower(trim({account})), '[^/]*$')"
    plain = f"case when regexp_full_match({name}, '[0-9-]+') then replace({name}, '-', '') else {name} end"
    return f"ltrim({plain}, '0')"


def _provider_name(provider: str) -> str:
    arms = " ".join(
        f"when regexp_matches(lower(trim({provider})), '{pattern}') then '{name}'"
        for name, pattern in _PROVIDERS.items()
    )
    return f"case {arms} else lower(trim({provider})) end"


def named_charges(family: str, charges: str) -> str:
    """A subquery of the landed charges that bill something, with what tells them apart under one name each.

    `charges` is SQL that reads them. Words are lower case; null where the bill says nothing.
    """
    columns = ", ".join(f"{sql} as {name}" for name, sql in _COLUMNS[family].items())
    words = ", ".join(f"nullif(lower(trim({name})), '') as {name}" for name in ("resource", *WORDS))
    return (
        f"(select '{family}' as family, landed_file, billing_period, currency, usage_date, billed, "
        "covered_from, covered_until, "
        "coalesce(date_diff('hour', covered_from, covered_until), 24) as hours, "
        f"coalesce({account_name('account_written')}, '') as account, "
        f"nullif({account_name('sub_written')}, '') as sub, "
        f"{_provider_name('provider_written')} as provider, "
        "concat_ws(' ', lower(trim(provider_written)), lower(trim(account_written))) as author, "
        f"tag_map, {words} "
        f"from (select *, {columns} from {charges}) "
        "where billed <> 0)"
    )


def charge_keys(family: str, charges: str) -> str:
    """A subquery of landed charges with a hash of each thing that tells them apart; null for none."""
    words = ", ".join(name for name in WORDS if name != "description")
    return (
        "(select family, landed_file, billing_period, account, sub, currency, author, usage_date, hours, "
        "billed, hash(covered_from, covered_until) as time_key, hash(round(billed, 6)) as amount_key, "
        f"hash({words}) as words_key, hash(description) as description_key, "
        "case when resource is not null then hash(resource) end as resource_key, "
        "case when cardinality(tag_map) > 0 then hash(tag_map) end as tags_key "
        f"from {named_charges(family, charges)})"
    )
