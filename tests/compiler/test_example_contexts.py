"""The contexts that ship compile, and their SQL runs in DuckDB as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from orchestration.authoring.rule_tests import failed_tests
from orchestration.compiler import Compilation, compile_contexts, context_json_schemas
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.language.signal_columns import (
    ACCOUNT_FIELDS,
    BILLED_ACCOUNT_FIELDS,
    KUBERNETES_FIELDS,
    RESOURCE_FIELDS,
)
from tests.compiler.charges_table import connection_with_charges, rows_of
from tests.compiler.conftest import PROJECT


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
    rows = rows_of(connection, compilation.files["models/context/charges_in_context.sql"], compilation)
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
            "rule_name rule_position method stream weight granularity when_no_usage minimum_share"
            " fixed_customer_id context_file context_line",
        ),
        ("context_rules", "dimension rule_position element rule_text context_file context_line"),
        ("telemetry_streams", "stream unit granularity description context_file context_line"),
    ],
)
def test_the_small_tables_have_rows_of_their_columns(
    compilation: Compilation, model: str, columns: str
) -> None:
    rows = rows_of(connection_with_charges([]), compilation.files[f"models/rules/{model}.sql"], compilation)
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


def test_the_examples_of_the_language_page_compile() -> None:
    page = (PROJECT / "contexts" / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    dimension, streams, allocation, several_stages = examples
    names_and_texts = re.split(r"^# (\S+\.yml)$", several_stages, flags=re.MULTILINE)[1:]
    stages = dict(zip(names_and_texts[::2], names_and_texts[1::2], strict=True))
    assert [str(problem) for problem in compile_contexts(stages, {}).problems] == []
    environment = "dimension: environment\ndescription: Stage\nrules: [{from: {tag: environment}}]\n"
    contexts = {
        "contexts/dimensions/feature.yml": dimension,
        "contexts/dimensions/environment.yml": environment,
        "contexts/streams.yml": streams,
        "contexts/allocation.yml": allocation,
    }
    compilation = compile_contexts(contexts, {})
    assert [str(problem) for problem in compilation.problems] == []
    assert [str(failure) for failure in failed_tests(compilation)] == []


def test_the_examples_in_the_tables_of_the_language_page_compile() -> None:
    page = (PROJECT / "contexts" / "README.md").read_text(encoding="utf-8")
    conditions = re.findall(
        r"^\| `[^|]*`[^|]* \| `(\{.*?\})` \|", page.split("## Transforms")[0], re.MULTILINE
    )
    transforms = re.findall(
        r"^\| `[^|]*` \| `(.*?)` \|", page.split("## Transforms")[1].split("##")[0], re.MULTILINE
    )
    assert len(conditions) == 28
    assert len(transforms) == 8
    rules = [f"  - element: A\n    when: {condition}\n" for condition in conditions]
    rules += [f"  - from: {{tag: a}}\n    transform: [{transform}]\n" for transform in transforms]
    contexts = {
        "contexts/dimensions/shown.yml": "dimension: shown\ndescription: Shown\nrules:\n" + "".join(rules),
        "contexts/dimensions/environment.yml": (
            "dimension: environment\ndescription: Stage\nrules: [{from: {tag: environment}}]\n"
        ),
        "contexts/allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
    }
    assert [str(problem) for problem in compile_contexts(contexts, {}).problems] == []


def test_the_transforms_of_the_language_page_do_what_it_says() -> None:
    page = (PROJECT / "contexts" / "README.md").read_text(encoding="utf-8")
    table = page.split("## Transforms")[1].split("##")[0]
    [value] = re.findall(r'^\| Transform \| Example \| `"(.*)"` becomes \|$', table, re.MULTILINE)
    examples = re.findall(r"^\| `[^|]*` \| `(.*?)` \| `([^`]*)`", table, re.MULTILINE)
    assert len(examples) == 6
    for transform, expected in examples:
        contexts = {
            "dimensions/shown.yml": (
                f"dimension: shown\ndescription: D\nrules: [{{from: {{tag: a}}, transform: [{transform}]}}]\n"
            ),
            "allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n",
        }
        compilation = compile_contexts(contexts, {})
        connection = connection_with_charges([{"tags": {"a": value}}])
        [row] = rows_of(connection, compilation.files["models/context/charges_in_context.sql"], compilation)
        assert row["shown"] == expected, transform


def test_the_language_page_lists_every_column_of_the_charge() -> None:
    page = (PROJECT / "contexts" / "README.md").read_text(encoding="utf-8")
    listed = page.split("## Columns of the charge")[1].split("##")[0]
    assert sorted(re.findall(r"`([a-z_]+)`", listed)) == sorted(CHARGE_COLUMNS)


def test_the_tests_in_the_dimension_files_hold(compilation: Compilation) -> None:
    assert all(dimension.tests for dimension in compilation.program.dimensions)
    assert [str(failure) for failure in failed_tests(compilation)] == []


def test_the_language_pages_show_every_key_and_field_in_an_example() -> None:
    pages = ("contexts/README.md", "docs/pulls.md")  # the second one is about usage.yml
    page = "\n".join((PROJECT / name).read_text(encoding="utf-8") for name in pages)
    code = "\n".join([*re.findall(r"```yaml\n(.*?)```", page, re.DOTALL), *re.findall(r"`([^`\n]+)`", page)])
    keys = {name for schema in context_json_schemas().values() for name in _keys(schema)} - {*CHARGE_COLUMNS}
    assert len(keys) > 60
    assert sorted(key for key in keys if not re.search(rf"\b{key}:(\s|$)", code)) == []
    fields = {*KUBERNETES_FIELDS, *BILLED_ACCOUNT_FIELDS, *ACCOUNT_FIELDS, *RESOURCE_FIELDS}
    assert sorted(field for field in fields if f"`{field}`" not in page) == []


def _keys(schema: Any) -> Iterator[str]:
    """Every key that a JSON Schema knows, anywhere in it."""
    if isinstance(schema, list):
        for part in schema:
            yield from _keys(part)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {})
        for part in schema.values():
            yield from _keys(part)
