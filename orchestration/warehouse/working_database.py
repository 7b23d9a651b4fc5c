"""Open the working database with the configured limits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from orchestration.settings import Settings


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the working database, closed at the end of the block."""
    connection = duckdb.connect(str(settings.warehouse_file), read_only=read_only)
    try:
        if settings.duckdb_threads:
            connection.execute(f"set threads = {settings.duckdb_threads:d}")
        if settings.duckdb_memory_limit:
            connection.execute("set memory_limit = $1", [settings.duckdb_memory_limit])
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")  # it would overwrite the run's own progress bar
        yield connection
    finally:
        connection.close()
