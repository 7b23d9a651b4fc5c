"""Who may read whom in the dbt project, and what every model says of itself. No exceptions are listed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration.outputs.report.tables import TABLES
from orchestration.settings import Settings
from orchestration.warehouse.generate import WRITTEN_PROJECT
from orchestration.warehouse.project import prepare_project

# From the landed files to the readers: a model reads its own layer and the ones before it, none after it.
LAYERS = ("rules", "signals", "staging", "usage", "context", "allocation", "anomalies", "marts")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    settings = Settings(workspace=tmp_path_factory.mktemp("workspace"), reporting_currency="EUR")
    return prepare_project(settings, validate=True).manifest


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, Any]:
    return {key: node for key, node in manifest["nodes"].items() if node["resource_type"] == "model"}


def test_every_model_lies_in_the_folder_of_its_layer(models: dict[str, Any]) -> None:
    assert {node["schema"] for node in models.values()} == set(LAYERS)
    astray = [node["name"] for node in models.values() if Path(node["path"]).parts[0] != node["schema"]]
    assert astray == []


def test_models_read_their_own_layer_and_those_before_it(models: dict[str, Any]) -> None:
    backwards = [
        f"{node['schema']}.{node['name']} reads {models[read]['schema']}.{models[read]['name']}"
        for node in models.values()
        for read in node["depends_on"]["nodes"]
        if read in models and LAYERS.index(models[read]["schema"]) > LAYERS.index(node["schema"])
    ]
    assert backwards == []


def test_what_was_landed_gets_its_meaning_in_one_layer(
    models: dict[str, Any], manifest: dict[str, Any]
) -> None:
    readers: dict[str, set[str]] = {}
    for node in models.values():
        for read in node["depends_on"]["nodes"]:
            if read in manifest["sources"]:
                readers.setdefault(read, set()).add(node["schema"])
    assert {source: layers for source, layers in readers.items() if len(layers) > 1} == {}


def test_every_model_says_what_one_row_is(models: dict[str, Any]) -> None:
    beginnings = ("One row per ", "One row: ")
    silent = [node["name"] for node in models.values() if not node["description"].startswith(beginnings)]
    assert silent == []


def test_the_law_of_keys_follows_every_model(manifest: dict[str, Any], models: dict[str, Any]) -> None:
    (law,) = [node for node in manifest["nodes"].values() if node["name"] == "assert_one_row_per_key"]
    found, open_ones = set(), list(law["depends_on"]["nodes"])
    while open_ones:
        name = open_ones.pop()
        if name in models and name not in found:
            found.add(name)
            open_ones += models[name]["depends_on"]["nodes"]
    with_a_key = {name for name, node in models.items() if "one_row_per" in node["config"]["meta"]}
    assert with_a_key - found == set()


def test_exposures_name_every_mart_that_is_read(manifest: dict[str, Any], models: dict[str, Any]) -> None:
    reads = {
        exposure["name"]: {node.rpartition(".")[2] for node in exposure["depends_on"]["nodes"]}
        for exposure in manifest["exposures"].values()
    }
    always = {node["name"] for node in models.values() if Path(node["path"]).parent == Path("marts")}
    assert reads["exports"] == always
    assert reads["customer_cost_report"] >= {mart for table in TABLES for mart in table.marts}
    assert reads["alerts"] == {"cost_anomalies", "cost_anomaly_drivers", "customer_totals_daily"}


def test_every_mart_is_a_contract(models: dict[str, Any]) -> None:
    marts = [node for node in models.values() if node["schema"] == "marts"]
    assert [node["name"] for node in marts if not node["contract"]["enforced"]] == []
    undescribed = [
        f"{node['name']}.{column['name']}"
        for node in marts
        for column in node["columns"].values()
        if not column["description"]
    ]
    assert undescribed == []


def test_dagster_knows_a_model_by_its_layer(models: dict[str, Any]) -> None:
    assert [
        node["name"] for node in models.values() if node["meta"]["dagster"]["group"] != node["schema"]
    ] == []


def test_the_semantic_layer_has_the_metrics_of_a_leader_and_the_users_dimensions(
    manifest: dict[str, Any],
) -> None:
    metrics = {metric["name"] for metric in manifest["metrics"].values()}
    assert {"cost_per_customer", "unit_cost", "gross_margin", "gross_margin_ratio"} <= metrics
    (bill,) = [model for model in manifest["semantic_models"].values() if model["name"] == "bill"]
    assert {"product", "feature", "environment"} <= {dimension["name"] for dimension in bill["dimensions"]}


def test_who_reads_the_marts_is_known(manifest: dict[str, Any]) -> None:
    exposures = {exposure["name"]: exposure for exposure in manifest["exposures"].values()}
    assert exposures.keys() == {"customer_cost_report", "alerts", "exports"}
    astray = [
        node for each in exposures.values() for node in each["depends_on"]["nodes"]
        if manifest["nodes"][node]["schema"] != "marts"
    ]  # fmt: skip
    assert astray == []


def test_what_is_compiled_follows_from_the_sources_alone() -> None:
    """Only the materialization asks the warehouse, when a model runs; nothing asks while one compiles."""
    askers = [
        path.name
        for folder in ("macros", "models", "tests")
        for path in (WRITTEN_PROJECT / folder).rglob("*.sql")
        if "run_query" in path.read_text() or "is_incremental" in path.read_text()
    ]
    # The law of keys asks when it runs, as a test.
    assert sorted(askers) == ["assert_one_row_per_key.sql", "by_day.sql"]
