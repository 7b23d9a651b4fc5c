"""An in-memory DuckDB with canonical charges and signals, and the generated models run on it without dbt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import jinja2

from orchestration.authoring.standalone_sql import standalone
from orchestration.compiler import Compilation
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language.signal_columns import SIGNAL_TABLES

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
    "x_spread_from": "date",
}


Signals = Mapping[str, Iterable[Mapping[str, Any]]]
NO_SIGNALS: Signals = {"resources": (), "resource_relationships": (), "accounts": ()}
SPLIT_SHARES_TYPES = {
    "split_id": "varchar",
    "usage_date": "date",
    "element": "varchar",
    "share": "decimal(13, 12)",
}
"""The columns of `split_shares` that `split_parts` reads."""
_TABLES = {"charges": COLUMN_TYPES, "split_shares": SPLIT_SHARES_TYPES, **SIGNAL_TABLES}


def connection_with_charges(
    charges: Iterable[Mapping[str, Any]], signals: Signals = NO_SIGNALS
) -> duckdb.DuckDBPyConnection:
    """A database whose tables hold the given charges and signals; columns that a row leaves out are NULL.

    Its table `split_shares` is empty: no stream has usage.
    """
    connection = duckdb.connect()
    for table, types in _TABLES.items():
        columns = ", ".join(f"{name} {kind}" for name, kind in types.items())
        connection.execute(f"create table {table} ({columns})")
    replace_charges(connection, charges)
    replace_signals(connection, signals)
    return connection


def replace_signals(connection: duckdb.DuckDBPyConnection, signals: Signals) -> None:
    """Other rows in the tables of signals."""
    for table, rows in signals.items():
        _replace(connection, table, SIGNAL_TABLES[table], rows)


def replace_charges(connection: duckdb.DuckDBPyConnection, charges: Iterable[Mapping[str, Any]]) -> None:
    """Other rows in the table `charges`, with ids `charge 1`, `charge 2`, … in their order."""
    maps: Mapping[str, Any] = {"tags": {}, "cost_categories": {}, "x_kubernetes_labels": {}}
    rows = [
        {"charge_id": f"charge {number}", **maps, **charge} for number, charge in enumerate(charges, start=1)
    ]
    _replace(connection, "charges", COLUMN_TYPES, rows)


def _replace(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    types: Mapping[str, str],
    rows: Iterable[Mapping[str, Any]],
) -> None:
    connection.execute(f"delete from {table}")
    given = list(rows)
    columns = sorted({column for row in given for column in row})
    if columns:
        places = ", ".join(f"?::{types[column]}" for column in columns)
        values = ", ".join(f"({places})" for _ in given)
        cells = [row.get(column) for row in given for column in columns]
        connection.execute(f"insert into {table} ({', '.join(columns)}) values {values}", cells)


def replace_split_shares(
    connection: duckdb.DuckDBPyConnection, usage: Mapping[tuple[str, date], Mapping[str, int]]
) -> None:
    """Other rows in `split_shares`: the units of each element, by the id of the split and the day."""
    connection.execute("delete from split_shares")
    for (split_id, day), units in usage.items():
        for element, share in shares_of(units).items():
            connection.execute(
                "insert into split_shares values (?, ?, ?, ?)", [split_id, day, element, share]
            )


def shares_of(units: Mapping[str, int]) -> dict[str, Decimal]:
    """Each element's share of all units, cut at twelve digits; what is missing to 1 goes to the largest."""
    total = sum(units.values())
    shares = {element: units[element] * 10**12 // total for element in sorted(units)}
    largest = max(shares, key=lambda element: units[element])
    shares[largest] += 10**12 - sum(shares.values())
    return {element: Decimal(share).scaleb(-12) for element, share in shares.items()}


def runnable(model_sql: str, compilation: Compilation) -> str:
    """The SQL of a generated model, its templates rendered by Jinja and all that it reads in its place."""
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    rendered = environment.from_string(model_sql).render(
        config=lambda **_: "", ref=lambda name: f"{{{{ ref('{name}') }}}}"
    )
    return standalone(rendered, compilation, table_of=str)


def rows_of(
    connection: duckdb.DuckDBPyConnection, model_sql: str, compilation: Compilation
) -> list[dict[str, Any]]:
    """The rows of a generated model, as dictionaries; charges in the order in which they were given."""
    result = connection.execute(runnable(model_sql, compilation))
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    # A join gives rows in any order; these come in the order of the charges.
    return sorted(rows, key=lambda row: int(str(row.get("charge_id", "0")).removeprefix("charge ")))


def parts_of(rows: Iterable[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Rows of `charges_in_context` by charge, in the order of their parts."""
    parts: dict[str, list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["charge_part"]):
        parts.setdefault(row["charge_id"], []).append(row)
    return parts
