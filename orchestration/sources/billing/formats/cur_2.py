"""CUR 2.0 (Data Exports): snake_case columns; tags, cost categories and product attributes are maps.

In Parquet they are maps, in CSV JSON text. What does not belong here: anything of legacy CUR.
"""

from __future__ import annotations

from orchestration.sources.billing.formats import aws_cur
from orchestration.sources.billing.formats.columns import Kind
from orchestration.sources.billing.formats.conversions import map_of, mapping
from orchestration.sources.billing.formats.cur_legacy import by_name, columns_of_map
from orchestration.sources.billing.formats.files import SourceColumn, literal
from orchestration.sources.billing.formats.reading import Reading

# Column `tags` holds tags of every origin; these are the ones that have a landed map.
_ORIGINS = {"resource_tags": "resourceTags/", "cost_category": "costCategory/"}

# Columns of legacy CUR that CUR 2.0 keeps in the product map.
_FROM_PRODUCT = {"product_product_name": "product_name", "product_region": "region"}


def reading(columns: tuple[SourceColumn, ...], period: str | None, currency: str | None) -> Reading:
    """How a CUR 2.0 file with these columns is read."""
    named = by_name(columns)
    maps: dict[str, str] = {}
    in_maps: dict[str, Kind] = {}
    for target in aws_cur.MAPS:
        parts: list[str] = []
        if target in named:
            parts.append(mapping(named[target][0]))
            in_maps[target] = "map"
        if target in _ORIGINS and "tags" in named:
            parts.insert(0, _of_origin(named["tags"][0], _ORIGINS[target]))
            in_maps["tags"] = "map"
        if target == "product":
            single = columns_of_map(named, target)
            sql = map_of(single)
            if sql is not None:
                parts.insert(0, sql)
                in_maps |= dict.fromkeys((f"product_{key}" for key in single), "text")
        if len(parts) == 1:
            maps[target] = parts[0]
        elif parts:
            # Of a key that comes twice the last one stays: the map made for the purpose.
            maps[target] = f"map_concat({', '.join(parts)})"
    plan = aws_cur.reading(named, maps, in_maps, period, currency)
    if "product" in named:
        for name, key in _FROM_PRODUCT.items():
            if name not in named:
                plan.values[name] = f"nullif({mapping_value(named['product'][0], key)}, '')"
    return plan


def mapping_value(column: SourceColumn, key: str) -> str:
    """The value of one key of a map, without building the whole landed map."""
    source = column.sql if column.type.startswith("MAP(") else mapping(column)
    return f"cast({source}[{literal(key)}] as varchar)"


def _of_origin(column: SourceColumn, origin: str) -> str:
    """The entries of `tags` with one origin, keys renamed by AWS' rule; NULL when there are none.

    `resourceTags/user:CostCenter` becomes `user_cost_center`. Of keys that become the same the first stays.
    """
    renamed = (
        "trim(regexp_replace(lower(regexp_replace("
        f"substr(e.key, {len(origin) + 1}), '([A-Z])', '_\\1', 'g')), '[^a-z0-9]+', '_', 'g'), '_')"
    )
    entries = (
        f"list_transform(list_filter(map_entries({mapping(column)}), "
        f"lambda e: starts_with(e.key, {literal(origin)})), lambda e: {{'key': {renamed}, 'value': e.value}})"
    )
    return (
        f"case when {_may_hold(column, origin)} then list_reduce(list_transform({entries}, "
        "lambda e: map([e.key], [e.value])), lambda a, b: map_concat(b, a), "
        "map([]::varchar[], []::varchar[])) end"
    )


def _may_hold(column: SourceColumn, origin: str) -> str:
    return f"contains(cast({column.sql} as varchar), {literal(origin)})"
