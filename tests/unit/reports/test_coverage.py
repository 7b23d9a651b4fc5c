"""Coverage is read from the published mart; compared with sums in plain decimals."""

from __future__ import annotations

from collections import defaultdict
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from orchestration.cli import app
from orchestration.reports.coverage import coverage_by_month, largest_unclaimed
from orchestration.reports.databases import open_published
from orchestration.settings import Settings

ROWS = [
    (day, "USD", dimension, coverage, service, account, 2, Decimal(cost))
    for day, dimension, coverage, service, account, cost in [
        (date(2026, 6, 30), "feature", "rule", "EC2", "111", "10.000000000001"),
        (date(2026, 6, 30), "feature", "default", "S3", "111", "5"),
        (date(2026, 6, 30), "team", "unmatched", "EC2", "111", "15.000000000001"),
        (date(2026, 7, 1), "feature", "default", "EC2", "222", "1"),
        (date(2026, 7, 2), "feature", "default", "S3", "111", "0.5"),
        (date(2026, 7, 2), "feature", "rule", "EC2", "222", "-1.5"),
        (date(2026, 7, 2), "team", "rule", "EC2", "222", "0"),
        (date(2026, 7, 2), "team", "unmatched", None, None, "0.000000000003"),
    ]
]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(workspace=tmp_path)
    settings.published_folder.mkdir()
    with closing(duckdb.connect(str(settings.published_folder / "current.duckdb"))) as connection:
        connection.execute(
            "create table context_coverage (usage_date date, billing_currency varchar, dimension varchar, "
            "coverage varchar, service_name varchar, sub_account_id varchar, charge_count bigint, "
            "effective_cost decimal(38, 12))"
        )
        connection.executemany("insert into context_coverage values (?, ?, ?, ?, ?, ?, ?, ?)", ROWS)
    return settings


def test_months_add_up_to_the_mart_exactly(settings: Settings) -> None:
    expected: defaultdict[tuple[str, date], defaultdict[str, Decimal]]
    expected = defaultdict(lambda: defaultdict(Decimal))
    for day, _, dimension, coverage, *_, cost in ROWS:
        expected[dimension, day.replace(day=1)][coverage] += cost
    with open_published(settings) as marts:
        months = coverage_by_month(marts)
    found = {
        (each.dimension, each.usage_month): (each.matched, each.by_default, each.unmatched) for each in months
    }
    assert found == {
        key: (costs["rule"], costs["default"], costs["unmatched"]) for key, costs in expected.items()
    }
    assert sum(month.total for month in months) == sum(row[-1] for row in ROWS)


def test_percents_come_from_decimals_and_a_month_without_cost_has_none(settings: Settings) -> None:
    with open_published(settings) as marts:
        months = {(each.dimension, each.usage_month.month): each for each in coverage_by_month(marts)}
    june = months["feature", 6]
    assert (june.percent(june.matched), june.percent(june.by_default)) == (Decimal("66.67"), Decimal("33.33"))
    assert months["feature", 7].total == 0
    assert months["feature", 7].percent(months["feature", 7].matched) is None
    assert months["team", 7].percent(months["team", 7].unmatched) == 100


def test_the_largest_groups_without_a_rule_are_over_all_months(settings: Settings) -> None:
    with open_published(settings) as marts:
        groups = largest_unclaimed(marts, top=1)
    assert [
        (each.dimension, each.service_name, each.sub_account_id, each.charge_count, each.effective_cost)
        for each in groups
    ] == [
        ("feature", "S3", "111", 4, Decimal("5.5")),
        ("team", "EC2", "111", 2, Decimal("15.000000000001")),
    ]


def test_the_command_shows_both(settings: Settings) -> None:
    done = CliRunner().invoke(app, ["coverage", "--workspace", str(settings.workspace), "--top", "1"])
    assert done.exit_code == 0
    lines = [line.split() for line in done.output.splitlines()]
    assert ["feature", "2026-06", "USD", "10.00", "66.67", "5.00", "33.33", "0.00", "0.00"] in lines
    assert ["feature", "S3", "111", "default", "4", "5.50", "USD"] in lines


def test_a_workspace_without_a_run_says_what_to_do(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["coverage", "--workspace", str(tmp_path)])
    assert done.exit_code == 1
    assert f"cpc run --workspace {tmp_path}" in done.output
