"""A run's messages in the terminal: warnings, result, errors."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape

from orchestration.outputs.run_summary import RunSummary
from orchestration.outputs.warnings import shown_lines

_LINES_SHOWN = 10


def show_error(console: Console, text: str) -> None:
    """Print an error verbatim: brackets are not styles, long lines are not wrapped."""
    console.print(f"[bold red]✗[/] {escape(text)}", soft_wrap=True, highlight=False)


def show_warnings(console: Console, texts: Iterable[str]) -> None:
    """Print a run's warnings as logged."""
    for text in texts:
        console.print(f"[yellow]![/] {escape(text)}", soft_wrap=True, highlight=False)


def show_summary(console: Console, summary: RunSummary) -> None:
    """Print warnings, where the money went, what was rejected or is missing, and where the result is."""
    show_warnings(console, shown_lines(summary.other_warnings))
    _print(console, "")
    for cost in summary.costs:
        months = " to ".join(dict.fromkeys((cost.first_month, cost.last_month)))
        _print(console, f"Effective cost {months}, {cost.billing_currency}")
        parts = {f"carried by {cost.customer_count:,} customers": cost.to_customers}
        parts |= {f"unallocated: {reason}": amount for reason, amount in cost.unallocated.items()}
        for what, amount in parts.items():
            _print(console, f"  {what:<36}{amount:>20,.2f}{cost.percent(amount):>8.1f}%")
        _print(console, f"  {'total':<36}{cost.total:>20,.2f}")
    lists = {
        f"Rejected rows: {sum(each['row_count'] for each in summary.rejected):,}": [
            f"{each['row_count']:,} {each['reason']} in {each['file']} ({each['source']})"
            for each in summary.rejected
        ],
        "Columns that the provider's documentation lacks": summary.unknown_columns,
        "Digits after the twelfth, cut": summary.cut_digits,
    }
    for title, lines in lists.items():
        if lines:
            _print(console, title)
            shown = [
                *lines[:_LINES_SHOWN],
                *([f"… {len(lines) - _LINES_SHOWN:,} more"][: len(lines) > _LINES_SHOWN]),
            ]
            for line in shown:
                _print(console, f"  {escape(line)}")
    _print(console, "")
    for cost in summary.costs:
        if cost.much_is_open:
            open_cost = (
                f"{cost.open:,.2f} {cost.billing_currency}, {cost.percent(cost.open):.1f}% of the cost"
            )
            hint = "" if summary.missing else "; cpc coverage says what no rule matches"
            _print(console, f"[yellow]![/] No customer carries {open_cost}{hint}")
    show_warnings(console, (f"Missing: {text}" for text in summary.missing))
    outcome = "Published" if summary.changed else "Nothing changed; readers keep"
    mark = "[bold yellow]![/]" if any(cost.much_is_open for cost in summary.costs) else "[bold green]✓[/]"
    _print(console, f"{mark} {outcome} snapshot {summary.snapshot}")
    _print(console, f"  {escape(str(summary.database))}")
    _print(console, f"  {escape(str(summary.report))}")


def _print(console: Console, line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False)
