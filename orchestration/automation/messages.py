"""What a run tells in a terminal, in words: its warnings, its result, its errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from orchestration.outputs.warnings import DataWarning, shown_lines


def show_error(console: Console, text: str) -> None:
    """An error message, as it is: brackets in it are not styles, long lines are not cut."""
    console.print(f"[bold red]✗[/] {escape(text)}", soft_wrap=True, highlight=False)


def show_warnings(console: Console, texts: Iterable[str]) -> None:
    """What a run warned of, each as it was logged."""
    for text in texts:
        console.print(f"[yellow]![/] {escape(text)}", soft_wrap=True, highlight=False)


def show_data_warnings(console: Console, warnings: Sequence[DataWarning]) -> None:
    """What the marts say that a person should know, the weightiest first."""
    show_warnings(console, shown_lines(warnings))


def show_snapshot(console: Console, snapshot: str, path: Path, *, changed: bool) -> None:
    """Say that readers have the result, and where."""
    news = "Published" if changed else "Nothing changed; readers keep"
    console.print(f"[bold green]✓[/] {news} snapshot {snapshot}", soft_wrap=True, highlight=False)
    console.print(f"  {path}", soft_wrap=True, highlight=False)
