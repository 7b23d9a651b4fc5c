"""The `tests:` of the dimension files, answered by the SQL that classifies the real charges.

One row per test in a table of charges in memory, classified by the compiled query in DuckDB. What belongs
here: making those rows, running them, saying what differs. What does not: the meaning of the language
(`compiler`), and what the rules do on a real bill (`reports`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import duckdb
import yaml

from orchestration.compiler import Compilation
from orchestration.compiler.charge_columns import CHARGE_COLUMNS
from orchestration.compiler.emit_sql import CHANGED_DAYS_CONDITION, CHARGES_REFERENCE, charges_in_context
from orchestration.compiler.language import Dimension, DimensionTest
from orchestration.compiler.plan import Plan

_TYPES = {
    "text": "varchar",
    "date": "date",
    "timestamp": "timestamp",
    "decimal": "decimal(38, 12)",
    "integer": "bigint",
}
COLUMN_TYPES = {
    **{name: _TYPES[kind] for name, kind in CHARGE_COLUMNS.items()},
    "tags": "map(varchar, varchar)",
    "cost_categories": "map(varchar, varchar)",
    "x_kubernetes_labels": "map(varchar, varchar)",
}
_GIVEN_ELEMENTS = "dimension"


@dataclass(frozen=True)
class FailedTest:
    """A test whose charge got another element than it expects; None is unmatched."""

    dimension: Dimension
    test: DimensionTest
    got: str | None
    rule_position: int | None

    def __str__(self) -> str:
        place = self.test.place
        return (
            f"{place}:{place.column} test-failed: given {given_text(self.test)} "
            f"expected {_element(self.test.expect)}, got {_element(self.got)} ({self._why()})"
        )

    def _why(self) -> str:
        if self.dimension.name in dict(self.test.dimensions):
            return "as the test itself gives it"
        if self.rule_position is None:
            return "no rule matches, and there is no default"
        if self.rule_position == 0:
            return f"no rule matches; the default of {self.dimension.place.path}"
        return f"rule at {self.dimension.rules[self.rule_position - 1].place}"


def failed_tests(compilation: Compilation) -> list[FailedTest]:
    """The tests that fail, in the order of the files; `compilation` has no problems."""
    plan = compilation.plan
    if plan is None or compilation.problems:
        raise ValueError("contexts with problems have no tests to run")
    tests = [(dimension, test) for dimension in compilation.program.dimensions for test in dimension.tests]
    failures: list[FailedTest] = []
    # Tests that give the same elements of dimensions share one query.
    ordered = sorted(tests, key=lambda each: each[1].dimensions)
    for given_elements, group in groupby(ordered, key=lambda each: each[1].dimensions):
        alike = list(group)
        sql = charges_in_context(_with_given(plan, dict(given_elements)), compilation.program.allocation)
        rows = _classified(sql, [test for _, test in alike])
        for (dimension, test), row in zip(alike, rows, strict=True):
            if row[dimension.name] != test.expect:
                position = row[f"{dimension.name}_rule"]
                failures.append(FailedTest(dimension, test, row[dimension.name], position))
    return sorted(failures, key=lambda failure: failure.test.place)


def given_text(test: DimensionTest) -> str:
    """The charge of a test as YAML on one line, such as `{tag: {app: search-api}}`."""
    given: dict[str, Any] = {
        "tag": dict(test.tags),
        "cost_category": dict(test.cost_categories),
        _GIVEN_ELEMENTS: dict(test.dimensions),
    }
    given = {name: texts for name, texts in given.items() if texts}
    given |= {
        name: value if isinstance(value, (str, int)) else str(value)
        for name, value in dict(test.charge).items()
    }
    text: str = yaml.safe_dump(
        given, default_flow_style=True, sort_keys=False, allow_unicode=True, width=100_000
    )
    return text.strip()


def _element(element: str | None) -> str:
    return "unmatched" if element is None else f'"{element}"'


def _with_given(plan: Plan, given: dict[str, str]) -> Plan:
    """The plan in which the dimensions that a test gives always have the given element."""

    def fixed(dimension: Dimension) -> Dimension:
        if dimension.name not in given:
            return dimension
        return replace(dimension, rules=(), default=given[dimension.name])

    steps = tuple(tuple(fixed(dimension) for dimension in step) for step in plan.steps)
    return replace(plan, steps=steps)


def _classified(sql: str, tests: Sequence[DimensionTest]) -> list[dict[str, Any]]:
    """The row of each test's charge, in their order."""
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'")
        # Every column of a charge may be given, so the order alone tells which row belongs to which test.
        connection.execute("set preserve_insertion_order = true")
        columns = ", ".join(f"{name} {kind}" for name, kind in COLUMN_TYPES.items())
        connection.execute(f"create table charges ({columns})")
        for test in tests:
            _insert(connection, test)
        # The two references into dbt are all that is not SQL in the compiled query.
        result = connection.execute(
            sql.replace(CHARGES_REFERENCE, "charges").replace(CHANGED_DAYS_CONDITION, "true")
        )
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _insert(connection: duckdb.DuckDBPyConnection, test: DimensionTest) -> None:
    row = {**dict(test.charge), "tags": dict(test.tags), "cost_categories": dict(test.cost_categories)}
    places = ", ".join(f"${name}::{COLUMN_TYPES[name]}" for name in row)
    connection.execute(f"insert into charges ({', '.join(row)}) values ({places})", row)
