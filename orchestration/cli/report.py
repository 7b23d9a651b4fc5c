"""`cpc report`: build the report of the published marts."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import Workspace, settings_of


def report(
    workspace: Workspace = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open the report in the browser.")] = False,
) -> None:
    """Build the HTML report of the published marts if needed, and print its path.

    Examples:

    [bold]cpc report --workspace my-bill[/]

    [bold]cpc report --workspace my-bill --open[/]
    """
    from orchestration.outputs.report.report import make_report

    made = make_report(settings_of(workspace))
    print(made.path)
    if open_it:
        typer.launch(made.path.as_uri())
