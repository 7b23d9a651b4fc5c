"""Find damaged files of a workspace, and move them away so that the next run makes them again.

A damaged file is one that cannot be read to its end. What a run computes is made again from the landing; what
has landed, from the sources, if everything that it was read from is still there.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Set
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.automation.workspace import dagster_home
from orchestration.settings import ExpectedError, Settings
from orchestration.sources import SOURCES
from orchestration.sources.billing.discovery import find_bills
from orchestration.sources.billing.empty_columns import part_of
from orchestration.sources.locations import open_of
from orchestration.sources.source import Source
from orchestration.warehouse.sql import quoted

_SIGNS = re.compile(
    r"parquet|magic bytes|TProtocolException|zstd|snappy|not a valid DuckDB|read enough bytes|corrupt"
    r"|checksum|not a database|malformed|failed to load",
    re.IGNORECASE,
)
COMMAND = "cpc run --repair"
Say = Callable[[str], None]


class UnrepairableError(ExpectedError):
    """A damaged file whose originals are gone."""


@dataclass(frozen=True)
class Damage:
    """A file that cannot be read, and why."""

    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{self.path} is damaged: {self.reason}"


def damage_behind(settings: Settings, texts: Iterable[str]) -> str | None:
    """What to say of a failure with these errors if damaged files are the cause, else None."""
    if not _SIGNS.search("\n".join(texts)):
        return None
    found = find_damage(settings)
    if not found:
        return None
    return "\n".join([*map(str, found), f"`{COMMAND}` moves damaged files away and makes them again."])


def find_damage(settings: Settings) -> list[Damage]:
    """Read every file that a run keeps, to its end."""
    checks: list[tuple[Callable[[Path], None], Iterable[Path]]] = [
        (_read_database, [settings.warehouse_file]),
        (_read_parquet, sorted(settings.landing_folder.rglob("*.parquet"))),
        (_read_parquet, sorted(settings.days_folder.rglob("*.parquet"))),
        (_read_parquet, sorted(_current(settings).rglob("*.parquet"))),
        (_read_database, [_current(settings) / "marts.duckdb"]),
        (_read_history, sorted((dagster_home(settings) / "history").rglob("*.db"))),
    ]
    return [damage for read, paths in checks for damage in _unreadable(read, paths)]


def repair(settings: Settings, now: datetime, say: Say) -> None:
    """Move every damaged file away, with what belongs to it, if all of them can be made again.

    Raises `UnrepairableError` if not; nothing is moved then. No run may be writing.
    """
    found = find_damage(settings)
    landing = settings.landing_folder
    in_landing = [damage.path for damage in found if damage.path.is_relative_to(landing)]
    places = [place for path in in_landing for place in _landed_with(settings, path)]
    away = settings.workspace / "damaged" / f"{now:%Y%m%dT%H%M%SZ}"
    for damage in found:
        say(str(damage))
        if damage.path == settings.warehouse_file:
            log = damage.path.with_name(f"{damage.path.name}.wal")
            places += [damage.path, log, settings.days_folder]
        elif damage.path.is_relative_to(settings.days_folder):
            places.append(damage.path)
        elif damage.path.is_relative_to(dagster_home(settings)):
            places.append(dagster_home(settings) / "history")
        elif damage.path.is_relative_to(_current(settings)):
            # Without its description a snapshot does not count, and the next run publishes another.
            places.append(_current(settings) / "snapshot.json")
    for place in dict.fromkeys(places):
        if place.exists():
            target = away / place.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(place, target)
            say(f"moved: {place} to {target}")
    if not found:
        say("No damaged file found.")


def _landed_with(settings: Settings, damaged: Path) -> list[Path]:
    """What lands together with a damaged file: a delivery of a bill, or all of another source."""
    landing = settings.landing_folder
    parts = damaged.relative_to(landing).parts
    name = parts[1] if parts[0] == "notes" else parts[0]
    source = next((source for source in SOURCES if source.name == name), None)
    if source is None or "none" in (damaged.stem, *(part.partition("=")[2] for part in parts)):
        return [damaged]  # a file without rows, or notes of no source
    if source.name == "billing":
        return _delivery(settings, damaged)
    _require_originals(settings, source)
    return [landing / name, landing / "notes" / name]


def _delivery(settings: Settings, damaged: Path) -> list[Path]:
    landing = settings.landing_folder
    for export in settings.exports:
        for delivery in find_bills(export, open_of(settings)).deliveries:
            notes = landing / "notes" / "billing" / f"{part_of(export.name, delivery.name)}.parquet"
            folders = landing.glob(f"billing/*/source_name={export.name}/delivery={delivery.name}")
            places = [*folders, notes]
            if damaged in places or damaged.parent in places:
                return places
    if damaged == landing / "notes" / "billing" / "landing.parquet":
        return [damaged]  # written at every landing
    raise UnrepairableError(
        f"{damaged} is damaged, and its bill is no longer where the settings say; restore the file from a "
        "backup, or the bill, and run again. Nothing was moved"
    )


def _require_originals(settings: Settings, source: Source) -> None:
    """Raise unless everything that the source's landing was read from can be read again."""
    folder = settings.landing_folder / source.name
    location = open_of(settings)(settings.location_of(source.name))
    present = {location.describe(stored.key) for stored in location.list()}
    gone = sorted(_read_from(folder) - present)
    if gone:
        raise UnrepairableError(
            f"{folder} is damaged, and {len(gone)} files that it was read from are gone, such as {gone[0]}; "
            "restore the folder from a backup, or the files, and run again. Nothing was moved"
        )


def _read_from(folder: Path) -> Set[str]:
    """Places of files, and scopes of APIs, that the readable files of a landing name."""
    found: set[str] = set()
    for path in folder.rglob("*.parquet"):
        try:
            names = set(pq.read_schema(path).names) & {"location", "batch_location", "scope"}
            table = pq.read_table(path, columns=sorted(names), partitioning=None)
        except (OSError, pa.ArrowException):
            continue
        for name in names:
            values = {value for value in table[name].unique().to_pylist() if value}
            found |= {value for value in values if name != "scope" or not value.startswith("file:")}
    return found


def _current(settings: Settings) -> Path:
    return (settings.published_folder / "current").resolve()


def _unreadable(read: Callable[[Path], None], paths: Iterable[Path]) -> Iterator[Damage]:
    for path in paths:
        try:
            if path.is_file():
                read(path)
        except (OSError, pa.ArrowException, duckdb.Error, sqlite3.Error) as error:
            said = str(error).partition("\n")[0].replace(str(path), "it").replace("file 'it'", "it")
            yield Damage(path, said.strip())


def _read_parquet(path: Path) -> None:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for _ in file.iter_batches():
            pass


def _read_database(path: Path) -> None:
    """Read every table: DuckDB compares each block with its checksum."""
    with closing(duckdb.connect(str(path), read_only=True)) as database:
        tables = database.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = current_database()"
        ).fetchall()
        for schema, table in tables:
            name = f"{quoted(schema)}.{quoted(table)}"
            database.execute(f"select sum(hash(found)::hugeint) from {name} as found").fetchall()


def _read_history(path: Path) -> None:
    with closing(sqlite3.connect(path)) as history:
        history.execute("pragma quick_check").fetchall()
