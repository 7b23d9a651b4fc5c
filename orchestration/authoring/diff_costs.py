"""Compare two databases built from the same bill under different contexts: the spend that moves, and each
customer's cost before and after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb

from orchestration.outputs.read_only import rows_of
from orchestration.warehouse.sql import literal

UNMATCHED = "(unmatched)"


@dataclass(frozen=True)
class Moved:
    """Charges whose element of a dimension changes; `cost` is their effective cost.

    None stands for a dimension that one side lacks, `(unmatched)` for no element. For split charges, `cost`
    is the part that moves.
    """

    dimension: str
    billing_currency: str
    before: str | None
    after: str | None
    charge_count: int
    cost: Decimal


@dataclass(frozen=True)
class CustomerChange:
    """A customer (or `unallocated`) whose effective cost changes."""

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
    """The whole bill of a currency on both sides, by charges and by customers."""

    billing_currency: str
    charges_before: Decimal
    charges_after: Decimal
    customers_before: Decimal
    customers_after: Decimal

    @property
    def is_equal(self) -> bool:
        """Whether all four totals are equal to the last digit, so nothing was lost or created."""
        return (
            len({self.charges_before, self.charges_after, self.customers_before, self.customers_after}) == 1
        )


@dataclass(frozen=True)
class Difference:
    """The comparison; `moved` and `customers` are sorted by the size of the change."""

    moved: tuple[Moved, ...]
    customers: tuple[CustomerChange, ...]
    customer_count: int
    totals: tuple[Total, ...]

    @property
    def is_exact(self) -> bool:
        """Whether the totals of both sides are equal."""
        return all(total.is_equal for total in self.totals)


def compare(before: Path, after: Path, month: str | None = None) -> Difference:
    """Compare two databases of the job; `month` (usage month, YYYY-MM) restricts the days."""
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")
        for name, database in (("before", before), ("after", after)):
            # Both may be the same file, which DuckDB attaches only once.
            if name == "before" or database != before:
                connection.execute(f'attach {literal(database)} as "{name}" (read_only)')
        other = "after" if before != after else "before"
        dimensions = {side: _dimensions(connection, side) for side in ("before", other)}
        connection.execute(
            _charges_that_may_move(dimensions["before"], dimensions[other], other), {"month": month}
        )
        moved = [
            Moved(**row)
            for dimension in sorted({*dimensions["before"], *dimensions[other]})
            for row in rows_of(connection, _moves(dimension, dimensions, other), {"dimension": dimension})
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


def _charges_that_may_move(before: Sequence[str], after: Sequence[str], other: str) -> str:
    """Table of the days of charges that are split or whose element changes in some dimension."""
    same = [
        f'before_charges."{name}" is not distinct from after_charges."{name}"'
        for name in before
        if name in after
    ]
    if {*before} != {*after}:
        same = ["false"]
    charges = '"{side}".context.charges_in_context'
    sides = [charges.format(side=side) for side in ("before", other)]
    split = [f"select {_DAY_OF_CHARGE} from {side} where charge_part > 0 and {_IN_MONTH}" for side in sides]
    return f"""
        create temp table may_move as
        select {_DAY_OF_CHARGE}
        from (from {sides[0]} where {_IN_MONTH}) as before_charges
        inner join (from {sides[1]} where {_IN_MONTH}) as after_charges using ({_DAY_OF_CHARGE})
        where not ({" and ".join(same) or "true"})
        union
        {" union ".join(split)}
    """


def _elements(side: str, dimension: str, has_dimension: bool) -> str:
    """One row per day of a charge that may move, and element; null if the side lacks the dimension."""
    element = f"coalesce(\"{dimension}\", '{UNMATCHED}')" if has_dimension else "null::varchar"
    return f"""
        select {_DAY_OF_CHARGE}, {element} as element, sum(effective_cost) as cost
        from "{side}".context.charges_in_context
        semi join may_move using ({_DAY_OF_CHARGE})
        group by all
    """


def _moves(dimension: str, dimensions: Mapping[str, Sequence[str]], other: str) -> str:
    """What moves from one element of a dimension to another.

    For each charge, the elements that lose are matched with those that gain, both ordered by name. So parts
    of a split are tracked like whole charges, and all gains and losses are reported to the last digit.
    """
    sides = [_elements(side, dimension, dimension in dimensions[side]) for side in ("before", other)]
    return f"""
        with
            -- A credit moves as a cost does, in amounts below 0.
            changes as (
                select
                    *,
                    sign(sum(before) over (partition by {_DAY_OF_CHARGE})) as charge_sign,
                    (after - before) * charge_sign as change
                from
                    (
                        select {_DAY_OF_CHARGE}, element, sum(before) as before, sum(after) as after
                        from
                            (
                                select * rename (cost as before), 0 as after from ({sides[0]})
                                union all by name
                                select * rename (cost as after), 0 as before from ({sides[1]})
                            )
                        group by all
                    )
            ),
            laid_out as (
                select
                    *,
                    sum(abs(change)) over (
                        partition by {_DAY_OF_CHARGE}, change > 0 order by element
                    ) as ends_at,
                    ends_at - abs(change) as starts_at
                from changes
                where change <> 0
            ),
            moves as (
                select
                    losing.charge_id,
                    losing.billing_currency,
                    losing.element as before,
                    gaining.element as after,
                    losing.charge_sign
                    * (least(losing.ends_at, gaining.ends_at) - greatest(losing.starts_at, gaining.starts_at))
                        as cost
                from laid_out as losing
                inner join laid_out as gaining using ({_DAY_OF_CHARGE})
                where
                    losing.change < 0
                    and gaining.change > 0
                    and losing.starts_at < gaining.ends_at
                    and gaining.starts_at < losing.ends_at
            )
        select
            $dimension as dimension,
            billing_currency,
            before,
            after,
            count(distinct charge_id) as charge_count,
            sum(cost)::decimal(38, 12) as cost
        from moves
        group by all
    """


_DAY_OF_CHARGE = "charge_id, usage_date, billing_currency"
_IN_MONTH = "($month is null or strftime(usage_date, '%Y-%m') = $month)"


def _customers(other: str) -> str:
    return f"""
        with
            costs as (
                select customer_id, billing_currency, effective_cost as before, 0::decimal(38, 24) as after
                from "before".marts.customer_costs_daily
                where {_IN_MONTH}
                union all by name
                select customer_id, billing_currency, 0::decimal(38, 24) as before, effective_cost as after
                from "{other}".marts.customer_costs_daily
                where {_IN_MONTH}
            )
        select
            costs.customer_id,
            any_value(customers.customer_name) as customer_name,
            costs.billing_currency,
            sum(costs.before) as before,
            sum(costs.after) as after
        from costs
        left join "before".marts.customers as customers on customers.customer_id = costs.customer_id
        group by costs.customer_id, costs.billing_currency
    """


def _totals(other: str) -> str:
    sums = [
        f"""
        select billing_currency, '{column}' as total, sum(effective_cost)::decimal(38, 24) as cost
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
    pivoted = ", ".join(f"coalesce(sum(cost) filter (total = '{name}'), 0) as {name}" for name in columns)
    return f"""
        select billing_currency, {pivoted}
        from ({" union all ".join(sums)})
        group by billing_currency
        order by billing_currency
    """
