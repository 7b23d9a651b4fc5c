"""Every published mart as CSV and Parquet files by day, in a folder that is switched atomically.

    exports/current                                        -> the latest version
    exports/versions/<n>/<mart>/usage_date=<day>/<mart>.csv
    exports/versions/<n>/<mart>/<mart>.parquet             a mart without days
    exports/versions/<n>/export.json                       what was exported, by mart and day

A version is written under a temporary name and then linked as `current`. Unchanged days are not rewritten:
their files are hard links to the previous version's.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import duckdb

from orchestration.outputs.exports.marts import DAY, WHOLE, Mart, fingerprints, wanted_marts
from orchestration.warehouse.files import point, share
from orchestration.warehouse.sql import literal, quoted

Format = Literal["csv", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
VERSIONS_KEPT = 2
_UNFINISHED_SECONDS = 3600
# Below DuckDB's limit of open files; above it, a day could become several files.
_DAYS_AT_ONCE = 90
_DESCRIPTION = "export.json"
_OPTIONS = {
    # FOCUS and most tools expect ISO 8601 in UTC.
    "csv": "format csv, header, timestampformat '%Y-%m-%dT%H:%M:%SZ'",
    "parquet": "format parquet, compression zstd",
}

Content = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Export:
    """Result of an export: its folder, and how many files were written or unchanged."""

    folder: Path
    written: int
    kept: int
    changed_days: dict[str, int]


def export_marts(
    connection: duckdb.DuckDBPyConnection,
    exports: Path,
    formats: Sequence[Format] = FORMATS,
    only: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Export:
    """Export the marts of the published database into `exports`; `only` restricts them.

    `progress` receives each mart's name. Raises `ExportError` for an unknown mart.
    """
    marts = wanted_marts(connection, only)
    content: Content = {mart.name: fingerprints(connection, mart) for mart in marts}
    current = exports / "current"
    described_formats, described = _described(current)
    if described_formats == list(formats) and described == content:
        files = sum(len(days) for days in content.values()) * len(formats)
        return Export(current.resolve(), written=0, kept=files, changed_days={})
    former = described if described_formats == list(formats) else {}
    number = 1 + max((int(path.name) for path in _versions(exports)), default=0)
    unfinished = exports / "versions" / f".{number}-{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    kept, changed = 0, {}
    # One file per day: with several threads, each would write its own.
    connection.execute("set threads = 1")
    for mart in marts:
        progress(mart.name)
        days = content[mart.name]
        new = [day for day in days if former.get(mart.name, {}).get(day) != days[day]]
        for day in set(days) - set(new):
            kept += _keep(current.resolve(), unfinished, mart, day, formats)
        if new:
            changed[mart.name] = len(new)
            for format_ in formats:
                _write(connection, unfinished, mart, new, format_)
    connection.execute("reset threads")
    description = json.dumps({"formats": list(formats), "marts": content}, indent=1) + "\n"
    (unfinished / _DESCRIPTION).write_text(description, encoding="utf-8")
    folder = exports / "versions" / str(number)
    unfinished.rename(folder)
    point(current, folder.relative_to(exports))
    for old in _versions(exports)[:-VERSIONS_KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    _forget_what_broke_off(exports / "versions")
    return Export(folder, sum(changed.values()) * len(formats), kept, changed)


def was_exported_since(exports: Path, formats: Sequence[Format], moment: float) -> bool:
    """Whether the current version has these formats and is newer than `moment` (Unix time)."""
    described = exports / "current" / _DESCRIPTION
    return _described(exports / "current")[0] == list(formats) and described.stat().st_mtime > moment


def _versions(exports: Path) -> list[Path]:
    folders = [path for path in (exports / "versions").glob("*") if path.name.isdigit()]
    return sorted(folders, key=lambda path: int(path.name))


def _forget_what_broke_off(versions: Path) -> None:
    for path in versions.glob(".*"):
        if path.stat().st_mtime < time.time() - _UNFINISHED_SECONDS:
            shutil.rmtree(path, ignore_errors=True)


def _described(current: Path) -> tuple[list[Format], Content]:
    path = current / _DESCRIPTION
    if not path.is_file():
        return [], {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return found["formats"], found["marts"]


def _file(mart: Mart, day: str, format_: Format) -> Path:
    folder = Path(mart.name) if day == WHOLE else Path(mart.name, f"{DAY}={day}")
    return folder / f"{mart.name}.{format_}"


def _keep(former: Path, version: Path, mart: Mart, day: str, formats: Sequence[Format]) -> int:
    for format_ in formats:
        path = version / _file(mart, day, format_)
        share(former / _file(mart, day, format_), path)
    return len(formats)


def _write(
    connection: duckdb.DuckDBPyConnection, version: Path, mart: Mart, days: list[str], format_: Format
) -> None:
    selected = mart.selected(as_text=format_ == "csv")
    folder = version / mart.name
    folder.mkdir(parents=True, exist_ok=True)
    if mart.day is None:
        target = literal(version / _file(mart, WHOLE, format_))
        connection.execute(
            f"copy (select {selected} from {quoted(mart.name)}) to {target} ({_OPTIONS[format_]})"
        )
        return
    # If the day's column has another name, the day is only in the path.
    day = "" if mart.has_usage_date else f", {mart.day} as {DAY}"
    for first in range(0, len(days), _DAYS_AT_ONCE):
        some = days[first : first + _DAYS_AT_ONCE]
        connection.execute(
            f"copy (select {selected}{day} from {quoted(mart.name)} "
            f"where {mart.day} in (select unnest($1::varchar[])::date)) to {literal(folder)} "
            f"({_OPTIONS[format_]}, partition_by ({DAY}), write_partition_columns {mart.has_usage_date}, "
            "filename_pattern 'part', overwrite_or_ignore)",
            [some],
        )
        for each in some:
            (part,) = (folder / f"{DAY}={each}").glob(f"part*.{format_}")
            part.rename(version / _file(mart, each, format_))
