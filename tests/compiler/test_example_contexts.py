"""The contexts that ship compile, and their SQL runs in DuckDB as it is."""

from __future__ import annotations

import pytest

from orchestration.compiler import Compilation, compile_contexts
from tests.compiler.charges_table import connection_with_charges, rows_of


@pytest.fixture(scope="module")
def compilation(example_contexts: dict[str, str]) -> Compilation:
    return compile_contexts(example_contexts, {})


def test_the_example_contexts_have_no_problems(compilation: Compilation) -> None:
    assert [str(problem) for problem in compilation.problems] == []


def test_charges_of_the_example_company_find_their_elements(compilation: Compilation) -> None:
    connection = connection_with_charges(
        [
            {
                "charge_category": "Usage",
                "tags": {"app": "search-api", "environment": "PROD", "customer": "CUST-007 "},
            },
            {"charge_category": "Tax", "sub_account_id": "555555555555"},
            {
                "charge_category": "Usage",
                "tags": {"team": "DATA Platform"},
                "x_kubernetes_namespace": "ingest-prod",
            },
            {
                "charge_category": "Usage",
                "resource_id": "arn:aws:s3:::nw-exports-out",
                "sub_account_id": "444444444444",
            },
        ]
    )
    columns = ("feature", "product", "environment", "team", "region", "cost_of_goods_sold", "allocation_rule")
    rows = rows_of(connection, compilation.files["models/context/charges_in_context.sql"])
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("Search", "Insights", "production", "Search", "global", True, "dedicated"),
        (
            "Shared platform",
            "Shared platform",
            "production",
            "Core platform",
            "global",
            True,
            "tax_support_and_credits",
        ),
        ("Ingest", "Pipelines", "production", "Data platform", "global", True, "ingest"),
        ("Exports", "Pipelines", "development", "Data platform", "global", False, "exports"),
    ]
    assert [row["direct_customer_id"] for row in rows] == ["cust-007", None, None, None]


@pytest.mark.parametrize(
    ("model", "columns"),
    [
        (
            "allocation_rules",
            "rule_name rule_position method stream weight granularity when_no_usage fixed_customer_id"
            " context_file context_line",
        ),
        ("context_rules", "dimension rule_position element rule_text context_file context_line"),
        ("telemetry_streams", "stream unit granularity description context_file context_line"),
        ("context_version", "contexts_fingerprint"),
    ],
)
def test_the_small_tables_have_rows_of_their_columns(
    compilation: Compilation, model: str, columns: str
) -> None:
    rows = rows_of(connection_with_charges([]), compilation.files[f"models/context/{model}.sql"])
    assert rows
    assert list(rows[0]) == columns.split()


def test_every_generated_model_has_its_yaml(compilation: Compilation) -> None:
    models = {
        path.removesuffix(".sql")
        for path in compilation.files
        if path.startswith("models/") and path.endswith(".sql")
    }
    described = {path.removesuffix(".yml") for path in compilation.files if path.endswith(".yml")}
    assert models == described
