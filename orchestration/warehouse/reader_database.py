"""The database file of a snapshot: what readers open to see every mart under its name.

What belongs here: its tables, views and comments. What does not: the files that the views read
(`publish.py`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.warehouse.files import protect
from orchestration.warehouse.snapshots import DATABASE, Content
from orchestration.warehouse.sql import literal, quoted

Connection = duckdb.DuckDBPyConnection

# BI tools bring an older DuckDB than ours, which refuses files in a newer form than it knows.
_STORAGE_VERSION = "v1.2.0"


def make_reader_database(warehouse: Connection, folder: Path, marts: dict[str, Content]) -> None:
    """Make `marts.duckdb` in the folder of a snapshot whose Parquet files are there.

    Marts that are kept by day become views over their files, all others tables.
    """
    target = folder / DATABASE
    with _attached(warehouse, target):
        for mart, content in marts.items():
            if content.files:
                view = _view_of_days(warehouse, folder, mart, content)
                warehouse.execute(f"create view snapshot.main.{quoted(mart)} as {view}")
            else:
                warehouse.execute(f"create table snapshot.main.{quoted(mart)} as from marts.{quoted(mart)}")
        for statement in _comments(warehouse, marts):
            warehouse.execute(statement)
    protect(target)


def _view_of_days(warehouse: Connection, folder: Path, mart: str, content: Content) -> str:
    """Over whole paths, so that it is found from wherever the database is opened."""
    key = content.files[0].partition("=")[0]
    columns = ", ".join(
        f"{quoted(name)}::{kind} as {quoted(name)}" for name, kind in columns_of(warehouse, mart)
    )
    files = literal(folder / mart / "*" / "*.parquet")
    options = f"hive_partitioning = true, hive_types = {{'{key}': date}}"
    return f"select {columns} from read_parquet({files}, {options})"


@contextmanager
def _attached(warehouse: Connection, target: Path) -> Iterator[None]:
    warehouse.execute(f"attach {literal(target)} as snapshot (storage_version '{_STORAGE_VERSION}')")
    try:
        yield
    finally:
        warehouse.execute("detach snapshot")


def _comments(warehouse: Connection, marts: dict[str, Content]) -> list[str]:
    """The descriptions that dbt wrote on marts and columns, for the copy: BI tools show them."""
    here = "database_name = current_database() and schema_name = 'marts' and comment is not null"
    tables = warehouse.execute(
        f"select table_name, comment from duckdb_tables() where {here} "
        f"union all select view_name, comment from duckdb_views() where {here}"
    ).fetchall()
    columns = warehouse.execute(
        f"select table_name, column_name, comment from duckdb_columns() where {here}"
    ).fetchall()
    kinds = {mart: "view" if content.files else "table" for mart, content in marts.items()}
    return [
        *(
            f"comment on {kinds[table]} snapshot.main.{quoted(table)} is {literal(said)}"
            for table, said in tables
            if table in kinds
        ),
        *(
            f"comment on column snapshot.main.{quoted(table)}.{quoted(column)} is {literal(said)}"
            for table, column, said in columns
            if table in kinds
        ),
    ]


def columns_of(warehouse: Connection, mart: str) -> list[tuple[str, str]]:
    """The columns of a mart, each with its type."""
    described = warehouse.execute(f"describe marts.{quoted(mart)}").fetchall()
    return [(column[0], column[1]) for column in described]
