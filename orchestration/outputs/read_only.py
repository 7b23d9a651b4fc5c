"""Open the published or the working database read-only.

The published one is always readable once a run has succeeded. The working one has more (every charge and
pool), but cannot be read during a run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from orchestration.settings import ExpectedError, Settings


class NotReadableError(ExpectedError):
    """A database is missing or being written; the message says which and what to do."""


@contextmanager
def open_published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the marts published by the last successful run."""
    with _open(settings.published_folder / "current.duckdb", settings) as connection:
        yield connection


@contextmanager
def open_snapshot(settings: Settings) -> Iterator[tuple[Path, duckdb.DuckDBPyConnection]]:
    """Open the published marts together with their snapshot folder, which newer snapshots do not change."""
    path = (settings.published_folder / "current.duckdb").resolve()
    with _open(path, settings) as connection:
        yield path.parent, connection


@contextmanager
def open_working(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the working database."""
    with _open(settings.warehouse_file, settings) as connection:
        yield connection


def rows_of(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Rows of a query, by column name."""
    result = connection.execute(sql, parameters or {})
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@contextmanager
def _open(path: Path, settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.is_file():
        raise NotReadableError(
            f"{path} does not exist yet. Run the job first: cpc run --workspace {settings.workspace}"
        )
    try:
        connection = duckdb.connect(str(path), read_only=True)
    except duckdb.IOException as error:
        if "lock" not in str(error).lower():
            raise
        raise NotReadableError(
            f"{path} is being written to by a run, or open in another program. Try again when that has "
            f"ended. DuckDB says: {str(error).splitlines()[0]}"
        ) from error
    try:
        connection.execute("set TimeZone = 'UTC'")
        yield connection
    finally:
        connection.close()
