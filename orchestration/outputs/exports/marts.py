"""Published marts, the day column of each, and a fingerprint of every day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from orchestration.settings import ExpectedError
from orchestration.warehouse.sql import quoted

DAY = "usage_date"
WHOLE = "all"
"""The key of a mart that has no days: it is exported as one file."""

# Day columns not named `usage_date`.
_DAY_COLUMNS = {"focus_customer_costs": "ChargePeriodStart"}
_NESTED = ("MAP", "STRUCT", "UNION")


class ExportError(ExpectedError):
    """Nothing was exported; the message says why and what to do."""


@dataclass(frozen=True)
class DatabaseExport:
    """Result per mart: how many days (or whole marts without days) were written or unchanged."""

    written: Mapping[str, int]
    kept: int


@dataclass(frozen=True)
class Mart:
    """A published mart; `day_column` holds the day or its start, None for a mart without days."""

    name: str
    columns: Mapping[str, str]
    day_column: str | None
    description: str | None
    descriptions: Mapping[str, str]

    @property
    def day(self) -> str | None:
        """The day of a row, as SQL for DuckDB and Postgres."""
        return f"cast({quoted(self.day_column)} as date)" if self.day_column else None

    @property
    def has_usage_date(self) -> bool:
        """Whether the mart has a day column of that name."""
        return self.day_column == DAY

    def is_nested(self, column: str) -> bool:
        """Whether a column is a list, map or struct."""
        kind = self.columns[column]
        return kind.startswith(_NESTED) or kind.endswith("[]")

    def selected(self, as_text: bool) -> str:
        """Select list of the mart's columns; as text, nested values become JSON."""
        return ", ".join(
            f"to_json({quoted(name)}) as {quoted(name)}" if as_text and self.is_nested(name) else quoted(name)
            for name in self.columns
        )


def published_marts(connection: duckdb.DuckDBPyConnection) -> list[Mart]:
    """All marts of the published database, by name."""
    columns: dict[str, dict[str, str]] = {}
    comments: dict[str, dict[str, str]] = {}
    for table, column, kind, comment in connection.execute(
        "select table_name, column_name, data_type, comment from duckdb_columns() "
        "where not internal and schema_name = 'main' order by table_name, column_index"
    ).fetchall():
        columns.setdefault(table, {})[column] = kind
        if comment:
            comments.setdefault(table, {})[column] = comment
    described = dict(
        connection.execute(
            "select table_name, comment from duckdb_tables() where schema_name = 'main' union all "
            "select view_name, comment from duckdb_views() where not internal and schema_name = 'main'"
        ).fetchall()
    )
    return [
        Mart(name, found, _day_column(name, found), described.get(name), comments.get(name, {}))
        for name, found in columns.items()
    ]


def wanted_marts(connection: duckdb.DuckDBPyConnection, only: Sequence[str]) -> list[Mart]:
    """The marts named in `only`, else all. Raises `ExportError` for an unknown mart."""
    marts = published_marts(connection)
    names = [mart.name for mart in marts]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise ExportError(f"Unknown mart {', '.join(unknown)}. Published marts: {', '.join(names)}")
    return [mart for mart in marts if not only or mart.name in only]


def fingerprints(connection: duckdb.DuckDBPyConnection, mart: Mart) -> dict[str, str]:
    """Fingerprint per day (YYYY-MM-DD), or under `WHOLE`; depends on columns and rows, not on their order."""
    header = ",".join(f"{name} {kind}" for name, kind in mart.columns.items())
    rows = connection.execute(
        f"select coalesce({mart.day or 'null'}::varchar, '{WHOLE}') as key, count(*), "
        f"sum(hash(row_of_mart)::hugeint), hash($1) from {quoted(mart.name)} as row_of_mart "
        "group by key order by key",
        [header],
    ).fetchall()
    found = {key: f"{count}-{total:x}-{columns:x}" for key, count, total, columns in rows}
    return found if found or mart.day else {WHOLE: f"0-{header}"}


def _day_column(name: str, columns: Mapping[str, str]) -> str | None:
    return _DAY_COLUMNS.get(name) or (DAY if columns.get(DAY) == "DATE" else None)
