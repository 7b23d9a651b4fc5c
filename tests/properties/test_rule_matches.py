"""Every rule that matches, by the compiled query and by the plain interpreter, on random programs."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings

from orchestration.compiler import compile_contexts
from orchestration.compiler.emitting.matches import rule_matches
from tests.compiler.charges_table import (
    connection_with_charges,
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
def test_the_query_finds_every_rule_that_matches(case: tuple[Program, list[dict[str, Any]]]) -> None:
    program = case[0]
    # Costs so small that they can be summed: a sum of the largest ones has no place in any column.
    charges = [_with_summable_cost(charge) for charge in case[1]]
    compilation = compile_contexts(program.contexts(), {})
    assert compilation.plan is not None
    replace_charges(DATABASE, charges)
    replace_signals(DATABASE, program.signals)
    replace_split_shares(DATABASE, by_split(compilation, program.usage))
    found: Counter[tuple[Any, ...]] = Counter()
    sql = rule_matches(compilation.plan, compilation.program.allocation)
    for row in rows_of(DATABASE, sql, compilation):
        found[_key(row, program)] += row["charge_count"]
    # A charge counts once in a set of rules, in however many parts.
    expected = Counter(
        key
        for charge in charges
        for key in {
            _key(_by_hand(program, part), program) for _, part in interpreter(program, charge).divided()
        }
    )
    assert found == expected, program.contexts()


def _with_summable_cost(charge: dict[str, Any]) -> dict[str, Any]:
    cost = charge.get("effective_cost")
    return charge if cost is None else {**charge, "effective_cost": cost % 10**15}


def interpreter(program: Program, charge: dict[str, Any]) -> Interpreter:
    return Interpreter(program.dimensions, program.allocation, charge, Known(program.signals), program.usage)


def _by_hand(program: Program, interpreter: Interpreter) -> dict[str, Any]:
    """What one charge, or part of one, adds to the query's rows."""
    row = interpreter.result()
    for name, dimension in program.dimensions.items():
        given_by = {
            position: interpreter.named(name, rule, position)
            for position, rule in enumerate(dimension["rules"], start=1)
            if interpreter.is_valid(rule) and ("when" not in rule or interpreter.holds(rule["when"]))
        }
        matches = {position: element for position, element in given_by.items() if element is not None}
        row[f"{name}_matches"] = list(matches)
        row[f"{name}_others"] = [
            position
            for position, element in matches.items()
            if (
                position != row[f"{name}_rule"]
                if "split" in dimension["rules"][position - 1]
                else element != row[name]
            )
        ]
    row["allocation_matches"] = []
    row["allocation_position"] = None
    if row["cost_of_goods_sold"]:
        row["allocation_matches"] = [
            position
            for position, rule in enumerate(program.allocation["rules"], start=1)
            if ("when" not in rule or interpreter.holds(rule["when"]))
            and ("to" not in rule or interpreter.value(rule["to"], rule) is not None)
        ]
        row["allocation_position"] = min(row["allocation_matches"], default=None)
    return row


def _key(row: dict[str, Any], program: Program) -> tuple[Any, ...]:
    columns = [f"{name}_{kind}" for name in program.dimensions for kind in ("rule", "matches", "others")]
    position = row["allocation_position"] if "allocation_position" in row else row["allocation_rule"]
    return (*(str(row[column]) for column in columns), position, str(row["allocation_matches"]))
