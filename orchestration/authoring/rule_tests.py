"""Run the `tests:` of the dimension files with the SQL that classifies real charges.

Each test is a row in an in-memory table of charges, classified by the compiled query in DuckDB.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import groupby
from typing import Any

import duckdb
import yaml

from orchestration.authoring.given_charges import charge_id, insert_charge, make_tables
from orchestration.authoring.standalone_sql import standalone
from orchestration.compiler import Compilation
from orchestration.compiler.emitting.classification import charges_in_context
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.program import (
    Dimension,
    DimensionTest,
    Expected,
    GivenAccount,
    GivenResource,
)
from orchestration.compiler.language.signal_columns import RESOURCE_FIELDS

_GIVEN_ELEMENTS = "dimension"


@dataclass(frozen=True)
class FailedTest:
    """A test whose charge got a different element or shares than expected; None is unmatched."""

    dimension: Dimension
    test: DimensionTest
    got: Expected
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
    """Failing tests in file order; `compilation` must have no problems."""
    plan = compilation.plan
    if plan is None or compilation.problems:
        raise ValueError("contexts with problems have no tests to run")
    tests = [(dimension, test) for dimension in compilation.program.dimensions for test in dimension.tests]
    failures: list[FailedTest] = []
    # Tests that give the same dimension elements share one query, unless they name the same charge or
    # resource.
    ordered = sorted(tests, key=lambda each: _shares_query_with(each[1]))
    for _, group in groupby(ordered, key=lambda each: _shares_query_with(each[1])):
        alike = list(group)
        given_elements = dict(alike[0][1].dimensions)
        sql = charges_in_context(_with_given(plan, given_elements), compilation.program.allocation)
        sql = standalone(sql, compilation, table_of=str)
        rows = _classified(sql, [test for _, test in alike])
        for number, (dimension, test) in enumerate(alike, start=1):
            parts = rows[charge_id(test, number)]
            got = _got(parts, dimension)
            if not _is_as_expected(got, test.expect):
                failures.append(FailedTest(dimension, test, got, parts[0][f"{dimension.name}_rule"]))
    return sorted(failures, key=lambda failure: failure.test.place)


def _shares_query_with(test: DimensionTest) -> tuple[Any, ...]:
    """Key of tests that can share a query: no two name the same charge or resource."""
    stands_alone = test.resource is not None or test.account is not None or "charge_id" in dict(test.charge)
    return test.dimensions, str(test.place) if stands_alone else ""


def given_text(test: DimensionTest) -> str:
    """A test's charge as one line of YAML, such as `{tag: {app: search-api}}`."""
    given: dict[str, Any] = {
        "tag": dict(test.tags),
        "cost_category": dict(test.cost_categories),
        "k8s": {"label": dict(test.kubernetes_labels)} if test.kubernetes_labels else {},
        "account": _account_text(test.account),
        "resource": _resource_text(test.resource),
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


def _account_text(account: GivenAccount | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {**dict(account.columns), **({"tag": dict(account.tags)} if account.tags else {})}


def _resource_text(resource: GivenResource | None) -> dict[str, Any]:
    if resource is None:
        return {}
    fields = {column: field for field, column in RESOURCE_FIELDS.items()}
    related: dict[str, list[Any]] = {}
    for relationship, other in resource.related:
        related.setdefault(relationship, []).append(_resource_text(other))
    given: dict[str, Any] = {
        **{fields[column]: text for column, text in resource.columns},
        "tag": dict(resource.tags),
        "attribute": dict(resource.attributes),
        "related": {name: others if len(others) > 1 else others[0] for name, others in related.items()},
    }
    return {name: texts for name, texts in given.items() if texts}


def _got(parts: Sequence[dict[str, Any]], dimension: Dimension) -> Expected:
    """Shares by element of a charge in a dimension, or its element if undivided."""
    shares: dict[str, Decimal] = {}
    for part in parts:
        if part[dimension.name] is not None:
            share = shares.get(part[dimension.name], Decimal(0))
            shares[part[dimension.name]] = share + part["charge_share"]
    if len(shares) < 2:
        return next(iter(shares), None)
    return tuple(sorted(shares.items()))


def _is_as_expected(got: Expected, expected: Expected) -> bool:
    """Compare shares to six digits: a third is 0.333333 or 0.333334."""
    if not isinstance(expected, tuple) or len(expected) == 1:
        return got == (expected[0][0] if isinstance(expected, tuple) else expected)
    if not isinstance(got, tuple) or dict(got).keys() != dict(expected).keys():
        return False
    return all(abs(share - dict(expected)[element]) < Decimal("0.000001") for element, share in got)


def _element(element: Expected) -> str:
    if isinstance(element, tuple):
        return "{" + ", ".join(f"{name}: {share.normalize():f}" for name, share in element) + "}"
    return "unmatched" if element is None else f'"{element}"'


def _with_given(plan: Plan, given: dict[str, str]) -> Plan:
    """The program with the dimensions given by a test fixed to the given elements."""

    def fixed(dimension: Dimension) -> Dimension:
        if dimension.name not in given:
            return dimension
        return replace(dimension, rules=(), default=given[dimension.name])

    steps = tuple(tuple(fixed(dimension) for dimension in step) for step in plan.steps)
    return replace(plan, steps=steps)


def _classified(sql: str, tests: Sequence[DimensionTest]) -> dict[str, list[dict[str, Any]]]:
    """Rows of each test's charge by id: one, or one per part."""
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'")
        make_tables(connection)
        for number, test in enumerate(tests, start=1):
            insert_charge(connection, test, number)
        result = connection.execute(sql)
        names = [column[0] for column in result.description]
        rows: dict[str, list[dict[str, Any]]] = {}
        for values in result.fetchall():
            row = dict(zip(names, values, strict=True))
            rows.setdefault(row["charge_id"], []).append(row)
        return rows
