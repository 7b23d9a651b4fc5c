"""Diagnose unreadable files: from DuckDB's error to the file, row, column and value."""

from __future__ import annotations

import re

import duckdb

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import Kind
from orchestration.sources.billing.formats.conversions import converted, is_no_map, text
from orchestration.sources.billing.formats.files import DataFile, SourceColumn, first_line, relation
from orchestration.sources.billing.formats.reading import Reading

_WORDS = {
    "number": "a number",
    "timestamp": "a time",
    "map": "a JSON object, nor a JSON list of keys and values",
}


def explain(
    connection: duckdb.DuckDBPyConnection,
    groups: list[tuple[Reading, list[DataFile]]],
    error: duckdb.Error,
) -> BillingError:
    """The error to show: the first value that does not fit its column, or the broken file."""
    files = [file for _, group in groups for file in group]
    named = next((file for file in files if str(file.path) in str(error)), None)
    line = re.search(r"CSV Error on Line: (\d+)", str(error))
    if named and line:
        reason = next(
            (part for part in str(error).splitlines() if part.startswith(("Expected", "Value", "Maximum"))),
            "not CSV",
        )
        return BillingError(f"{named.shown}: line {line[1]} is broken: {reason}; deliver the file again")
    time = re.search(r"Error: (.+)(: data row \d+ has the time .+)", str(error))
    timed = next((file for file in files if time and file.key == time[1]), None)
    if time and timed:
        return BillingError(f"{timed.shown}{time[2]}")
    for reading, group in groups:
        for file in group:
            try:
                complaint = _bad_value(connection, reading, file)
            except duckdb.Error as again:
                return BillingError(
                    f"{file.shown}: cannot be read: {first_line(again)}; deliver the file again"
                )
            if complaint:
                return complaint
    shown = named.shown if named else ", ".join(file.shown for file in files[:3])
    return BillingError(f"{shown}: cannot be landed: {first_line(error)}")


def _bad_value(
    connection: duckdb.DuckDBPyConnection, reading: Reading, file: DataFile
) -> BillingError | None:
    """The first value of a file that does not convert."""
    checked = [
        (column, kind)
        for column, kind in reading.used
        if kind != "text" and (kind != "map" or column.type == "VARCHAR")
    ]
    if not checked:
        return None
    source = relation([file])
    rows = ", ".join(
        f"min(landed_row) filter (where {_fails(reading, column, kind)})" for column, kind in checked
    )
    found = connection.execute(f"select {rows} from {source}").fetchall()[0]
    first = min(((row, place) for place, row in enumerate(found) if row is not None), default=None)
    if first is None:
        return None
    row, place = first
    column, kind = checked[place]
    value = connection.execute(
        f"select {column.sql}::varchar from {source} where landed_row = ?", [row]
    ).fetchall()[0][0]
    advice = "correct the file or deliver it again"
    if kind == "number" and "," in value:
        advice = "write amounts with a decimal point and nothing between thousands, such as 1234.56"
    return BillingError(
        f"{file.shown}: data row {row}, column {column.header}: {value[:200]!r} is not {_WORDS[kind]}; "
        f"{advice}"
    )


def _fails(reading: Reading, column: SourceColumn, kind: Kind) -> str:
    """Whether a value is present and does not convert."""
    value = text(column, reading.absent)
    if kind == "map":
        return is_no_map(value)
    return f"{value} is not null and {converted(kind, column, reading.absent, 'try_cast')} is null"
