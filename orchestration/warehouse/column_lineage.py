"""Columns of marts traced to the columns they are computed from, for Dagster's metadata.

sqlglot needs seconds for this, so it is done only if the setting `column_lineage` is on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg

from orchestration.settings import Settings
from orchestration.warehouse import dbt_assets
from orchestration.warehouse.working_database import open_warehouse

_MARTS = "marts"


def lineage_of_marts(
    settings: Settings, manifest: dbt_assets.Node, nodes: Iterable[Any]
) -> dict[str, dg.TableColumnLineage]:
    """Lineage of the marts among dbt's finished `nodes`, by name; without queries sqlglot cannot resolve."""
    import sqlglot.lineage
    from sqlglot.errors import SqlglotError

    logging.getLogger("sqlglot").setLevel(logging.ERROR)
    keys = {
        str(node["relation_name"]): dbt_assets.asset_key(node)
        for node in [*manifest["nodes"].values(), *manifest["sources"].values()]
        if node.get("relation_name") and node["resource_type"] != "test"
    }
    marts = [node for node in nodes if node.schema == _MARTS and getattr(node, "compiled_code", None)]
    # Some relations are calls such as `read_parquet('…')`: in the traced query each is a plain name.
    names = {relation: f"r{number}" for number, relation in enumerate(sorted(keys, key=len, reverse=True))}
    assets = {name: keys[relation] for relation, name in names.items()}
    columns = _columns(settings, {each for mart in marts for each in keys if each in mart.compiled_code})
    found: dict[str, dg.TableColumnLineage] = {}
    for mart in marts:
        query, schema = mart.compiled_code, {}
        for relation, name in names.items():
            if relation in query:
                query = query.replace(relation, name)
                schema[name] = dict.fromkeys(columns[relation], "unknown")
        try:
            traced = sqlglot.lineage.lineage(
                None, query, schema=schema, dialect="duckdb", trim_selects=False, copy=False
            )
        except (SqlglotError, ValueError):
            continue
        found[mart.name] = dg.TableColumnLineage(
            {column: _origins(node, assets) for column, node in traced.items()}
        )
    return found


def _origins(node: Any, assets: Mapping[str, dg.AssetKey]) -> list[dg.TableColumnDep]:
    read = {
        (assets[leaf.expression.name], leaf.name.rpartition(".")[2])
        for leaf in node.walk()
        if leaf.expression.key == "table" and leaf.expression.name in assets
    }
    return [dg.TableColumnDep(*each) for each in sorted(read)]


def _columns(settings: Settings, relations: Iterable[str]) -> dict[str, list[str]]:
    with open_warehouse(settings, read_only=True) as warehouse:
        return {
            relation: [column[0] for column in warehouse.execute(f"from {relation} limit 0").description]
            for relation in relations
        }
