"""`cpc doctor`: what is configured, whether it can be reached and read, and how new it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from orchestration.cli.options import Contexts, Workspace, settings_of

if TYPE_CHECKING:
    from orchestration.settings import Settings


def doctor(workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Check the settings, the contexts, every source and the last result, and say how new each is.

    Ends with 1 if something cannot be read.

    Example: [bold]cpc doctor --workspace my-bill[/]
    """
    settings = settings_of(workspace, contexts)
    from orchestration.settings import ExpectedError

    failed = False
    for what, look in _looks(settings):
        try:
            mark, found = "✓", look()
        except ExpectedError as error:
            mark, found, failed = "✗", str(error), True
        print(f"{mark} {what}: {found}")
    if failed:
        raise typer.Exit(1)


def _looks(settings: Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    from orchestration.sources import SOURCES

    file = settings.workspace / "settings.yml"
    yield "version", _version
    yield "settings", lambda: f"{file}{'' if file.is_file() else ' (none: defaults and the environment)'}"
    yield "contexts", lambda: _contexts(settings)
    for source in SOURCES:
        for place in source.places(settings):
            yield source.label, lambda place=place: _files(settings, place)  # type: ignore[misc]
    yield "bills landed", lambda: _landed(settings)
    yield "result", lambda: _published(settings)


def _version() -> str:
    from importlib.metadata import version

    import duckdb

    return f"cpc {version('cost-per-customer')}, DuckDB {duckdb.__version__}"


def _contexts(settings: Settings) -> str:
    from orchestration.cli.options import compiled

    program = compiled(settings).program
    rules = _counted(sum(len(dimension.rules) for dimension in program.dimensions), "rule")
    return (
        f"{settings.contexts}: {_counted(len(program.dimensions), 'dimension')} with {rules}, "
        f"{_counted(len(program.streams), 'stream')}, "
        f"{_counted(len(program.allocation.rules), 'allocation rule')}"
    )


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _files(settings: Settings, place: str) -> str:
    from pathlib import Path

    from orchestration.sources.locations import open_of

    if not Path(place).exists() and Path(place).is_relative_to(settings.sources):
        return f"{place}: none"
    found = list(open_of(settings)(place).list())
    newest = max((each.modified for each in found), default=None)
    return f"{place}: {_counted(len(found), 'file')}" + (
        f", the newest of {newest:%Y-%m-%d %H:%M} UTC" if newest else ""
    )


def _landed(settings: Settings) -> str:
    from orchestration.sources.billing.landed import landed_deliveries

    months = sorted(
        {
            month
            for export in settings.exports
            for delivery in landed_deliveries(settings.landing_folder, export.name).values()
            for month in delivery.months
        }
    )
    if len(months) < 2:
        return f"1 month, {months[0]}" if months else "none; run cpc run"
    return f"{len(months)} months, {months[0]} to {months[-1]}"


def _published(settings: Settings) -> str:
    from orchestration.outputs.read_only import open_published

    if not (settings.published_folder / "current.duckdb").is_file():
        return "none; run cpc run"
    with open_published(settings) as marts:
        [(cost, usage)] = marts.execute(
            "select (select max(usage_date) from customer_totals_daily), max(usage_date) from usage_daily"
        ).fetchall()
    snapshot = (settings.published_folder / "current").resolve().name
    return f"snapshot {snapshot}, newest day of cost {cost or 'none'}, of usage {usage or 'none'}"
