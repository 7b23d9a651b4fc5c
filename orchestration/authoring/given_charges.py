"""Example charges of dimension tests, as rows in tables like those of a run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

import duckdb

from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language.program import DimensionTest, GivenResource
from orchestration.compiler.language.signal_columns import SIGNAL_TABLES

_TYPES = {
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "decimal": "decimal(38, 12)",
    "integer": "bigint",
}
TABLES = {
    "charges": {
        **{name: _TYPES[kind] for name, kind in CHARGE_COLUMNS.items()},
        "tags": "map(varchar, varchar)",
        "cost_categories": "map(varchar, varchar)",
        "x_kubernetes_labels": "map(varchar, varchar)",
    },
    # Empty: tests have no usage, so splits by a stream never match.
    "split_shares": {
        "split_id": "varchar",
        "usage_date": "date",
        "element": "varchar",
        "share": "decimal(13, 12)",
    },
    **SIGNAL_TABLES,
}
_ALWAYS = {"valid_from": datetime(1, 1, 1)}  # noqa: DTZ001 (the warehouse keeps UTC without a zone)
_SOME_DAY = date(2000, 1, 1)


def make_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the empty tables."""
    for table, columns in TABLES.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table {table} ({listed})")


def charge_id(test: DimensionTest, number: int) -> str:
    """Id of a test's charge: the given one, or one derived from its number."""
    return str(dict(test.charge).get("charge_id", f"charge of test {number}"))


def insert_charge(connection: duckdb.DuckDBPyConnection, test: DimensionTest, number: int) -> None:
    """Insert a test's charge with its resource and account, which are valid at any time.

    If a resource or account is given, the charge gets a matching id and a time even if the test names none,
    because signals are looked up by them.
    """
    charge: dict[str, Any] = {**dict(test.charge), "charge_id": charge_id(test, number)}
    if test.resource is not None or test.account is not None:
        day = charge.get("usage_date", _SOME_DAY)
        charge.setdefault("charge_period_start", datetime.combine(day, time()))
    if test.account is not None:
        account = charge.setdefault("sub_account_id", f"account of test {number}")
        row = {
            "account_id": account,
            **dict(test.account.columns),
            "tags": dict(test.account.tags),
            **_ALWAYS,
        }
        _insert(connection, "accounts", row)
    if test.resource is not None:
        resource = charge.setdefault("resource_id", f"resource of test {number}")
        _insert_resource(connection, test.resource, resource)
    maps = {
        "tags": dict(test.tags),
        "cost_categories": dict(test.cost_categories),
        "x_kubernetes_labels": dict(test.kubernetes_labels),
    }
    _insert(connection, "charges", {**charge, **maps})


def _insert_resource(connection: duckdb.DuckDBPyConnection, resource: GivenResource, name: str) -> None:
    maps = {"tags": dict(resource.tags), "attributes": dict(resource.attributes)}
    row = {**dict(resource.columns), "resource_id": name, **maps, **_ALWAYS}
    _insert(connection, "resources", row)
    for number, (relationship, related) in enumerate(resource.related, start=1):
        other = dict(related.columns).get("resource_id", f"{name}, related {number}")
        _insert_resource(connection, related, other)
        row = {"resource_id": name, "relationship": relationship, "related_resource_id": other, **_ALWAYS}
        _insert(connection, "resource_relationships", row)


def _insert(connection: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, Any]) -> None:
    places = ", ".join(f"${name}::{TABLES[table][name]}" for name in row)
    connection.execute(f"insert into {table} ({', '.join(row)}) values ({places})", dict(row))
