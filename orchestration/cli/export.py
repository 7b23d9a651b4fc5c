"""`cpc export`: export the published marts as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.options import Workspace, settings_of


def export(
    workspace: Workspace = None,
    format: Annotated[  # noqa: A002 (the option's name)
        list[str] | None, typer.Option("--format", help="csv or parquet; default: both.")
    ] = None,
    mart: Annotated[
        list[str] | None, typer.Option("--mart", help="Only this mart; default: all. Repeatable.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="A folder, postgres or iceberg; default: <workspace>/exports."),
    ] = None,
) -> None:
    """Export the published marts as CSV and Parquet files by day, or into Postgres or Iceberg tables.

    Only changed days are written. The database is set by export_postgres, export_iceberg, export_schema.

    Examples:

    [bold]cpc export --workspace my-bill[/]   then read my-bill/exports/current/

    [bold]cpc export --format csv --mart focus_customer_costs --to /tmp/focus[/]

    [bold]CPC_EXPORT_POSTGRES=postgresql://bi@db/costs cpc export --to postgres[/]
    """
    from orchestration.outputs.exports.databases import DATABASES, export_to_database
    from orchestration.outputs.exports.files import FORMATS, export_marts
    from orchestration.outputs.read_only import open_published

    chosen = [known for known in FORMATS if not format or known in format]
    unknown = sorted(set(format or ()) - set(FORMATS))
    if unknown:
        raise typer.BadParameter(f"unknown format {', '.join(unknown)}; expected {', '.join(FORMATS)}")
    settings = settings_of(workspace)
    with open_published(settings) as marts, Console(stderr=True).status("Exporting") as status:
        if to in DATABASES:
            written = export_to_database(to, marts, settings, mart or (), status.update)
            days = sum(written.written.values())
            typer.echo(f"{days:,} days written to {to}, {written.kept:,} unchanged")
            return
        folder = Path(to) if to else settings.export_folder
        done = export_marts(marts, folder, chosen, mart or (), status.update)
    typer.echo(f"{done.written:,} files written, {done.kept:,} unchanged: {folder / 'current'}")
