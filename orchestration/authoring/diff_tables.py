"""Output of a context diff: terminal tables, or Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.authoring.diff_costs import CustomerChange, Difference, Moved, Total

ABSENT = "(no such dimension)"
Columns = Sequence[tuple[str, bool]]
_MOVED: Columns = [
    ("Dimension", False),
    ("From", False),
    ("To", False),
    ("Charges", True),
    ("Effective cost", True),
    ("Currency", False),
]
_CUSTOMERS: Columns = [
    ("Customer", False),
    ("Before", True),
    ("After", True),
    ("Change", True),
    ("%", True),
    ("Currency", False),
]


def show_difference(difference: Difference, title: str, top: int, console: Console) -> None:
    """Print the `top` largest changes of each kind."""
    console.print(f"[bold]{escape(title)}[/]")
    for name, columns, rows in _sections(difference):
        table = Table(title=f"\n{name}", title_justify="left", box=None)
        for column, is_number in columns:
            table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number)
        for row in rows[:top]:
            table.add_row(*map(escape, row))
        console.print(table if rows else f"\n{name}: none")
        if len(rows) > top:
            console.print(f"… and {len(rows) - top:,} more (--top)")
    console.print()
    for total in difference.totals:
        style = "green" if total.is_equal else "bold red"
        console.print(_total_text(total), style=style, highlight=False, soft_wrap=True)


def markdown(difference: Difference, title: str, top: int) -> str:
    """The `top` largest changes of each kind as Markdown."""
    parts = [f"### {_cell(title)}"]
    for name, columns, rows in _sections(difference):
        parts.append(f"**{name}**" if rows else f"**{name}**: none")
        if not rows:
            continue
        lines = [
            "| " + " | ".join(column for column, _ in columns) + " |",
            "| " + " | ".join("---:" if is_number else "---" for _, is_number in columns) + " |",
            *("| " + " | ".join(map(_cell, row)) + " |" for row in rows[:top]),
        ]
        if len(rows) > top:
            lines.append(f"\n… and {len(rows) - top:,} more.")
        parts.append("\n".join(lines))
    parts.append("\n".join(f"- {_total_text(total)}" for total in difference.totals))
    return "\n\n".join(parts) + "\n"


def _sections(difference: Difference) -> list[tuple[str, Columns, list[list[str]]]]:
    changed = f"Customers whose cost changes ({len(difference.customers):,} of {difference.customer_count:,})"
    return [
        ("Spend that moves to another element", _MOVED, [_moved_row(move) for move in difference.moved]),
        (changed, _CUSTOMERS, [_customer_row(each) for each in difference.customers]),
    ]


def _moved_row(move: Moved) -> list[str]:
    return [
        move.dimension,
        ABSENT if move.before is None else move.before,
        ABSENT if move.after is None else move.after,
        f"{move.charge_count:,}",
        f"{move.cost:,.2f}",
        move.billing_currency,
    ]


def _customer_row(each: CustomerChange) -> list[str]:
    named = f"{each.customer_name} ({each.customer_id})" if each.customer_name else each.customer_id
    percent = f"{(100 * each.change / each.before).quantize(Decimal('0.01')):+}" if each.before else "new"
    money = [f"{each.before:,.2f}", f"{each.after:,.2f}", f"{each.change:+,.2f}"]
    return [named, *money, percent, each.billing_currency]


def _total_text(total: Total) -> str:
    currency = total.billing_currency
    if total.is_equal:
        bill = f"{total.charges_before:,.2f} {currency}"
        return f"The bill is the same, {bill}: charges and customers, both sides."
    return (
        f"THE TOTALS DIFFER in {currency}: charges {total.charges_before:f} before and "
        f"{total.charges_after:f} after, customers {total.customers_before:f} and {total.customers_after:f}. "
        "This must not be; run the job again, and report it if it stays."
    )


def _cell(text: str) -> str:
    """Escape text so that it stays a single table cell."""
    for special in "\\|`*_<>[]":
        text = text.replace(special, f"\\{special}")
    return " ".join(text.split())
