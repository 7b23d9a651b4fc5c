"""CUR 2.0 (Data Exports): snake_case columns; tags, cost categories and product attributes are maps (in CSV,
as JSON text).
"""

from __future__ import annotations

from orchestration.sources.billing.formats import aws_cur
from orchestration.sources.billing.formats.aws_cur import MapOfColumns
from orchestration.sources.billing.formats.conversions import converted, mapping
from orchestration.sources.billing.formats.cur_legacy import by_name, map_of_columns
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.reading import Reading
from orchestration.warehouse.sql import literal

# The column `tags` holds tags of every origin, distinguished by key prefix: for each landed map, its origins
# and their prefixes. A resource's own tags come last, so they win.
_ORIGINS = {
    "resource_tags": {
        "iamPrincipal/": "iam_principal_",
        "userAttribute/": "identity_user_attribute_",
        "accountTag/": "account_tag_",
        "resourceTags/": "",
    },
    "cost_category": {"costCategory/": ""},
}

# Legacy CUR columns that CUR 2.0 keeps in the product map.
_FROM_PRODUCT = {"product_product_name": "product_name", "product_region": "region"}


def reading(columns: tuple[SourceColumn, ...], period: str | None, currency: str | None) -> Reading:
    """How a CUR 2.0 file with these columns is read."""
    named = by_name(columns)
    maps: dict[str, MapOfColumns] = {}
    for target in aws_cur.MAPS:
        # For duplicate keys the last one wins: the dedicated map.
        parts: list[MapOfColumns | None] = []
        if "tags" in named:
            tags = named["tags"][0]
            parts.extend(
                MapOfColumns(
                    _of_origin(tags, origin, prefix), ((tags, "map"),), _renamed(tags, origin, prefix)
                )
                for origin, prefix in _ORIGINS.get(target, {}).items()
            )
        if target == "resource_tags" and "line_item_iam_principal" in named:
            parts.append(_principal(named["line_item_iam_principal"][0]))
        if target == "product":
            parts.append(map_of_columns(named, target))
        if target in named:
            column = named[target][0]
            entries = f"map_entries({mapping(column)})" if target != "product" else ""
            parts.append(MapOfColumns(mapping(column), ((column, "map"),), entries))
        present = [part for part in parts if part]
        if present:
            sql = ", ".join(part.sql for part in present)
            maps[target] = MapOfColumns(
                f"map_concat({sql})" if len(present) > 1 else sql,
                tuple(used for part in present for used in part.columns),
                _concatenated([part.entries for part in present if part.entries]),
            )
    plan = aws_cur.reading(named, maps, period, currency)
    if "product" in named:
        for name, key in _FROM_PRODUCT.items():
            if name not in named:
                plan.values[name] = f"nullif({mapping_value(named['product'][0], key)}, '')"
    return plan


def _principal(column: SourceColumn) -> MapOfColumns:
    """Who called (an ARN), as the tag `iam_principal`: Bedrock's cost per role or user. Its own tags, such as
    those of a session, are `iam_principal_<key>`.
    """
    value = converted("text", column)
    entry = f"map(['iam_principal'], [{value}])"
    return MapOfColumns(f"case when {value} is not null then {entry} end", ((column, "text"),))


def mapping_value(column: SourceColumn, key: str) -> str:
    """Value of one key of a map, without building the whole landed map."""
    source = column.sql if column.type.startswith("MAP(") else mapping(column)
    return f"cast({source}[{literal(key)}] as varchar)"


def _concatenated(lists: list[str]) -> str:
    return f"list_concat({', '.join(lists)})" if len(lists) > 1 else "".join(lists)


def _renamed(column: SourceColumn, origin: str, prefix: str) -> str:
    """A list of the entries of `tags` with one origin, keys renamed by AWS's rule.

    `resourceTags/user:CostCenter` becomes `user_cost_center`, `accountTag/Owner` becomes `account_tag_owner`.
    """
    renamed = (
        f"{literal(prefix)} || trim(regexp_replace(lower(regexp_replace("
        f"substr(e.key, {len(origin) + 1}), '([A-Z])', '_\\1', 'g')), '[^a-z0-9]+', '_', 'g'), '_')"
    )
    return (
        f"list_transform(list_filter(map_entries({mapping(column)}), "
        f"lambda e: starts_with(e.key, {literal(origin)})), lambda e: {{'key': {renamed}, 'value': e.value}})"
    )


def _of_origin(column: SourceColumn, origin: str, prefix: str) -> str:
    """A map of `_renamed`; NULL if there are none. If keys become equal, the first wins."""
    return (
        f"case when {_may_hold(column, origin)} then list_reduce(list_transform("
        f"{_renamed(column, origin, prefix)}, "
        "lambda e: map([e.key], [e.value])), lambda a, b: map_concat(b, a), "
        "map([]::varchar[], []::varchar[])) end"
    )


def _may_hold(column: SourceColumn, origin: str) -> str:
    return f"contains(cast({column.sql} as varchar), {literal(origin)})"
