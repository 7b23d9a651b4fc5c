"""Every number of the small company, taken apart by `cpc explain`, and what a person is told instead."""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner, Result

from orchestration.authoring.explain import explain
from orchestration.authoring.explain_query import Question
from orchestration.cli.app import app
from orchestration.outputs.read_only import open_working
from tests.end_to_end import small_company
from tests.end_to_end.running import Company

DAY = "2026-03-01"


def cpc(company: Company, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--workspace", str(company.settings.workspace)])


def explained(company: Company, customer: str, *arguments: str, day: str = DAY) -> Result:
    return cpc(company, "explain", "--customer", customer, "--day", day, *arguments)


def test_a_number_is_opened_into_pools_usage_shares_charges_and_rules(built: Company) -> None:
    with open_working(built.settings) as warehouse:
        found = explain(warehouse, Question("ada", date(2026, 3, 1)), charges=10)
    search, exports = found.pools
    lines = (built.settings.contexts / "allocation.yml").read_text().splitlines()
    search_line = lines.index("  - name: search") + 1
    assert search["rule_place"] == f"contexts/allocation.yml:{search_line}"
    told = ("feature", "method", "stream", "usage_window", "usage_quantity", "total_usage", "share")
    costs = ("pool_cost", "effective_cost")
    assert [search[column] for column in (*told, *costs)] == [
        *("Search", "stream", "searches", "hour", 1, 100, Decimal("0.01")),
        *(small_company.SEARCH, Decimal(100)),
    ]
    assert (exports["feature"], exports["method"], exports["effective_cost"]) == (
        *("Exports", "even"),
        Decimal("10.00000000002"),
    )
    assert found.totals == found.mart_totals == {"USD": Decimal("110.00000000002")}
    assert [(each["pool_id"], each["resource_id"], each["effective_cost"]) for each in found.charges] == [
        (search["pool_id"], "i-search-api", small_company.SEARCH),
        (exports["pool_id"], "i-exports", Decimal(30)),
    ]


def test_every_number_of_the_mart_can_be_explained_to_the_last_digit(built: Company) -> None:
    numbers = built.read(
        """
        select customer_id, usage_date, feature, billing_currency, sum(effective_cost)
        from customer_costs_daily group by all
        """
    )
    assert len(numbers) > 30
    with open_working(built.settings) as warehouse:
        for customer, day, feature, currency, cost in numbers:
            found = explain(warehouse, Question(customer, day, feature), charges=1000)
            if feature is not None:
                assert found.totals == {currency: cost}
            assert found.is_exact
            # The charges behind a pool are all of it, and no others.
            pools = {pool["pool_id"]: pool["pool_cost"] for pool in found.pools}
            charges = dict.fromkeys(pools, Decimal(0))
            for charge in found.charges:
                charges[charge["pool_id"]] += charge["effective_cost"]
            assert charges == pools


def test_the_command_prints_both_totals_and_where_the_rules_are(built: Company) -> None:
    done = explained(built, "Ada", "--feature", "Search")
    assert done.exit_code == 0, done.output
    assert "ada on 2026-03-01, feature Search" in done.output
    assert "Pools 100.00 USD = 100.00 USD in customer_costs_daily" in done.output
    assert "environment: production contexts/dimensions/environment.yml:1 (default)" in done.output
    assert "feature: Search contexts/dimensions/feature.yml:4" in done.output
    assert "0.01" in done.output


def test_what_nobody_carries_has_its_reason_and_unmatched_dimensions(built: Company) -> None:
    done = explained(built, "unallocated")
    assert done.exit_code == 0, done.output
    assert "(no rule)" in done.output
    assert "(not cost of goods sold)" in done.output
    assert "feature: unmatched" in done.output
    assert "Pools 57.77 USD = 57.77 USD" in done.output


@pytest.mark.parametrize(
    ("customer", "day", "feature", "told"),
    [
        ("adda", DAY, None, 'No customer "adda". Close matches: ada (Ada)'),
        ("nobody-like-it", DAY, None, "Known: ada, bob, cid, unallocated"),
        (
            "ada",
            "2026-03-09",
            None,
            "Nearest: 2026-03-01, 2026-03-02, 2026-03-03, 2026-04-01",
        ),
        ("ada", DAY, "Serch", "It has: Exports, Search"),
    ],
)
def test_what_is_not_there_is_answered_with_what_is_near(
    built: Company, customer: str, day: str, feature: str | None, told: str
) -> None:
    done = explained(built, customer, *(["--feature", feature] if feature else []), day=day)
    assert done.exit_code == 1
    assert told in done.output


def test_no_day_is_wrong_use(built: Company) -> None:
    assert explained(built, "ada", day="yesterday").exit_code == 2


def test_a_difference_to_the_mart_is_said_and_is_exit_code_1(company: Company) -> None:
    with closing(duckdb.connect(str(company.settings.warehouse_file))) as warehouse:
        warehouse.execute("create table held as from marts.customer_costs_daily")
        warehouse.execute("drop view marts.customer_costs_daily")
        warehouse.execute("create table marts.customer_costs_daily as from held")
        warehouse.execute(
            "update marts.customer_costs_daily set effective_cost = effective_cost + 0.000000000001 "
            "where customer_id = 'ada' and usage_date = date '2026-03-01' and feature = 'Search'"
        )
    done = explained(company, "ada")
    assert done.exit_code == 1
    assert "110.00000000002 USD ≠ 110.000000000021 USD" in done.output
    assert "they differ by -0.000000000001" in done.output


def test_a_working_database_that_is_being_written_or_absent_is_said(company: Company, tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('open', flush=True); input()",
            str(company.settings.warehouse_file),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        done = explained(company, "ada")
    finally:
        writer.communicate(b"\n")
    assert done.exit_code == 1
    assert "is being written to by a run" in done.output
    empty = ["explain", "--customer", "ada", "--day", DAY, "--workspace", str(tmp_path / "empty")]
    absent = CliRunner().invoke(app, empty)
    assert absent.exit_code == 1
    assert "Run the job first: cpc run" in absent.output
