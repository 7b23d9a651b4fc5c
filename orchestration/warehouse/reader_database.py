"""The database file of a snapshot, which has every mart under its name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import duckdb

from orchestration.warehouse.files import protect
from orchestration.warehouse.mart_views import Relation
from orchestration.warehouse.snapshots import DATABASE, Content
from orchestration.warehouse.sql import literal, quoted

Connection = duckdb.DuckDBPyConnection

# BI tools ship older DuckDB versions, which reject newer storage formats.
_STORAGE_VERSION = "v1.2.0"


def make_reader_database(
    warehouse: Connection, folder: Path, marts: dict[str, Content], views: Sequence[Relation]
) -> None:
    """Create `marts.duckdb` in the folder of a snapshot whose Parquet files exist.

    Marts kept by day become views over their files, `views` (with all their inputs) views, all others tables.
    """
    target = folder / DATABASE
    with _attached(warehouse, target):
        for mart, content in marts.items():
            if not content.is_view and not content.files:
                warehouse.execute(f"create table snapshot.main.{quoted(mart)} as from marts.{quoted(mart)}")
        for mart, content in marts.items():
            if content.files and not content.is_view:
                _make_view_of_days(warehouse, f"marts.{quoted(mart)}", f"main.{quoted(mart)}", folder / mart)
        for relation in views:
            name = f"{quoted(relation.schema)}.{quoted(relation.name)}"
            if not relation.is_mart:
                warehouse.execute(f"create schema if not exists snapshot.{quoted(relation.schema)}")
            if relation.files is not None:
                _make_view_of_days(warehouse, name, name, folder / "reads" / relation.schema / relation.name)
            elif relation.statement:
                _make_view(warehouse, relation.statement)
            else:
                warehouse.execute(f"create table snapshot.{name} as from {name}")
        for statement in _comments(warehouse, marts):
            warehouse.execute(statement)
    protect(target)


def _make_view(warehouse: Connection, statement: str) -> None:
    """Run a statement that refers to nothing outside the snapshot."""
    database = warehouse.execute("select current_database()").fetchall()[0][0]
    warehouse.execute("use snapshot")
    try:
        warehouse.execute(statement)
    finally:
        warehouse.execute(f"use {quoted(database)}")


def _make_view_of_days(warehouse: Connection, relation: str, name: str, folder: Path) -> None:
    """Uses absolute paths, so the view works wherever the database is opened from.

    Columns that the files lack are the customer's, from the mart `customers` (see macros/customer_names.sql).
    """
    columns = columns_of(warehouse, relation)
    first = next(folder.glob("*/*.parquet"), None)
    if first is None:
        nothing = ", ".join(f"null::{kind} as {quoted(column)}" for column, kind in columns)
        warehouse.execute(f"create view snapshot.{name} as select {nothing} where false")
        return
    key = first.parent.name.partition("=")[0]
    chosen = ", ".join(f"{quoted(column)}::{kind} as {quoted(column)}" for column, kind in columns)
    options = f"hive_partitioning = true, hive_types = {{'{key}': date}}"
    files = literal(folder / "*" / "*.parquet")
    rows = f"read_parquet({files}, {options})"
    in_files = {column for column, _ in columns_of(warehouse, f"(from read_parquet({literal(first)}))")}
    names = ", ".join(quoted(column) for column, _ in columns if column not in {*in_files, key})
    if names:
        rows += f" left join (select customer_id, {names} from main.customers) using (customer_id)"
    _make_view(warehouse, f"create view {name} as select {chosen} from {rows}")


@contextmanager
def _attached(warehouse: Connection, target: Path) -> Iterator[None]:
    warehouse.execute(f"attach {literal(target)} as snapshot (storage_version '{_STORAGE_VERSION}')")
    try:
        yield
    finally:
        warehouse.execute("detach snapshot")


def _comments(warehouse: Connection, marts: dict[str, Content]) -> list[str]:
    """dbt's descriptions of marts and columns, copied for BI tools."""
    here = "database_name = current_database() and schema_name = 'marts' and comment is not null"
    tables = warehouse.execute(
        f"select table_name, comment from duckdb_tables() where {here} "
        f"union all select view_name, comment from duckdb_views() where {here}"
    ).fetchall()
    columns = warehouse.execute(
        f"select table_name, column_name, comment from duckdb_columns() where {here}"
    ).fetchall()
    kinds = {mart: "view" if content.files or content.is_view else "table" for mart, content in marts.items()}
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


def columns_of(warehouse: Connection, relation: str) -> list[tuple[str, str]]:
    """Columns of a table or view (SQL), with their types."""
    described = warehouse.execute(f"describe {relation}").fetchall()
    return [(column[0], column[1]) for column in described]
