"""Terminal output of a bill's tags, accounts and services."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from orchestration.authoring.bill_overview import CostOf, by_key


def tags_table(title: str, costs: Sequence[CostOf], top: int) -> Table:
    """The `top` costliest values of each key, and what the others cost together."""
    table = Table(title=title, title_justify="left", box=None)
    for name in ("Kind", "Key", "Value"):
        table.add_column(name, overflow="fold")
    for name in ("Cost", "% of bill"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("Currency")
    for (kind, key, currency), values in by_key(costs).items():
        for value in values[:top]:
            percent = 100 * value.cost / value.bill_cost if value.bill_cost else 0
            shown = (kind, escape(key), escape(value.value))
            table.add_row(*shown, f"{value.cost:,.2f}", f"{percent:.1f}", currency)
        if others := values[top:]:
            rest = sum(value.cost for value in others)
            table.add_row(kind, escape(key), f"… {len(others):,} more", f"{rest:,.2f}", "", currency)
    return table
