"""What every customer cost and used, in as much detail as a file of a sensible size can hold.

A small company gets every day of every element and service. A large one gets months for all its time, and
the newest days by the first two dimensions; ranges of dates in the page then begin and end with months
wherever there are no days (`page/facts.js`). Whatever the detail, every figure is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import duckdb

from orchestration.outputs.report.tables import Published, quoted

# Days back from the newest that are looked at when not every day fits.
_NEWEST_DAYS = 92
# The page ends with the newest day: months must not reach beyond it either.
_COME = "unallocated_reason is distinct from 'day to come'"


@dataclass(frozen=True)
class Detail:
    """How finely costs are in the page.

    `grain` is that of all costs by customer, `levels` and service; `days_from` is the first day whose costs
    are there by customer, day and `levels[:2]` too, where `grain` is `month`.
    """

    grain: str
    levels: tuple[str, ...]
    services: bool
    days_from: date | None

    def as_json(self) -> dict[str, Any]:
        """For the page."""
        return {
            "grain": self.grain,
            "levels": list(self.levels),
            "services": self.services,
            "daysFrom": self.days_from.isoformat() if self.days_from else None,
        }


def choose_detail(marts: duckdb.DuckDBPyConnection, published: Published, budget: int) -> Detail:
    """The finest detail whose costs are no more than `budget` rows."""
    dimensions = published.dimensions
    # Counting what the mart has is quick, and what it has is a little more than the page would get.
    (in_mart,) = marts.execute("select count(*) from customer_costs_daily").fetchall()[0]
    if in_mart <= 8 * budget:
        for levels in dict.fromkeys((dimensions, dimensions[:2])):
            daily = f"select distinct usage_date, {_columns(levels, True)} from customer_costs_daily"
            if _count(marts, daily) <= budget:
                return Detail("day", levels, services=True, days_from=None)
    for levels, services in _coarser(dimensions[:2]):
        columns = _columns(levels, services)
        monthly = _count(marts, f"select distinct usage_month, {columns} from customer_costs_monthly")
        if monthly <= budget:
            return Detail("month", levels, services, _days_from(marts, levels, budget - monthly))
    return Detail("month", (), services=False, days_from=None)


def _coarser(levels: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    yield levels, True
    for kept in range(len(levels), 0, -1):
        yield levels[:kept], False


def select_costs(detail: Detail) -> str:
    """All costs by customer, in the chosen detail; `period_start` is a day, or the first day of a month.

    Costs of days to come are left out: the page shows them as one sum (`spend` of `tables.py`).
    """
    source, period = (
        ("customer_costs_daily", "usage_date")
        if detail.grain == "day"
        else ("customer_costs_monthly", "usage_month")
    )
    return _select(source, period, _columns(detail.levels, detail.services))


def select_newest_days(detail: Detail) -> str | None:
    """Costs by customer and day since `days_from`, without services; None where every day is there anyhow."""
    if detail.days_from is None:
        return None
    since = f"and usage_date >= date '{detail.days_from}'"
    return _select("customer_costs_daily", "usage_date", _columns(detail.levels[:2], False), since)


def _select(source: str, period: str, columns: str, more: str = "") -> str:
    return f"""
        select {columns}, {period} as period_start, sum(effective_cost) as effective_cost
        from {source}
        where {_COME} {more}
        group by all
        order by all
    """


def _columns(levels: tuple[str, ...], services: bool) -> str:
    columns = ["customer_id", "billing_currency", "allocation_kind", "unallocated_reason", *levels]
    return quoted([*columns, "service_name"] if services else columns)


def _count(marts: duckdb.DuckDBPyConnection, query: str) -> int:
    return int(marts.execute(f"select count(*) from ({query})").fetchall()[0][0])


def _days_from(marts: duckdb.DuckDBPyConnection, levels: tuple[str, ...], budget: int) -> date | None:
    """How far back days fit, the newest first; None when not even a week does."""
    columns = _columns(levels[:2], False)
    days = marts.execute(
        f"""
        with
            newest as (
                select max(usage_date) as usage_date
                from customer_costs_daily
                where {_COME}
            ),
            groups as (
                select distinct usage_date, {columns}
                from customer_costs_daily
                where usage_date > (select usage_date - {_NEWEST_DAYS} from newest) and {_COME}
            )
        select usage_date, sum(count(*)) over (order by usage_date desc) as row_count
        from groups
        group by usage_date
        order by usage_date desc
        """
    ).fetchall()
    fitting = [day for day, rows in days if rows <= budget]
    if not fitting or days[0][0] - fitting[-1] < timedelta(days=6):
        return None
    first: date = fitting[-1]
    return first
