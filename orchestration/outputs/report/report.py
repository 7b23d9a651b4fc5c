"""Build the report of the published snapshot: `<published>/report.html`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.outputs.read_only import NotReadableError, open_snapshot
from orchestration.outputs.report import anomalies, costs, explanations, margins, usage, warnings
from orchestration.outputs.report.document import assemble, sources_fingerprint
from orchestration.outputs.report.encoding import encode
from orchestration.outputs.report.tables import TABLES, Published
from orchestration.settings import Settings
from orchestration.warehouse.files import write_file

FILE_NAME = "report.html"
LARGEST_FILE = 15_000_000
# Default nesting of dimensions; others follow in the marts' order.
_FIRST_LEVELS = ("product", "feature")
# Tables that begin with the first day shown.
_NEWEST = ("newest_days", "newest_usage", "newest_usage_costs")
_HEAD = 2000
# With less detail the file does not become smaller.
_FEWEST_COST_ROWS = 1000


@dataclass(frozen=True)
class Report:
    """The report of a snapshot; `changed` is false if it already existed."""

    path: Path
    size: int
    changed: bool


def report_is_made(settings: Settings) -> bool:
    """Whether the report belongs to the published snapshot."""
    folder = (settings.published_folder / "current").resolve()
    return _fingerprint_of(settings.published_folder / FILE_NAME) == _fingerprint(settings, folder)


def make_report(settings: Settings) -> Report:
    """Build the report of the published snapshot if needed.

    Raises `NotReadableError` if nothing has been published yet.
    """
    target = settings.published_folder / FILE_NAME
    with open_snapshot(settings) as (folder, marts):
        fingerprint = _fingerprint(settings, folder)
        if _fingerprint_of(target) == fingerprint:
            return Report(target, target.stat().st_size, changed=False)
        try:
            document = _document(marts, folder, fingerprint, settings.report_cost_rows)
        except duckdb.BinderException as error:
            raise NotReadableError(
                f"{folder} was published by another version of this program, whose marts have other columns "
                f"({str(error).splitlines()[0]}). Run `cpc run`, which publishes again, then the report."
            ) from error
    write_file(target, document)
    return Report(target, len(document), changed=True)


def _document(marts: duckdb.DuckDBPyConnection, folder: Path, fingerprint: str, cost_rows: int) -> bytes:
    published = _published(marts)
    tables = {
        table.name: encode(marts.sql(table.select(published)).to_arrow_table())
        for table in TABLES
        if published.marts.issuperset(table.marts)
    }
    if published.marts.issuperset(anomalies.MARTS):
        tables["anomalies"] = encode(anomalies.select_anomalies(marts))
    for name, read in margins.MARTS.items():
        if published.marts.issuperset(read):
            tables[name] = encode(margins.select_margins(marts, name))
    if warnings.MART in published.marts:
        tables["warnings"] = encode(warnings.select_warnings(marts))
    if explanations.MART in published.marts:
        tables["explanations"] = encode(explanations.select_explanations(marts, published))
    counts = costs.RowCounts(marts)
    before, detailed = None, dict[str, pa.Table]()
    while True:
        detail = costs.choose_detail(counts, published, cost_rows)
        catalog = _catalog(marts, folder, published, detail)
        detailed = (
            _since(detail.days_from, detailed)
            if before and detail.days_from and detail == replace(before, days_from=detail.days_from)
            else {name: marts.sql(query).to_arrow_table() for name, query in _detailed(detail, published)}
        )
        before = detail
        encoded = {name: encode(table) for name, table in detailed.items()}
        document = assemble(fingerprint, catalog, {**tables, **encoded}).encode()
        # The file's size follows the rows of costs; 5% less, as it does so roughly.
        shown = sum(table.num_rows for name, table in detailed.items() if name in ("costs", _NEWEST[0]))
        cost_rows = shown * LARGEST_FILE * 95 // (len(document) * 100)
        if len(document) <= LARGEST_FILE or cost_rows < _FEWEST_COST_ROWS:
            return document


def _since(first: date, tables: dict[str, pa.Table]) -> dict[str, pa.Table]:
    """The same tables with fewer days, without asking the marts again."""
    return {
        name: table.filter(pc.field("period_start") >= pa.scalar(first)) if name in _NEWEST else table
        for name, table in tables.items()
    }


def _detailed(detail: costs.Detail, published: Published) -> Iterator[tuple[str, str]]:
    selects = {
        "costs": costs.select_costs(detail),
        "newest_days": costs.select_newest_days(detail),
        **usage.select_usage(detail, published),
    }
    return ((name, select) for name, select in selects.items() if select is not None)


def _published(marts: duckdb.DuckDBPyConnection) -> Published:
    names = frozenset(
        name for (name,) in marts.execute("select table_name from information_schema.tables").fetchall()
    )
    columns = [column[0] for column in marts.execute("describe customer_costs_daily").fetchall()]
    # The contexts' dimensions are the columns between these two.
    dimensions = columns[columns.index("segment") + 1 : columns.index("service_name")]
    first = [name for name in _FIRST_LEVELS if name in dimensions]
    return Published(names, (*first, *(name for name in dimensions if name not in first)))


def _catalog(
    marts: duckdb.DuckDBPyConnection, folder: Path, published: Published, detail: costs.Detail
) -> dict[str, Any]:
    ((first, last),) = marts.execute(
        "select min(usage_date)::varchar, max(usage_date)::varchar from customer_costs_daily "
        "where unallocated_reason is distinct from 'day to come'"
    ).fetchall()
    currencies = marts.execute(
        "select billing_currency from customer_costs_monthly group by 1 order by count(*) desc, 1"
    ).fetchall()
    described = folder / "snapshot.json"
    created = json.loads(described.read_text(encoding="utf-8"))["created"] if described.is_file() else None
    return {
        "snapshot": folder.name,
        "created": created,
        "firstDay": first,
        "lastDay": last,
        "currencies": [currency for (currency,) in currencies],
        "dimensions": list(published.dimensions),
        "detail": detail.as_json(),
    }


def _fingerprint(settings: Settings, snapshot: Path) -> str:
    return f"{snapshot.name}-{sources_fingerprint()}-{settings.report_cost_rows}"


def _fingerprint_of(path: Path) -> str | None:
    if not path.is_file():
        return None
    with path.open(encoding="utf-8") as report:
        _, _, rest = report.read(_HEAD).partition('<meta name="made-from" content="')
    return rest.partition('"')[0] or None
