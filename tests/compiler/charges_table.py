"""An in-memory DuckDB with a table of canonical charges, and the generated models run on it without dbt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import duckdb
import jinja2

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
    "x_kubernetes_labels": "map(varchar, varchar)",
}


def connection_with_charges(charges: Iterable[Mapping[str, Any]]) -> duckdb.DuckDBPyConnection:
    """A database whose table `charges` holds the given rows; columns that a row leaves out are NULL."""
    connection = duckdb.connect()
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMN_TYPES.items())
    connection.execute(f"create table charges ({columns})")
    replace_charges(connection, charges)
    return connection


def replace_charges(connection: duckdb.DuckDBPyConnection, charges: Iterable[Mapping[str, Any]]) -> None:
    """Other rows in the table `charges`, with ids `charge 1`, `charge 2`, … in their order."""
    connection.execute("delete from charges")
    for number, charge in enumerate(charges, start=1):
        row: dict[str, Any] = {"charge_id": f"charge {number}", "tags": {}, "cost_categories": {}, **charge}
        places = ", ".join(f"${name}::{COLUMN_TYPES[name]}" for name in row)
        connection.execute(f"insert into charges ({', '.join(row)}) values ({places})", row)


def as_first_built(model_sql: str) -> str:
    """The SQL of a generated model as dbt would run it on first build, its templates rendered by Jinja."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    return environment.from_string(model_sql).render(
        config=lambda **_: "", ref=lambda name: name, in_changed_days=lambda _: "true"
    )


def rows_of(connection: duckdb.DuckDBPyConnection, model_sql: str) -> list[dict[str, Any]]:
    """The rows of a generated model, as dictionaries."""
    result = connection.execute(as_first_built(model_sql))
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
