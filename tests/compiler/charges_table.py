"""An in-memory DuckDB with a table of canonical charges, and the generated SQL run on it without dbt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from orchestration.compiler.charge_columns import CHARGE_COLUMNS

_TYPES = {
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "decimal": "decimal(38, 12)",
    "integer": "bigint",
}
COLUMN_TYPES = {
    **{name: _TYPES[kind] for name, kind in CHARGE_COLUMNS.items()},
    "tags": "map(varchar, varchar)",
    "cost_categories": "map(varchar, varchar)",
}


def connection_with_charges(charges: Iterable[Mapping[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A database whose table `charges` holds the given rows; columns that a row leaves out are NULL."""
    connection = duckdb.connect()
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMN_TYPES.items())
    connection.execute(f"create table charges ({columns})")
    for number, charge in enumerate(charges, start=1):
        row: dict[str, Any] = {"charge_id": f"charge {number}", "tags": {}, "cost_categories": {}, **charge}
        places = ", ".join(f"${name}::{COLUMN_TYPES[name]}" for name in row)
        connection.execute(f"insert into charges ({', '.join(row)}) values ({places})", row)
    return connection


def without_jinja(model_sql: str) -> str:
    """The SQL of a generated model as dbt would run it on first build."""
    sql = re.sub(r"\A\{\{.*?\n\}\}\n|\A\{\{[^\n]*\}\}\n", "", model_sql, count=1, flags=re.DOTALL)
    sql = sql.replace("{{ ref('charges') }}", "charges", 1)
    return sql.replace("{{ in_changed_days('usage_date') }}", "true", 1)


def rows_of(connection: duckdb.DuckDBPyConnection, model_sql: str) -> list[dict[str, Any]]:
    """The rows of a generated model, as dictionaries."""
    result = connection.execute(without_jinja(model_sql))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
