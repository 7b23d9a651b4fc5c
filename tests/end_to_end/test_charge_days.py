"""The days of charges, in whole runs: several small bills, a currency each, so that none meets another.

What is expected is worked out here, by hand or from the definition: what has run up by the end of each day,
cut at the twelfth digit.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Context, Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from tests.end_to_end.running import Company

CONTEXTS = {
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
default: Shared
rules:
  - from: {tag: app}
""",
    "streams.yml": "streams:\n  requests: {unit: request, granularity: hourly, description: Requests}\n",
    "allocation.yml": """\
allocate_to: customer
cost_of_goods_sold: everything
rules:
  - name: dedicated
    when: {tag: customer, exists: true}
    to: {tag: customer}
  - name: api
    when: {tag: app, equals: api}
    by: requests
  - name: overhead
    by: allocated_cost
""",
}
Row = dict[str, Any]
NUMBERS = Context(prec=60, rounding=ROUND_DOWN)


def charge(start: str, end: str, cost: str, currency: str, customer: str = "", **more: str) -> Row:
    return {
        "BillingAccountId": f"account of {currency}",
        "ProviderName": f"provider of {currency}",
        "BillingCurrency": currency,
        "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": start,
        "ChargePeriodEnd": end,
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost),
        "ConsumedQuantity": cost,
        "ServiceName": "Compute",
        "Tags": json.dumps({"customer": customer}) if customer else "{}",
    } | more


def write(company: Path, name: str, rows: list[Row]) -> None:
    path = company / "workspace" / "sources" / "billing" / f"{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def write_company(company: Path) -> None:
    for name, text in CONTEXTS.items():
        path = company / "contexts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources = company / "workspace" / "sources"
    (sources / "customers").mkdir(parents=True)
    (sources / "customers" / "customers.csv").write_text("customer_id,customer_name\nada,Ada\nbob,Bob\n")
    (sources / "telemetry").mkdir()
    records = [
        {
            "stream": "requests",
            "timestamp": f"2026-10-05T{hour:02d}:00:00Z",
            "customer_id": "bob" if hour else "ada",
            "value": 10,
        }
        for hour in range(24)
    ]
    (sources / "telemetry" / "usage.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")


def days_of_october(first: int, last: int, currency: str, cost: str, customer: str) -> list[Row]:
    return [
        charge(f"2026-10-{day:02d}", str(date(2026, 10, day) + timedelta(1)), cost, currency, customer)
        for day in range(first, last + 1)
    ]


def random_charges(random: Random) -> list[Row]:
    """Charges of some seconds to a month, which begin and end at any second."""
    rows = []
    for number in range(150):
        start = datetime(2026, 10, 1) + timedelta(seconds=random.randrange(30 * 86400))
        rest = (datetime(2026, 11, 1) - start) // timedelta(seconds=1)
        end = start + timedelta(seconds=random.choice([1, random.randrange(1, min(rest, 90000)), rest]))
        cost = Decimal(random.randrange(-(10**16), 10**18)).scaleb(-12)
        row = charge(f"{start:%Y-%m-%dT%H:%M:%SZ}", f"{end:%Y-%m-%dT%H:%M:%SZ}", f"{cost:f}", "JPY")
        rows.append(
            row
            | {
                "ChargeDescription": str(number),
                "EffectiveCost": f"{(cost / 2).quantize(Decimal('1e-12')):f}",
            }
        )
    return rows


def midnight(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


def parts(row: Row, column: str) -> dict[date, Decimal]:
    """The charge's cost of each day: what has run up by its end, less what had before."""
    start, end = (datetime.fromisoformat(row[name][:19]) for name in ("ChargePeriodStart", "ChargePeriodEnd"))
    end = end + timedelta(seconds=1) if (end.minute, end.second) == (59, 59) else end
    amount, seconds = Decimal(row[column]), Decimal((end - start) // timedelta(seconds=1))
    costs, before, day = {}, Decimal(0), start.date()
    while midnight(day) < end:
        until = min(end, midnight(day + timedelta(1)))
        covered = Decimal((until - start) // timedelta(seconds=1))
        run_up = NUMBERS.divide(NUMBERS.multiply(amount, covered), seconds)
        run_up = run_up.quantize(Decimal("1e-12"), context=NUMBERS)
        costs[day], before, day = run_up - before, run_up, day + timedelta(1)
    return costs


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its whole October is billed."""
    root = tmp_path_factory.mktemp("company")
    write_company(root)
    east = {"BillingPeriodStart": "2026-09-30T16:00:00Z", "BillingPeriodEnd": "2026-10-31T15:59:59Z"}
    starts = ["2026-09-30", "2026-10-01", "2026-10-02", "2026-10-03"]
    write(
        root,
        "east",
        [
            charge(f"{day}T16:00:00Z", f"{end}T15:59:59Z", "10.00", "CNY", "ada", **east)
            for day, end in pairwise(starts)
        ],
    )
    inclusive = charge("2026-10-05", "2026-10-05", "240.00", "SEK", Tags='{"app": "api"}')
    write(root, "inclusive", [inclusive])
    tax = charge("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", "93.00", "USD", ChargeCategory="Tax")
    usage = [*days_of_october(1, 15, "USD", "30.00", "ada"), *days_of_october(16, 31, "USD", "30.00", "bob")]
    write(root, "month", [*usage, tax])
    write(
        root,
        "ahead",
        [
            charge("2026-10-05T10:00:00Z", "2026-10-05T11:00:00Z", "10.00", "CHF", "ada"),
            charge(
                "2026-12-20T00:00:00Z", "2026-12-21T00:00:00Z", "500.00", "CHF", ChargeCategory="Purchase"
            ),
            charge("", "", "31.00", "CHF", ChargeCategory="Tax"),
        ],
    )
    write(root, "random", random_charges(Random(7)))
    company = Company(root)
    good, printed = company.run()
    assert good, printed
    return company


def costs(
    company: Company, currency: str, columns: str = "strftime(billing_month, '%Y-%m'), customer_id"
) -> dict[Any, Decimal]:
    published = company.settings.published_folder / "current.duckdb"
    with duckdb.connect(str(published), read_only=True) as connection:
        rows = connection.execute(
            f"select {columns}, sum(effective_cost) from customer_costs_daily where billing_currency = ? "
            "group by all",
            [currency],
        ).fetchall()
    return {tuple(row[:-1]): row[-1] for row in rows if row[-1]}


def test_a_month_in_local_time_is_one_billing_month(company: Company) -> None:
    assert costs(company, "CNY") == {("2026-10", "ada"): Decimal(30)}
    by_day = costs(company, "CNY", "usage_date")
    assert by_day[date(2026, 9, 30),] == Decimal("3.333333333333")
    assert by_day[date(2026, 10, 1),] == Decimal("6.666666666667") + Decimal("3.333333333333")


def test_an_inclusive_end_makes_a_days_charge(company: Company) -> None:
    # A share has twelve digits: 0.041666666666 of 240.00 is 10.00 to the cent.
    carried = {key: round(cost, 2) for key, cost in costs(company, "SEK").items()}
    assert carried == {("2026-10", "ada"): Decimal(10), ("2026-10", "bob"): Decimal(230)}


def test_a_months_tax_is_divided_by_each_days_usage(company: Company) -> None:
    assert costs(company, "USD") == {("2026-10", "ada"): Decimal(495), ("2026-10", "bob"): Decimal(528)}
    assert set(costs(company, "USD", "usage_date").values()) == {Decimal(33)}


def test_what_is_booked_ahead_or_without_a_start_stays_in_its_month(company: Company) -> None:
    carried = costs(company, "CHF", "strftime(billing_month, '%Y-%m'), customer_id, usage_date")
    assert carried["2026-10", "ada", date(2026, 10, 5)] == Decimal(511)
    assert sum(carried.values()) == Decimal(541)
    assert {day for _, _, day in carried} == {date(2026, 10, day) for day in range(1, 32)}


def test_random_charges_are_spread_to_the_last_digit(company: Company) -> None:
    expected: dict[tuple[int, date], dict[str, Decimal]] = defaultdict(dict)
    columns = {
        "BilledCost": "billed_cost",
        "EffectiveCost": "effective_cost",
        "ConsumedQuantity": "consumed_quantity",
    }
    for number, row in enumerate(random_charges(Random(7))):
        for column, name in columns.items():
            for day, part in parts(row, column).items():
                expected[number, day][name] = part
    with duckdb.connect(str(company.settings.warehouse_file), read_only=True) as connection:
        rows = connection.execute(
            f"select x_landed_row - 1, usage_date, charge_period_start::date, {', '.join(columns.values())} "
            "from staging.charges where billing_currency = 'JPY'"
        ).fetchall()
    assert all(day == start for _, day, start, *_ in rows)
    assert {
        (row, day): dict(zip(columns.values(), amounts, strict=True)) for row, day, _, *amounts in rows
    } == expected


def test_the_days_to_come_are_seen_apart_until_they_come(tmp_path: Path) -> None:
    """A running month's tax of 1.00 a day, delivered on two days of the month."""
    write_company(tmp_path)
    company = Company(tmp_path)
    today = datetime.now(UTC).date()
    first = today.replace(day=1)
    following = (first + timedelta(31)).replace(day=1)
    days = (following - first).days
    month = {"BillingPeriodStart": str(first), "BillingPeriodEnd": str(following)}
    tax = charge(str(first), str(following), f"{days}.00", "USD", ChargeCategory="Tax", **month)
    for last_day in sorted({max(1, today.day - 5), max(1, today.day - 1)}):
        last = first.replace(day=last_day)
        usage = [
            charge(str(day), str(day + timedelta(1)), "10.00", "USD", "ada", **month)
            for day in (first + timedelta(n) for n in range(last_day))
        ]
        write(tmp_path, "month", [*usage, tax])
        good, printed = company.run()
        assert good, printed
        by_reason = costs(company, "USD", "customer_id, unallocated_reason")
        assert by_reason == {
            ("ada", None): Decimal(11 * last_day),
            ("unallocated", "day to come"): Decimal(days - last_day),
        }
        to_come = costs(company, "USD", "unallocated_reason, usage_date")
        assert {day for reason, day in to_come if reason} == {
            last + timedelta(n) for n in range(1, days - last_day + 1)
        }
        with duckdb.connect(
            str(company.settings.published_folder / "current.duckdb"), read_only=True
        ) as marts:
            through = marts.execute("select distinct billed_through from customer_margins_monthly").fetchall()
            totals = marts.execute("select sum(effective_cost) from customer_totals_daily").fetchall()
        assert through == [(last,)]
        assert totals == [(Decimal(11 * last_day),)]
