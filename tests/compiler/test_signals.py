"""Signals never double a charge, whatever stands in them, and the charges are read once."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orchestration.compiler import compile_contexts
from tests.compiler.charges_table import connection_with_charges, rows_of, runnable
from tests.compiler.test_cases import CASES, NO_ALLOCATION, compiled

MODEL = "models/context/charges_in_context.sql"
LOOKED_AT = """\
dimension: owner
description: Owner
rules:
  - from:
      first_of:
        - {resource: tag owner}
        - {related: attached_to, tag: owner}
        - {related: [attached_to, attached_to], tag: owner}
        - {related: [attached_to, attached_to, attached_to], resource: id}
        - {account: tag owner}
"""


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_the_charges_are_read_once(folder: Path) -> None:
    compilation = compiled(folder)
    sql = runnable(compilation.files[MODEL], compilation)
    [(_, plan)] = connection_with_charges([{}]).execute(f"explain (format json) {sql}").fetchall()
    assert plan.count("memory.main.charges") == 1


@pytest.mark.parametrize("seed", range(20))
def test_signals_that_contradict_themselves_double_no_charge(seed: int) -> None:
    random = Random(seed)

    def time() -> datetime:
        return datetime(2026, 1, 1, random.randrange(24))

    def row(**columns: Any) -> dict[str, Any]:
        return {**columns, "valid_from": time(), "valid_to": random.choice([None, time(), time()])}

    def tags() -> dict[str, str]:
        return {"owner": random.choice("ab")}

    names = ("r1", "r2")
    signals = {
        "resources": [row(resource_id=random.choice(names), tags=tags()) for _ in range(12)],
        "resource_relationships": [
            row(
                resource_id=random.choice(names),
                relationship="attached_to",
                related_resource_id=random.choice(names),
            )
            for _ in range(12)
        ],
        "accounts": [row(account_id="1", tags=tags()) for _ in range(6)],
    }
    charges = [
        {
            "resource_id": random.choice(names),
            "sub_account_id": "1",
            "charge_period_start": datetime(2026, 1, 1, hour),
            "charge_period_end": datetime(2026, 1, 2),
        }
        for hour in range(24)
    ]
    contexts = {"dimensions/owner.yml": LOOKED_AT, "allocation.yml": NO_ALLOCATION}
    compilation = compile_contexts(contexts, {})
    rows = rows_of(connection_with_charges(charges, signals), compilation.files[MODEL], compilation)
    assert [row["charge_id"] for row in rows] == [f"charge {number}" for number in range(1, 25)]
