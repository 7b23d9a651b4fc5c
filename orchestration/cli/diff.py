"""`cpc diff`: what an edit of the contexts does to each customer's cost."""

from __future__ import annotations

import re
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.options import Contexts, Workspace, settings_of, wide_console
from orchestration.settings import MONTH


def diff(
    reference: Annotated[
        str, typer.Argument(metavar="REF", help="A branch, tag or commit of the contexts' repository.")
    ],
    workspace: Workspace = None,
    contexts: Contexts = None,
    month: Annotated[
        str | None, typer.Option(help="Only the days of this usage month, such as 2026-10.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many rows to list of each table.")] = 20,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="For a pull request.")] = False,
) -> None:
    """Show what the contexts as they are now do to the bill, compared with those of a commit.

    Both are worked out by the job's own models on the charges and usage of the last run, aside; readers and
    runs are not touched. Ends with 1 should the totals of both sides differ.

    Examples:

    [bold]cpc diff main[/]

    [bold]cpc diff HEAD~1 --month 2026-10 --markdown > difference.md[/]
    """
    if month is not None and not re.fullmatch(MONTH, month):
        raise typer.BadParameter(f"{month!r} is not a month; expected YYYY-MM")
    settings = settings_of(workspace, contexts)
    console = wide_console()
    from orchestration.authoring.diff import difference_since
    from orchestration.authoring.diff_tables import markdown, show_difference

    with Console(stderr=True).status("Working out both sides") as status:
        difference = difference_since(settings, reference, month, status.update)
    title = f"What the contexts do to the bill, compared with {reference}"
    title += f", usage of {month}" if month else ""
    if as_markdown:
        print(markdown(difference, title, top), end="")
    else:
        show_difference(difference, title, top, console)
    if not difference.is_exact:
        raise typer.Exit(1)
