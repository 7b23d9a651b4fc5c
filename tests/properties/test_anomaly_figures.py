"""What is expected of an hour is the same to the last digit, in whatever order its rows lie."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from orchestration.outputs.sentences import anomaly_sentence
from tests.properties.rendered_models import VARIABLES, rendered

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


EMPTY = (
    "anomaly_charges (anomaly_id varchar, part varchar, part_kind varchar, actual_cost decimal(38, 12), "
    "reference_weeks bigint, reference_cost decimal(38, 12))",
    "anomaly_usage (anomaly_id varchar, usage_name varchar, usage_ratio decimal(38, 9), "
    "usage_effect decimal(38, 12), usage_quantity decimal(38, 9))",
    "cost_anomaly_drivers (anomaly_id varchar, driver_kind varchar, driver varchar, "
    "cost_impact decimal(38, 12), happened_at timestamp)",
    "customers (customer_id varchar, customer_name varchar)",
    "anomaly_series_hourly (series_key ubigint, usage_date date, usage_hour timestamp, "
    "effective_cost decimal(38, 12))",
    "usage_by_day (stream varchar, usage_date date, usage_quantity decimal(38, 9))",
    "hourly_scores (series_key ubigint, usage_hour timestamp, expected_cost double)",
)


def anomalies(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, object]]:
    for model in ("anomalies/anomaly_costs", "marts/cost_anomalies"):
        connection.execute(f"create or replace table {model.split('/')[1]} as {rendered(model)}")
    found = connection.execute("from cost_anomalies")
    names = [column[0] for column in found.description]
    rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    return {str(row["customer_id"] or row["element"]): row for row in rows}


def test_materiality_verdicts_the_unfinished_day_and_what_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    """November runs on the 29th and is billed through the 28th: that day may not be whole, the 27th is."""
    with duckdb.connect() as connection:
        for table in EMPTY:
            connection.execute(f"create table {table}")
        connection.execute("create table billed_through as select date '2026-11-28' as billed_through")
        # All of the company costs 100 a day; the customers 10, until one of them has no more cost.
        connection.execute(
            """
            create table anomaly_series_daily as
            select
                series_key::ubigint as series_key,
                case series_key
                    when 0 then 'feature' when 4 then 'unit_cost' else 'customer_feature'
                end as series_kind,
                ['gone', 'unfinished', 'small'][series_key] as customer_id,
                case series_key when 0 then 'everything' when 4 then 'queries' else 'Search' end as element,
                null::varchar as service_name,
                null::varchar as sub_account_id,
                'USD' as billing_currency,
                day::date as usage_date,
                case
                    when series_key = 0 then 100
                    when series_key = 4 and day = date '2026-11-26' then 20
                    when day = date '2026-11-28' or series_key = 3 and day = date '2026-11-26' then 12
                    else 10
                end::decimal(38, 12) as effective_cost
            from range(5) as series (series_key)
            cross join range(date '2026-10-01', date '2026-11-29', interval 1 day) as days (day)
            where series_key <> 1 or day < date '2026-11-26'
            """
        )
        connection.execute(
            """
            create table daily_expectations as
            select
                series_key::ubigint as series_key, day::date as usage_date,
                10.0 as expected_cost, 10.0 as level
            from range(5) as series (series_key)
            cross join range(date '2026-11-01', date '2026-11-29', interval 1 day) as days (day)
            """
        )
        connection.execute(
            """
            create table anomaly_runs as
            select
                'daily' as test, key::ubigint as series_key, way as direction, first::timestamp as started_at,
                last::timestamp as last_at, last::timestamp + interval 1 day as ended_at,
                first::timestamp as detected_at, 9.0 as score, null::double as older_level
            from (
                values
                    (1, -1, date '2026-11-27', date '2026-11-28'),
                    (2, 1, date '2026-11-28', date '2026-11-28'),
                    (3, 1, date '2026-11-26', date '2026-11-26'),
                    (4, 1, date '2026-11-26', date '2026-11-26'),
                    (4, -1, date '2026-11-20', date '2026-11-20')
            ) as runs(key, way, first, last)
            """
        )
        # A million queries cost 10: three million cost 30. They cost 60, as if there had been six.
        connection.execute("insert into usage_by_day values ('queries', '2026-11-26', 3000000)")
        found = anomalies(connection)
        assert set(found) == {"gone", "small", "queries"}
        stayed = found["queries"]
        assert (stayed["actual_cost"], stayed["expected_cost"], stayed["usage_effect"]) == (60, 30, 0)
        said = "What queries divides cost 30.00 USD more than its usage explains on 2026-11-26 (60.00"
        assert anomaly_sentence(stayed, []).startswith(said)
        gone, small = found["gone"], found["small"]
        assert (gone["actual_cost"], gone["cost_impact"]) == (0, -10)
        assert (gone["ended_at"], gone["is_ongoing"]) == (datetime(2026, 11, 28), True)
        # 30 days until the end cost 3,000: a thousandth is 3.
        assert [gone["is_material"], small["is_material"]] == [True, False]
        assert gone["share_of_spend"] == Decimal("0.003333333")
        assert [gone["verdict"], small["verdict"]] == [None, None]

        monkeypatch.setitem(VARIABLES, "anomaly_feedback", [(gone["anomaly_id"], "planned", "it's over")])
        rendered.cache_clear()
        try:
            judged = anomalies(connection)
        finally:
            rendered.cache_clear()
        assert (judged["gone"]["verdict"], judged["gone"]["verdict_note"]) == ("planned", "it's over")
        # What somebody has judged ranks after what nobody has.
        assert [judged[name]["impact_rank"] for name in ("queries", "small", "gone")] == [1, 2, 3]
