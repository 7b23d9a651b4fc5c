"""The published marts as Apache Iceberg tables, for lakehouse engines (Athena, Spark, Trino, …).

    <namespace>.<mart>                 partitioned by usage_date if the mart has days
    <namespace>.published_versions     one row per export and mart: the table versions that belong together

A changed day replaces its partition (dynamic partition overwrite); other days are not written. Tables
are committed one by one, so a reader who needs several marts of the same run looks up their Iceberg snapshots
in `published_versions`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.outputs.exports.marts import (
    DAY,
    DatabaseExport,
    ExportError,
    Mart,
    fingerprints,
    wanted_marts,
)
from orchestration.warehouse.sql import quoted

VERSIONS = "published_versions"
# Table property with the fingerprints of its days as JSON, committed with the rows.
_STATE = "cost-per-customer.days"
# Table property with the mart's columns as JSON.
_COLUMNS = "cost-per-customer.columns"
_DAYS_AT_ONCE = 30
# Integer types that Iceberg lacks.
_AS = {"HUGEINT": "decimal(38, 0)", "UBIGINT": "decimal(20, 0)", "UINTEGER": "bigint"}
_VERSION_COLUMNS = pa.schema(
    [
        ("snapshot", pa.string()),
        ("exported_at", pa.timestamp("us", tz="UTC")),
        ("mart", pa.string()),
        ("iceberg_snapshot_id", pa.int64()),
    ]
)


def export_to_iceberg(
    marts: duckdb.DuckDBPyConnection,
    catalog_properties: Mapping[str, str],
    snapshot: str,
    namespace: str = "costs",
    only: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> DatabaseExport:
    """Update the tables of `namespace` to the published `snapshot`.

    `catalog_properties` are PyIceberg's (type, uri, warehouse, …). A mart whose columns changed is recreated.
    Raises `ExportError` if the catalog cannot be opened or written.
    """
    chosen = wanted_marts(marts, only)
    catalog = _open(catalog_properties)
    written: dict[str, int] = {}
    kept = 0
    versions = []
    exported_at = datetime.now(UTC)
    for mart in chosen:
        progress(mart.name)
        days = fingerprints(marts, mart)
        table = _table_of(catalog, namespace, mart, _rows(marts, mart, ()).schema)
        before = json.loads(table.properties.get(_STATE, "{}"))
        changed = [day for day in days if before.get(day) != days[day]]
        if changed or before.keys() - days.keys():
            _replace(
                marts, table, mart, changed, sorted(before.keys() - days.keys()), days, is_new=not before
            )
        if changed:
            written[mart.name] = len(changed)
        kept += len(days) - len(changed)
        current = table.current_snapshot()
        versions.append((snapshot, exported_at, mart.name, current.snapshot_id if current else None))
    if written:
        columns = zip(*versions, strict=True)
        rows = [pa.array(column, field.type) for column, field in zip(columns, _VERSION_COLUMNS, strict=True)]
        table = catalog.create_table_if_not_exists((namespace, VERSIONS), _VERSION_COLUMNS)
        table.append(pa.Table.from_arrays(rows, schema=_VERSION_COLUMNS))
    return DatabaseExport(written, kept)


def _open(properties: Mapping[str, str]) -> Any:
    try:
        from pyiceberg.catalog import load_catalog
    except ImportError as error:
        raise ExportError(
            "The export to Iceberg needs PyIceberg: pip install 'cost-per-customer[iceberg]'"
        ) from error
    if not properties:
        raise ExportError(
            "No Iceberg catalog is set. Write its PyIceberg properties into settings.yml, for example\n"
            "  iceberg_catalog: {type: glue, warehouse: s3://bucket/prefix}"
        )
    return load_catalog("default", **properties)


def _table_of(catalog: Any, namespace: str, mart: Mart, schema: pa.Schema) -> Any:
    catalog.create_namespace_if_not_exists(namespace)
    name, columns = (namespace, mart.name), json.dumps(dict(mart.columns))
    if catalog.table_exists(name):
        table = catalog.load_table(name)
        if table.properties.get(_COLUMNS) == columns:
            return table
        catalog.drop_table(name)
    properties = {_COLUMNS: columns, "comment": mart.description or ""}
    table = catalog.create_table(name, schema, properties=properties)
    if mart.day_column:
        with table.update_spec() as spec:
            spec.add_identity(DAY)
    if mart.descriptions:
        with table.update_schema() as update:
            for column, description in mart.descriptions.items():
                update.update_column(column, doc=description)
    return table


def _replace(
    marts: duckdb.DuckDBPyConnection,
    table: Any,
    mart: Mart,
    changed: Sequence[str],
    gone: Iterable[str],
    days: Mapping[str, str],
    is_new: bool,
) -> None:
    from pyiceberg.expressions import In

    with table.transaction() as transaction:
        if mart.day is None:
            write = transaction.append if is_new else transaction.overwrite
            write(_rows(marts, mart, changed))
        else:
            if dead := [date.fromisoformat(day) for day in gone]:
                transaction.delete(In(DAY, literals=set(dead)))  # type: ignore[misc]
            for first in range(0, len(changed), _DAYS_AT_ONCE):
                some = changed[first : first + _DAYS_AT_ONCE]
                write = transaction.append if is_new else transaction.dynamic_partition_overwrite
                write(_rows(marts, mart, some))
        transaction.set_properties({_STATE: json.dumps(dict(days))})


def _rows(marts: duckdb.DuckDBPyConnection, mart: Mart, days: Sequence[str]) -> pa.Table:
    """Rows of the given days; for a mart without days all rows, or none if no day is given."""
    columns = [
        f"cast({quoted(name)} as {_AS[kind]}) as {quoted(name)}" if kind in _AS else quoted(name)
        for name, kind in mart.columns.items()
    ]
    if mart.day and not mart.has_usage_date:
        columns.append(f"{mart.day} as {DAY}")
    condition = f"cast({mart.day} as varchar) in (select unnest($days))" if mart.day else "len($days) > 0"
    return marts.sql(
        f"select {', '.join(columns)} from {quoted(mart.name)} where {condition}",
        params={"days": list(days)},
    ).to_arrow_table()
