"""Which published marts there are, the day that a row of each belongs to, and a fingerprint of every day.

What belongs here: questions to the published database. What does not: writing files (`export.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from orchestration.warehouse.sql import quoted

DAY = "usage_date"
WHOLE = "all"
"""The key of a mart that has no days: it is exported as one file."""

_DAYS_OF_OTHERS = {"focus_customer_costs": 'cast("ChargePeriodStart" as date)'}
_NESTED = ("MAP", "STRUCT", "UNION")


@dataclass(frozen=True)
class Mart:
    """One published mart; `day` is the SQL of the row's day, or None for a mart that has no days."""

    name: str
    columns: dict[str, str]
    day: str | None

    @property
    def has_day_column(self) -> bool:
        """Whether the day is a column of the mart itself."""
        return DAY in self.columns

    def selected(self, as_text: bool) -> str:
        """The mart's columns for a select; as text, nested values are JSON."""
        return ", ".join(
            f"to_json({quoted(name)}) as {quoted(name)}" if as_text and _is_nested(kind) else quoted(name)
            for name, kind in self.columns.items()
        )


def published_marts(connection: duckdb.DuckDBPyConnection) -> list[Mart]:
    """All marts of the published database, by name."""
    rows = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() "
        "where not internal order by table_name, column_index"
    ).fetchall()
    columns: dict[str, dict[str, str]] = {}
    for table, column, kind in rows:
        columns.setdefault(table, {})[column] = kind
    return [Mart(name, found, _day(name, found)) for name, found in columns.items()]


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


def _day(name: str, columns: dict[str, str]) -> str | None:
    return _DAYS_OF_OTHERS.get(name) or (DAY if columns.get(DAY) == "DATE" else None)


def _is_nested(kind: str) -> bool:
    return kind.startswith(_NESTED) or kind.endswith("[]")
