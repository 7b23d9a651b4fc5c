"""One landed Parquet file, replaced as a whole, for small sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.warehouse.files import replacing
from orchestration.warehouse.sql import literal

TAGS = "MAP(VARCHAR, VARCHAR)"


def ensure_landed(path: Path, columns: Mapping[str, str]) -> None:
    """Create a file without rows if it is missing, so that readers find every column."""
    if not path.exists():
        with duckdb.connect() as connection:
            write_landed(connection, no_rows(columns), path)


def no_rows(columns: Mapping[str, str]) -> str:
    """SQL of an empty relation with these columns."""
    return f"SELECT {', '.join(f'NULL::{kind} AS {name}' for name, kind in columns.items())} WHERE false"


def write_landed(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> bool:
    """Replace the file by the rows of `query`; False if its content is the same.

    The rows need a defined order (ORDER BY), or equal content would count as changed.
    """
    with replacing(path) as written:
        connection.execute(f"COPY ({query}) TO {literal(written)} (FORMAT parquet, COMPRESSION zstd)")
        changed = not path.exists() or not read_landed(path).equals(read_landed(written))
        if not changed:
            written.unlink()
    return changed


def read_landed(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """A small landed file. Opening a DuckDB, or pyarrow's data set, takes fifty times as long."""
    with pq.ParquetFile(path) as file:
        return file.read(columns)


def file_notes(path: Path) -> dict[str, str]:
    """What a landing wrote into a file's metadata, by name."""
    notes: dict[bytes, bytes] = pq.read_metadata(path).metadata or {}
    return {key.decode(): value.decode() for key, value in notes.items()}


def row_count(path: Path) -> int:
    """Number of rows of a landed file."""
    return int(pq.read_metadata(path).num_rows)
