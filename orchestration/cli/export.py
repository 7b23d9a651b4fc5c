"""`cpc export`: the published marts as files, on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.options import Workspace, settings_of


def export(
    workspace: Workspace = None,
    format: Annotated[  # noqa: A002 (the option's name)
        list[str] | None, typer.Option("--format", help="csv or parquet; by default both.")
    ] = None,
    mart: Annotated[list[str] | None, typer.Option("--mart", help="Only this mart; by default all.")] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Folder; by default <workspace>/exports.")] = None,
) -> None:
    """Write the published marts as CSV and Parquet files by day; only days that changed are written.

    Examples:

    [bold]cpc export --workspace my-bill[/]   then read my-bill/exports/current/

    [bold]cpc export --format csv --mart focus_customer_costs --to /tmp/focus[/]
    """
    from orchestration.outputs.databases import open_published
    from orchestration.outputs.exports.export import FORMATS, export_marts

    chosen = [known for known in FORMATS if not format or known in format]
    unknown = sorted(set(format or ()) - set(FORMATS))
    if unknown:
        raise typer.BadParameter(f"no format {', '.join(unknown)}; there are {', '.join(FORMATS)}")
    settings = settings_of(workspace)
    folder = to or settings.export_folder
    with open_published(settings) as marts, Console(stderr=True).status("Exporting") as status:
        done = export_marts(marts, folder, chosen, mart or (), lambda name: status.update(name))
    typer.echo(f"{done.written:,} files written, {done.kept:,} unchanged: {folder / 'current'}")
