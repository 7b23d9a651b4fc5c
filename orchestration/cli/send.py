"""`cpc send`: send files of usage records to the telemetry API."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ROWS_SHOWN = 20


def send(
    files: Annotated[list[Path], typer.Argument(help="JSONL, CSV or Parquet, also .gz.", exists=True)],
    token: Annotated[str, typer.Option(help="Made by cpc api token.", envvar="CPC_API_TOKEN")],
    url: Annotated[
        str, typer.Option(help="Address of the API.", envvar="CPC_API_URL")
    ] = "http://127.0.0.1:8787",
) -> None:
    """Send files of usage records to the telemetry API, tried again until they are stored.

    A file sent twice counts once. Ends with 1 if records were rejected; the others are stored.

    Example: [bold]CPC_API_TOKEN=… cpc send usage.csv --url https://usage.example.com[/]
    """
    from orchestration.sources.telemetry.client import send_file

    if not url.startswith(("http://", "https://")):
        raise typer.BadParameter("an address begins with http:// or https://", param_hint="--url")
    failed = False
    for path in files:
        sent = send_file(path, url, token)
        typer.echo(f"{path}: {sent.accepted:,} records stored, {len(sent.rejected):,} rejected")
        for line in sent.rejected[:ROWS_SHOWN]:
            typer.echo(f"  {line}")
        failed = failed or bool(sent.rejected)
    if failed:
        raise typer.Exit(1)
