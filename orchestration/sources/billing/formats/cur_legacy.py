"""Legacy CUR: one column per tag; headers like `lineItem/UnblendedCost` in CSV, renamed in Parquet."""

from __future__ import annotations

import re
from collections.abc import Iterable

from orchestration.sources.billing.formats import aws_cur
from orchestration.sources.billing.formats.aws_cur import MapOfColumns
from orchestration.sources.billing.formats.columns import AWS_CUR
from orchestration.sources.billing.formats.conversions import map_of, text
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.reading import Reading
from orchestration.warehouse.sql import literal

_PREFIXES = {"resource_tags": "resource_tags_", "cost_category": "cost_category_", "product": "product_"}


def landed_name(header: str) -> str:
    """The name that AWS gives a CSV header in Parquet: `lineItem/UsageAmount` -> `line_item_usage_amount`.

    Underscore before capitals, lower case, everything else to underscores, none twice nor at the ends.
    A header without `/` has been renamed already.
    """
    if "/" not in header:
        return header.lower()
    snake = re.sub(r"([A-Z])", r"_\1", header).lower()
    return re.sub(r"[^a-z0-9]+", "_", snake).strip("_")


def by_name(columns: Iterable[SourceColumn]) -> dict[str, list[SourceColumn]]:
    """Columns by landed name; several headers can map to the same one (tags that differ in case)."""
    named: dict[str, list[SourceColumn]] = {}
    for column in columns:
        named.setdefault(landed_name(column.header), []).append(column)
    return named


def map_of_columns(named: dict[str, list[SourceColumn]], target: str) -> MapOfColumns | None:
    """The map built from columns with the prefix of `target`, except those landed on their own."""
    prefix = _PREFIXES[target]
    keyed = {
        name.removeprefix(prefix): columns
        for name, columns in named.items()
        if name.startswith(prefix) and name != prefix and name not in AWS_CUR
    }
    sql = map_of(keyed)
    if not sql:
        return None
    spelled: dict[str, list[tuple[str, SourceColumn]]] = {}
    for key, columns in keyed.items():
        named_alike = spelled.setdefault(key.removeprefix("user_").replace("_", ""), [])
        named_alike += [(key, column) for column in columns if column.has_values]
    entries = ", ".join(
        f"{{'key': {literal(key)}, 'value': {text(column)}}}"
        for alike in spelled.values()
        for key, column in alike
        if len(alike) > 1
    )
    return MapOfColumns(
        sql,
        tuple((column, "text") for columns in keyed.values() for column in columns),
        f"list_filter([{entries}], lambda e: e.value is not null)" if entries and target != "product" else "",
    )


def reading(columns: tuple[SourceColumn, ...], period: str | None, currency: str | None) -> Reading:
    """How a legacy CUR file with these columns is read."""
    named = by_name(columns)
    maps: dict[str, MapOfColumns] = {}
    for target in _PREFIXES:
        made = map_of_columns(named, target)
        if made:
            maps[target] = made
    return aws_cur.reading(named, maps, period, currency)
