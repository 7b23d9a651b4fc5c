"""Streams that stop, fall or lose their customers, by the model alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from tests.properties.rendered_models import build

LAST = date(2026, 11, 28)  # the day before that of the run
Usage = Callable[[int], float]


def alarms(
    usage: Usage,
    nobody: Usage = lambda _: 0,
    share: str = "1",
    through: date = LAST,
    columns: str = "code, first_usage_date, effective_cost",
) -> list[tuple[Any, ...]]:
    """Alarms of one stream, whose usage is given by the number of days before the last."""
    with closing(duckdb.connect()) as connection:
        connection.execute("create table billed_through as select ?::date as billed_through", [through])
        connection.execute(
            "create table usage_by_day (stream varchar, usage_date date, usage_quantity decimal(38, 9))"
        )
        connection.execute(
            "create table quarantine (source varchar, stream varchar, reason varchar, record varchar)"
        )
        for days in range(60):
            day = LAST - timedelta(days=days)
            if usage(days):
                connection.execute("insert into usage_by_day values ('s', ?, ?)", [day, usage(days)])
            if nobody(days):
                said = {"timestamp": f"{day}T10:00:00Z", "value": str(nobody(days))}
                connection.execute(
                    "insert into quarantine values ('telemetry', 's', 'customer-id-missing', ?), "
                    "('telemetry', 's', 'not-json', '{')",
                    [json.dumps(said)],
                )
        # One pool of 10 a day, of which `share` is divided and the rest unallocated.
        connection.execute(
            """
            create table cost_pools as
            select
                d::date as usage_date, 'p' as pool_id, 'USD' as billing_currency,
                10::decimal(24, 12) as effective_cost
            from range(date '2026-09-01', date '2026-12-01', interval 1 day) as t(d)
            """
        )
        connection.execute(
            "create table pool_share_sets as select usage_date, pool_id, 1 as share_set_id from cost_pools"
        )
        connection.execute(
            "create table share_sets as select usage_date, 1 as share_set_id, 's' as stream from cost_pools"
        )
        connection.execute(
            "create table shares_before_overhead as select usage_date, 1 as share_set_id, reason as "
            "unallocated_reason, part::decimal(13, 12) as share from cost_pools, "
            "(values (null, ?::decimal(13, 12)), ('no usage', 1 - ?::decimal(13, 12))) as t(reason, part) "
            "where part > 0",
            [share, share],
        )
        build(connection, "stream_alarms")
        return connection.execute(f"select {columns} from stream_alarms order by code").fetchall()


def days_ago(days: int) -> date:
    return LAST - timedelta(days=days)


CASES: dict[str, tuple[Usage, Usage, str, list[tuple[str, date, Decimal]]]] = {
    "steady": (lambda _: 5, lambda _: 1, "1", []),
    "one day late": (lambda days: days >= 1, lambda _: 0, "1", []),
    "silent for three days, of which a quarter is divided by older usage": (
        lambda days: days >= 3,
        lambda _: 0,
        "0.25",
        [("stream-silent", days_ago(2), Decimal("22.5"))],
    ),
    "silent for most of the week, which is not told again as a fall": (
        lambda days: days >= 5,
        lambda _: 0,
        "0",
        [("stream-silent", days_ago(4), Decimal(50))],
    ),
    "a stream of one day a week": (lambda days: 5 * (days % 7 == 6), lambda _: 0, "1", []),
    "a stream of one day a week, silent for two": (
        lambda days: 5 * (days % 7 == 1 and days > 7),
        lambda _: 0,
        "0",
        [("stream-silent", days_ago(7), Decimal(80))],
    ),
    "weekends are lower": (lambda days: 1 if days % 7 < 2 else 9, lambda _: 0, "1", []),
    "fallen to less than half of any week": (
        lambda days: 4 if days < 7 else 10 + days % 3,
        lambda _: 0,
        "1",
        [("stream-fell", days_ago(6), Decimal(70))],
    ),
    "just begun": (lambda days: (1 + 50 * (days == 8)) * (days < 9), lambda _: 0, "1", []),
    "customers vanish from the records": (
        lambda days: 8 if days < 7 else 10,
        lambda days: 2 if days < 7 else 0,
        "1",
        [("stream-loses-customers", days_ago(6), Decimal(70))],
    ),
    "bytes by the terabyte": (
        lambda days: 8e13 if days < 7 else 1e14,
        lambda days: 2e13 if days < 7 else 1e12,
        "1",
        [("stream-loses-customers", days_ago(6), Decimal(70))],
    ),
    "as many without a customer as ever": (lambda _: 8, lambda _: 2, "1", []),
    "less than a hundredth without a customer": (lambda _: 1000, lambda days: days == 0, "1", []),
}


@pytest.mark.parametrize("case", CASES)
def test_a_stream_is_judged_by_its_own_past(case: str) -> None:
    usage, nobody, share, expected = CASES[case]
    assert alarms(usage, nobody, share) == expected


def test_what_is_not_billed_yet_is_not_awaited() -> None:
    assert alarms(lambda days: days >= 5, through=days_ago(4)) == []
    assert [code for code, _, _ in alarms(lambda days: days >= 5, through=days_ago(3))] == ["stream-silent"]


def test_records_without_a_customer_of_days_that_are_not_billed_yet_do_not_count() -> None:
    assert alarms(lambda _: 8, lambda days: 2 if days < 6 else 0, through=days_ago(6)) == []


def test_facts_are_those_of_the_last_week_and_the_weeks_before() -> None:
    ((facts,),) = alarms(lambda days: days >= 3, share="0.25", columns="facts")
    assert json.loads(facts) == {
        "divided_cost": "7.500000000000000000000000",
        "usage_quantity": "4.000000000",
        "least_quantity_before": "7.000000000",
        "quantity_without_customer": "0.000000000",
    }
