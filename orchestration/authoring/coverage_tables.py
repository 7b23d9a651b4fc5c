"""Terminal output of coverage and suggestions."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.authoring.coverage import (
    MonthOfDimension,
    UnclaimedGroup,
    coverage_by_month,
    largest_unclaimed,
)
from orchestration.authoring.live_charges import open_live_charges
from orchestration.authoring.spend_profiles import make_profiles
from orchestration.authoring.suggestions import suggestions, yaml_to_paste
from orchestration.compiler import Compilation
from orchestration.settings import Settings


def show_coverage(
    settings: Settings,
    contexts: Mapping[str, str],
    compilation: Compilation,
    console: Console,
    top: int,
    suggested: int,
) -> None:
    """Print what the contexts match, what they miss, and up to `suggested` rules per dimension.

    Raises `NotReadableError` if no run has staged charges yet.
    """
    with open_live_charges(settings) as charges:
        dimensions = make_profiles(charges, compilation)
        months = coverage_by_month(charges.warehouse, dimensions)
        groups = largest_unclaimed(charges.warehouse, dimensions, top)
        found = suggestions(charges, contexts, compilation, suggested) if suggested else []
    console.print(_months_table(months))
    if not groups:
        console.print("\nEvery charge is claimed by a rule of every dimension.")
        return
    console.print(_groups_table(groups))
    if found:
        console.print("\nRules that would claim more, to paste at the end of a dimension's rules:")
        console.print(escape(yaml_to_paste(found)), highlight=False, soft_wrap=True)


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
    for name in ("Dimension", "By", "Group"):
        table.add_column(name, overflow="fold")
    for name in ("Charges", "Effective cost"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Currency")
    for group in groups:
        table.add_row(
            group.dimension,
            group.grouped_by,
            escape(group.group),
            f"{group.charge_count:,}",
            f"{group.effective_cost:,.2f}",
            group.billing_currency,
        )
    return table
