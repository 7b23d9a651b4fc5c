"""Rows of JSONL, CSV and Parquet files of a location, as text, in one DuckDB table.

Unreadable rows are included with the reason, so that sources can reject them visibly and use the others.
"""

from __future__ import annotations

import csv
import tempfile
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.sources.files.text import (
    DelimitedText,
    cleaned,
    decoded,
    has_control_character,
    read_delimited,
    unpacked,
)
from orchestration.sources.landing.parquet import no_rows
from orchestration.sources.locations import Location, StoredObject
from orchestration.warehouse.sql import literal, quoted

ENDINGS = (".jsonl", ".ndjson", ".csv", ".parquet")
Kind = Literal["text", "json"]
Rule: TypeAlias = tuple[str, str, str]
"""Why a row is rejected: a stable code, SQL of the rows that it is about, and SQL of what is said of one."""

READ_ERROR: Rule = ("read_error", "read_error IS NOT NULL", "detail")

REJECTED_COLUMNS = {
    "location": "VARCHAR",
    "file_row": "BIGINT",
    "reason": "VARCHAR",
    "detail": "VARCHAR",
    "record": "VARCHAR",
    "is_whole_file": "BOOLEAN",
}
"""A row (or, without `file_row`, a whole file) that was rejected: where it stands, why, what it says, and
whether no row of its file counts."""

_READ = (
    "location VARCHAR, modified TIMESTAMP, file_row BIGINT, read_error VARCHAR, detail VARCHAR, raw VARCHAR"
)
_UNREADABLE = (OSError, EOFError, zlib.error, csv.Error, ValueError, pa.ArrowException, duckdb.Error)
_READ_ERROR = {
    "not-json": "the line is not valid JSON; write one object per line",
    "not-an-object": "the line is JSON, but not an object of fields",
}


@dataclass(frozen=True)
class FoundFiles:
    """Files of a location: those that can hold rows, and names with unsupported endings."""

    rows: tuple[StoredObject, ...]
    ignored: tuple[StoredObject, ...]


def find_files(location: Location, endings: Sequence[str] = ENDINGS) -> FoundFiles:
    """All objects of a location, by whether they can hold rows; names with a part starting with _ are
    ignored.

    Raises `LocationError` if the location cannot be listed.
    """
    seen = [
        stored
        for stored in location.list()
        if not any(part.startswith("_") for part in stored.key.split("/"))
    ]
    rows = tuple(stored for stored in seen if _ending(stored.key) in endings)
    return FoundFiles(rows, tuple(stored for stored in seen if stored not in rows))


@contextmanager
def reading_rows(columns: Mapping[str, Kind]) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """A UTC database with empty tables `given` (for `read_rows`), `rejected` and `assumed_encodings` (files
    read as Windows-1252), and a work folder.
    """
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        create_rows_table(connection, columns)
        connection.execute(f"CREATE TABLE rejected AS {no_rows(REJECTED_COLUMNS)}")
        connection.execute("CREATE TABLE assumed_encodings (location VARCHAR)")
        yield connection, Path(folder)


def judge(connection: duckdb.DuckDBPyConnection, parsed: str, rules: Sequence[Rule]) -> None:
    """Create the table `judged` of the query `parsed`, with `reason` if a rule rejects a row.

    Rejected rows are added to `rejected`.
    """
    reasons = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition, _ in rules)
    details = " ".join(f"WHEN '{code}' THEN {said}" for code, _, said in rules)
    connection.execute(
        f"CREATE OR REPLACE TABLE judged AS SELECT *, CASE {reasons} END AS reason FROM ({parsed})"
    )
    connection.execute(
        "INSERT INTO rejected "
        f"SELECT location, file_row, coalesce(read_error, reason), CASE reason {details} END, raw, "
        "count(*) FILTER (reason IS NULL) OVER (PARTITION BY location) = 0 "
        "FROM judged QUALIFY reason IS NOT NULL"
    )


def time_of(column: str) -> str:
    """SQL of a column of ISO 8601 text as times in UTC; NULL if invalid."""
    return f"try_cast({column} AS TIMESTAMPTZ) AT TIME ZONE 'UTC'"


def not_a_time(column: str, parsed: str) -> Rule:
    """Rule: a column must hold a time, or nothing."""
    said = f"'{column} ''' || {column} || ''' is not an ISO 8601 time such as 2026-07-31T14:00:00Z'"
    return f"{column.replace('_', '-')}-format", f"{column} IS NOT NULL AND {parsed} IS NULL", said


def not_texts(column: str, parsed: str) -> Rule:
    """Rule: a column must hold an object of strings, or nothing."""
    said = f"'{column} ' || {column} || ' is not a JSON object of texts'"
    return f"{column}-not-an-object", f"{column} IS NOT NULL AND {parsed} IS NULL", said


def create_rows_table(
    connection: duckdb.DuckDBPyConnection, columns: Mapping[str, Kind], table: str = "given"
) -> None:
    """Create the table that `read_rows` fills: the row's place, then `columns` as text.

    The session's time zone must be UTC.
    """
    named = "".join(f", {quoted(column)} VARCHAR" for column in columns)
    connection.execute(f"CREATE OR REPLACE TABLE {table} ({_READ}{named})")


def read_rows(
    connection: duckdb.DuckDBPyConnection,
    location: Location,
    stored: StoredObject,
    columns: Mapping[str, Kind],
    folder: Path,
    table: str = "given",
    documents: str = "",
) -> None:
    """Add the rows of one file to the table.

    `json` columns hold JSON text (in CSV: as written). `documents` is for files that are one JSON document:
    SQL of its list of objects, over `content`. Other fields are ignored. An unreadable file becomes one row
    with `read_error`, and so does each unreadable line; such rows have no values. Raises `LocationError` if
    the location cannot be read.
    """
    place = location.describe(stored.key)
    path = folder / f"rows{_ending(stored.key)}"
    path.unlink(missing_ok=True)
    fetched = location.fetch(stored.key, folder / "downloads")
    parameters = {"place": place, "modified": stored.modified.replace(tzinfo=None)}
    encoding = ""
    try:
        if stored.key.lower().endswith(".gz"):
            path.write_bytes(unpacked(fetched, stored.key))
        else:
            path.symlink_to(fetched.resolve())
        match path.suffix:
            case ".parquet":
                query = _parquet(path, columns)
            case ".csv":
                given = read_delimited(unpacked(path, path.name))
                encoding = given.encoding
                query = _csv(connection, path, columns, given)
            case kind:
                text, encoding = decoded(unpacked(path, path.name))
                plain = path.with_name("plain.json")
                plain.write_text(text, encoding="utf-8")
                lines = documents if kind == ".json" else "string_split(content, chr(10))"
                query = _objects(plain, columns, lines)
        connection.execute(
            f"INSERT INTO {table} BY NAME SELECT $place AS location, $modified AS modified, * FROM ({query})",
            parameters,
        )
        connection.execute(
            f"UPDATE {table} SET read_error = 'control-character', "
            "detail = 'a text has a control character, such as NUL; remove it' "
            f"WHERE read_error IS NULL AND location = $place AND ({_controls(columns)})",
            {"place": place},
        )
        if encoding == "windows-1252":
            connection.execute("INSERT INTO assumed_encodings VALUES (?)", [place])
    except _UNREADABLE as error:
        connection.execute(
            f"INSERT INTO {table} BY NAME SELECT $place AS location, $modified AS modified, "
            "'unreadable' AS read_error, $detail AS detail",
            {**parameters, "detail": _why(error, path, place)},
        )


def _controls(columns: Mapping[str, Kind]) -> str:
    """SQL: whether a text has a control character, or JSON escapes one."""
    texts = ", ".join(quoted(name) for name, kind in columns.items() if kind == "text")
    escaped = r"\\u00(0[0-8bcefBCEF]|1|7[fF])|\x7f"  # JSON does not escape DEL
    objects = ", ".join(quoted(name) for name, kind in columns.items() if kind == "json")
    found = [has_control_character(f"concat({texts})")] if texts else []
    return " OR ".join([*found, *([f"regexp_matches(concat({objects}), '{escaped}')"] if objects else [])])


def texts_of(column: str) -> str:
    """SQL of a column of JSON objects as maps of strings, sorted by key; NULL if not an object."""
    entries = f"list_sort(map_entries(from_json({column}, '\"MAP(VARCHAR, VARCHAR)\"')))"
    return (
        f"CASE WHEN json_valid({column}) THEN CASE WHEN json_type({column}) = 'OBJECT' "
        f"THEN map_from_entries({entries}) END END"
    )


def _ending(key: str) -> str:
    return Path(key.lower().removesuffix(".gz")).suffix


def _why(error: Exception, path: Path, place: str) -> str:
    reason = str(error).partition("Possible fixes:")[0].partition("\n\n")[0]
    return f"the file cannot be read: {reason.replace(str(path), place).strip()}"


def _objects(path: Path, columns: Mapping[str, Kind], lines: str) -> str:
    fields = ",\n".join(
        f"CASE WHEN read_error IS NULL THEN {cleaned(value)} END AS {quoted(column)}"
        for column in columns
        for value in (f"line ->> {literal('$.' + quoted(column))}",)
    )
    explained = " ".join(f"WHEN '{code}' THEN {literal(text)}" for code, text in _READ_ERROR.items())
    return f"""
        SELECT file_row, read_error, CASE read_error {explained} END AS detail, line AS raw, {fields}
        FROM (
            SELECT
                file_row,
                line,
                CASE
                    WHEN NOT json_valid(line) THEN 'not-json'
                    WHEN json_type(CASE WHEN json_valid(line) THEN line END) <> 'OBJECT' THEN 'not-an-object'
                END AS read_error
            FROM (
                SELECT unnest(lines)::VARCHAR AS line, generate_subscripts(lines, 1) AS file_row
                FROM (SELECT {lines} AS lines FROM read_text({literal(path)}))
            )
            WHERE trim(line, ' \t\r') <> ''
        )
    """


def _csv(
    connection: duckdb.DuckDBPyConnection, path: Path, columns: Mapping[str, Kind], given: DelimitedText
) -> str:
    plain = path.with_name("plain.csv")
    plain.write_text(given.text, encoding="utf-8")
    first = next(iter(given.text.splitlines()), "")
    header = [name.strip() for name in next(csv.reader([first], delimiter=given.delimiter), [])]
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise ValueError(f"the header names a column more than once: {', '.join(repeated)}")
    kinds = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
    connection.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    rows = (
        f"read_csv({literal(plain)}, columns = {{{kinds}}}, auto_detect = false, header = true, "
        f"delim = {literal(given.delimiter)}, quote = '\"', escape = '\"', store_rejects = true)"
    )
    connection.execute(f"CREATE OR REPLACE TEMP TABLE csv_rows AS SELECT * FROM {rows}")
    fields = _fields(columns, dict.fromkeys(header, "text"))
    shown = f"to_json(struct_pack({', '.join(f'{quoted(name)} := {quoted(name)}' for name in header)}))"
    return f"""
        SELECT
            row_number() OVER () AS file_row, NULL::VARCHAR AS read_error, NULL::VARCHAR AS detail,
            {shown}::VARCHAR AS raw, {fields}
        FROM csv_rows
        -- A row of empty cells, as spreadsheets leave them below a table, says nothing.
        QUALIFY concat({", ".join(quoted(name) for name in header) or "NULL"}) <> ''
        UNION ALL BY NAME
        SELECT line - 1 AS file_row, 'misshapen' AS read_error, error_message AS detail, csv_line AS raw
        FROM reject_errors
    """


def _parquet(path: Path, columns: Mapping[str, Kind]) -> str:
    schema = pq.read_schema(path)
    kinds: dict[str, Kind] = {
        field.name: "json" if pa.types.is_nested(field.type) else "text" for field in schema
    }
    shown = f"struct_pack({', '.join(f'{quoted(name)} := {quoted(name)}' for name in kinds)})"
    return f"""
        SELECT
            file_row_number + 1 AS file_row, NULL::VARCHAR AS read_error, NULL::VARCHAR AS detail,
            to_json({shown})::VARCHAR AS raw, {_fields(columns, kinds)}
        FROM read_parquet({literal(path)}, file_row_number = true)
    """


def _fields(columns: Collection[str], kinds: Mapping[str, Kind]) -> str:
    """SQL of the wanted columns as text, NULL if the file lacks them or the text is empty."""
    values = {
        column: f"to_json({quoted(column)})::VARCHAR"
        if kinds.get(column) == "json"
        else cleaned(f"{quoted(column)}::VARCHAR")
        for column in columns
    }
    return ", ".join(
        f"{value if column in kinds else 'NULL::VARCHAR'} AS {quoted(column)}"
        for column, value in values.items()
    )
