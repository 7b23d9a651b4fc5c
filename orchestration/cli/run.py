"""`cpc run`: run the whole job once."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.options import Contexts, Workspace, settings_of
from orchestration.settings import MONTH

_SPAN = re.compile(rf"({MONTH})(?:\.\.({MONTH}))?")


def run(
    workspace: Workspace = None,
    contexts: Contexts = None,
    months: Annotated[str | None, typer.Option(help="Billing months, one or a range; default: all.")] = None,
    check_all: Annotated[
        bool, typer.Option("--check-all", help="Check all days, not only those of this run.")
    ] = False,
    repair: Annotated[
        bool, typer.Option("--repair", help="First move damaged files away; the run makes them again.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary as JSON; everything else on standard error.")
    ] = False,
) -> None:
    """Run the whole job once: land, build, check, publish. Only changed days are computed.

    Ends with where the money went, what was rejected and what to look at; with 1 if nothing was published.

    Examples:

    [bold]cpc run --workspace my-bill[/]   with bills in my-bill/sources/billing/

    [bold]cpc run --months 2026-06..2026-07[/]

    [bold]cpc run --check-all[/]   also check the days of earlier runs

    [bold]cpc run --repair[/]   after a disk failed: find damaged files and make them again

    [bold]cpc run --json > run.json[/]   the summary for machines
    """
    settings = settings_of(workspace, contexts)
    wanted = _months(months)
    from orchestration.automation.run import run_job

    summary = run_job(settings, wanted, Console(stderr=as_json), check_all=check_all, repair=repair)
    if summary is None:
        raise typer.Exit(1)
    if as_json:
        print(json.dumps(summary.as_json(), default=_text, indent=2))


def _text(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _months(text: str | None) -> list[str] | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span is None or (span[2] and span[2] < span[1]):
        raise typer.BadParameter(
            f"{text!r} is not a month or range of months; expected YYYY-MM or YYYY-MM..YYYY-MM"
        )
    return [span[1], span[2] or span[1]]
