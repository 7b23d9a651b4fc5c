"""Columns that rules can refer to but that have no value in any row of a bill."""

from __future__ import annotations

from collections.abc import Mapping

import duckdb

from orchestration.sources.billing.formats.columns import Family
from orchestration.sources.landing.notes import Note

_SAME_IN_FOCUS = (
    *("provider_name", "billing_account_id", "sub_account_id", "sub_account_name", "charge_category"),
    *("charge_class", "charge_description", "service_name", "service_category", "region_id", "sku_id"),
    *("availability_zone", "resource_id", "resource_type", "consumed_quantity", "consumed_unit"),
    *(
        "commitment_discount_id",
        "commitment_discount_status",
        "x_usage_type",
        "x_operation",
        "x_service_code",
    ),
)

# Canonical charge column → SQL of its source in landed charges.
NAMED_BY_RULES: dict[Family, Mapping[str, str]] = {
    "focus": {name: name for name in _SAME_IN_FOCUS}
    | {
        "tags": "nullif(cardinality(tags), 0)",
        "cost_categories": "nullif(cardinality(x_cost_categories), 0)",
    },
    "aws_cur": {
        "billing_account_id": "bill_payer_account_id",
        "sub_account_id": "line_item_usage_account_id",
        "sub_account_name": "line_item_usage_account_name",
        "charge_description": "line_item_line_item_description",
        "service_name": "coalesce(product_product_name, product['product_name'], line_item_product_code)",
        "service_category": "product_product_family",
        "region_id": "coalesce(product_region_code, product['region'], product_region)",
        "availability_zone": "line_item_availability_zone",
        "resource_id": "line_item_resource_id",
        "resource_type": "product_product_family",
        "sku_id": "product_sku",
        "consumed_quantity": "line_item_usage_amount",
        "consumed_unit": "pricing_unit",
        "commitment_discount_id": "coalesce(savings_plan_savings_plan_a_r_n, reservation_reservation_a_r_n)",
        "x_line_item_type": "line_item_line_item_type",
        "x_usage_type": "line_item_usage_type",
        "x_operation": "line_item_operation",
        "x_service_code": "line_item_product_code",
        "x_split_parent_id": "split_line_item_parent_resource_id",
        "tags": "nullif(cardinality(resource_tags), 0)",
        "cost_categories": "nullif(cardinality(cost_category), 0)",
    },
}
# Every bill has these; others are legitimately empty in some bills.
_IN_EVERY_BILL = frozenset(
    {"provider_name", "billing_account_id", "charge_category", "service_name", "x_line_item_type"}
)


def empty_column_notes(
    connection: duckdb.DuckDBPyConnection, family: Family, source: str, delivery: str
) -> list[Note]:
    """Notes about a delivery's charges (table `new_days`), one per billing month and empty column.

    The mart `warnings` shows those that a rule refers to, and those that every bill has.
    """
    columns = NAMED_BY_RULES[family]
    rows = connection.execute(
        "select billing_period, sum(landed.row_count)::bigint, flatten(list(landed.columns_with_values)) "
        "from new_days where landed is not null group by 1 order by 1"
    ).fetchall()
    notes = []
    for period, row_count, present in rows:
        notes += [
            Note(
                code="column-without-values",
                severity="warning" if name in _IN_EVERY_BILL else "note",
                message=f"no row of the bill has a value for {name}: a rule that names it matches none of "
                "its charges",
                subject=f"{source}: {name}",
                row_count=row_count,
                billing_period=period,
                place=f"{source}/{delivery}",
            )
            for name in columns
            if name not in present
        ]
    return notes


def part_of(source: str, delivery: str) -> str:
    """Name of a delivery's part of the billing notes."""
    return f"columns.{source}.{delivery}"
