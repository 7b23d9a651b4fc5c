"""Land the telemetry batches of a location: records, quarantine and ledger."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.sources.locations import Location, ObjectMissingError, StoredObject
from orchestration.sources.telemetry.compaction import merge_loads
from orchestration.sources.telemetry.landed_files import LandedTelemetry, ensure_landing
from orchestration.sources.telemetry.ledger import Arrival, Batch, plan_load, with_times
from orchestration.sources.telemetry.load import Load, Progress, TelemetryLanding
from orchestration.sources.telemetry.records import EVERY_TIME, UsageLimits

__all__ = ["Progress", "TelemetryLanding", "ensure_landing", "land_telemetry"]

FETCHES_AT_ONCE = 8


def land_telemetry(
    location: Location,
    landing: Path,
    now: datetime,
    on_progress: Progress | None = None,
    *,
    limits: UsageLimits = EVERY_TIME,
    memory_limit: str = "",
    threads: int = 0,
    loads_kept: int = 32,
) -> TelemetryLanding:
    """Land every new or changed batch of the location; `now` must have a zone.

    Objects whose name or folder starts with `_` are not batches. An unreadable batch is one row in
    quarantine, and is retried when its object changes. More than `loads_kept` loads of a size are merged.
    Nothing counts before the ledger is written, at the end: after a kill at any moment, the next load starts
    from the last ledger. Raises `LocationError` if the location cannot be read.
    """
    progress = on_progress or _silent
    at = now.astimezone(UTC).replace(tzinfo=None)
    landed = LandedTelemetry(landing / "telemetry")
    landed.prepare()
    work = landed.open_work()
    try:
        with duckdb.connect(config=_config(work, memory_limit, threads)) as connection:
            connection.execute("SET TimeZone = 'UTC'")  # times without a zone are UTC
            connection.execute(
                "SET enable_progress_bar = false"
            )  # it would overwrite the run's own progress bar
            ledger = landed.settle(connection, landed.read_ledger())
            landed.sweep({line.load_id for line in ledger})
            found = _found(location)
            ledger = _with_times(landed, ledger, found)
            fetched, unchanged = _fetch(location, ledger, found, work, progress)
            plan = plan_load(ledger, [arrival for arrival, _ in fetched])
            if not fetched:
                merge_loads(landed, connection, ledger, loads_kept)
                return TelemetryLanding(None, unchanged=unchanged)
            load = Load(connection, landed, plan, at, limits, progress)
            paths = {arrival.batch_location: path for arrival, path in fetched}
            lines = load.land([paths[arrival.batch_location] for arrival in plan.to_land])
            landed.write_ledger(lines)
            lines = landed.settle(connection, lines)
            merge_loads(landed, connection, lines, loads_kept)
            return load.result(unchanged + plan.unchanged)
    finally:
        landed.close_work()


def _silent(step: str, done: int, total: int) -> None:
    pass


def _config(work: Path, memory_limit: str, threads: int) -> dict[str, str | bool | int | float | list[str]]:
    config: dict[str, str | bool | int | float | list[str]] = {"temp_directory": str(work / "spill")}
    # Row order does not matter: every row has its place.
    config["preserve_insertion_order"] = "false"
    if memory_limit:
        config["memory_limit"] = memory_limit
    if threads:
        config["threads"] = threads
    return config


def _found(location: Location) -> list[tuple[str, StoredObject]]:
    """Objects that may be batches, with their places."""
    return [
        (location.describe(stored.key), stored)
        for stored in location.list()
        if not any(part.startswith("_") for part in stored.key.split("/"))
    ]


def _with_times(
    landed: LandedTelemetry, ledger: list[Batch], found: Sequence[tuple[str, StoredObject]]
) -> list[Batch]:
    """The ledger with current object times; written if they changed."""
    times = {(place, stored.version): _time(stored) for place, stored in found}
    timed = with_times(ledger, times)
    if timed != ledger or not landed.ledger_is_current():
        landed.write_ledger(timed)
    return timed


def _time(stored: StoredObject) -> datetime:
    return stored.modified.astimezone(UTC).replace(tzinfo=None)


def _fetch(
    location: Location,
    ledger: Sequence[Batch],
    found: Sequence[tuple[str, StoredObject]],
    work: Path,
    progress: Progress,
) -> tuple[list[tuple[Arrival, Path]], int]:
    """Objects unknown to the ledger in this version, oldest first, each with a local file."""
    known = {line.batch_location: line.object_version for line in ledger if line.live}
    new = [(place, stored) for place, stored in found if known.get(place) != stored.version]
    new.sort(key=lambda each: (each[1].modified, each[1].key))
    downloads = work / "downloads"
    downloads.mkdir()

    def fetch(each: tuple[str, StoredObject]) -> tuple[Arrival, Path] | None:
        place, stored = each
        try:
            path = location.fetch(stored.key, downloads)
        except ObjectMissingError:
            return None  # deleted since it was listed
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        return Arrival(place, stored.version, _time(stored), content), path

    fetched: list[tuple[Arrival, Path]] = []
    with ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
        for done, each in enumerate(pool.map(fetch, new), 1):
            progress("fetch batches", done, len(new))
            if each:
                fetched.append(each)
    return fetched, len(found) - len(new)
