"""What other contexts do to the same bill: the spend that moves, and each customer's cost before and after.

Both sides are databases that the job's own models made of the same charges and usage; here they are only
compared. What does not belong here: making them (`warehouse/trial.py`) and how the answer looks
(`difference_tables.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from orchestration.reports.databases import rows_of

UNMATCHED = "(unmatched)"
SEVERAL = " + "


@dataclass(frozen=True)
class Moved:
    """Charges of a dimension that get another element; `cost` is their effective cost.

    None stands for a dimension that one side does not have, `(unmatched)` for no element. A charge that is
    split has all its elements, joined by ` + `.
    """

    dimension: str
    billing_currency: str
    before: str | None
    after: str | None
    charge_count: int
    cost: Decimal


@dataclass(frozen=True)
class CustomerChange:
    """A customer (or `unallocated`) whose effective cost is another one."""

    customer_id: str
    customer_name: str | None
    billing_currency: str
    before: Decimal
    after: Decimal

    @property
    def change(self) -> Decimal:
        """After minus before."""
        return self.after - self.before


@dataclass(frozen=True)
class Total:
    """The whole bill of a currency on both sides, by its charges and by what the customers carry."""

    billing_currency: str
    charges_before: Decimal
    charges_after: Decimal
    customers_before: Decimal
    customers_after: Decimal

    @property
    def is_equal(self) -> bool:
        """Whether nothing was lost or made: all four are the same to the last digit."""
        return (
            len({self.charges_before, self.charges_after, self.customers_before, self.customers_after}) == 1
        )


@dataclass(frozen=True)
class Difference:
    """The comparison; `moved` the largest first, `customers` those of the largest change first."""

    moved: tuple[Moved, ...]
    customers: tuple[CustomerChange, ...]
    customer_count: int
    totals: tuple[Total, ...]

    @property
    def is_exact(self) -> bool:
        """Whether the totals of both sides are equal."""
        return all(total.is_equal for total in self.totals)


def compare(before: Path, after: Path, month: str | None = None) -> Difference:
    """Compare two databases of the job; `month` (usage month, YYYY-MM) looks at its days only."""
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        for name, database in (("before", before), ("after", after)):
            # Both names may be one file, which DuckDB attaches only once.
            if name == "before" or database != before:
                path = str(database).replace("'", "''")
                connection.execute(f"attach '{path}' as \"{name}\" (read_only)")
        other = "after" if before != after else "before"
        dimensions = {side: _dimensions(connection, side) for side in ("before", other)}
        connection.execute(
            _compared_charges(dimensions["before"], dimensions[other], other), {"month": month}
        )
        moved = [
            move
            for dimension in sorted({*dimensions["before"], *dimensions[other]})
            for move in _moved(connection, dimension)
        ]
        customers = [
            CustomerChange(**row) for row in rows_of(connection, _customers(other), {"month": month})
        ]
        totals = [Total(**row) for row in rows_of(connection, _totals(other), {"month": month})]
    return Difference(
        tuple(sorted(moved, key=lambda move: (-abs(move.cost), move.dimension, str(move.before)))),
        tuple(
            sorted(
                (each for each in customers if each.change),
                key=lambda each: (-abs(each.change), each.customer_id),
            )
        ),
        len(customers),
        tuple(totals),
    )


def _dimensions(connection: duckdb.DuckDBPyConnection, side: str) -> list[str]:
    found = connection.execute(
        f'select distinct dimension from "{side}".rules.context_rules order by dimension'
    ).fetchall()
    return [name for (name,) in found]


def _compared_charges(before: Sequence[str], after: Sequence[str], other: str) -> str:
    """One row per currency and elements of all dimensions on both sides: few, however many charges."""
    columns = [f'before_charges."{name}" as "before_{name}"' for name in before]
    columns += [f'after_charges."{name}" as "after_{name}"' for name in after]
    return f"""
        create temp table compared as
        with
            before_charges as ({_charges("before", before)}),
            after_charges as ({_charges(other, after)})
        select
            billing_currency,
            {"".join(f"{column}, " for column in columns)}
            count(*) as charge_count,
            sum(before_charges.effective_cost)::decimal(38, 12) as effective_cost
        from before_charges
        inner join after_charges using (charge_id, billing_currency)
        group by all
    """


def _charges(side: str, dimensions: Sequence[str]) -> str:
    """One row per charge; the parts of a split one are joined, with all their elements."""
    elements = [
        f"string_agg(distinct coalesce(\"{name}\", '{UNMATCHED}'), '{SEVERAL}' "
        f'order by coalesce("{name}", \'{UNMATCHED}\')) as "{name}", '
        for name in dimensions
    ]
    whole = [f'coalesce("{name}", \'{UNMATCHED}\') as "{name}", ' for name in dimensions]
    table = f'"{side}".context.charges_in_context'
    return f"""
        select charge_id, billing_currency, {"".join(whole)} effective_cost
        from {table}
        where charge_part = 0 and {_IN_MONTH}
        union all by name
        select charge_id, billing_currency, {"".join(elements)} sum(effective_cost) as effective_cost
        from {table}
        where charge_part > 0 and {_IN_MONTH}
        group by charge_id, billing_currency
    """


_IN_MONTH = "($month is null or strftime(usage_date, '%Y-%m') = $month)"


def _moved(connection: duckdb.DuckDBPyConnection, dimension: str) -> list[Moved]:
    has = {row[0] for row in connection.execute("describe compared").fetchall()}
    before, after = (
        f'"{side}_{dimension}"' if f"{side}_{dimension}" in has else "null::varchar"
        for side in ("before", "after")
    )
    rows = rows_of(
        connection,
        f"""
        select
            billing_currency,
            {before} as before,
            {after} as after,
            sum(charge_count)::bigint as charge_count,
            sum(effective_cost)::decimal(38, 12) as cost
        from compared
        where {before} is distinct from {after}
        group by all
        """,
    )
    return [Moved(dimension, **row) for row in rows]


def _customers(other: str) -> str:
    return f"""
        with
            costs as (
                select customer_id, billing_currency, effective_cost as before, 0::decimal(38, 12) as after
                from "before".marts.customer_costs_daily
                where {_IN_MONTH}
                union all by name
                select customer_id, billing_currency, 0::decimal(38, 12) as before, effective_cost as after
                from "{other}".marts.customer_costs_daily
                where {_IN_MONTH}
            )
        select
            costs.customer_id,
            any_value(customers.customer_name) as customer_name,
            costs.billing_currency,
            sum(costs.before)::decimal(38, 12) as before,
            sum(costs.after)::decimal(38, 12) as after
        from costs
        left join "before".marts.customers as customers on customers.customer_id = costs.customer_id
        group by costs.customer_id, costs.billing_currency
    """


def _totals(other: str) -> str:
    sums = [
        f"""
        select billing_currency, '{column}' as total, sum(effective_cost) as cost
        from "{side}".{table}
        where {_IN_MONTH}
        group by billing_currency
        """
        for column, side, table in (
            ("charges_before", "before", "context.charges_in_context"),
            ("charges_after", other, "context.charges_in_context"),
            ("customers_before", "before", "marts.customer_costs_daily"),
            ("customers_after", other, "marts.customer_costs_daily"),
        )
    ]
    columns: list[Any] = ["charges_before", "charges_after", "customers_before", "customers_after"]
    pivoted = ", ".join(
        f"coalesce(sum(cost) filter (total = '{name}'), 0)::decimal(38, 12) as {name}" for name in columns
    )
    return f"""
        select billing_currency, {pivoted}
        from ({" union all ".join(sums)})
        group by billing_currency
        order by billing_currency
    """
