"""The trace of a charge, condition by condition, against the plain interpreter on random programs."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings

from orchestration.compiler import compile_contexts
from orchestration.compiler.emitting.trace import TracedCondition, TracedRule, trace
from tests.compiler.charges_table import (
    connection_with_charges,
    parts_of,
    replace_charges,
    replace_signals,
    replace_split_shares,
    rows_of,
)
from tests.compiler.interpreter import Interpreter
from tests.compiler.known import Known
from tests.compiler.random_programs import Program
from tests.examples import examples
from tests.properties.test_context_language import by_split, cases

DATABASE = connection_with_charges([])


@settings(
    max_examples=examples(25),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(cases())
def test_every_condition_is_as_the_interpreter_finds_it(case: tuple[Program, list[dict[str, Any]]]) -> None:
    program, charges = case
    compilation = compile_contexts(program.contexts(), {})
    assert compilation.plan is not None
    query = trace(compilation.plan, compilation.program.allocation)
    replace_charges(DATABASE, charges)
    replace_signals(DATABASE, program.signals)
    known = Known(program.signals)
    replace_split_shares(DATABASE, by_split(compilation, program.usage))
    found = parts_of(rows_of(DATABASE, query.sql, compilation))
    for number, charge in enumerate(charges, start=1):
        whole = Interpreter(program.dimensions, program.allocation, charge, known, program.usage)
        for row, (_, interpreter) in zip(found[f"charge {number}"], whole.divided(), strict=True):
            expected = interpreter.result()
            assert {column: row[column] for column in expected} == expected
            for dimension, rules in query.dimensions:
                written = enumerate(program.dimensions[dimension.name]["rules"], start=1)
                for traced, (position, rule) in zip(rules, written, strict=True):
                    _check_rule(traced, rule, row, interpreter, dimension.name, position)
            for traced, rule in zip(query.allocation, program.allocation["rules"], strict=True):
                _check_rule(traced, rule, row, interpreter)


def _check_rule(
    traced: TracedRule,
    rule: dict[str, Any],
    row: dict[str, Any],
    interpreter: Interpreter,
    dimension: str = "",
    position: int = 0,
) -> None:
    holds = interpreter.is_valid(rule)
    if traced.in_dates is not None:
        assert row[traced.in_dates] == holds
    if "when" in rule:
        assert traced.condition is not None
        holds = holds and interpreter.holds(rule["when"])
        _check_condition(traced.condition, rule["when"], row, interpreter)
    named_by = rule.get("from") or rule.get("to")
    if named_by:
        assert traced.named_by is not None
        value = interpreter.value(named_by, rule)
        assert row[traced.named_by] == value
        holds = holds and value is not None
    if "split" in rule:
        holds = holds and interpreter.split_shares(dimension, rule, position) is not None
    assert row[traced.matches] == holds


def _check_condition(
    traced: TracedCondition, written: dict[str, Any], row: dict[str, Any], interpreter: Interpreter
) -> None:
    """Down to the comparisons; `exists: false` is read as a `not` around `exists: true`."""
    assert row[traced.holds] == interpreter.holds(written)
    if traced.word in written:
        parts = written[traced.word] if isinstance(written[traced.word], list) else [written[traced.word]]
        for part, of_part in zip(traced.parts, parts, strict=True):
            _check_condition(part, of_part, row, interpreter)
    elif traced.comparison is not None:
        value = interpreter.subject(written)
        # How the warehouse writes a number or a time is its own affair.
        assert (row[traced.value] or None) == value or not isinstance(value, str | None)
