"""Write a delivery's charges as Parquet files of consecutive days, and keep those that are unchanged.

A month is delivered again every day, nearly always with the same charges on nearly all days. A day is
compared by hashes of its raw rows, which the pass that sums the files makes as well; only the files of days
that differ are written again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from pathlib import Path

import duckdb

from orchestration.sources.billing.formats import complaints
from orchestration.sources.billing.formats.columns import Family
from orchestration.sources.billing.formats.files import DataFile, relation
from orchestration.sources.billing.formats.reading import Reading, empty_charges
from orchestration.sources.billing.source_totals import ColumnReport, source_totals
from orchestration.sources.billing.unclear_texts import map_has_control_character, tag_conflict_notes
from orchestration.warehouse.sql import literal

# Rows of a file, if the delivery has that many: about a day of a large bill, a month of a small one.
_ROWS = 250_000
# DuckDB closes files that it writes by day when more are open, and would begin others.
_MOST_FILES = 90
# How often a row may be read to write file by file. Writing all files in one pass takes twice the CPU (10 µs
# instead of 5 a charge); reading a row that is not needed takes a tenth of that.
_MOST_READS = 4
# Maximum number of distinct maps in a table: each takes about 700 bytes.
_MOST_CONTENTS = 100_000

Group = tuple[Reading, list[DataFile]]
# The first and last row of raw files, by key.
Rows = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class RawFiles:
    """What one pass over a delivery's raw files found. Table `source_totals` has their sums.

    `dictionaries` are the tables of each group's maps; `sql` names what landed charges are made by, other
    than the rows of their day: they change with it.
    """

    groups: list[Group]
    dictionaries: list[dict[str, str]]
    report: ColumnReport
    sql: str


@dataclass(frozen=True)
class Files:
    """The files of a delivery's charges: `kept` are those already there, `written` those of each new day."""

    kept: frozenset[str]
    written: Mapping[date | None, str]


def read_raw_files(connection: duckdb.DuckDBPyConnection, groups: list[Group]) -> RawFiles:
    """Sum the raw files and report what they contain; raises `BillingError` for what cannot be read."""
    try:
        # Before the charges, because the convention for ends is only known from all rows.
        dictionaries = [
            _dictionaries(connection, place, reading, group) for place, (reading, group) in enumerate(groups)
        ]
        report = source_totals(connection, groups, dictionaries)
        for name, table in (named for known in dictionaries for named in known.items()):
            control = map_has_control_character(f"{name}_map")
            has_control, has_conflict = connection.execute(
                f"select bool_or({control}), bool_or(has_conflict) from {table}"
            ).fetchall()[0]
            report.has_conflicts = report.has_conflicts or bool(has_conflict)
            if has_control:
                report.unchecked_maps.add(name)
        if report.has_conflicts:
            report.notes += tag_conflict_notes(connection, groups)
    except duckdb.Error as error:
        raise complaints.explain(connection, groups, error) from error
    # Not the days with usage: a day's hash tells which rows they move to it.
    habits = dict(sorted(report.habits.items(), key=str))
    sql = [
        reading.charges("files", habits, {}, report.zero_costs, known)
        for (reading, _), known in zip(groups, dictionaries, strict=True)
    ]
    return RawFiles(groups, dictionaries, report, sha256("\n".join(sql).encode()).hexdigest())


def choose_files(connection: duckdb.DuckDBPyConnection, folder: Path, days: Path | None) -> Files:
    """Compare the days of the raw files with `days`, those that landed before into `folder` (None: none).

    Files whose days are all as before are kept, unless they are small and there is something to write.
    """
    content = (
        "string_agg(concat_ws('/', billing_period, billing_currency, row_count, {content}), ' ' "
        "order by billing_period, billing_currency)"
    )
    now = {
        day: (row_count, found)
        for day, row_count, found in connection.execute(
            f"select usage_date, sum(row_count)::bigint, {content.format(content='content')} from ("
            "select billing_period, billing_currency, usage_date, sum(row_count) as row_count, "
            "sum(content) as content from source_totals group by all) group by usage_date"
        ).fetchall()
    }
    before: dict[str, dict[date, tuple[int, str]]] = {}
    if days is not None and None not in now:
        for file, day, row_count, found in connection.execute(
            f"select file, usage_date, sum(row_count)::bigint, {content.format(content='source_content')} "
            f"from read_parquet({literal(days)}, hive_partitioning = false) where row_count > 0 group by all"
        ).fetchall():
            before.setdefault(file, {})[day] = row_count, found
    kept = {
        file: known
        for file, known in before.items()
        if known.items() <= now.items() and (folder / file).exists()
    }
    if sum(map(len, kept.values())) < len(now):
        kept = {
            file: known
            for file, known in kept.items()
            if 2 * sum(rows for rows, _ in known.values()) >= _ROWS
        }
    new = now.keys() - {day for known in kept.values() for day in known}
    rows = max(_ROWS, sum(now[day][0] for day in new) // _MOST_FILES)
    written: dict[date | None, str] = {}
    name, count = "", rows
    # Rows without a day are rejected with their file and row, once they are in a file.
    for day in sorted(new, key=lambda day: day or date.min):
        if count >= rows:
            name, count = f"charges-{day or 'without-day'}.parquet", 0
        written[day] = name
        count += now[day][0]
    return Files(frozenset(kept), written)


def write_charges(
    connection: duckdb.DuckDBPyConnection, raw: RawFiles, files: Files, folder: Path
) -> dict[str, Path]:
    """Write the charges of the days of `files.written` below `folder`: path by name."""
    if not files.written:
        return {}
    days = ", ".join("null" if day is None else literal(str(day)) for day in files.written)
    names = ", ".join(literal(name) for name in files.written.values())
    connection.execute(
        "create or replace temp table written as "
        f"select unnest([{days}])::date as usage_date, unnest([{names}]) as file"
    ).fetchall()
    try:
        _write(connection, raw, folder)
    except duckdb.Error as error:
        raise complaints.explain(connection, raw.groups, error) from error
    return {path.parent.name.removeprefix("file="): path for path in folder.glob("file=*/*.parquet")}


def _write(connection: duckdb.DuckDBPyConnection, raw: RawFiles, folder: Path) -> None:
    """File by file if the raw files have the rows of each close together, else all in one pass."""
    options = "format parquet, compression zstd"
    ranges: dict[str, Rows] = {}
    needed, read = 0, 0
    for name, key, count, first, last in connection.execute(
        "select file, landed_file, sum(row_count)::bigint, min(first_row), max(last_row) from source_totals "
        "join written on written.usage_date is not distinct from source_totals.usage_date group by all "
        "order by all"
    ).fetchall():
        ranges.setdefault(name, {})[key] = first, last
        needed += count
        read += last - first + 1
    is_parquet = all(group[0].kind == "parquet" for _, group in raw.groups)
    if len(ranges) == 1 or (is_parquet and read <= _MOST_READS * needed):
        for name, rows in ranges.items():
            target = folder / f"file={name}" / "charges.parquet"
            target.parent.mkdir(parents=True)
            query = (
                f"select charges.* from ({_charges(raw, rows, is_parquet)}) as charges "
                f"semi join (select usage_date from written where file = {literal(name)}) as written "
                "on written.usage_date is not distinct from charges.usage_date"
            )
            connection.execute(f"copy ({query}) to {literal(target)} ({options})").fetchall()
        return
    everything = {key: rows for of_file in ranges.values() for key, rows in of_file.items()}
    connection.execute("set partitioned_write_flush_threshold = 163840")
    # Small row groups: each open file has one in memory, ninety columns wide, until it is written. Files are
    # larger by half.
    options = f"{options}, row_group_size 40960"
    query = (
        f"select charges.*, written.file from ({_charges(raw, everything)}) as charges "
        "join written on written.usage_date is not distinct from charges.usage_date"
    )
    connection.execute(
        f"copy ({query}) to {literal(folder)} ({options}, partition_by (file), "
        "filename_pattern 'charges-{i}')"
    ).fetchall()


def _charges(raw: RawFiles, rows: Rows, is_limited: bool = False) -> str:
    """A query for the charges of raw files: all of each, or the given rows."""
    report = raw.report
    return " union all ".join(
        reading.charges(
            relation(needed, rows if is_limited else None),
            report.habits,
            report.usage_days,
            report.zero_costs,
            known,
        )
        for (reading, group), known in zip(raw.groups, raw.dictionaries, strict=True)
        if (needed := [file for file in group if file.key in rows])
    )


def landed_charges(paths: Iterable[Path], family: Family) -> str:
    """SQL that reads the landed charges of files."""
    shown = ", ".join(literal(path) for path in paths)
    if not shown:
        return f"({empty_charges(family)})"
    return f"read_parquet([{shown}], hive_partitioning = false)"


def _dictionaries(
    connection: duckdb.DuckDBPyConnection, place: int, reading: Reading, group: list[DataFile]
) -> dict[str, str]:
    """Tables of the maps shared by a group's rows: building a map of sixty columns costs more than a row.

    Not for CSV, which would be parsed once more for each, nor for maps with many distinct contents (tags that
    name a pod or a job): their table would exceed memory and be no faster than building maps row by row.
    """
    tables: dict[str, str] = {}
    if group[0].kind == "csv" or not reading.map_columns:
        return tables
    source = relation(group)
    counts = connection.execute(reading.content_counts(source)).fetchall()[0]
    for name, count in zip(reading.map_columns, counts, strict=True):
        if count <= _MOST_CONTENTS:
            tables[name] = f"dictionary_{name}_{place}"
            connection.execute(
                f"create or replace temp table {tables[name]} as {reading.dictionary(name, source)}"
            ).fetchall()
    return tables
