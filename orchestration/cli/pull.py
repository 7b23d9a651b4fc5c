"""`cpc pull`: pull usage from other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, settings_of


def pull(
    names: Annotated[list[str] | None, typer.Argument(help="Pulls of usage.yml; default: all.")] = None,
    workspace: Workspace = None,
    contexts: Contexts = None,
    from_: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First day to read again.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day to read again; default: today.")
    ] = None,
) -> None:
    """Pull usage from Prometheus, SQL, CloudWatch and logs, as usage.yml in the contexts says.

    Reads what is new since the last pull, as every cpc run does. Reading a day again counts it once. Ends
    with 1 if a pull failed; the others are stored.

    Examples:

    [bold]cpc pull --workspace my-bill[/]

    [bold]cpc pull gateway --from 2026-10-01 --until 2026-10-31[/]   a backfill
    """
    settings = settings_of(workspace, contexts)
    from datetime import UTC

    from orchestration.sources.locations import open_of
    from orchestration.sources.telemetry.pulls.pull import pull_usage

    now = datetime.now(UTC).replace(tzinfo=None)
    if until and not from_:
        raise typer.BadParameter("needs --from, the first day to read", param_hint="--until")
    days = (from_.date(), (until or now).date()) if from_ else None
    failed = False
    for result in pull_usage(settings, open_of(settings), now, names or (), days):
        typer.echo(f"{result.pull.name}: {result.summary}")
        for line in (*result.remarks, *([f"stopped: {result.error}"] if result.error else [])):
            typer.echo(f"  {line}")
        failed = failed or result.error is not None
    if failed:
        raise typer.Exit(1)
