"""How much of the bill the contexts explain: per dimension and month, and what no rule claims yet.

Asked of the published mart `context_coverage`, as any reader would ask it. What does not belong here: how
a charge is classified (`compiler`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.reports.databases import open_published, rows_of
from orchestration.settings import Settings

BY_MONTH = """
select
    date_trunc('month', usage_date)::date as usage_month,
    billing_currency,
    dimension,
    coalesce(sum(effective_cost) filter (coverage = 'rule'), 0)::decimal(38, 12) as matched,
    coalesce(sum(effective_cost) filter (coverage = 'default'), 0)::decimal(38, 12) as by_default,
    coalesce(sum(effective_cost) filter (coverage = 'unmatched'), 0)::decimal(38, 12) as unmatched
from context_coverage
group by all
order by dimension, usage_month, billing_currency
"""

UNCLAIMED = """
select
    dimension,
    billing_currency,
    coverage,
    service_name,
    sub_account_id,
    sum(charge_count)::bigint as charge_count,
    sum(effective_cost)::decimal(38, 12) as effective_cost
from context_coverage
where coverage <> 'rule'
group by dimension, billing_currency, coverage, service_name, sub_account_id
qualify
    row_number() over (
        partition by dimension, billing_currency
        order by sum(effective_cost) desc, service_name, sub_account_id, coverage
    ) <= $top
order by dimension, billing_currency, effective_cost desc, service_name, sub_account_id, coverage
"""


@dataclass(frozen=True)
class MonthOfDimension:
    """Effective cost of a month by how a dimension got its element: a rule, its default, or not at all."""

    usage_month: date
    billing_currency: str
    dimension: str
    matched: Decimal
    by_default: Decimal
    unmatched: Decimal

    @property
    def total(self) -> Decimal:
        """The whole month's effective cost."""
        return self.matched + self.by_default + self.unmatched

    def percent(self, part: Decimal) -> Decimal | None:
        """`part` of the total in percent, two digits; None where the month cost nothing."""
        return None if self.total == 0 else (100 * part / self.total).quantize(Decimal("0.01"))


@dataclass(frozen=True)
class UnclaimedGroup:
    """Charges of one service and account, of all months, that no rule of the dimension claims.

    `coverage` is what became of them: left to the `default`, or `unmatched`.
    """

    dimension: str
    billing_currency: str
    coverage: str
    service_name: str | None
    sub_account_id: str | None
    charge_count: int
    effective_cost: Decimal


def coverage_by_month(marts: duckdb.DuckDBPyConnection) -> list[MonthOfDimension]:
    """One entry per dimension, month and currency, in that order."""
    return [MonthOfDimension(**row) for row in rows_of(marts, BY_MONTH)]


def largest_unclaimed(marts: duckdb.DuckDBPyConnection, top: int) -> list[UnclaimedGroup]:
    """Per dimension and currency the `top` groups that cost most and that no rule claims."""
    return [UnclaimedGroup(**row) for row in rows_of(marts, UNCLAIMED, {"top": top})]


def show_coverage(settings: Settings, console: Console, top: int) -> None:
    """Print both tables. Raises `NotReadableError` when nothing has been published yet."""
    with open_published(settings) as marts:
        months = coverage_by_month(marts)
        groups = largest_unclaimed(marts, top)
    console.print(_months_table(months))
    if groups:
        console.print(_groups_table(groups))
    else:
        console.print("\nEvery charge is claimed by a rule of every dimension.")


def _months_table(months: list[MonthOfDimension]) -> Table:
    table = Table(title="What the rules claim, effective cost", title_justify="left", box=None)
    for name in ("Dimension", "Month", "Currency"):
        table.add_column(name)
    for name in ("Matched by a rule", "%", "Left to the default", "%", "Unmatched", "%"):
        table.add_column(name, justify="right", no_wrap=True)
    for month in months:
        cells = []
        for part in (month.matched, month.by_default, month.unmatched):
            percent = month.percent(part)
            cells += [f"{part:,.2f}", "-" if percent is None else f"{percent}"]
        table.add_row(month.dimension, f"{month.usage_month:%Y-%m}", month.billing_currency, *cells)
    return table


def _groups_table(groups: list[UnclaimedGroup]) -> Table:
    title = "\nThe largest that no rule claims, all months"
    table = Table(title=title, title_justify="left", box=None)
    for name in ("Dimension", "Service", "Account", "Became"):
        table.add_column(name, overflow="fold")
    for name in ("Charges", "Effective cost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Currency")
    for group in groups:
        table.add_row(
            group.dimension,
            group.service_name or "(none)",
            group.sub_account_id or "(none)",
            group.coverage,
            f"{group.charge_count:,}",
            f"{group.effective_cost:,.2f}",
            group.billing_currency,
        )
    return table
