"""`cpc diff`: how an edit of the contexts changes each customer's cost."""

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
    month: Annotated[str | None, typer.Option(help="Only this usage month, such as 2026-10.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many rows to list per table.")] = 20,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Markdown output, for a pull request.")
    ] = False,
) -> None:
    """Show how each customer's cost changes between the contexts of a commit and the current ones.

    Both sides are computed by the job's own models from the last run's charges and usage, on a copy; readers
    and runs are not affected. Exits with 1 if the totals of the two sides differ.

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

    with Console(stderr=True).status("Computing both sides") as status:
        difference = difference_since(settings, reference, month, status.update)
    title = f"Cost changes of the current contexts, compared with {reference}"
    title += f", usage of {month}" if month else ""
    if as_markdown:
        print(markdown(difference, title, top), end="")
    else:
        show_difference(difference, title, top, console)
    if not difference.is_exact:
        raise typer.Exit(1)
