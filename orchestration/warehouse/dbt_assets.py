"""dbt's models, seeds and tests in Dagster: asset and check specs from the manifest, and results of a run.

Avoids dagster-dbt, which imports dbt and takes longer than everything else needed to open the project.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import dropwhile, takewhile
from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult

Node = Mapping[str, Any]
_TABLES = ("model", "seed")
CONTEXTS = dg.AssetKey(["contexts", "files"])
_COMPILED = ("rules", "context")  # groups that the compiler writes


def model_specs(manifest: Node) -> list[dg.AssetSpec]:
    """One asset per model and seed: `<layer>/<name>`, grouped by layer."""
    nodes = {**manifest["nodes"], **manifest["sources"]}
    return [
        dg.AssetSpec(
            asset_key(node),
            deps=sorted(_read(node, nodes)),
            description=_description(node),
            metadata={
                "dagster/table_name": node["relation_name"].replace('"', ""),
                "dagster/column_schema": _columns(node),
            },
            skippable=True,
            group_name=_group(node),
            code_version=node["checksum"]["checksum"],
            kinds={"dbt", "duckdb"},
            tags={"materialized": node["config"]["materialized"]},
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] in _TABLES
    ]


def check_specs(manifest: Node) -> list[dg.AssetCheckSpec]:
    """One check per test, on the model it belongs to, names in `meta.dagster.ref`, or is the only one it
    reads.
    """
    return [
        dg.AssetCheckSpec(
            node["name"],
            asset=_tested(manifest, node),
            description=_law(node),
            additional_deps={asset_key(manifest["nodes"][read]) for read in node["depends_on"]["nodes"]}
            - {_tested(manifest, node)},
            blocking=True,
        )
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test"
    ]


def asset_key(node: Node) -> dg.AssetKey:
    """Key of a model, seed or source: layer and name; a source can override it in its `meta`."""
    if node["resource_type"] == "source":
        named = node["config"]["meta"].get("dagster", {}).get("asset_key")
        return dg.AssetKey(named or [node["source_name"], node["name"]])
    return dg.AssetKey([node["schema"], node["name"]])


def node_of(manifest: Node, ended: RunResult) -> Node | None:
    """The model, seed or test of an event; None for others, such as hooks and exposures."""
    node: Node | None = manifest["nodes"].get(ended.node.unique_id)
    return node if node and node["resource_type"] in (*_TABLES, "test") else None


def result_of(
    manifest: Node, node: Node, ended: RunResult, metadata: Mapping[str, Any]
) -> dg.MaterializeResult[None] | dg.AssetCheckResult | None:
    """Dagster's result for a finished node; None if it failed to build or was skipped."""
    if str(ended.status) == "skipped":
        return None
    seconds = {"Execution Duration": ended.execution_time}
    if node["resource_type"] == "test":
        return dg.AssetCheckResult(
            passed=str(ended.status) == "pass",
            asset_key=_tested(manifest, node),
            check_name=node["name"],
            metadata={**seconds, "failed_rows": ended.failures or 0},
        )
    if str(ended.status) == "success":
        return dg.MaterializeResult(asset_key=asset_key(node), metadata={**seconds, **metadata})
    return None


def _read(node: Node, nodes: Mapping[str, Node]) -> set[dg.AssetKey]:
    read = [nodes[name] for name in node["depends_on"].get("nodes", ())]
    # Not `built`, which publishing writes for the next run: a circle.
    keys = {asset_key(each) for each in read if each.get("source_name", "landing") == "landing"}
    return keys | {CONTEXTS} if _group(node) in _COMPILED else keys


def _law(test: Node) -> str:
    """What a test checks: its description, else the comment that its SQL begins with."""
    lines = [line.strip() for line in test["raw_code"].splitlines()]
    comment = takewhile(lambda line: line.startswith("--"), dropwhile(lambda line: line[:2] != "--", lines))
    words = " ".join(line.removeprefix("--").strip() for line in comment).removeprefix("Law: ")
    return test["description"] or words[:1].upper() + words[1:]


def _group(node: Node) -> str:
    return str(node["config"]["meta"]["dagster"]["group"])


def _description(node: Node) -> str:
    code = f"\n\n#### SQL\n```sql\n{node['raw_code']}\n```" if node["raw_code"] else ""
    return f"{node['description']}{code}"


def _columns(node: Node) -> dg.TableSchema:
    return dg.TableSchema(
        [
            dg.TableColumn(name, column["data_type"] or "?", column["description"])
            for name, column in node["columns"].items()
        ]
    )


def _tested(manifest: Node, test: Node) -> dg.AssetKey:
    nodes = manifest["nodes"]
    read = test["depends_on"]["nodes"]
    named = test["config"]["meta"].get("dagster", {}).get("ref")
    if named:
        (read,) = [[name] for name in read if nodes[name]["name"] == named["name"]]
    return asset_key(nodes[test.get("attached_node") or read[0]])
