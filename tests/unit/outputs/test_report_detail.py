"""How much detail the report takes: all of it where it fits, months and the newest days where it does not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.outputs.read_only import NotReadableError
from orchestration.outputs.report import below_services
from orchestration.outputs.report.costs import RowCounts, choose_detail, select_costs, select_newest_days
from orchestration.outputs.report.report import make_report
from orchestration.outputs.report.tables import Published
from orchestration.settings import Settings
from tests.browser.published import DIMENSIONS, Size, publish

ALL = Published(frozenset(), ("product", "feature", "team"))


DIMENSIONED = (
    "allocation_explanations",
    "customer_costs_daily",
    "customer_costs_hourly",
    "customer_costs_monthly",
)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(workspace=tmp_path_factory.mktemp("detail"))
    publish(settings, Size(customers=8, days=75))
    return settings


@pytest.fixture(scope="module")
def marts(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    path = settings.published_folder / "current.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as marts:
        yield marts


def rows(marts: duckdb.DuckDBPyConnection, select: str) -> int:
    return len(marts.execute(select).fetchall())


def test_a_small_company_gets_every_day_of_everything(marts: duckdb.DuckDBPyConnection) -> None:
    detail = choose_detail(RowCounts(marts), ALL, budget=1_000_000)
    assert (detail.grain, set(detail.levels), detail.services) == ("day", set(DIMENSIONS), True)
    assert select_newest_days(detail) is None
    assert rows(marts, select_costs(detail)) <= 1_000_000


@pytest.mark.parametrize("budget", [8000, 3000, 1500, 400, 100, 60, 1])
def test_no_detail_is_larger_than_the_budget_and_none_loses_a_digit(
    marts: duckdb.DuckDBPyConnection, budget: int
) -> None:
    detail = choose_detail(RowCounts(marts), ALL, budget)
    costs = select_costs(detail)
    newest = select_newest_days(detail)
    taken = rows(marts, costs) + (rows(marts, newest) if newest else 0)
    coarsest = detail.grain == "month" and not detail.levels
    assert taken <= budget or coarsest
    total = "select sum(effective_cost) from"
    come = "unallocated_reason is distinct from 'day to come'"
    everything = marts.execute(f"{total} customer_costs_daily where {come}").fetchall()
    assert marts.execute(f"{total} ({costs})").fetchall() == everything
    if newest:
        since = f"where usage_date >= '{detail.days_from}' and {come}"
        assert marts.execute(f"{total} ({newest})").fetchall() == (
            marts.execute(f"{total} customer_costs_daily {since}").fetchall()
        )


def test_the_newest_days_go_back_as_far_as_they_fit(marts: duckdb.DuckDBPyConnection) -> None:
    months = choose_detail(RowCounts(marts), ALL, budget=1500)
    assert (months.grain, months.levels, months.services) == ("month", ("product", "feature"), True)
    assert months.days_from is not None
    assert date(2026, 3, 1) < months.days_from < date(2026, 5, 14)
    assert choose_detail(RowCounts(marts), ALL, budget=600).days_from is None  # less than a week would fit


def test_dimensions_are_the_users(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path)
    database = publish(settings, Size(customers=2, days=3))
    database.chmod(0o644)
    with closing(duckdb.connect(str(database))) as marts:
        for mart in DIMENSIONED:
            marts.execute(f"alter table {mart} drop product")
            marts.execute(f'alter table {mart} rename feature to "order"')
            marts.execute(f"alter table {mart} drop team")
    report = make_report(settings)
    text = report.path.read_text(encoding="utf-8")
    assert '"dimensions": ["order"]' in text


def test_the_same_snapshot_is_not_made_into_a_report_twice(settings: Settings) -> None:
    first = make_report(settings)
    written = first.path.stat()
    again = make_report(settings)
    assert (first.changed, again.changed) == (True, False)
    assert again.path.stat().st_ino == written.st_ino
    less = make_report(settings.model_copy(update={"report_cost_rows": 1500}))
    assert less.changed
    assert less.size < first.size
    assert not list(settings.published_folder.glob(".report*"))


def test_without_a_run_the_report_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NotReadableError, match="cpc run --workspace"):
        make_report(Settings(workspace=tmp_path))


@pytest.mark.parametrize("limit", ["LARGEST_USAGE_TYPES", "LARGEST_RESOURCES", "LARGEST_COMBINATIONS"])
def test_what_is_left_out_below_services_is_summed(
    marts: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    by_account = "service_name, sub_account_id, billing_currency"
    month = "date_trunc('month', usage_date)::date as period_start"
    # The last day has a charge that goes on; its rest is of no day of the page.
    whole = f"select {by_account}, {month}, sum(effective_cost) from service_costs_daily "
    whole += "where usage_date <= '2026-05-14'{} group by all order by all"
    selects = {below_services.usage_types: "", below_services.resources: " and usage_date >= '2026-04-01'"}
    before = [rows(marts, select()) for select in selects]
    monkeypatch.setattr(below_services, limit, 3)
    after = [rows(marts, select()) for select in selects]
    assert after[1] < before[1]
    assert (after[0] < before[0]) == (limit != "LARGEST_RESOURCES")
    for select, since in selects.items():
        sums = f"select {by_account}, period_start, sum(effective_cost) from ({select()}) group by all"
        assert (
            marts.execute(f"{sums} order by all").fetchall() == marts.execute(whole.format(since)).fetchall()
        )
