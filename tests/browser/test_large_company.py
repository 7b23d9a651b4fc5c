"""Companies whose every day does not fit: months and the newest days, in a file that stays small."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.outputs.report.report import LARGEST_FILE, make_report
from orchestration.settings import Settings
from tests.browser.conftest import Opened, exact
from tests.browser.published import Size, publish


def ask(settings: Settings, query: str) -> dict[str, str]:
    path = settings.published_folder / "current.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as marts:
        return {name: f"{amount:f}" for name, amount in marts.execute(query).fetchall()}


@pytest.fixture(scope="module")
def by_month(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A company with 75 days until 2026-05-14, of which only some of the newest fit."""
    workspace: Path = tmp_path_factory.mktemp("by_month")
    settings = Settings(workspace=workspace, report_cost_rows=1500)
    publish(settings, Size(customers=8, days=75))
    make_report(settings)
    return settings


@pytest.fixture(scope="module")
def report(by_month: Settings, open_report: Callable[..., Opened]) -> Opened:
    return open_report(by_month.published_folder / "report.html")


def customers_between(settings: Settings, first: str, last: str) -> dict[str, str]:
    return ask(
        settings,
        f"""
        select customer_name, sum(effective_cost)
        from customer_costs_daily
        where
            billing_currency = 'USD'
            and customer_id <> 'unallocated'
            and usage_date between '{first}' and '{last}'
        group by all
        """,
    )


def test_whole_months_are_there_with_their_services(by_month: Settings, report: Opened) -> None:
    for first, last in (("2026-03-01", "2026-03-31"), ("2026-03-01", "2026-05-14")):
        report.open(f"customers?from={first}&to={last}")
        assert report.figures("Cost per customer", 3) == customers_between(by_month, first, last)
    report.open(
        "explore?from=2026-04-01&to=2026-04-30&customer=cust-00003&by=service_name&where=feature:Search"
    )
    assert report.figures("Cost by service", 1) == ask(
        by_month,
        "select service_name, sum(effective_cost) from customer_costs_daily where customer_id = 'cust-00003' "
        "and feature = 'Search' and usage_date between '2026-04-01' and '2026-04-30' group by all",
    )


def test_months_end_with_the_newest_day(by_month: Settings, report: Opened) -> None:
    everything = ask(
        by_month,
        "select 'all', sum(effective_cost) from customer_costs_daily where billing_currency = 'USD' "
        "and usage_date <= '2026-05-14'",
    )["all"]
    page = report.open("explore?from=2026-03-01&to=2026-05-14")
    assert page.locator("#explored data").get_attribute("value") == everything
    report.open("overview?from=2026-03-01&to=2026-05-14")
    assert report.figure("Total cost") == everything


def test_the_newest_days_are_there_without_services(by_month: Settings, report: Opened) -> None:
    page = report.open("customers?from=2026-05-10&to=2026-05-13")
    assert report.figures("Cost per customer", 3) == customers_between(by_month, "2026-05-10", "2026-05-13")
    assert "Services are available by month only" in page.locator("main").inner_text()
    report.open("explore?from=2026-05-10&to=2026-05-13&customer=cust-00003&by=feature&where=product:Insights")
    assert set(report.figures("Cost by feature", 1)) == {"Search", "Dashboards & <b>charts</b>"}


def test_older_days_become_the_months_around_them_and_it_says_so(by_month: Settings, report: Opened) -> None:
    page = report.open("customers?from=2026-03-10&to=2026-04-03")
    assert "this is 2026-03-01 to 2026-04-30" in page.locator("main").inner_text()
    assert report.figures("Cost per customer", 3) == customers_between(by_month, "2026-03-01", "2026-04-30")


def test_all_together_still_go_by_the_day(by_month: Settings, report: Opened) -> None:
    report.open("overview?from=2026-03-10&to=2026-04-03")
    assert (
        report.figure("Total cost")
        == ask(
            by_month,
            "select 'all', sum(effective_cost) from customer_costs_daily where billing_currency = 'USD' "
            "and usage_date between '2026-03-10' and '2026-04-03'",
        )["all"]
    )
    assert report.complaints == []


def test_5000_customers_and_13_months_are_a_file_of_less_than_15_megabytes(
    tmp_path: Path, open_report: Callable[..., Opened]
) -> None:
    settings = Settings(workspace=tmp_path)
    publish(settings, Size(customers=5000, first_day=date(2025, 6, 1), days=395, every=15))
    made = make_report(settings)
    assert made.size == made.path.stat().st_size < LARGEST_FILE == 15_000_000
    opened = open_report(made.path)
    page = opened.open("customers?from=2025-09-01&to=2026-02-28")
    assert "5,000 customers" in page.locator("main").inner_text()
    # Only what is seen is there as elements.
    assert page.locator("main tbody tr").count() == 50
    expected = customers_between(settings, "2025-09-01", "2026-02-28")
    shown = opened.figures("Cost per customer", 3)
    assert shown == {name: expected[name] for name in shown}
    page.get_by_label("Find").fill("customer 4321")
    assert opened.figures("Cost per customer", 3) == {"Customer 4321": expected["Customer 4321"]}
    opened.open("explore")
    everything = ask(
        settings,
        "select 'all', sum(effective_cost) from customer_costs_daily where billing_currency = 'USD' "
        "and unallocated_reason is distinct from 'day to come'",
    )
    assert everything["all"] == exact(page.locator("#explored data"))
    assert page.locator("main tbody tr").count() == 50
    # All 13 months, the others as one.
    assert page.locator("main thead th").count() == 5 + 13
    assert page.locator(".legendtext", has_text="Other (").count() == 1
    assert opened.complaints == []
    page.context.close()
