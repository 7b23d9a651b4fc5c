"""The laws that every run checks can fail: on the tables of a run that went well, damaged afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.warehouse.dbt_results import failures_of
from orchestration.warehouse.project import prepare_project
from tests.end_to_end.running import Company, Rows

DAY = "2026-04-02"
Broken = Callable[[str, str], Rows]


@pytest.fixture
def broken(built: Company, tmp_path: Path) -> Broken:
    """What a law, as the run compiled it, finds on `DAY` after a statement has changed the run's tables."""
    workspace = built.settings.workspace
    warehouse = tmp_path / "warehouse.duckdb"
    shutil.copy(workspace / "warehouse.duckdb", warehouse)

    def find(law: str, damage: str) -> Rows:
        compiled = next(workspace.glob(f"dbt_runs/*/compiled/**/{law}.sql")).read_text()
        with closing(duckdb.connect(str(warehouse))) as connection:
            connection.execute("delete from built.checked_days")
            connection.execute("insert into built.checked_days (usage_date) values (?)", [DAY])
            # Models that are kept by day are views over files: a table in its place can be damaged.
            model = damage.split()[1]
            connection.execute(f"create table held as from {model}")
            connection.execute(f"drop view {model}")
            connection.execute(f"create table {model} as from held")
            connection.execute(damage)
            return connection.execute(compiled).fetchall()

    return find


@pytest.mark.parametrize(
    ("sent_for", "is_outside"),
    [
        ("null", False),
        ("""'{"feature":["Search"]}'""", False),
        ("""'{"environment":["production","test"],"feature":["Exports","Search"]}'""", False),
        ("""'{"feature":["Exports"]}'""", True),
        ("""'{"feature":["search"]}'""", True),
        ("""'{"environment":["test"],"feature":["Search"]}'""", True),
        ("""'{"feature":["Search"],"team":["Search"]}'""", True),
    ],
)
def test_no_rule_sees_usage_outside_its_filter(broken: Broken, sent_for: str, is_outside: bool) -> None:
    """A day's searches divided a pool. Had bob's been sent for these elements, would that be right?"""
    found = broken(
        "assert_no_rule_sees_usage_outside_its_filter",
        f"""
        update usage.usage_by_period set filter = {sent_for}
        where customer_id = 'bob' and usage_date = date '{DAY}'
        """,
    )
    assert [row[-2:] for row in found] == ([(51, 100)] if is_outside else [])


def test_a_rule_sees_all_usage_inside_its_filter(broken: Broken) -> None:
    found = broken(
        "assert_no_rule_sees_usage_outside_its_filter",
        f"""
        update allocation.shares_before_overhead set total_usage = 51
        where total_usage = 100 and usage_date = date '{DAY}'
        """,
    )
    assert [row[-2:] for row in found] == [(100, 51)]


def test_resources_and_usage_types_sum_to_their_service(broken: Broken, built: Company) -> None:
    by_service = "select usage_date, service_name, sum(effective_cost) from {} group by all order by all"
    services = built.read(by_service.format("customer_costs_daily"))
    assert len(services) == 10
    for mart in ("service_costs_daily", "resource_costs_daily"):
        read = built.read(by_service.format(mart))
        # The latest 62 days: the bill has 92.
        assert read == [row for row in services if mart == "service_costs_daily" or row[0].month > 3]
    assert built.read(
        "select usage_type, resource_id, effective_cost from resource_costs_daily "
        f"where usage_date = '{DAY}' order by all"
    ) == [
        ("BoxUsage", "i-exports", 30),
        ("BoxUsage", "i-idle", Decimal("7.77")),
        ("BoxUsage", "i-search-api", 10050),
    ]
    damage = "update marts.resource_costs_daily set effective_cost = 7.78 where resource_id = 'i-idle'"
    assert [str(row[0]) for row in broken("assert_resources_are_the_bill", damage)] == [DAY]


def test_a_broken_key_and_an_absent_column_are_named_with_their_model(
    company: Company, tmp_path: Path
) -> None:
    with closing(duckdb.connect(str(company.settings.warehouse_file))) as connection:
        connection.execute(
            "insert into marts.customers from marts.customers where is_customer and customer_id <> 'cid'"
        )
        connection.execute("insert into signals.deployments (service) values ('search')")
    project = prepare_project(company.settings)
    result = project.dbt("test", "--select", "assert_one_row_per_key", folder=tmp_path)
    assert not result.is_success
    shown = failures_of(company.settings, result)
    assert "assert_one_row_per_key" in shown
    (key,) = [line for line in shown.splitlines() if "more than one row per" in line]
    assert "model: marts.customers, problem: more than one row per customer_id, row_count: 2" in key
    assert "{'customer_id': ada}" in key or "{'customer_id': bob}" in key
    assert "model: signals.deployments, problem: absent: deployed_at or service, row_count: 1" in shown
