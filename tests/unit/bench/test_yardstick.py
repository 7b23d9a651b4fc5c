"""The yardstick is exact, whole and in batches of days; the bench changes what it says it changes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from bench import generated, yardstick

SIZE = generated.Size(rows=30 * 24 * 8, customers=16, features=2)
FIRST_SERVICE = "AmazonEC2"


def rows(database: Path) -> list[tuple[Any, ...]]:
    with closing(duckdb.connect(str(database), read_only=True)) as connection:
        return connection.execute("select * from customer_costs_daily order by all").fetchall()


def test_customer_costs_add_up_to_the_bill_however_many_days_at_once(tmp_path: Path) -> None:
    generated.write_sources(tmp_path, SIZE)
    yardstick.make_customer_costs(tmp_path, tmp_path / "whole.duckdb")
    yardstick.make_customer_costs(tmp_path, tmp_path / "batches.duckdb", days_at_once=7)
    whole = rows(tmp_path / "whole.duckdb")
    assert whole == rows(tmp_path / "batches.duckdb")
    assert sum(row[4] for row in whole) == generated.billed(generated.bill_files(tmp_path))
    assert len({row[1] for row in whole}) > 2


def test_delivering_again_changes_one_service_of_one_day(tmp_path: Path) -> None:
    generated.write_sources(tmp_path, SIZE)
    before = _by_day_and_service(tmp_path)
    generated.deliver_again(tmp_path, SIZE)
    after = _by_day_and_service(tmp_path)
    changed = {key: cost for key, cost in after.items() if before[key] != cost}
    assert changed == {
        (generated.CHANGED_DAY, FIRST_SERVICE): 2 * before[generated.CHANGED_DAY, FIRST_SERVICE]
    }


def _by_day_and_service(sources: Path) -> dict[tuple[Any, ...], Any]:
    files = [str(file) for file in generated.bill_files(sources)]
    found = duckdb.execute(
        "select line_item_usage_start_date::date, line_item_product_code, "
        "sum(line_item_unblended_cost::decimal(24, 12)) from read_parquet(?) group by all",
        [files],
    ).fetchall()
    return {(day, service): cost for day, service, cost in found}
