"""Read one delivery's files and write its charges as one Parquet file."""

from __future__ import annotations

from pathlib import Path

import duckdb

from orchestration.sources.billing.formats import complaints
from orchestration.sources.billing.formats.files import DataFile, relation
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.source_totals import ColumnReport, source_totals
from orchestration.sources.billing.unclear_texts import map_has_control_character, tag_conflict_notes
from orchestration.warehouse.sql import literal

# Maximum number of distinct maps in a table: each takes about 700 bytes.
_MOST_CONTENTS = 100_000


def write_charges(
    connection: duckdb.DuckDBPyConnection, groups: list[tuple[Reading, list[DataFile]]], target: Path
) -> ColumnReport:
    """Write the charges of all groups to `target`, and report what else the files contain."""
    try:
        # Before the charges, because the convention for ends is only known from all rows. Small row groups:
        # each thread holds one in memory, ninety columns wide, until it is written.
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
        query = " union all ".join(
            reading.charges(
                relation(group),
                report.habits,
                report.usage_days,
                report.zero_costs,
                known,
            )
            for (reading, group), known in zip(groups, dictionaries, strict=True)
        )
        connection.execute(
            f"copy ({query}) to {literal(target)} (format parquet, compression zstd, row_group_size 40960)"
        ).fetchall()
    except duckdb.Error as error:
        raise complaints.explain(connection, groups, error) from error
    return report


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
