"""What is expected of an hour is the same to the last digit, in whatever order its rows lie."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import duckdb
import pyarrow as pa

from tests.properties.rendered_models import rendered

FIRST = datetime(2026, 1, 1)
DAYS = 60


def scores(hours: list[dict[str, object]], days: list[dict[str, object]]) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        connection.execute("set enable_progress_bar = false")
        connection.register("given_hours", pa.Table.from_pylist(hours))
        connection.register("given_days", pa.Table.from_pylist(days))
        connection.execute(
            "create table anomaly_series_hourly as select * replace (usage_date::date as usage_date, "
            "effective_cost::decimal(38, 12) as effective_cost) from given_hours"
        )
        connection.execute(
            "create table daily_expectations as "
            "select * replace (usage_date::date as usage_date) from given_days"
        )
        sql = rendered("anomalies/hourly_scores")
        return connection.execute(f"select * from ({sql}) order by series_key, usage_hour").fetchall()


def test_figures_do_not_depend_on_the_order_of_rows() -> None:
    source = random.Random(7)
    hours = [
        {
            "series_key": series,
            "usage_date": FIRST + timedelta(days=day),
            "usage_hour": FIRST + timedelta(days=day, hours=hour),
            "effective_cost": f"{source.randrange(1, 10**15)}e-12",
        }
        for series in range(3)
        for day in range(DAYS)
        for hour in range(24)
    ]
    days = [
        {
            "series_key": series,
            "usage_date": FIRST + timedelta(days=day),
            "level": 100.0,
            "expected_cost": 100.0 + day / 7,
        }
        for series in range(3)
        for day in range(DAYS)
    ]
    first = scores(hours, days)
    assert len(first) == len(hours)
    assert sum(row[5] is not None for row in first) > len(hours) // 2
    for seed in range(3):
        shuffled = random.Random(seed).sample(hours, len(hours))
        assert scores(shuffled, days) == first
