"""Contexts of a size that somebody generates one day: they compile, and DuckDB takes what they become."""

from __future__ import annotations

import pytest

from orchestration.compiler import compile_contexts
from tests.compiler.charges_table import connection_with_charges, rows_of
from tests.compiler.test_cases import NO_ALLOCATION

LISTED = ", ".join(f"value-{number}" for number in range(10_000))
COMPARED = ", ".join(f"{{tag: app, equals: value-{number}}}" for number in range(5_000))
MAPPED = ", ".join(f"value-{number}: found" for number in range(10_000))
NESTED = "{not: " * 20 + "{tag: app, equals: value-4999}" + "}" * 20
LONG = "x" * 65_536


@pytest.mark.parametrize(
    ("rules", "app"),
    [
        pytest.param(
            f"- element: found\n  when: {{tag: app, in: [{LISTED}]}}", "value-9999", id="10,000 in a list"
        ),
        pytest.param(f"- element: found\n  when: {{any: [{COMPARED}]}}", "value-4999", id="5,000 conditions"),
        pytest.param(f"- element: found\n  when: {NESTED}", "value-4999", id="20 levels"),
        pytest.param(f"- element: found\n  when: {{tag: app, equals: {LONG}}}", LONG, id="a text of 64 KB"),
        pytest.param(
            "\n".join(
                f"- element: found\n  when: {{tag: app, equals: value-{number}}}" for number in range(3_000)
            ),
            "value-2999",
            id="3,000 rules",
        ),
        pytest.param(
            f"- from: {{tag: app}}\n  transform: [{{map: {{{MAPPED}, other: other}}}}]",
            "value-9999",
            id="10,000 in a map",
        ),
    ],
)
def test_large_contexts_compile_and_run(rules: str, app: str) -> None:
    contexts = {
        "dimensions/feature.yml": f"dimension: feature\ndescription: Feature\nrules:\n{rules}\n",
        "allocation.yml": NO_ALLOCATION,
    }
    compilation = compile_contexts(contexts, {})
    assert [str(problem) for problem in compilation.problems] == []
    connection = connection_with_charges([{"tags": {"app": app}}, {}])
    rows = rows_of(connection, compilation.files["models/context/charges_in_context.sql"], compilation)
    assert [row["feature"] for row in rows] == ["found", None]
