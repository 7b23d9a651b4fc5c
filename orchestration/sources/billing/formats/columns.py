"""The fixed columns of landed charges, whatever the file looked like, per family; and documented columns not
read yet.
"""

from __future__ import annotations

from typing import Literal

import yaml

from orchestration.settings import PROJECT_ROOT

Kind = Literal["text", "number", "timestamp", "map"]
Family = Literal["aws_cur", "focus"]

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "number": "DECIMAL(38,12)",
    "timestamp": "TIMESTAMP",
    "map": "MAP(VARCHAR, VARCHAR)",
}

AWS_CUR: dict[str, Kind] = {
    "identity_line_item_id": "text",
    "identity_time_interval": "text",
    "bill_invoice_id": "text",
    "bill_billing_entity": "text",
    "bill_bill_type": "text",
    "bill_payer_account_id": "text",
    "bill_billing_period_start_date": "timestamp",
    "bill_billing_period_end_date": "timestamp",
    "line_item_usage_account_id": "text",
    "line_item_usage_account_name": "text",
    "line_item_line_item_type": "text",
    "line_item_usage_start_date": "timestamp",
    "line_item_usage_end_date": "timestamp",
    "line_item_product_code": "text",
    "line_item_usage_type": "text",
    "line_item_operation": "text",
    "line_item_availability_zone": "text",
    "line_item_resource_id": "text",
    "line_item_usage_amount": "number",
    "line_item_normalized_usage_amount": "number",
    "line_item_currency_code": "text",
    "line_item_unblended_cost": "number",
    "line_item_net_unblended_cost": "number",
    "line_item_line_item_description": "text",
    "line_item_tax_type": "text",
    "line_item_legal_entity": "text",
    "product_product_name": "text",
    "product_product_family": "text",
    "product_region": "text",
    "product_region_code": "text",
    "product_servicecode": "text",
    "product_sku": "text",
    "product_instance_type": "text",
    "product_location": "text",
    "pricing_public_on_demand_cost": "number",
    "pricing_term": "text",
    "pricing_unit": "text",
    "pricing_purchase_option": "text",
    "reservation_reservation_a_r_n": "text",
    "reservation_effective_cost": "number",
    "reservation_net_effective_cost": "number",
    "reservation_amortized_upfront_fee_for_billing_period": "number",
    "reservation_unused_amortized_upfront_fee_for_billing_period": "number",
    "reservation_unused_recurring_fee": "number",
    "reservation_net_unused_amortized_upfront_fee_for_billing_period": "number",
    "reservation_net_unused_recurring_fee": "number",
    "reservation_unused_quantity": "number",
    "savings_plan_savings_plan_a_r_n": "text",
    "savings_plan_savings_plan_effective_cost": "number",
    "savings_plan_net_savings_plan_effective_cost": "number",
    "savings_plan_total_commitment_to_date": "number",
    "savings_plan_used_commitment": "number",
    "savings_plan_amortized_upfront_commitment_for_billing_period": "number",
    "savings_plan_recurring_commitment_for_billing_period": "number",
    "savings_plan_net_amortized_upfront_commitment_for_billing_period": "number",
    "savings_plan_net_recurring_commitment_for_billing_period": "number",
    "split_line_item_parent_resource_id": "text",
    "split_line_item_reserved_usage": "number",
    "split_line_item_actual_usage": "number",
    "split_line_item_split_usage": "number",
    "split_line_item_split_usage_ratio": "number",
    "split_line_item_split_cost": "number",
    "split_line_item_unused_cost": "number",
    "split_line_item_net_split_cost": "number",
    "split_line_item_net_unused_cost": "number",
    "split_line_item_public_on_demand_split_cost": "number",
    "split_line_item_public_on_demand_unused_cost": "number",
    "resource_tags": "map",
    "cost_category": "map",
    "product": "map",
}

FOCUS: dict[str, Kind] = {
    "provider_name": "text",
    "publisher_name": "text",
    "service_provider_name": "text",
    "host_provider_name": "text",
    "invoice_issuer_name": "text",
    "invoice_id": "text",
    "billing_account_id": "text",
    "billing_account_name": "text",
    "billing_account_type": "text",
    "sub_account_id": "text",
    "sub_account_name": "text",
    "sub_account_type": "text",
    "billing_currency": "text",
    "charge_category": "text",
    "charge_class": "text",
    "charge_description": "text",
    "charge_frequency": "text",
    "commitment_discount_category": "text",
    "commitment_discount_id": "text",
    "commitment_discount_name": "text",
    "commitment_discount_status": "text",
    "commitment_discount_type": "text",
    "commitment_discount_unit": "text",
    "capacity_reservation_id": "text",
    "capacity_reservation_status": "text",
    "consumed_unit": "text",
    "pricing_category": "text",
    "pricing_currency": "text",
    "pricing_unit": "text",
    "region_id": "text",
    "region_name": "text",
    "availability_zone": "text",
    "resource_id": "text",
    "resource_name": "text",
    "resource_type": "text",
    "allocated_method_id": "text",
    "allocated_resource_id": "text",
    "allocated_resource_name": "text",
    "service_category": "text",
    "service_subcategory": "text",
    "service_name": "text",
    "sku_id": "text",
    "sku_meter": "text",
    "sku_price_id": "text",
    "x_operation": "text",
    "x_service_code": "text",
    "x_usage_type": "text",
    "billing_period_start": "timestamp",
    "billing_period_end": "timestamp",
    "charge_period_start": "timestamp",
    "charge_period_end": "timestamp",
    "billed_cost": "number",
    "effective_cost": "number",
    "list_cost": "number",
    "contracted_cost": "number",
    "list_unit_price": "number",
    "contracted_unit_price": "number",
    "consumed_quantity": "number",
    "pricing_quantity": "number",
    "commitment_discount_quantity": "number",
    "pricing_currency_contracted_unit_price": "number",
    "pricing_currency_effective_cost": "number",
    "pricing_currency_list_unit_price": "number",
    "tags": "map",
    "sku_price_details": "map",
    "x_cost_categories": "map",
    "x_discounts": "map",
}

COLUMNS: dict[Family, dict[str, Kind]] = {"aws_cur": AWS_CUR, "focus": FOCUS}

# Money columns: the files' sums are computed independently and compared with what landed, in SQL.
AMOUNTS: dict[Family, tuple[str, ...]] = {
    family: tuple(names)
    for family, names in yaml.safe_load(
        (PROJECT_ROOT / "dbt_project" / "dbt_project.yml").read_text(encoding="utf-8")
    )["vars"]["amount_columns"].items()
}
BILLED: dict[Family, str] = {"aws_cur": "line_item_unblended_cost", "focus": "billed_cost"}

CURRENCY: dict[Family, str] = {"aws_cur": "line_item_currency_code", "focus": "billing_currency"}

# Costs besides the billed one, each with the rows (SQL, with landed columns in braces) that require a value:
# if there are such rows, a column that is 0 throughout counts as missing. Oracle writes EffectiveCost that
# way.
_BILLED_USAGE = "t_is_usage and {%s} <> 0"
NOT_ZERO_THROUGHOUT: dict[Family, dict[str, str]] = {
    "aws_cur": {
        "line_item_net_unblended_cost": _BILLED_USAGE % BILLED["aws_cur"],
        "pricing_public_on_demand_cost": _BILLED_USAGE % BILLED["aws_cur"],
        "savings_plan_savings_plan_effective_cost": "{line_item_line_item_type} = 'SavingsPlanCoveredUsage' "
        "and {line_item_unblended_cost} <> 0",
        "savings_plan_total_commitment_to_date": "{line_item_line_item_type} = 'SavingsPlanRecurringFee' "
        "and {line_item_unblended_cost} <> 0",
        "reservation_effective_cost": "{line_item_line_item_type} = 'DiscountedUsage' "
        "and coalesce({pricing_public_on_demand_cost}, 1) <> 0",
    },
    "focus": dict.fromkeys(
        ("effective_cost", "list_cost", "contracted_cost"), _BILLED_USAGE % BILLED["focus"]
    ),
}

# Columns without influence on costs or models: AWS assigns new line item ids with every delivery, and the
# final invoice id to every line of the month. They do not change a day; neither do derived columns.
NOT_IN_FINGERPRINT = frozenset(
    {
        *("identity_line_item_id", "bill_invoice_id", "invoice_id", "landed_file", "landed_row"),
        *("spelled_tags", "spelled_cost_categories"),
    }
)

# Charges whose days tell how far a bill has progressed; fees and taxes are dated ahead.
USAGE_CATEGORY: dict[Family, str] = {"aws_cur": "line_item_line_item_type", "focus": "charge_category"}
_USAGE_WORDS: dict[Family, str] = {
    "aws_cur": "'usage', 'discountedusage', 'savingsplancoveredusage'",
    "focus": "'usage'",
}

# What every landed charge has besides the columns of its family.
# A charge is for the time from `covered_from` until `covered_until` (exclusive; null when the file does not
# say), as far as it lies in its billing period; `last_usage_date` is null for a charge within one day.
LANDED: dict[str, str] = {
    "usage_date": "DATE",
    "last_usage_date": "DATE",
    "covered_from": "TIMESTAMP",
    "covered_until": "TIMESTAMP",
    "billing_period": "VARCHAR",
    "landed_file": "VARCHAR",
    "landed_row": "BIGINT",
    "spelled_tags": SQL_TYPES["map"],
    "spelled_cost_categories": SQL_TYPES["map"],
}

# Maps under one spelling of their keys (the macro `with_tag_keys`). Spelled once for all rows with the same
# map: row by row it costs more than all else.
SPELLED: dict[Family, dict[str, str]] = {
    "aws_cur": {"resource_tags": "spelled_tags", "cost_category": "spelled_cost_categories"},
    "focus": {"tags": "spelled_tags", "x_cost_categories": "spelled_cost_categories"},
}

DAYS: dict[str, str] = {
    "family": "VARCHAR",
    "billing_period": "VARCHAR",
    "billing_currency": "VARCHAR",
    "usage_date": "DATE",
    "row_count": "BIGINT",
    "usage_row_count": "BIGINT",
    "fingerprint": "VARCHAR",
    "source_billed_cost": "DECIMAL(38,12)",
    "source_amounts": "MAP(VARCHAR, DECIMAL(38,12))",
    "billing_account_ids": "VARCHAR[]",
    "delivery_version": "VARCHAR",
    "delivery_kind": "VARCHAR",
    # Where the charges that begin on the day are, and what of them is known without reading them again.
    "file": "VARCHAR",
    "source_content": "VARCHAR",
    "landed": "STRUCT(row_count BIGINT, usage_row_count BIGINT, fingerprint VARCHAR, "
    "billing_account_ids VARCHAR[], columns_with_values VARCHAR[])",
}

# Documented AWS columns that are not read. Anything else is reported as new.
DOCUMENTED_PREFIXES = (
    "product_",
    "pricing_",
    "reservation_",
    "savings_plan_",
    "split_line_item_",
    "capacity_reservation_",
    "discount_",
)
DOCUMENTED = frozenset(
    {
        "bill_invoicing_entity",
        "bill_payer_account_name",
        "discount",
        "line_item_blended_cost",
        "line_item_blended_rate",
        "line_item_iam_principal",
        "line_item_net_unblended_rate",
        "line_item_normalization_factor",
        "line_item_unblended_rate",
    }
)


def is_usage(family: Family, category: str) -> str:
    """SQL: whether a charge category is usage."""
    return f"coalesce(lower(trim({category})) in ({_USAGE_WORDS[family]}), false)"


def charges_schema(family: Family) -> dict[str, str]:
    """Names and SQL types of the columns of landed charges, in order."""
    return {name: SQL_TYPES[kind] for name, kind in COLUMNS[family].items()} | LANDED
