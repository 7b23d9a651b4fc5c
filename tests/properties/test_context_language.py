"""Random programs on random charges: the compiled SQL gives what a plain Python interpreter gives."""

from __future__ import annotations

import string
from collections.abc import Mapping
from datetime import date
from typing import Any

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.compiler import Compilation, compile_contexts
from tests.compiler.charges_table import (
    connection_with_charges,
    parts_of,
    replace_charges,
    replace_signals,
    replace_split_shares,
    rows_of,
    runnable,
)
from tests.compiler.interpreter import Interpreter
from tests.compiler.known import Known
from tests.compiler.random_programs import HOSTILE, Choices, Program
from tests.examples import examples

MODEL = "models/context/charges_in_context.sql"
DATABASE = connection_with_charges([])
NUMBERS_BELOW = [st.integers(0, end - 1) for end in range(1, 100)]

tried_often = settings(
    max_examples=examples(50),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Program, list[dict[str, Any]]]:
    """A program and charges for it, every single choice of which Hypothesis can shrink."""
    program = Program(Choices(lambda end: draw(NUMBERS_BELOW[end - 1])))
    return program, program.charges()


@tried_often
@given(cases())
def test_compiled_sql_gives_what_the_interpreter_gives(case: tuple[Program, list[dict[str, Any]]]) -> None:
    program, charges = case
    compilation = compile_contexts(program.contexts(), {})
    assert [str(problem) for problem in compilation.problems] == []
    usage = program.usage
    replace_charges(DATABASE, charges)
    replace_signals(DATABASE, program.signals)
    replace_split_shares(DATABASE, by_split(compilation, usage))
    found = parts_of(rows_of(DATABASE, compilation.files[MODEL], compilation))
    assert len(found) == len(charges)
    known = Known(program.signals)
    for number, charge in enumerate(charges, start=1):
        rows = found[f"charge {number}"]
        expected = Interpreter(program.dimensions, program.allocation, charge, known, usage).parts()
        got = [{column: row[column] for column in expected[0]} for row in rows]
        assert got == expected, (program.contexts(), charge, program.signals, usage)


def by_split(
    compilation: Compilation, usage: Mapping[tuple[str, int, date], Mapping[str, int]]
) -> dict[tuple[str, date], Mapping[str, int]]:
    """Usage by the ids that the compiled rules know it by."""
    rows = rows_of(DATABASE, compilation.files["models/rules/split_rules.sql"], compilation)
    ids = {(row["dimension"], row["rule_position"]): row["split_id"] for row in rows}
    return {(ids[name, position], day): units for (name, position, day), units in usage.items()}


@tried_often
@given(cases())
def test_every_generated_model_is_one_select(case: tuple[Program, list[dict[str, Any]]]) -> None:
    compilation = compile_contexts(case[0].contexts(), {})
    for path, text in compilation.files.items():
        if path.startswith("models/") and path.endswith(".sql"):
            [statement] = duckdb.extract_statements(runnable(text, compilation))
            assert statement.type == duckdb.StatementType.SELECT


@tried_often
@given(cases(), st.data())
def test_broken_files_become_problems_never_exceptions(
    case: tuple[Program, list[dict[str, Any]]], data: st.DataObject
) -> None:
    contexts = case[0].contexts()
    path = data.draw(st.sampled_from(sorted(contexts)))
    text = contexts[path]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    inserted = data.draw(st.text(HOSTILE + string.ascii_lowercase + "\x00\ud800&*!~", max_size=5))
    contexts[path] = text[:start] + inserted + text[end:]
    compilation = compile_contexts(contexts, {})
    assert bool(compilation.files) != bool(compilation.problems)
    if compilation.files:
        replace_charges(DATABASE, [])
        assert rows_of(DATABASE, compilation.files[MODEL], compilation) == []
    for problem in compilation.problems:
        assert "\n" not in str(problem)
        assert problem.line >= 1
        assert problem.column >= 1
