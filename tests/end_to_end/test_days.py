"""Days as they are kept: made in batches, a file each, and only those that changed."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end import small_company
from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company, Rows

# Their days follow from the days before: a change reaches further than its own day.
REACHES_FURTHER = {"daily_levels", "daily_expectations", "daily_scores", "daily_alarms"}


@pytest.fixture(scope="module")
def day_by_day(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """The small company, its days made one at a time."""
    company = new_company(tmp_path_factory.mktemp("day_by_day") / "company")
    settings = company.settings.workspace / "settings.yml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("batch_rows: 1\n")
    good, printed = company.run()
    assert good, printed
    return company


def warehouse(company: Company, query: str) -> Rows:
    with closing(duckdb.connect(str(company.settings.warehouse_file), read_only=True)) as connection:
        return connection.execute(query).fetchall()


def files(company: Company) -> dict[str, tuple[int, int]]:
    """The files of the days that count now, each with its inode and when it was written."""
    listed = warehouse(company, "select file from built.day_files where file is not null")
    stats = {path: Path(path).stat() for (path,) in listed}
    return {path: (stat.st_ino, stat.st_mtime_ns) for path, stat in stats.items()}


def test_days_made_one_at_a_time_are_those_made_together(built: Company, day_by_day: Company) -> None:
    batches = "select count(distinct batch) from staging.changed_days"
    assert warehouse(built, batches) == [(1,)]
    assert warehouse(day_by_day, batches) == [(10,)]
    models = warehouse(built, "select distinct model from built.day_files order by 1")
    assert ("allocation.cost_pools",) in models
    for (model,) in models:
        # Where a batch lies differs, and so do the positions within it.
        rows = f"select * from {model} order by all"
        assert warehouse(day_by_day, rows) == warehouse(built, rows), model
    assert day_by_day.marts() == built.marts()


def test_a_changed_day_touches_its_own_files_only(day_by_day: Company) -> None:
    before = files(day_by_day)
    billing = day_by_day.settings.sources / "billing"
    small_company.write_bill(billing, "2026-05", small_company.SEARCH, days=(1, 2, 3))
    good, printed = day_by_day.run()
    assert good, printed
    changed = warehouse(day_by_day, "select usage_date::varchar from staging.changed_days")
    assert changed == [("2026-05-04",)]
    after = files(day_by_day)
    other_days = {path for path in before if not REACHES_FURTHER & {*Path(path).parts}}
    other_days = {path for path in other_days if "2026-05-04" not in path and "usage_month" not in path}
    assert len(other_days) > 100
    assert {path: after[path] for path in other_days} == {path: before[path] for path in other_days}
    gone = "select count(*) from marts.customer_costs_daily where usage_date = '2026-05-04'"
    assert warehouse(day_by_day, gone) == [(0,)]
    assert day_by_day.read(
        "select sum(effective_cost) from customer_costs_daily where usage_date > '2026-05-01'"
    ) == [(2 * sum(small_company.BILL.values(), Decimal(0)),)]


def test_a_full_check_finds_what_happened_to_an_old_day(day_by_day: Company) -> None:
    good, printed = day_by_day.run(check_all=True)
    assert good, printed

    day = "model = 'marts.customer_costs_daily' and period_start = '2026-03-02'"
    ((file,),) = warehouse(day_by_day, f"select file from built.day_files where {day}")
    undamaged = day_by_day.marts()
    with closing(duckdb.connect()) as connection:
        connection.execute(f"create table day as from read_parquet('{file}', hive_partitioning = false)")
        connection.execute("update day set effective_cost = effective_cost + 0.000000000001")
        Path(file).unlink()
        connection.execute(f"copy day to '{file}' (format parquet)")
    good, printed = day_by_day.run()
    assert good, printed
    good, printed = day_by_day.run(check_all=True)
    assert not good
    assert "assert_days_are_what_was_reconciled" in printed
    assert day_by_day.marts() == undamaged

    # Without its file, the day is made again.
    Path(file).unlink()
    good, printed = day_by_day.run(check_all=True)
    assert good, printed
    made = warehouse(day_by_day, "select usage_date::varchar, reason from staging.changed_days")
    assert made == [("2026-03-02", "lost files")]
    assert day_by_day.marts() == undamaged
