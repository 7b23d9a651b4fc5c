"""What the rules do on a bill: which claim nothing, come too late or contradict, with the cost of each."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.authoring.live_charges import open_live_charges
from orchestration.authoring.rule_findings import lines_of_findings, named_rules, rule_findings
from orchestration.cli.app import app
from orchestration.settings import Settings
from orchestration.warehouse.generate import compile_project
from tests.unit.authoring.bill_in_warehouse import workspace_with

CONTEXTS = {
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
default: Shared
rules:
  - element: Search
    when: {tag: app, starts_with: search}
  - element: Search
    when: {charge: service_name, equals: OpenSearch}
  - element: Indexing
    when: {tag: app, equals: search-indexer}
  - from: {tag: feature}
  - element: Alerts
    when: {tag: app, equals: alert}
""",
    "streams.yml": "streams: {}\n",
    "allocation.yml": """\
allocate_to: customer
cost_of_goods_sold: {tag: stage, equals: production}
rules:
  - name: search
    when: {dimension: feature, equals: Search}
    by: even
  - name: rest
    by: even
""",
}
CHARGES = [
    ("search-api", "OpenSearch", None, "10.000000000001"),
    ("search-indexer", "EC2", "Search", "5"),
    ("search-indexer", "EC2", "Crawling", "2.5"),
    ("web", "EC2", None, "-1"),
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    charges = [
        {
            "service_name": service,
            "billing_currency": "USD",
            "effective_cost": Decimal(cost),
            "tags": {"app": app_tag, "stage": "production", **({"feature": feature} if feature else {})},
        }
        for app_tag, service, feature, cost in CHARGES
    ]
    return workspace_with(tmp_path, CONTEXTS, charges)


def test_each_rule_is_told_apart_by_what_it_does(settings: Settings) -> None:
    with open_live_charges(settings) as charges:
        found = rule_findings(charges, compile_project(settings.contexts))
    assert [
        (each.kind, each.rule.place.line, [by.place.line for by in each.claimed_by], dict(each.cost))
        for each in found
    ] == [
        ("shadowed", 7, [5], {"USD": Decimal("10.000000000001")}),
        ("shadowed", 9, [5], {"USD": Decimal("7.5")}),
        ("shadowed", 11, [5], {"USD": Decimal("7.5")}),
        ("matches-nothing", 12, [], {}),
        ("overlap", 7, [4], {"USD": Decimal("17.500000000001")}),
    ]


def test_rules_that_would_have_said_the_same_do_not_contradict(settings: Settings) -> None:
    """Between rules that both claim something, only what they say differently is an overlap."""
    feature = settings.contexts / "dimensions" / "feature.yml"
    feature.write_text(feature.read_text().replace("starts_with: search", "equals: search-api"))
    with open_live_charges(settings) as charges:
        found = rule_findings(charges, compile_project(settings.contexts))
    overlaps = [each for each in found if each.kind == "overlap" and each.rule.dimension == "feature"]
    assert overlaps == []


def test_the_command_says_it_in_lines(settings: Settings) -> None:
    arguments = ["--workspace", str(settings.workspace), "--contexts", str(settings.contexts)]
    done = CliRunner().invoke(app, ["check", *arguments])
    assert done.exit_code == 0
    assert done.output.splitlines()[1:] == [
        "contexts/dimensions/feature.yml:7 warning: this rule of feature (Search) comes too late: "
        "1 charge, 10.00 USD, all claimed before it by contexts/dimensions/feature.yml:5 (Search)",
        "contexts/dimensions/feature.yml:9 warning: this rule of feature (Indexing) comes too late: "
        "2 charges, 7.50 USD, all claimed before it by contexts/dimensions/feature.yml:5 (Search)",
        "contexts/dimensions/feature.yml:11 warning: this rule of feature (from: {tag: feature}) comes too "
        "late: 2 charges, 7.50 USD, all claimed before it by contexts/dimensions/feature.yml:5 "
        "(Search)",
        "contexts/dimensions/feature.yml:12 warning: this rule of feature (Alerts) claims no charge on this "
        "bill",
        "contexts/allocation.yml:7 note: this rule of allocation (rest) also matches 3 charges, 17.50 USD "
        "that contexts/allocation.yml:4 (search) claims",
    ]


def test_a_warehouse_that_cannot_tell_says_what_to_do(settings: Settings) -> None:
    compilation = compile_project(settings.contexts)
    settings.warehouse_file.unlink()
    [line] = lines_of_findings(settings, compilation, 10)
    assert "Run the job first" in line
    with closing(duckdb.connect(str(settings.warehouse_file))):
        pass
    [line] = lines_of_findings(settings, compilation, 10)
    assert "no charges yet: no run got that far" in line


def test_a_rule_without_an_element_is_named_by_the_beginning_of_its_text_in_one_line(tmp_path: Path) -> None:
    feature = """\
dimension: feature
description: What it serves
rules:
  - split: even
    elements: [Search, Indexing, Alerts, Exports, Dashboards]
    when: {charge: service_name, equals: EC2}
"""
    (tmp_path / "dimensions").mkdir()
    for name, text in (CONTEXTS | {"dimensions/feature.yml": feature}).items():
        (tmp_path / name).write_text(text)
    [rule] = named_rules(compile_project(tmp_path).program)["feature"]
    assert rule.gives == "split: even elements: [Search, Indexing, Alerts, Exports, …"


def test_a_charge_counts_once_in_however_many_parts_and_days(tmp_path: Path) -> None:
    """Two charges, one of them for two days, each split in three: two charges, and all of their cost."""
    contexts = {
        **CONTEXTS,
        "dimensions/feature.yml": """\
dimension: feature
description: What it serves
rules:
  - split: {Search: 0.5, Alerts: 0.3, Exports: 0.2}
    when: {tag: app, equals: shared}
  - element: Shared
    when: {tag: app, exists: true}
""",
        "allocation.yml": """\
allocate_to: customer
cost_of_goods_sold: everything
rules:
  - name: search
    when: {dimension: feature, in: [Search, Alerts]}
    by: even
  - name: again
    when: {dimension: feature, equals: Alerts}
    by: even
  - name: rest
    by: even
""",
    }
    charge = {"billing_currency": "USD", "effective_cost": Decimal(100), "tags": {"app": "shared"}}
    charges = [
        {**charge, "charge_id": charge_id, "usage_date": day}
        for charge_id, day in (("one", "2026-10-01"), ("one", "2026-10-02"), ("two", "2026-10-01"))
    ]
    settings = workspace_with(tmp_path, contexts, charges)
    compilation = compile_project(settings.contexts)
    with open_live_charges(settings) as live:
        found = {
            (each.rule.dimension, each.rule.gives): (each.kind, each.charge_count, each.cost["USD"])
            for each in rule_findings(live, compilation)
            if each.kind == "shadowed"
        }
    assert found == {
        ("feature", "Shared"): ("shadowed", 2, Decimal(300)),
        ("allocation", "again"): ("shadowed", 2, Decimal(90)),
    }
