"""Parquet: columns of any type, converted to the text that the record rules read."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.sources.telemetry.formats.batch_file import (
    BROKEN_GZIP,
    BatchFile,
    UnreadableFileError,
    check_columns,
    unknown_columns,
)
from orchestration.sources.telemetry.formats.lines import BLOCK_BYTES
from orchestration.sources.telemetry.records import FIELDS
from orchestration.warehouse.sql import literal


def numbered(file: BatchFile, folder: Path) -> BatchFile:
    """Link of the file named by its batch number: DuckDB distinguishes rows of several files by file name."""
    path = folder / f"{file.batch}.parquet"
    if not file.packed:
        path.symlink_to(file.path.resolve())
        return BatchFile(file.batch, file.key, path)
    try:
        with closing(file.open()) as packed, path.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked, BLOCK_BYTES)
    except BROKEN_GZIP as error:
        raise UnreadableFileError(f"gzip is broken: {error}") from error
    return BatchFile(file.batch, file.key, path)


def parquet_columns(path: Path) -> tuple[tuple[str, str], ...]:
    """(name, type) of the columns; files with equal columns are read together."""
    try:
        schema = pq.read_schema(path)
    except (FileNotFoundError, PermissionError):
        raise
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise UnreadableFileError(f"not a readable Parquet file: {error}") from error
    check_columns(tuple(schema.names))
    return tuple((column.name, str(column.type)) for column in schema)


def parquet_query(columns: tuple[tuple[str, str], ...], files: Sequence[BatchFile]) -> str:
    """Query over files with these columns."""
    kinds = dict(columns)
    paths = ", ".join(literal(file.path) for file in files)
    fields = ", ".join(f"{_as_text(name, kinds.get(name))} AS {name}" for name in FIELDS)
    row = ", ".join(f'{literal(name)}: "{name.replace(chr(34), chr(34) * 2)}"' for name, _ in columns)
    return f"""
    SELECT
        parse_filename(filename, true)::INTEGER AS batch,
        file_row_number + 1 AS batch_row,
        NULL::VARCHAR AS read_error,
        {{{row}}} AS raw,
        {unknown_columns(tuple(kinds))} AS unknown_fields,
        true AS point_is_usual,
        {fields}
    FROM read_parquet([{paths}], filename = true, file_row_number = true, hive_partitioning = false)
    """


def _as_text(name: str, kind: str | None) -> str:
    if kind is None:
        return "NULL::VARCHAR"
    if name == "value" and kind in ("float", "double", "halffloat"):
        # A binary float is already an approximation: use its shortest decimal text, rounded to the landed
        # digits.
        return "coalesce(try_cast(value::VARCHAR AS DECIMAL(38, 9))::VARCHAR, value::VARCHAR)"
    if name == "filter" and kind.startswith("map"):
        return f"to_json({name})::VARCHAR"
    if name == "filter" and kind.startswith("struct"):
        # A struct has every dimension in every row; NULL means no restriction.
        return f"json_merge_patch('{{}}', to_json({name}))::VARCHAR"
    return f"{name}::VARCHAR"
