"""Reject bills with unknown costs before they land, with the column, the rows and their money.

A missing cost is never 0. What follows from the rest of the row is derived by the models `stg_aws_cur__costs`
and `stg_focus__costs` and reported by `cost_findings`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import duckdb

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import BILLED, CURRENCY, Family
from orchestration.sources.billing.formats.files import DataFile

_EXPORT_COLUMN = "export the bill with this column and deliver it again"


@dataclass(frozen=True)
class RequiredCost:
    """Rows (`when`, SQL over landed charges) that require a column, both as users know them."""

    rows: str
    column: str
    when: str
    advice: str = _EXPORT_COLUMN


# Pods and tasks have no cost of their own, and AWS does not amortise reservations of Dedicated Hosts.
NO_SPLIT = """
    not coalesce(split_line_item_parent_resource_id <> coalesce(line_item_resource_id, ''), false)
    and not coalesce(line_item_operation in ('EKSPod-EC2', 'ECSTask-EC2'), false)
"""
_NO_HOST = """
    not coalesce(reservation_reservation_a_r_n like '%:host-reservation/%', false)
    and not coalesce(line_item_usage_type like '%HostUsage%', false)
    and not coalesce(line_item_usage_type like '%HostBoxUsage%', false)
    and not coalesce(product_product_family = 'Dedicated Host', false)
"""
_UNUSED = "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee"

AWS_CUR = (
    RequiredCost("lines", "line_item_unblended_cost", f"line_item_unblended_cost is null and {NO_SPLIT}"),
    RequiredCost(
        "lines of commitments",
        "line_item_line_item_type",
        "line_item_line_item_type is null and "
        "coalesce(savings_plan_savings_plan_a_r_n, reservation_reservation_a_r_n) is not null",
    ),
    *(
        RequiredCost(
            f"lines of type {line_type}",
            column,
            f"line_item_line_item_type = '{line_type}' and {column} is null and {NO_SPLIT}",
        )
        for line_type, column in (
            ("SavingsPlanCoveredUsage", "savings_plan_savings_plan_effective_cost"),
            ("SavingsPlanRecurringFee", "savings_plan_total_commitment_to_date"),
            ("SavingsPlanRecurringFee", "savings_plan_used_commitment"),
        )
    ),
    RequiredCost(
        "lines of type DiscountedUsage",
        "reservation_effective_cost",
        "line_item_line_item_type = 'DiscountedUsage' and reservation_effective_cost is null "
        f"and {NO_SPLIT} and {_NO_HOST}",
    ),
    RequiredCost(
        "lines of type RIFee",
        " or ".join(_UNUSED),
        f"line_item_line_item_type = 'RIFee' and coalesce({', '.join(_UNUSED)}) is null and {_NO_HOST}",
    ),
)

_STATUS = "lower(trim(coalesce(commitment_discount_status, '')))"
_CATEGORY = "lower(trim(coalesce(charge_category, '')))"
_OF_COMMITMENT = """(
    commitment_discount_id is not null or commitment_discount_category is not null
    or commitment_discount_type is not null or commitment_discount_name is not null
    or commitment_discount_status is not null or lower(trim(coalesce(pricing_category, ''))) = 'committed'
    or coalesce(regexp_matches(lower(concat_ws(' ', resource_id, resource_type)),
        'microsoft\\.capacity/reservationorders|microsoft\\.billingbenefits/savingsplanorders'), false)
)"""
_ADVICE = (
    "what is used of a commitment is billed with its fee, so its cost does not follow from the billed cost; "
    "ask the provider for an export with EffectiveCost"
)

FOCUS = (
    RequiredCost("rows", "BilledCost", f"billed_cost is null and {_STATUS} not in ('used', 'unused')"),
    RequiredCost(
        "rows of commitments",
        "EffectiveCost",
        # A commitment fee counts as 0 anyway, if the file has amortised costs at all.
        f"effective_cost is null and {_OF_COMMITMENT} and ({_STATUS} in ('used', 'unused') "
        f"or {_CATEGORY} in ('usage', '') or not any_effective)",
        _ADVICE,
    ),
)
# Without commitment columns, any purchase could be a commitment.
_PURCHASES = RequiredCost(
    "purchases",
    "EffectiveCost",
    f"effective_cost is null and {_CATEGORY} = 'purchase' and not any_effective",
    "a file without the columns of commitments does not tell their fees from other purchases; "
    "ask the provider for an export with EffectiveCost or CommitmentDiscountId",
)


def reject_missing_costs(
    connection: duckdb.DuckDBPyConnection,
    charges: str,
    family: Family,
    columns: Collection[str],
    files: list[DataFile],
) -> None:
    """Raise `BillingError` if landed charges leave a cost unknown.

    `charges` is SQL that reads them, `columns` the landed columns that the delivery's files have.
    """
    relation = charges
    checks = AWS_CUR
    if family == "focus":
        knows_commitments = any(name.startswith("commitment_discount_") for name in columns)
        checks = FOCUS if knows_commitments else (*FOCUS, _PURCHASES)
        any_effective = connection.execute(f"select count(effective_cost) > 0 from {relation}").fetchall()[0][
            0
        ]
        relation = f"(select *, {any_effective} as any_effective from {relation})"
    found = connection.execute(
        "select " + ", ".join(f"count(*) filter ({check.when})" for check in checks) + f" from {relation}"
    ).fetchall()[0]
    for check, count in zip(checks, found, strict=True):
        if count:
            raise BillingError(_message(connection, relation, family, check, count, files))


def _message(
    connection: duckdb.DuckDBPyConnection,
    relation: str,
    family: Family,
    check: RequiredCost,
    count: int,
    files: list[DataFile],
) -> str:
    key, row = connection.execute(
        f"select landed_file, landed_row from {relation} where {check.when} order by all limit 1"
    ).fetchall()[0]
    sums = connection.execute(
        f"select {CURRENCY[family]}, sum(coalesce({BILLED[family]}, 0))::decimal(38,12) from {relation} "
        f"where {check.when} group by 1 order by 1"
    ).fetchall()
    billed = ", ".join(f"{amount:,.2f} {currency or 'of no currency'}" for currency, amount in sums)
    shown = next(file.shown for file in files if file.key == key)
    return (
        f"{shown}: {check.rows} have no {check.column}: {count:,} of them, the first in data row {row}; "
        f"they bill {billed}. A cost that the bill lacks is not 0: {check.advice}. Nothing of this delivery "
        "was landed"
    )
