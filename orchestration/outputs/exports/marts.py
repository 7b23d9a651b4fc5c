"""Which published marts there are, the day that a row of each belongs to, and a fingerprint of every day.

What belongs here: questions to the published database. What does not: writing what was asked for (`files.py`,
`postgres.py`, `iceberg.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from orchestration.settings import ExpectedError
from orchestration.warehouse.sql import quoted

DAY = "usage_date"
WHOLE = "all"
"""The key of a mart that has no days: it is exported as one file."""

# The column of a row's day, where it is not called `usage_date`.
_DAY_COLUMNS = {"focus_customer_costs": "ChargePeriodStart"}
_NESTED = ("MAP", "STRUCT", "UNION")


class ExportError(ExpectedError):
    """Nothing was exported; the message says why and what to do."""


@dataclass(frozen=True)
class DatabaseExport:
    """One export: how many days (or whole marts without days) each mart had written, and how many stayed."""

    written: Mapping[str, int]
    kept: int


@dataclass(frozen=True)
class Mart:
    """One published mart; `day_column` holds a row's day or its begin, None for a mart that has no days."""

    name: str
    columns: Mapping[str, str]
    day_column: str | None
    description: str | None
    descriptions: Mapping[str, str]

    @property
    def day(self) -> str | None:
        """The day of a row, as SQL that DuckDB and Postgres understand."""
        return f"cast({quoted(self.day_column)} as date)" if self.day_column else None

    @property
    def has_usage_date(self) -> bool:
        """Whether the day is a column of the mart by that name."""
        return self.day_column == DAY

    def is_nested(self, column: str) -> bool:
        """Whether a column holds lists, maps or structures."""
        kind = self.columns[column]
        return kind.startswith(_NESTED) or kind.endswith("[]")

    def selected(self, as_text: bool) -> str:
        """The mart's columns for a select; as text, nested values are JSON."""
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
    """The marts named in `only`, else all. Raises `ExportError` for a mart that there is not."""
    marts = published_marts(connection)
    names = [mart.name for mart in marts]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise ExportError(f"There is no mart {', '.join(unknown)}. Published are: {', '.join(names)}")
    return [mart for mart in marts if not only or mart.name in only]


def fingerprints(connection: duckdb.DuckDBPyConnection, mart: Mart) -> dict[str, str]:
    """A fingerprint per day (YYYY-MM-DD), or under `WHOLE`; changes with columns and rows, in any order."""
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
