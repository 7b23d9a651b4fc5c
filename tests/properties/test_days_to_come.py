"""How far bills have come, by the model alone: which days of a charge are still to come."""

from __future__ import annotations

from contextlib import closing
from datetime import date

import duckdb
import pytest

from tests.properties.rendered_models import build

# The run is on 29 November 2026. Of each month: the last day with usage that has ended, and with anything.
CASES = {
    "no bill": ({}, None),
    "a finished month, whose usage ends early": ({"2026-10": ("10-01", "10-31")}, "10-31"),
    "a finished month without usage of a day": ({"2026-10": (None, "10-31")}, "10-31"),
    "a month in local time, which ends a day later": ({"2026-10": ("11-01", "11-01")}, "11-01"),
    "the running month, with fees dated ahead": ({"2026-11": ("11-20", "11-30")}, "11-20"),
    "the running month, dated ahead as usage": ({"2026-11": ("11-30", "11-30")}, "11-29"),
    "the running month, a charge for the whole month": ({"2026-11": (None, "11-30")}, "11-29"),
    "a finished month and no usage since": (
        {"2026-10": ("10-29", "10-31"), "2026-11": (None, "11-30")},
        "10-31",
    ),
    "months of charges for the whole month": (
        {"2026-10": (None, "10-31"), "2026-11": (None, "11-30")},
        "11-29",
    ),
}


@pytest.mark.parametrize(
    ("usage_ends", "through"),
    [
        # A month's subscription that goes on says nothing beside daily or weekly usage.
        (["11-01", "11-30"], "11-01"),
        (["11-01", "11-22", "11-30"], "11-22"),
        (["11-22"], "11-22"),
        (["11-29", "11-30"], "11-29"),
    ],
)
def test_usage_that_ended_tells_how_far_the_bill_goes(usage_ends: list[str], through: str) -> None:
    with closing(duckdb.connect()) as connection:
        connection.execute(
            "create table billing_days as select '2026-11' as billing_period, "
            "unnest(range(date '2026-11-01', date '2026-12-01', interval 1 day))::date as usage_date, "
            "list_contains(?, strftime(usage_date, '%m-%d'))::bigint as usage_row_count",
            [usage_ends],
        )
        build(connection, "billed_through")
        found = connection.execute("select billed_through from billed_through").fetchall()
    assert found == [(date.fromisoformat(f"2026-{through}"),)]


@pytest.mark.parametrize("case", CASES)
def test_a_day_is_to_come_only_in_a_running_month(case: str) -> None:
    months, through = CASES[case]
    with closing(duckdb.connect()) as connection:
        connection.execute(
            "create table billing_days (billing_period varchar, usage_date date, usage_row_count bigint)"
        )
        for month, (last_usage, last) in months.items():
            for day, count in ((last_usage, 1), (last, 0)):
                if day:
                    connection.execute(
                        "insert into billing_days values (?, ?, ?)", [month, f"2026-{day}", count]
                    )
        build(connection, "billed_through")
        found = connection.execute("select billed_through from billed_through").fetchall()
    assert found == [(through and date.fromisoformat(f"2026-{through}"),)]
