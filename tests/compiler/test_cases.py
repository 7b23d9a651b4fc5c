"""Golden cases: contexts, the SQL that they become, and what that SQL makes of charges in DuckDB.

A case is a folder in `cases/`: `charges.yml` (a title, charges, what is expected of each, the signals where
it is about them), `expected.sql`, and the context files. `allocation.yml` may be left out where the case is
not about it. After a wanted change of the SQL, `UPDATE_EXPECTED=1 pytest tests/compiler/test_cases.py` writes
`expected.sql` anew; read the difference.
"""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.compiler import Compilation, compile_contexts
from tests.compiler.charges_table import NO_SIGNALS, connection_with_charges, rows_of

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
NO_ALLOCATION = "allocate_to: customer\ncost_of_goods_sold: everything\nrules: []\n"


def contexts_of(folder: Path) -> dict[str, str]:
    """The context files of a case, as `contexts/…`."""
    files = [*folder.glob("dimensions/*"), *folder.glob("streams.yml"), *folder.glob("allocation.yml")]
    contexts = {
        f"contexts/{path.relative_to(folder)}": path.read_text(encoding="utf-8") for path in sorted(files)
    }
    return {"contexts/allocation.yml": NO_ALLOCATION, **contexts}


def compiled(folder: Path) -> Compilation:
    compilation = compile_contexts(contexts_of(folder), {})
    assert [str(problem) for problem in compilation.problems] == []
    return compilation


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_sql_is_as_expected(folder: Path) -> None:
    sql = compiled(folder).files["models/context/charges_in_context.sql"]
    expected = folder / "expected.sql"
    if os.environ.get("UPDATE_EXPECTED"):
        expected.write_text(sql, encoding="utf-8")
    assert sql == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_charges_are_claimed_as_expected(folder: Path) -> None:
    case: dict[str, Any] = yaml.safe_load((folder / "charges.yml").read_text(encoding="utf-8"))
    assert case["title"]
    given = [charge["given"] for charge in case["charges"]]
    connection = connection_with_charges(given, case.get("signals", NO_SIGNALS))
    rows = rows_of(connection, compiled(folder).files["models/context/charges_in_context.sql"])
    assert len(rows) == len(case["charges"])
    for row, charge in zip(rows, case["charges"], strict=True):
        found = {column: row[column] for column in charge["expect"]}
        assert found == charge["expect"], charge["given"]


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_rules_stand_in_their_table_as_they_are_written(folder: Path) -> None:
    compilation = compiled(folder)
    rows = rows_of(connection_with_charges([]), compilation.files["models/rules/context_rules.sql"])
    found = [
        (row["dimension"], row["rule_position"], row["rule_text"]) for row in rows if row["rule_position"]
    ]
    assert found == [
        (dimension.name, position, rule.text)
        for dimension in sorted(compilation.program.dimensions, key=lambda dimension: dimension.name)
        for position, rule in enumerate(dimension.rules, start=1)
    ]


def test_the_table_of_allocation_rules_has_a_row_per_stream_or_fixed_share() -> None:
    compilation = compiled(Path(__file__).parent / "cases" / "allocation")
    rows = rows_of(connection_with_charges([]), compilation.files["models/rules/allocation_rules.sql"])
    columns = ("rule_name", "rule_position", "method", "stream", "weight", "granularity", "fixed_customer_id")
    one = Decimal(1)
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("dedicated", 1, "to", None, one, "daily", None),
        ("by_name", 2, "to", None, one, "daily", None),
        ("search", 3, "stream", "search_queries", one, "hourly", None),
        ("exports", 4, "stream", "rows_exported", one, "daily", None),
        ("tax", 5, "allocated_cost", None, one, "daily", None),
        ("credits", 6, "even", None, one, "daily", None),
        ("pilot", 7, "fixed", None, Decimal("0.6"), "daily", "cust-001"),
        ("pilot", 7, "fixed", None, Decimal("0.399999"), "daily", "cust-002"),
        ("pilot", 7, "fixed", None, Decimal("0.000001"), "daily", "cust-003"),
        ("internal", 8, "none", None, one, "daily", None),
    ]
    windows = {row["rule_name"]: row["when_no_usage"] for row in rows}
    assert windows["search"] == ["trailing_7_days", "unallocated"]
    assert windows["exports"] == ["same_day", "unallocated"]
