"""A run's messages in the terminal: warnings, result, errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from orchestration.outputs.warnings import DataWarning, shown_lines


def show_error(console: Console, text: str) -> None:
    """Print an error verbatim: brackets are not styles, long lines are not wrapped."""
    console.print(f"[bold red]✗[/] {escape(text)}", soft_wrap=True, highlight=False)


def show_warnings(console: Console, texts: Iterable[str]) -> None:
    """Print a run's warnings as logged."""
    for text in texts:
        console.print(f"[yellow]![/] {escape(text)}", soft_wrap=True, highlight=False)


def show_data_warnings(console: Console, warnings: Sequence[DataWarning]) -> None:
    """Print the mart `warnings`, the largest first."""
    show_warnings(console, shown_lines(warnings))


def show_snapshot(console: Console, snapshot: str, path: Path, *, changed: bool) -> None:
    """Report the published snapshot and its path."""
    news = "Published" if changed else "Nothing changed; readers keep"
    console.print(f"[bold green]✓[/] {news} snapshot {snapshot}", soft_wrap=True, highlight=False)
    console.print(f"  {path}", soft_wrap=True, highlight=False)
