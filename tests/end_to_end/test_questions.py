"""The answers in docs/questions.md are the ones that the analyses give on the demo's marts.

UPDATE_EXPECTED=1 .venv/bin/pytest tests/end_to_end/test_questions.py     rewrites them
"""

from __future__ import annotations

import os
import re
from contextlib import closing
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from orchestration.settings import PROJECT_ROOT
from orchestration.warehouse.project import prepare_project
from tests.conftest import FinishedDemo

DOCS = PROJECT_ROOT / "docs" / "questions.md"
ANALYSES = sorted(path.stem for path in (PROJECT_ROOT / "dbt_project" / "analyses").glob("*.sql"))
ANSWER = re.compile(r"(<!-- answer: (?P<name>\w+) -->\n)(?P<table>.*?)(\n<!-- end -->)", re.DOTALL)


@pytest.fixture(scope="module")
def answers(finished_demo: FinishedDemo, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every analysis' rows as a Markdown table, from the SQL that dbt compiles."""
    target = tmp_path_factory.mktemp("questions")
    project = prepare_project(finished_demo.settings)
    assert project.dbt("compile", "--select", "path:analyses", folder=target).is_success
    compiled = {path.stem: path.read_text() for path in target.glob("compiled/*/analyses/*.sql")}
    with closing(duckdb.connect(str(finished_demo.settings.warehouse_file), read_only=True)) as connection:
        return {name: _table(connection.execute(compiled[name])) for name in ANALYSES}


def _table(result: duckdb.DuckDBPyConnection) -> str:
    names = [column[0] for column in result.description]
    rows = result.fetchall()
    numbers = [all(isinstance(row[i], Decimal | int | None) for row in rows) for i in range(len(names))]
    lines = [names, ["---:" if number else "---" for number in numbers], *[map(_cell, row) for row in rows]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(value: Any) -> str:
    if isinstance(value, Decimal | int):
        return f"{value:,}"
    return "" if value is None else str(value)


def test_every_analysis_is_answered_in_the_docs() -> None:
    assert sorted(match["name"] for match in ANSWER.finditer(DOCS.read_text())) == ANALYSES


@pytest.mark.parametrize("name", ANALYSES)
def test_an_answer_is_what_the_demo_says(name: str, answers: dict[str, str]) -> None:
    text = DOCS.read_text()
    if os.environ.get("UPDATE_EXPECTED"):
        text = ANSWER.sub(
            lambda match: match[1] + (answers[name] if match["name"] == name else match["table"]) + match[4],
            text,
        )
        DOCS.write_text(text)
    (shown,) = [match["table"] for match in ANSWER.finditer(text) if match["name"] == name]
    assert shown == answers[name]
