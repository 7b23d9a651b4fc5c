"""Golden cases: contexts, the SQL that they become, and what that SQL makes of charges in DuckDB.

A case is a folder in `cases/`: `charges.yml` (a title, charges, what is expected of each, in a list where it
is split; the signals and the `usage` that decide) and the context files. `allocation.yml` may be left out
where the case is not about it. The five cases that teach how rules become SQL have an `expected.sql`: after
an intended change, `UPDATE_EXPECTED=1 pytest tests/compiler/test_cases.py` writes them; read the difference.
"""

from __future__ import annotations

import os
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestration.compiler import Compilation, compile_contexts
from tests.compiler.charges_table import (
    NO_SIGNALS,
    connection_with_charges,
    parts_of,
    replace_split_shares,
    rows_of,
)

CASES = sorted(path for path in (Path(__file__).parent / "cases").iterdir() if path.is_dir())
TEACHING = [folder for folder in CASES if (folder / "expected.sql").exists()]
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


@pytest.mark.parametrize("folder", TEACHING, ids=lambda path: path.name)
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
    compilation = compiled(folder)
    replace_split_shares(connection, usage_of(case, compilation))
    rows = rows_of(connection, compilation.files["models/context/charges_in_context.sql"], compilation)
    parts = parts_of(rows)
    assert len(parts) == len(case["charges"])
    for number, charge in enumerate(case["charges"], start=1):
        expected = charge["expect"] if isinstance(charge["expect"], list) else [charge["expect"]]
        rows = parts[charge["given"].get("charge_id", f"charge {number}")]
        found = [{column: _plain(row[column]) for column in expected[0]} for row in rows]
        assert found == expected, charge["given"]


def rules_of(compilation: Compilation, table: str) -> list[dict[str, Any]]:
    return rows_of(connection_with_charges([]), compilation.files[f"models/rules/{table}.sql"], compilation)


def usage_of(case: dict[str, Any], compilation: Compilation) -> dict[tuple[str, date], dict[str, int]]:
    """The usage of a case, `{dimension, rule, day, elements}` each, by the ids of the splits."""
    rows = rows_of(
        connection_with_charges([]), compilation.files["models/rules/split_rules.sql"], compilation
    )
    ids = {(row["dimension"], row["rule_position"]): row["split_id"] for row in rows}
    return {
        (ids[used["dimension"], used["rule"]], used["day"]): used["elements"]
        for used in case.get("usage", [])
    }


def _plain(value: Any) -> Any:
    """A decimal as a case writes it: a text without zeros at the end."""
    return f"{value.normalize():f}" if isinstance(value, Decimal) else value


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_rules_stand_in_their_table_as_they_are_written(folder: Path) -> None:
    compilation = compiled(folder)
    rows = rows_of(
        connection_with_charges([]), compilation.files["models/rules/context_rules.sql"], compilation
    )
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
    rows = rows_of(
        connection_with_charges([]), compilation.files["models/rules/allocation_rules.sql"], compilation
    )
    columns = ("rule_name", "rule_position", "method", "stream", "weight", "granularity", "fixed_customer_id")
    one = Decimal(1)
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("direct", 1, "to", None, one, "daily", None),
        ("by_name", 2, "to", None, one, "daily", None),
        ("search_queries", 3, "stream", "search_queries", one, "hourly", None),
        ("rows_exported", 4, "stream", "rows_exported", one, "daily", None),
        ("allocated_cost", 5, "allocated_cost", None, one, "daily", None),
        ("even", 6, "even", None, one, "daily", None),
        ("fixed", 7, "fixed", None, Decimal("0.6"), "daily", "cust-001"),
        ("fixed", 7, "fixed", None, Decimal("0.399999"), "daily", "cust-002"),
        ("fixed", 7, "fixed", None, Decimal("0.000001"), "daily", "cust-003"),
        ("none", 8, "none", None, one, "daily", None),
    ]
    windows = {row["rule_name"]: row["when_no_usage"] for row in rows}
    assert windows["search_queries"] == ["trailing_7_days", "unallocated"]
    assert windows["rows_exported"] == ["same_day", "unallocated"]


def test_the_table_of_split_rules_has_a_row_per_element_that_a_rule_names() -> None:
    compilation = compiled(Path(__file__).parent / "cases" / "splits")
    rows = rows_of(
        connection_with_charges([]), compilation.files["models/rules/split_rules.sql"], compilation
    )
    columns = ("dimension", "rule_position", "method", "stream", "element", "share", "when_no_usage")
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("feature", 1, "fixed", None, "Search", Decimal("0.6"), []),
        ("feature", 1, "fixed", None, "Ingest", Decimal("0.4"), []),
        ("feature", 2, "even", None, "Search", None, []),
        ("feature", 2, "even", None, "Ingest", None, []),
        ("feature", 2, "even", None, "Alerts", None, []),
        ("feature", 3, "stream", "requests", None, None, ["same_day", "trailing_7_days"]),
        ("feature", 4, "stream", "requests", "Search", None, []),
        ("feature", 4, "stream", "requests", "Ingest", None, []),
        ("team", 1, "fixed", None, "Query", Decimal("0.5"), []),
        ("team", 1, "fixed", None, "Index", Decimal("0.5"), []),
    ]
    ids = [row["split_id"] for row in rows]
    assert [split_id is None for split_id in ids] == [row["method"] != "stream" for row in rows]
    assert len({*ids[5:8]}) == 2


def test_a_split_keeps_its_id_when_rules_move() -> None:
    contexts = contexts_of(Path(__file__).parent / "cases" / "splits")
    path = "contexts/dimensions/feature.yml"
    moved = contexts[path].replace(
        "rules:\n", "rules:\n  - element: New\n    when: {tag: app, equals: new}\n"
    )
    ids = []
    for text in (contexts[path], moved):
        compilation = compile_contexts({**contexts, path: text}, {})
        rows = rows_of(
            connection_with_charges([]), compilation.files["models/rules/split_rules.sql"], compilation
        )
        ids.append({row["split_id"] for row in rows})
    assert ids[0] == ids[1]
