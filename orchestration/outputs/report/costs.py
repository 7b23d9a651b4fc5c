"""Customer costs and usage in as much detail as fits a file of reasonable size.

A small company gets every day, element and service. A large one gets months for all history, and recent days
by the first two dimensions; date ranges in the page then snap to months where there are no days
(`page/facts.js`). Figures are exact at any level of detail.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import duckdb

from orchestration.outputs.report.tables import Published, quoted

# How many recent days are considered if not all days fit.
_NEWEST_DAYS = 92
# The page ends with the latest day, so months must not extend beyond it.
_COME = "unallocated_reason is distinct from 'day to come'"


@dataclass(frozen=True)
class Detail:
    """Level of detail of costs in the page.

    `grain` applies to costs by customer, `levels` and service. If it is `month`, `days_from` is the first day
    with costs by customer, day and `levels[:2]`.
    """

    grain: str
    levels: tuple[str, ...]
    services: bool
    days_from: date | None

    def as_json(self) -> dict[str, Any]:
        """Representation for the page."""
        return {
            "grain": self.grain,
            "levels": list(self.levels),
            "services": self.services,
            "daysFrom": self.days_from.isoformat() if self.days_from else None,
        }


@dataclass
class RowCounts:
    """How many rows the marts have at each level of detail, each counted once."""

    marts: duckdb.DuckDBPyConnection
    _found: dict[str, list[Any]] = field(default_factory=dict)

    def rows(self, query: str) -> int:
        """Number of rows of a query."""
        return int(self._fetch(f"select count(*) from ({query})")[0][0])

    def rows_since(self, levels: tuple[str, ...]) -> list[tuple[date, int]]:
        """Recent days, latest first, each with the rows by customer, day and `levels` from it on."""
        return self._fetch(
            f"""
            with
                newest as (
                    select max(usage_date) as usage_date
                    from customer_costs_daily
                    where {_COME}
                ),
                groups as (
                    select distinct usage_date, {_columns(levels, False)}
                    from customer_costs_daily
                    where usage_date > (select usage_date - {_NEWEST_DAYS} from newest) and {_COME}
                )
            select usage_date, sum(count(*)) over (order by usage_date desc) as row_count
            from groups
            group by usage_date
            order by usage_date desc
            """
        )

    def _fetch(self, query: str) -> list[Any]:
        if query not in self._found:
            self._found[query] = self.marts.execute(query).fetchall()
        return self._found[query]


def choose_detail(counts: RowCounts, published: Published, budget: int) -> Detail:
    """The finest detail with at most `budget` rows."""
    dimensions = published.dimensions
    # Counting the mart's rows is quick and slightly overestimates the page's.
    if counts.rows("from customer_costs_daily") <= 8 * budget:
        for levels in dict.fromkeys((dimensions, dimensions[:2])):
            daily = f"select distinct usage_date, {_columns(levels, True)} from customer_costs_daily"
            if counts.rows(daily) <= budget:
                return Detail("day", levels, services=True, days_from=None)
    for levels, services in _coarser(dimensions[:2]):
        columns = _columns(levels, services)
        monthly = counts.rows(f"select distinct usage_month, {columns} from customer_costs_monthly")
        if monthly <= budget:
            return Detail("month", levels, services, _days_from(counts, levels[:2], budget - monthly))
    return Detail("month", (), services=False, days_from=None)


def _coarser(levels: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], bool]]:
    yield levels, True
    for kept in range(len(levels), 0, -1):
        yield levels[:kept], False


def select_costs(detail: Detail) -> str:
    """Costs by customer in the chosen detail; `period_start` is a day or the first day of a month.

    Excludes cost of future days, which the page shows as one sum (`spend` in `tables.py`).
    """
    source, period = (
        ("customer_costs_daily", "usage_date")
        if detail.grain == "day"
        else ("customer_costs_monthly", "usage_month")
    )
    return _select(source, period, _columns(detail.levels, detail.services))


def select_newest_days(detail: Detail) -> str | None:
    """Costs by customer and day since `days_from`, without services; None if all days are included anyway."""
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


def _days_from(counts: RowCounts, levels: tuple[str, ...], budget: int) -> date | None:
    """First day that fits, counting back from the latest; None if not even a week does."""
    days = counts.rows_since(levels)
    fitting = [day for day, rows in days if rows <= budget]
    if not fitting or days[0][0] - fitting[-1] < timedelta(days=6):
        return None
    return fitting[-1]
