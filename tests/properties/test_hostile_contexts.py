"""Whatever stands in a context file, it becomes problems or the SQL that it means, never another query."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import dbt_common.clients.jinja as dbt_jinja
import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from orchestration.compiler import Compilation, compile_contexts
from orchestration.warehouse.generate import ContextProblems, compile_project
from tests.compiler.charges_table import (
    connection_with_charges,
    replace_charges,
    replace_signals,
    rows_of,
    runnable,
)
from tests.compiler.hostile_texts import HOSTILE_TEXTS, program_with, signals_with
from tests.compiler.interpreter import Interpreter
from tests.compiler.known import Known
from tests.compiler.random_programs import as_yaml
from tests.compiler.test_cases import CASES, NO_ALLOCATION, contexts_of
from tests.examples import examples

MODEL = "models/context/charges_in_context.sql"
DATABASE = connection_with_charges([])
EXAMPLES = examples(50)
often = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
NASTY = (
    *("&a ", "*a", "<<: *a", "!!python/object/apply:os.system ['true']", "!x", "---", "...", "%YAML 1\n"),
    *("{{ 1 }}", "{% set a = 1 %}", "{#", "? ", ": ", "- ", "[", "]", "{", "}", "|", ">", "|+9", "'", '"'),
    *("\x00", "\x1b", "\x85", "\u2028", "\ufeff", "\ud800", "\t", "\n", "\r", "\r\n", "\n\n  ", "\\", "#"),
    *("~", "null", "true", "1e999", "0o7", ".inf", "2026-13-45", "a: b\na: b", '"\\x00"', "x" * 70_000),
    *("[" * 60, "{a: " * 60, "- " * 60),
)
NASTY_TEXTS = st.sampled_from(NASTY) | st.text(max_size=4)
FOLDERS = ("x{{ 1 }}", "x{% raw %}", "a\nb", "a\x00b", "it's */ select 1 /*", "x;drop table charges", "-- x")
REPEATED = ("[", "{", "{{", "? ", "- ", "&a ", "!", "a: ", "\n", '"', "'a', ", "\t")


def compiled(contexts: dict[str, str]) -> Compilation:
    """The compilation, which is one of two: files, or problems that say where."""
    compilation = compile_contexts(contexts, {})
    assert bool(compilation.files) != bool(compilation.problems)
    for problem in compilation.problems:
        assert str(problem).isprintable(), repr(problem)
        assert problem.line >= 1
        assert problem.column >= 1
    return compilation


def assert_one_select(compilation: Compilation) -> None:
    for path, text in compilation.files.items():
        if path.startswith("models/") and path.endswith(".sql"):
            [statement] = duckdb.extract_statements(runnable(text, compilation))
            assert statement.type == duckdb.StatementType.SELECT


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text[:20]))
def test_a_hostile_text_in_every_place_means_itself(text: str) -> None:
    dimensions, allocation, _ = program_with(text)
    contexts = {f"dimensions/{name}.yml": as_yaml(content) for name, content in dimensions.items()}
    compilation = compiled({**contexts, "allocation.yml": as_yaml(allocation)})
    # What lands is in Unicode's composed form, and what contexts say means that.
    text = unicodedata.normalize("NFC", text)
    dimensions, allocation, charges = program_with(text)
    assert [str(problem) for problem in compilation.problems] == []
    assert_one_select(compilation)
    signals = signals_with(text)
    replace_charges(DATABASE, charges)
    replace_signals(DATABASE, signals)
    rows = rows_of(DATABASE, compilation.files[MODEL], compilation)
    assert len(rows) == len(charges)
    for row, charge in zip(rows, charges, strict=True):
        expected = Interpreter(dimensions, allocation, charge, Known(signals)).result()
        assert {column: row[column] for column in expected} == expected, charge


@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=lambda text: ascii(text[:20]))
def test_dbt_passes_the_compiled_files_on_unchanged(text: str) -> None:
    dimensions, allocation, _ = program_with(text)
    contexts = {f"dimensions/{name}.yml": as_yaml(content) for name, content in dimensions.items()}
    compilation = compiled({**contexts, "allocation.yml": as_yaml(allocation)})
    given = {"config": lambda **_: "", "ref": lambda name: name}
    for path, file in compilation.files.items():
        if not path.startswith("models/"):
            continue
        _, _, sql = file.rpartition("-- Generated from the contexts")
        rendered = dbt_jinja.render_template(dbt_jinja.get_template(file, given), given)
        for model in ("charges", "resource_facts", "account_facts"):
            sql = sql.replace(f"{{{{ ref('{model}') }}}}", model)
        sql = sql.removesuffix("\n")
        assert "{{" not in sql
        assert rendered.endswith(sql), path
        assert (sql != file.removesuffix("\n")) == path.endswith(".sql")


@often
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
@example(b"\xff\xfea\x00")
@example(b"dimension: feature\x00")
@example(b"&a [*a, *a]")
@example(b"a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]")
def test_arbitrary_bytes_are_problems(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    contexts = tmp_path_factory.getbasetemp() / "arbitrary" / "contexts"
    (contexts / "dimensions").mkdir(parents=True, exist_ok=True)
    (contexts / "dimensions" / "feature.yml").write_bytes(content)
    (contexts / "allocation.yml").write_text(NO_ALLOCATION, encoding="utf-8")
    try:
        problems = compile_project(contexts, {}).problems
    except ContextProblems as error:
        problems = error.problems
    assert problems
    assert {Path(problem.path).name for problem in problems} == {"feature.yml"}


@often
@given(
    st.sampled_from(CASES),
    st.data(),
    st.lists(
        st.tuples(st.sampled_from(NASTY) | st.text(max_size=4), st.integers(0, 30)), min_size=1, max_size=3
    ),
)
def test_mutated_files_are_problems_or_a_query(
    folder: Path, data: st.DataObject, edits: list[tuple[str, int]]
) -> None:
    contexts = contexts_of(folder)
    path = data.draw(st.sampled_from(sorted(contexts)))
    for inserted, removed in edits:
        text = contexts[path]
        at = data.draw(st.integers(0, len(text)))
        contexts[path] = text[:at] + inserted + text[at + removed :]
    compilation = compiled(contexts)
    if compilation.files:
        assert_one_select(compilation)
        replace_charges(DATABASE, [])
        assert rows_of(DATABASE, compilation.files[MODEL], compilation) == []


@pytest.mark.parametrize(
    "folder",
    ["x{{ 1 }}", "x{% raw %}", "a\nb", "a\x00b", "it's */ select 1 /*", "x;drop table charges", "-- x"],
)
def test_the_names_of_folders_break_out_of_nothing(folder: str) -> None:
    rule = "rules: [{element: A, when: {tag: a, equals: b}}]"
    contexts = {
        f"{folder}/dimensions/feature.yml": f"dimension: feature\ndescription: F\n{rule}\n",
        f"{folder}/allocation.yml": NO_ALLOCATION,
    }
    compilation = compiled(contexts)
    assert bool(compilation.problems) == any(mark in folder for mark in ("{{", "{%", "\n", "\x00"))
    if compilation.files:
        assert_one_select(compilation)
        replace_charges(DATABASE, [{"tags": {"a": "b"}}, {}])
        assert [row["feature"] for row in rows_of(DATABASE, compilation.files[MODEL], compilation)] == [
            "A",
            None,
        ]


@pytest.mark.parametrize(
    "repeated", ["[", "{", "{{", "? ", "- ", "&a ", "!", "a: ", "\n", '"', "'a', ", "\t"]
)
def test_a_million_of_anything_is_refused_at_once(repeated: str) -> None:
    text = repeated * (1_000_000 // len(repeated))
    compilation = compiled({"dimensions/feature.yml": text, "allocation.yml": NO_ALLOCATION})
    assert 0 < len(compilation.problems) <= 101
