"""What the command says of one charge; that every condition is right is shown by the property test."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from orchestration.cli.app import app
from tests.unit.authoring.bill_in_warehouse import workspace_with

CONTEXTS = {
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
rules:
  - element: Alerts
    valid: {until: 2026-06-30}
    when:
      any:
        - {tag: app, equals: alerts}
        - not: {charge: service_name, equals: EC2}
  - from: {tag: feature}
""",
    "streams.yml": "streams: {}\n",
    "allocation.yml": """\
allocate_to: customer
cost_of_goods_sold: {tag: stage, equals: production}
rules:
  - name: dedicated
    to: {tag: customer}
""",
}
CHARGE = {
    "usage_date": date(2026, 7, 1),
    "charge_period_start": datetime(2026, 7, 1, 14),
    "billing_currency": "USD",
    "effective_cost": Decimal("1.5"),
    "service_name": "EC2",
    "resource_id": "i-0abc",
    "x_landed_file": "bill.csv",
    "x_landed_row": 7,
}


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    charges = [
        {**CHARGE, "tags": {"app": "alerts", "feature": "[bold]Search", "stage": "production"}},
        {**CHARGE, "usage_date": date(2026, 7, 2), "effective_cost": Decimal("0.5")},
    ]
    settings = workspace_with(tmp_path, CONTEXTS, charges)
    return ["--workspace", str(settings.workspace), "--contexts", str(settings.contexts)]


def test_what_was_tried_and_the_values_that_decided(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["explain", "--charge", "i-0abc", *options])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines() == [
        "charge 1",
        "2026-07-01 14:00 UTC, EC2, i-0abc: 1.500000000000 USD effective",
        "from bill.csv, row 7",
        "feature = [bold]Search: by contexts/dimensions/feature.yml:10",
        "├── no  line 4 Alerts",
        "│   ├── no  valid … to 2026-06-30",
        "│   └── yes any",
        '│       ├── yes tag app equals "alerts": it is "alerts"',
        "│       └── no  not",
        '│           └── yes charge service_name equals "EC2": it is "EC2"',
        "└── yes line 10",
        '    └── yes value "[bold]Search"',
        "allocation: no rule matches; stays unallocated",
        "└── no  line 4 dedicated",
        "    └── no  value absent",
    ]


def test_a_day_narrows_the_search_and_what_is_no_cost_of_goods_sold_says_why(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["explain", "--charge", "i-0abc", "--day", "2026-07-02", *options])
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[0] == "charge 2"
    assert done.output.splitlines()[-2:] == [
        "no cost of goods sold: reported, not allocated",
        '└── no  tag stage equals "production": it is absent',
    ]


def test_a_charge_that_is_not_there_says_where_to_look(options: list[str]) -> None:
    done = CliRunner().invoke(app, ["explain", "--charge", "i-0abc", "--day", "2026-07-03", *options])
    assert done.exit_code == 1
    assert 'No charge and no resource "i-0abc" on 2026-07-03' in done.output


def test_neither_customer_nor_charge_is_wrong_use() -> None:
    assert CliRunner().invoke(app, ["explain", "--customer", "x"]).exit_code == 2
