"""Which billing month and which days a charge is for, however its provider writes ends."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from bills import FolderStore, csv_bytes, focus_row, land, legacy_row, query

OCTOBER = {"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z"}
OCTOBER_DATES = {"BillingPeriodStart": "2026-10-01", "BillingPeriodEnd": "2026-10-31"}


def period(start: str, end: str, **more: Any) -> dict[str, Any]:
    return focus_row(**(OCTOBER | {"ChargePeriodStart": start, "ChargePeriodEnd": end} | more))


def landed(tmp_path: Path, rows: list[dict[str, Any]], columns: str, family: str = "focus") -> list[Any]:
    store = FolderStore(tmp_path / "store")
    store.put("bill.csv", csv_bytes(rows))
    land(store, tmp_path / "landing")
    return query(tmp_path / "landing", f"select {columns} from charges order by landed_row", family)


@pytest.mark.parametrize(
    ("start", "end", "month"),
    [
        ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "2026-10"),
        ("2026-09-30T16:00:00Z", "2026-10-31T16:00:00Z", "2026-10"),  # a month in UTC+8
        ("2026-09-30T16:00:00Z", "2026-10-31T15:59:59Z", "2026-10"),
        (
            "2026-10-01T07:00:00Z",
            "2026-11-01T08:00:00Z",
            "2026-10",
        ),  # in California, across the change of clocks
        ("2026-09-30T16:00:00Z", "", "2026-10"),
        ("2026-10-01", "2026-10-31", "2026-10"),
        ("2026-10-31", "2026-10-31", "2026-10"),
        ("2026-10-15", "2026-11-15", "2026-10"),
        ("2026-10-20", "2026-11-20", "2026-11"),
        ("2026-12-31T16:00:00Z", "2027-01-31T16:00:00Z", "2027-01"),
        ("2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z", "2026-02"),
    ],
)
def test_the_billing_month_is_the_one_that_holds_most_of_the_period(
    tmp_path: Path, start: str, end: str, month: str
) -> None:
    row = period(start, "", BillingPeriodStart=start, BillingPeriodEnd=end)
    assert landed(tmp_path, [row], "billing_period, covered_until") == [(month, None)]


def hours(*written: tuple[str, str]) -> list[dict[str, Any]]:
    return [period(f"2026-10-{start}Z", f"2026-10-{end}Z") for start, end in written]


UTC_8 = {"BillingPeriodStart": "2026-09-30T16:00:00Z", "BillingPeriodEnd": ""}
UTC_13 = {"BillingPeriodStart": "2026-09-30T11:00:00Z", "BillingPeriodEnd": "2026-10-30T11:00:00Z"}
USED, USED_LATER = hours(("05T10:00:00", "05T11:00:00"), ("06T10:00:00", "06T11:00:00"))
DAY = [period("2026-10-05", "2026-10-05"), period("2026-10-06", "2026-10-06")]
MONTH = datetime(2026, 10, 1), datetime(2026, 11, 1)


@pytest.mark.parametrize(
    ("rows", "covered"),
    [
        # FOCUS: the end is the first moment after.
        (hours(("05T10:00:00", "05T11:00:00")), (datetime(2026, 10, 5, 10), datetime(2026, 10, 5, 11))),
        ([period("2026-10-01", "2026-11-01"), *hours(("05T10:00:00", "05T11:00:00"))], MONTH),
        ([period("2026-10-05", "2026-10-07"), *DAY[:0]], (datetime(2026, 10, 5), datetime(2026, 10, 7))),
        # The last second, or minute, of it.
        (hours(("05T10:00:00", "05T10:59:59")), (datetime(2026, 10, 5, 10), datetime(2026, 10, 5, 11))),
        (hours(("05T10:00:00", "05T10:59:59.999")), (datetime(2026, 10, 5, 10), datetime(2026, 10, 5, 11))),
        (hours(("05T00:00:00", "05T23:59:00")), (datetime(2026, 10, 5), datetime(2026, 10, 6))),
        ([period("2026-10-01T00:00:00Z", "2026-10-31T23:59:59Z")], MONTH),
        # The last day: a day's charge ends on the day that it begins.
        (DAY, (datetime(2026, 10, 5), datetime(2026, 10, 6))),
        ([period("2026-10-01", "2026-10-31"), *DAY], MONTH),
        ([period("2026-10-01", "2026-10-31")], MONTH),
        ([period("2026-10-05", "2026-10-07"), *DAY], (datetime(2026, 10, 5), datetime(2026, 10, 8))),
        # One zero-length charge among days that end with the next one says nothing of the others.
        (
            [period("2026-10-05", "2026-10-07"), period("2026-10-06", "2026-10-07"), *DAY[:1]],
            (datetime(2026, 10, 5), datetime(2026, 10, 7)),
        ),
        # The last hour.
        (
            hours(
                ("05T00:00:00", "05T00:00:00"), ("05T01:00:00", "05T01:00:00"), ("05T02:00:00", "05T02:00:00")
            ),
            (datetime(2026, 10, 5), datetime(2026, 10, 5, 1)),
        ),
        # A moment within an hour is that moment; no end, or one before the start, is unknown.
        (hours(("05T10:12:13", "05T10:12:13")), (datetime(2026, 10, 5, 10, 12, 13),) * 2),
        ([period("2026-10-05T10:00:00Z", "")], (datetime(2026, 10, 5, 10), None)),
        (hours(("05T10:00:00", "04T10:00:00")), (datetime(2026, 10, 5, 10), None)),
        # Without a start it is for its billing period, which it never leaves at its end.
        ([period("", "2026-10-31")], MONTH),
        ([period("2026-10-01", "2027-10-01")], MONTH),
        ([period("2026-09-15", "2026-10-15")], (datetime(2026, 9, 15), datetime(2026, 10, 15))),
        # In local time: without an end the period is a month, and its last day may be included.
        ([period("", "", **UTC_8)], (datetime(2026, 9, 30, 16), datetime(2026, 10, 31, 16))),
        ([period("", "", **UTC_13)], (datetime(2026, 9, 30, 11), datetime(2026, 10, 31, 11))),
        # From the end of its billing period on it is of the first day with usage, as is a day's fee (of 25
        # hours, when clocks go back) after the last one; a fee on that day or of more than a day is not.
        ([period("2026-11-01", "2026-11-02"), USED], (datetime(2026, 10, 5), datetime(2026, 10, 6))),
        (
            [period("2026-10-20", "2026-10-21T01:00:00Z", ChargeCategory="Purchase"), USED],
            (datetime(2026, 10, 5), datetime(2026, 10, 6)),
        ),
        (
            [period("2026-10-06", "2026-10-07", ChargeCategory="Purchase"), USED, USED_LATER],
            (datetime(2026, 10, 6), datetime(2026, 10, 7)),
        ),
        (
            [period("2026-10-20", "2026-11-01", ChargeCategory="Tax"), USED],
            (datetime(2026, 10, 20), datetime(2026, 11, 1)),
        ),
    ],
)
def test_the_end_of_a_charge_is_found_from_all_rows(
    tmp_path: Path, rows: list[dict[str, Any]], covered: tuple[datetime, datetime | None]
) -> None:
    assert landed(tmp_path, rows, "covered_from, covered_until")[0] == covered


def test_charges_whose_time_the_file_does_not_say_are_told_with_their_money(tmp_path: Path) -> None:
    rows = [
        period("", "2026-10-31", BilledCost="31"),
        period("2026-10-07", "", BilledCost="5"),
        period("2026-10-08", "2026-10-01", BilledCost="3"),
        *DAY,
    ]
    landed(tmp_path, rows, "*")
    notes = f"from read_parquet('{tmp_path}/landing/notes/billing/*.parquet')"
    told = query(
        tmp_path / "landing",
        f"select split_part(message, ':', 1), severity, row_count, billing_period, effective_cost {notes} "
        "where code = 'charge-without-time' order by effective_cost desc",
    )
    assert told == [
        ("charges have no start", "warning", 1, "2026-10", 31),
        ("charges have no end", "note", 1, "2026-10", 5),
        ("charges end before they start", "warning", 1, "2026-10", 3),
    ]


def test_a_cost_that_is_0_for_one_provider_of_a_bill_is_told(tmp_path: Path) -> None:
    zeros = {"ProviderName": "Oracle", "ListCost": "0", "ContractedCost": "0"}
    rows = [
        period("2026-10-05", "2026-10-06", ProviderName="AWS"),
        period("2026-10-05", "2026-10-06", BilledCost="66", **zeros),
        period("2026-10-05", "2026-10-06", BilledCost="7", **zeros | {"ContractedCost": "7"}),
    ]
    landed(tmp_path, rows, "*")
    notes = f"from read_parquet('{tmp_path}/landing/notes/billing/*.parquet')"
    told = query(
        tmp_path / "landing",
        f"select subject, row_count, billing_period, billing_currency, effective_cost {notes} "
        "where code = 'cost-zero-of-provider'",
    )
    assert told == [("Oracle: list_cost", 2, "2026-10", "USD", 73)]


def test_periods_that_end_on_a_date_decide_where_charges_say_nothing(tmp_path: Path) -> None:
    row = period("2026-10-05", "2026-10-11", **OCTOBER_DATES)
    assert landed(tmp_path, [row], "usage_date, last_usage_date") == [(date(2026, 10, 5), date(2026, 10, 11))]
    assert landed(tmp_path, [row | OCTOBER], "last_usage_date") == [(date(2026, 10, 10),)]


def test_each_provider_has_its_own_habit(tmp_path: Path) -> None:
    rows = [
        period("2026-10-01", "2026-10-31", ProviderName="Inclusive"),
        period("2026-10-05", "2026-10-05", ProviderName="Inclusive"),
        period("2026-10-05", "2026-10-07", ProviderName="Exclusive"),
        *(
            period(f"2026-10-{day:02d}", f"2026-10-{day + 1:02d}", ProviderName="Exclusive")
            for day in range(1, 9)
        ),
    ]
    ends = landed(tmp_path, rows, "covered_until")
    assert [end for (end,) in ends[:3]] == [
        datetime(2026, 11, 1),
        datetime(2026, 10, 6),
        datetime(2026, 10, 7),
    ]


@pytest.mark.parametrize("booked", ["2026-12-20", "2026-10-25", "2027-10-01"])
@pytest.mark.parametrize("family", ["focus", "aws_cur"])
def test_what_is_booked_ahead_is_of_the_first_day_with_usage(
    tmp_path: Path, booked: str, family: str
) -> None:
    usage, fee = "2026-10-05", {"start": f"{booked}T00:00:00Z", "end": f"{booked}T23:59:59Z"}
    if family == "focus":
        rows = [
            period("2026-10-02", "2026-10-03", ChargeCategory="Purchase"),
            period(f"{usage}T10:00:00Z", f"{usage}T11:00:00Z"),
            period("2026-10-06T10:00:00Z", "2026-10-06T11:00:00Z"),
            period(fee["start"], fee["end"], ChargeCategory="Purchase"),
        ]
    else:
        times = {"lineItem/UsageStartDate": fee["start"], "lineItem/UsageEndDate": fee["end"]}
        rows = [
            legacy_row("1", "2026-10-02", "2026-10", **{"lineItem/LineItemType": "Fee"}),
            legacy_row("1", usage, "2026-10"),
            legacy_row("1", "2026-10-06", "2026-10"),
            legacy_row("1", booked, "2026-10", **{"lineItem/LineItemType": "Fee"} | times),
        ]
    days = landed(tmp_path, rows, "billing_period, usage_date, last_usage_date", family)
    assert days[3] == ("2026-10", date(2026, 10, 5), None)
    assert [day for _, day, _ in days[:3]] == [date(2026, 10, 2), date(2026, 10, 5), date(2026, 10, 6)]
    counts = "usage_date, row_count, usage_row_count"
    assert query(tmp_path / "landing", f"select {counts} from days order by 1", family) == [
        (date(2026, 10, 2), 1, 0),
        (date(2026, 10, 5), 2, 1),
        (date(2026, 10, 6), 1, 1),
    ]


@pytest.mark.parametrize(
    ("rows", "last_days"),
    [
        # The day in Berlin on which clocks go back has 25 hours.
        ([period("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")], [25]),
        ([period("2026-10-07", "2026-10-09"), period("2026-10-08", "2026-10-09")], [8]),
        ([period("2026-10-05", "2026-10-12"), period("2026-10-12", "2026-10-19")], [11, 18]),
        ([period("2026-10-01", "2026-11-01")], [31]),
        ([period("2026-10-01", "2026-11-01", ChargeCategory="Tax")], []),
    ],
)
def test_usage_counts_on_the_last_day_that_it_covers(
    tmp_path: Path, rows: list[dict[str, Any]], last_days: list[int]
) -> None:
    landed(tmp_path, rows, "*")
    counted = "select day(usage_date) from days where usage_row_count > 0 order by 1"
    assert [day for (day,) in query(tmp_path / "landing", counted)] == last_days


def test_a_change_of_a_long_charge_changes_every_day_that_it_is_for(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "store")
    tax = {"ChargeCategory": "Tax", "BilledCost": "93"}
    for cost in ("93", "94"):
        rows = [
            period("2026-10-05", "2026-10-06"),
            period("2026-10-01", "2026-10-31", **tax, EffectiveCost=cost),
        ]
        store.put("bill.csv", csv_bytes(rows))
        changed = land(store, tmp_path / "landing").changed_days
        assert changed == tuple(date(2026, 10, day) for day in range(1, 31))
    totals = "sum(row_count), sum(source_billed_cost), count(*)"
    assert query(tmp_path / "landing", f"select {totals} from days", "focus") == [(2, 94.5, 30)]
