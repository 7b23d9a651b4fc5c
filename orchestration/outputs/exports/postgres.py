"""The published marts as tables of a Postgres schema, for tools that only support Postgres.

    <schema>.<mart>            the rows of the mart, with its descriptions as comments
    <schema>.exported_days     fingerprint of each exported day of each mart

One transaction writes everything, so readers see either the old or the new marts. Only days with changed rows
are deleted and copied.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb

from orchestration.outputs.exports.marts import (
    WHOLE,
    DatabaseExport,
    ExportError,
    Mart,
    fingerprints,
    wanted_marts,
)
from orchestration.warehouse.sql import literal, quoted

_STATE = "exported_days"
_CHUNK_BYTES = 1 << 20
# Type names as Postgres reports them.
_TYPES = {
    "BOOLEAN": "boolean",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
    "UBIGINT": "numeric(20,0)",
    "HUGEINT": "numeric(38,0)",
    "DOUBLE": "double precision",
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMP": "timestamp without time zone",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
}
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")


def export_to_postgres(
    marts: duckdb.DuckDBPyConnection,
    url: str,
    schema: str = "costs",
    only: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> DatabaseExport:
    """Update the tables of `schema` in the database at `url` to what is published.

    Tables of marts that are no longer published are dropped, unless `only` is given. Raises `ExportError`
    with the database's message if it fails; nothing is changed then.
    """
    psycopg = _driver()
    chosen = wanted_marts(marts, only)
    try:
        with psycopg.connect(url, application_name="cost-per-customer") as target:
            return _export(marts, target, schema, chosen, not only, progress)
    except psycopg.Error as error:
        raise ExportError(
            f"Nothing was exported to Postgres: {str(error).strip()}. Check the address, and that its user "
            f"may create the schema {schema!r}."
        ) from error


def _driver() -> Any:
    try:
        import psycopg
    except ImportError as error:
        raise ExportError(
            "The export to Postgres needs psycopg: pip install 'cost-per-customer[postgres]'"
        ) from error
    return psycopg


def _export(
    marts: duckdb.DuckDBPyConnection,
    target: Any,
    schema: str,
    chosen: Sequence[Mart],
    drop_others: bool,
    progress: Callable[[str], None],
) -> DatabaseExport:
    # Concurrent exports would write the same days twice.
    target.execute("select pg_advisory_xact_lock(hashtext(%s))", [f"cost-per-customer {schema}"])
    target.execute(f"create schema if not exists {quoted(schema)}")
    target.execute(
        f"create table if not exists {_table(schema, _STATE)} "
        "(mart text, day text, fingerprint text not null, primary key (mart, day))"
    )
    known: dict[str, dict[str, str]] = {}
    for mart, day, fingerprint in target.execute(
        f"select mart, day, fingerprint from {_table(schema, _STATE)}"
    ):
        known.setdefault(mart, {})[day] = fingerprint
    if drop_others:
        for name in known.keys() - {mart.name for mart in chosen}:
            target.execute(f"drop table if exists {_table(schema, name)}")
            target.execute(f"delete from {_table(schema, _STATE)} where mart = %s", [name])
    written, kept = {}, 0
    for mart in chosen:
        progress(mart.name)
        before = known.get(mart.name, {}) if _has_columns(target, schema, mart) else {}
        days = fingerprints(marts, mart)
        changed = [day for day in days if before.get(day) != days[day]]
        gone = [day for day in before if day not in days]
        kept += len(days) - len(changed)
        if not before:
            _create(target, schema, mart)
        if changed or gone:
            _replace(marts, target, schema, mart, changed, gone)
            _note(target, schema, mart, days)
        if changed:
            written[mart.name] = len(changed)
    return DatabaseExport(written, kept)


def _has_columns(target: Any, schema: str, mart: Mart) -> bool:
    found = target.execute(
        "select attname, format_type(atttypid, atttypmod) from pg_attribute "
        "where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum",
        [_table(schema, mart.name)],
    ).fetchall()
    return bool(found == [(name, _type(mart, name)) for name in mart.columns])


def _create(target: Any, schema: str, mart: Mart) -> None:
    table = _table(schema, mart.name)
    target.execute(f"drop table if exists {table}")
    target.execute(f"delete from {_table(schema, _STATE)} where mart = %s", [mart.name])
    columns = ", ".join(f"{quoted(name)} {_type(mart, name)}" for name in mart.columns)
    target.execute(f"create table {table} ({columns})")
    if mart.day_column:
        target.execute(f"create index on {table} ({quoted(mart.day_column)})")
    if mart.description:
        target.execute(f"comment on table {table} is {literal(mart.description)}")
    for name, description in mart.descriptions.items():
        target.execute(f"comment on column {table}.{quoted(name)} is {literal(description)}")


def _replace(
    marts: duckdb.DuckDBPyConnection,
    target: Any,
    schema: str,
    mart: Mart,
    changed: Sequence[str],
    gone: Sequence[str],
) -> None:
    table = _table(schema, mart.name)
    if mart.day_column is None:
        target.execute(f"delete from {table}")
    else:
        target.execute(
            f"delete from {table} where {mart.day} = any(%s::date[])",
            [[day for day in (*changed, *gone) if day != WHOLE]],
        )
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows.csv")
        marts.execute(
            f"copy (select {mart.selected(as_text=True)} from {quoted(mart.name)} "
            f"where coalesce(cast({mart.day or 'null'} as varchar), '{WHOLE}') in (select unnest($days))) "
            f"to {literal(rows)} (format csv, header false)",
            {"days": list(changed)},
        )
        with rows.open("rb") as file, target.cursor().copy(f"copy {table} from stdin (format csv)") as copy:
            while chunk := file.read(_CHUNK_BYTES):
                copy.write(chunk)


def _note(target: Any, schema: str, mart: Mart, days: dict[str, str]) -> None:
    state = _table(schema, _STATE)
    target.execute(f"delete from {state} where mart = %s", [mart.name])
    with target.cursor().copy(f"copy {state} (mart, day, fingerprint) from stdin") as copy:
        for day, fingerprint in days.items():
            copy.write_row((mart.name, day, fingerprint))


def _table(schema: str, name: str) -> str:
    return f"{quoted(schema)}.{quoted(name)}"


def _type(mart: Mart, column: str) -> str:
    kind = mart.columns[column]
    if _DECIMAL.fullmatch(kind):
        return kind.replace("DECIMAL", "numeric")
    if mart.is_nested(column):
        return "jsonb"
    if kind not in _TYPES:
        raise ExportError(f"Postgres has no type for {mart.name}.{column}, which is {kind}")
    return _TYPES[kind]
