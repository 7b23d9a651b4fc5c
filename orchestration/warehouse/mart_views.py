"""Marts that are views, and their other inputs, which a snapshot must contain too."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

Connection = duckdb.DuckDBPyConnection

_MARTS = "marts"
# DuckDB stores the names in a view without its own database's name.
_REFERENCE = re.compile(r'\b"?(\w+)"?\."?(\w+)"?')

_EXCLUDED = re.compile(r"(?<= EXCLUDE \()[^()]+(?=\))")


@dataclass(frozen=True)
class Relation:
    """A table, a view (with its `statement`) or a model kept by day (with the `files` that are read)."""

    schema: str
    name: str
    statement: str = ""
    files: tuple[Path, ...] | None = None

    @property
    def definition(self) -> str:
        """The statement, the same every time: DuckDB writes excluded columns in any order."""
        return _EXCLUDED.sub(lambda match: ", ".join(sorted(match[0].split(", "))), self.statement)

    @property
    def is_mart(self) -> bool:
        """Whether it is published under its own name."""
        return self.schema == _MARTS


def views_of_marts(warehouse: Connection, newest_days: int | None) -> list[Relation]:
    """Marts that are views and everything they read except marts, in dependency order.

    For models kept by day, the files of that many latest days with costs, or of all days.
    """
    views = _views(warehouse)
    kept_by_day = {
        model for (model,) in warehouse.execute("select distinct model from built.day_files").fetchall()
    }
    found: dict[tuple[str, str], Relation] = {}

    def add(schema: str, name: str) -> None:
        if (schema, name) in found:
            return
        if f"{schema}.{name}" in kept_by_day:
            if schema != _MARTS:
                files = _files(warehouse, f"{schema}.{name}", newest_days)
                found[schema, name] = Relation(schema, name, files=files)
        elif (schema, name) in views:
            statement, read = views[schema, name]
            for each in read:
                add(*each)
            found[schema, name] = Relation(schema, name, statement)
        elif schema != _MARTS:
            found[schema, name] = Relation(schema, name)

    for schema, name in sorted(views):
        if schema == _MARTS:
            add(schema, name)
    return list(found.values())


def _views(warehouse: Connection) -> dict[tuple[str, str], tuple[str, Sequence[tuple[str, str]]]]:
    """Each view's statement as in a snapshot, where marts are in `main`, and what it reads."""
    here = "table_catalog = current_database()"
    known = warehouse.execute(
        f"select table_schema, table_name from information_schema.tables where {here}"
    ).fetchall()
    views = warehouse.execute(
        "select schema_name, view_name, sql from duckdb_views() where not internal "
        "and database_name = current_database()"
    ).fetchall()
    found: dict[tuple[str, str], tuple[str, Sequence[tuple[str, str]]]] = {}
    for schema, name, sql in views:
        named = [(match[1], match[2]) for match in _REFERENCE.finditer(sql)]
        read = [relation for relation in named if relation in known and relation != (schema, name)]
        _, _, query = _REFERENCE.sub(lambda match: _moved(match, known), sql).partition(" AS ")
        found[schema, name] = (f'create view "{_schema(schema)}"."{name}" as {query}', read)
    return found


def _moved(match: re.Match[str], known: Collection[tuple[str, str]]) -> str:
    relation = match[1], match[2]
    return f'"{_schema(relation[0])}"."{relation[1]}"' if relation in known else match[0]


def _schema(schema: str) -> str:
    return "main" if schema == _MARTS else schema


def _files(warehouse: Connection, model: str, newest_days: int | None) -> tuple[Path, ...]:
    rows = warehouse.execute(
        "with newest as (select max(usage_date) as last_day from marts.customer_totals_daily) "
        "select file from built.day_files, newest where model = $1 and file is not null "
        "and ($2 is null or period_start > last_day - $2::integer and period_start <= last_day) "
        "order by file",
        [model, newest_days],
    ).fetchall()
    return tuple(Path(file) for (file,) in rows)
