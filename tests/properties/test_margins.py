"""The margins marts equal plain Python decimals, on random costs and revenue: refunds, odd periods, aliases,
several currencies, months without a bill, customers who come, go, or have one side only.

The SQL is the one that dbt compiles, on tables that stand in for the models it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple, replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.outputs.sentences import (
    customer_margin_sentence,
    product_margin_sentence,
    segment_margin_sentence,
)
from orchestration.settings import Settings
from orchestration.warehouse.project import prepare_project
from tests.examples import examples
from tests.properties.margins_by_hand import (
    NOT_ONE_CUSTOMER,
    OUTSIDE_THE_MARGIN,
    ZERO,
    Alias,
    BilledDay,
    Cost,
    Daily,
    Margins,
    Revenue,
    daily_revenue,
    furthest,
    last_day,
    ratio,
    shifted,
    text,
)

CONTEXTS = Path(__file__).parent / "contexts_of_allocation"
MARTS = (
    "customer_revenue_daily",
    "billed_months",
    "cost_changes_monthly",
    "customer_margins_monthly",
    "segment_margins_monthly",
    "product_margins_monthly",
    "company_margins_monthly",
)
LAWS = ("assert_margins_hold_the_bill_and_the_revenue", "assert_days_of_revenue_are_the_periods")
READ_MODELS = """
create schema staging; create schema marts;
create table staging.stg_revenue__revenue (
    customer_id varchar, product varchar, billing_currency varchar, period_start date, period_end date,
    revenue decimal(38, 12)
);
create table staging.stg_customers__aliases (
    alias varchar, customer_id varchar, valid_from date, valid_to date
);
create table staging.stg_customers__customers (customer_id varchar, customer_name varchar, segment varchar);
insert into staging.stg_customers__customers values ('ada', 'Ada', 'large'), ('bob', 'Bob', 'small');
create table marts.customer_costs_monthly (
    billing_month date, customer_id varchar, billing_currency varchar, feature varchar,
    environment varchar, service_name varchar, effective_cost decimal(38, 12),
    unallocated_reason varchar
);
create table marts.customer_costs_daily (
    usage_date date, charge_category varchar, unallocated_reason varchar
);
create schema allocation;
create table allocation.long_tail_costs (
    billing_period varchar, customer_id varchar, billing_currency varchar, effective_cost decimal(38, 24)
);
create table marts.customers (customer_id varchar, customer_name varchar, segment varchar, plan varchar);
insert into marts.customers values ('ada', 'Ada', 'large', 'pro'), ('bob', 'Bob', 'small', null),
    ('unallocated', 'unallocated', 'unallocated', null), ('long tail', 'long tail', 'long tail', null);
"""
SEGMENTS = {"ada": "large", "bob": "small", "unallocated": "unallocated"}
# January and February are over, March still runs.
RUN_DAY = date(2026, 3, 20)
# The same name belonged to one customer until a day, and to another one after it.
ALIASES = [
    Alias("shared", "ada", date(1, 1, 1), date(2026, 2, 9)),
    Alias("shared", "bob", date(2026, 2, 10), date(9999, 12, 31)),
]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The SQL of the marts and of the laws about them, as dbt compiles it."""
    workspace = tmp_path_factory.mktemp("compiled")
    (workspace / "landing").mkdir()
    project = prepare_project(Settings(workspace=workspace, contexts=CONTEXTS, product_dimension="feature"))
    target = workspace / "target"
    project = replace(project, variables={**project.variables, "run_day": RUN_DAY.isoformat()})
    # Laws about more than these models read tables that are not there.
    selected = ("--indirect-selection", "empty", "--select", " ".join((*MARTS, *LAWS)))
    assert project.dbt("compile", *selected, folder=target).is_success
    found = {path.stem: path.read_text() for path in target.glob("compiled/**/*.sql")}
    return {name: found[name] for name in (*MARTS, *LAWS)}


@pytest.fixture(scope="module")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect()) as connection:
        connection.execute("attach ':memory:' as warehouse; use warehouse;")
        connection.execute(READ_MODELS)
        yield connection


money = st.one_of(
    st.integers(-(10**15), 10**15).map(lambda units: Decimal(units).scaleb(-12)),
    st.integers(-(10**6), 10**6).map(lambda cents: Decimal(cents).scaleb(-2)),
    st.sampled_from(
        [Decimal("0"), Decimal("1E-12"), Decimal("-1E-12"), Decimal("123456789012.123456789012")]
    ),
)
months = st.sampled_from(["2025-11", "2026-01", "2026-02", "2026-03"])
customers = st.sampled_from(["ada", "bob", "stranger"])
currencies = st.sampled_from(["USD", "USD", "EUR"])
reasons = st.sampled_from(["no rule", "no usage", *OUTSIDE_THE_MARGIN])


@st.composite
def costs(draw: st.DrawFn) -> Cost:
    customer = draw(st.one_of(customers, st.sampled_from(NOT_ONE_CUSTOMER)))
    return Cost(
        month=draw(months),
        customer=customer,
        currency=draw(currencies),
        feature=draw(st.sampled_from(["Search", "search", "Exports", None])),
        environment=draw(st.sampled_from(["production", "test"])),
        service=draw(st.sampled_from(["EC2", "S3"])),
        amount=draw(money),
        reason=draw(reasons) if customer == "unallocated" else None,
        member=draw(customers) if customer == "long tail" else None,
    )


billed = st.builds(
    BilledDay,
    st.dates(date(2026, 1, 1), date(2026, 3, 31)),
    st.sampled_from(["Usage", "Usage", "Tax"]),
    st.sampled_from([None, "no rule", "day to come"]),
)


@st.composite
def revenues(draw: st.DrawFn) -> Revenue:
    month = draw(
        st.sampled_from(["2025-11", "2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2027-01"])
    )
    first, last = date.fromisoformat(f"{month}-01"), last_day(month)
    if draw(st.booleans()):
        first += timedelta(draw(st.integers(0, 40)))
        last = first + timedelta(draw(st.integers(0, 400)))
    return Revenue(
        customer=draw(st.one_of(customers, st.just("shared"))),
        product=draw(st.sampled_from([None, "SEARCH", "Exports", "Support"])),
        currency=draw(currencies),
        first=first,
        last=last,
        amount=draw(money),
    )


def build(
    warehouse: duckdb.DuckDBPyConnection,
    compiled: dict[str, str],
    spent: list[Cost],
    paid: list[Revenue],
    billed_days: list[BilledDay],
) -> None:
    def fill(table: str, rows: list[tuple[Any, ...]]) -> None:
        warehouse.execute(f"delete from {table}")
        if rows:
            places = ", ".join("?" for _ in rows[0])
            warehouse.executemany(f"insert into {table} values ({places})", rows)

    fill("marts.customer_costs_monthly", [(f"{cost.month}-01", *astuple(cost)[1:-1]) for cost in spent])
    tail = [cost for cost in spent if cost.member]
    fill(
        "allocation.long_tail_costs",
        [(cost.month, cost.member, cost.currency, cost.amount) for cost in tail],
    )
    fill("staging.stg_revenue__revenue", [astuple(each) for each in paid])
    fill("marts.customer_costs_daily", [astuple(day) for day in billed_days])
    fill("staging.stg_customers__aliases", [astuple(alias) for alias in ALIASES])
    for mart in MARTS:
        warehouse.execute(f"create or replace table marts.{mart} as {compiled[mart]}")


def rows_of(warehouse: duckdb.DuckDBPyConnection, mart: str) -> list[dict[str, Any]]:
    result = warehouse.execute(f"from marts.{mart}")
    names = [column[0] for column in result.description]
    rows = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    return [row | {k: f"{row[k]:%Y-%m}" for k in row if k == "billing_month"} for row in rows]


# Shrinking by the hundred rows of SQL takes minutes; a failing example is small as it is.
@settings(max_examples=examples(20), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    spent=st.lists(costs(), max_size=14),
    paid=st.lists(revenues(), max_size=8),
    billed_days=st.lists(billed, max_size=5),
)
def test_every_figure_and_reason_is_what_a_person_would_work_out(
    warehouse: duckdb.DuckDBPyConnection,
    compiled: dict[str, str],
    spent: list[Cost],
    paid: list[Revenue],
    billed_days: list[BilledDay],
) -> None:
    build(warehouse, compiled, spent, paid, billed_days)

    daily: Daily = daily_revenue(paid, ALIASES)
    columns = ("usage_date", "customer_id", "product", "billing_currency")
    shown = rows_of(warehouse, "customer_revenue_daily")
    assert {tuple(row[column] for column in columns): row["revenue"] for row in shown} == daily
    assert len(shown) == len(daily)

    expected = Margins(spent, daily, billed_days, RUN_DAY).rows()
    found = {
        (row["billing_month"], row["customer_id"], row["billing_currency"]): row
        for row in rows_of(warehouse, "customer_margins_monthly")
    }
    assert found.keys() == expected.keys()
    for row in found.values():
        row["change_reason"] = customer_margin_sentence(_with_date(row))
    for key, wanted in expected.items():
        assert {column: found[key][column] for column in wanted} == wanted
        assert found[key]["segment"] == SEGMENTS.get(key[1], "unknown")

    check_segments(rows_of(warehouse, "segment_margins_monthly"), list(found.values()))
    products = {
        (row["billing_month"], row["product"], row["billing_currency"]): row
        for row in rows_of(warehouse, "product_margins_monthly")
    }
    check_company(rows_of(warehouse, "company_margins_monthly"), list(found.values()))
    check_products(products, Margins(spent, daily, billed_days, RUN_DAY), daily)
    for law in LAWS:
        assert warehouse.execute(compiled[law]).fetchall() == []


def check_segments(segments: list[dict[str, Any]], customers: list[dict[str, Any]]) -> None:
    keys = ("billing_month", "segment", "billing_currency")
    assert {tuple(row[key] for key in keys) for row in segments} == {
        tuple(row[key] for key in keys) for row in customers
    }
    for row in segments:
        members = [each for each in customers if all(each[key] == row[key] for key in keys)]
        for column in ("revenue", "effective_cost", "other_cost", "cost_to_come", "revenue_to_date"):
            assert row[column] == sum((member[column] for member in members), ZERO)
        for column in ("gross_margin", "previous_gross_margin", "gross_margin_change"):
            amounts = [member[column] for member in members]
            assert row[column] == (None if None in amounts else sum(amounts, ZERO))
        known = row["gross_margin"] is not None
        assert row["gross_margin_ratio"] == (
            ratio(row["gross_margin"], row["revenue_to_date"]) if known else None
        )
        assert row["customer_count"] == sum(
            member["missing_side"] != "both" and member["customer_id"] not in NOT_ONE_CUSTOMER
            for member in members
        )
        if row["gross_margin_change"] is not None:
            changes = {each["customer_id"]: each["gross_margin_change"] for each in members}
            moved = {customer: change for customer, change in changes.items() if change}
            assert row["changed_customer_id"] == (furthest(moved)[0] if moved else None)
            if moved:
                customer = next(each for each in members if each["customer_id"] == row["changed_customer_id"])
                named = f"{customer['customer_name']} {text(customer['gross_margin_change'])}"
                sentence = segment_margin_sentence(row, _with_date(customer))
                assert sentence == f"{named}: {customer['change_reason']}"


def _with_date(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "billing_month": date.fromisoformat(f"{row['billing_month']}-01")}


def check_company(rows: list[dict[str, Any]], customers: list[dict[str, Any]]) -> None:
    keys = ("billing_month", "billing_currency")
    assert {tuple(row[key] for key in keys) for row in rows} == {
        tuple(each[key] for key in keys) for each in customers
    }
    for row in rows:
        members = [each for each in customers if all(each[key] == row[key] for key in keys)]
        margin = sum((each["revenue_to_date"] - each["effective_cost"] for each in members), ZERO)
        assert row["gross_margin"] == margin
        assert row["gross_margin_ratio"] == ratio(margin, row["revenue_to_date"])
        assert row["carried_cost"] + row["unallocated_cost"] == row["effective_cost"]
        changes = [each["gross_margin_change"] for each in members]
        if None not in changes:
            assert row["gross_margin_change"] == sum(changes, ZERO)


def check_products(found: dict[tuple[str, str, str], dict[str, Any]], margins: Margins, daily: Daily) -> None:
    expected = margins.products(daily)
    shown = {
        key: (row["revenue"], row["revenue_to_date"], row["effective_cost"], row["customer_count"])
        for key, row in found.items()
        if row["missing_side"] != "both"
    }
    assert shown == expected
    for (month, product, currency), row in found.items():
        before = expected.get((shifted(month, -1), product, currency), (ZERO, ZERO, ZERO, 0))
        compared = shifted(month, -1) in margins.months and month not in margins.running
        assert row["previous_gross_margin"] == (before[0] - before[2] if compared else None)
        assert row["gross_margin"] == row["revenue_to_date"] - row["effective_cost"]
        assert (product_margin_sentence(row) is None) == (not compared and not row["is_running"])


def test_the_margin_of_the_company_holds_what_nobody_carries(
    warehouse: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    """A bill of 118.75, 95.00 of it carried by nobody, revenue 100.00: the margin is -18.75, not 76 %."""
    spent = [
        Cost("2026-02", "ada", "USD", "Search", "production", "EC2", Decimal("23.75")),
        Cost("2026-02", "unallocated", "USD", None, "production", "EC2", Decimal("95.00"), "no rule"),
        Cost("2026-02", "unallocated", "USD", None, "test", "EC2", Decimal("7.00"), OUTSIDE_THE_MARGIN[0]),
    ]
    paid = [Revenue("ada", None, "USD", date(2026, 2, 1), date(2026, 2, 28), Decimal(100))]
    build(warehouse, compiled, spent, paid, [BilledDay(date(2026, 2, 3))])
    for mart in ("customer_margins_monthly", "segment_margins_monthly", "product_margins_monthly"):
        rows = rows_of(warehouse, mart)
        assert sum(row["revenue_to_date"] - row["effective_cost"] for row in rows) == Decimal("-18.75")
        assert sum(row["gross_margin"] for row in rows) == Decimal("-18.75")
        assert {row["is_running"] for row in rows} == {False}
    (company,) = rows_of(warehouse, "company_margins_monthly")
    assert (company["gross_margin"], company["gross_margin_ratio"]) == (Decimal("-18.75"), Decimal("-0.1875"))
    assert (company["carried_cost"], company["unallocated_cost"]) == (Decimal("23.75"), Decimal("95.00"))
    assert company["other_cost"] == 7


def test_a_month_that_runs_compares_the_days_at_hand(
    warehouse: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    """Five of 31 days are billed: revenue of five days against their cost, and no change against February."""
    spent = [
        Cost("2026-02", "ada", "USD", "Search", "production", "EC2", Decimal(280)),
        Cost("2026-03", "ada", "USD", "Search", "production", "EC2", Decimal(50)),
        Cost("2026-03", "unallocated", "USD", None, "production", "Tax", Decimal(26), "day to come"),
    ]
    paid = [Revenue("ada", None, "USD", date(2026, 2, 1), date(2026, 3, 31), Decimal(590))]
    days = [BilledDay(date(2026, 3, 5)), BilledDay(date(2026, 3, 31), "Tax")]
    days.append(BilledDay(date(2026, 3, 6), "Usage", "day to come"))
    build(warehouse, compiled, spent, paid, days)
    rows = {(row["billing_month"], row["customer_id"]): row for row in rows_of(warehouse, MARTS[3])}
    march = rows["2026-03", "ada"]
    assert (march["revenue"], march["revenue_to_date"], march["gross_margin"]) == (310, 50, 0)
    assert customer_margin_sentence(_with_date(march)) == "so far, through 2026-03-05"
    assert march["gross_margin_change"] is None
    assert rows["2026-03", "unallocated"]["cost_to_come"] == 26
    assert rows["2026-03", "unallocated"]["gross_margin"] == 0


def test_the_long_tail_is_in_the_margins_of_its_customers(
    warehouse: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    """Bob is below a minimum share, ada in part."""
    tail = Cost("2026-02", "long tail", "USD", "Search", "production", "EC2", Decimal(5), None, "bob")
    spent = [
        Cost("2026-02", "ada", "USD", "Search", "production", "EC2", Decimal(60)),
        tail,
        replace(tail, amount=Decimal(2), member="ada"),
    ]
    days = (date(2026, 2, 1), date(2026, 2, 28))
    paid = [Revenue(customer, None, "USD", *days, Decimal(100)) for customer in ("ada", "bob")]
    build(warehouse, compiled, spent, paid, [])
    rows = {row["customer_id"]: row for row in rows_of(warehouse, MARTS[3])}
    shown = {customer: (row["gross_margin"], row["missing_side"]) for customer, row in rows.items()}
    assert shown == {"ada": (38, None), "bob": (95, None)}
    segments = {row["segment"]: row for row in rows_of(warehouse, "segment_margins_monthly")}
    assert {name: (row["customer_count"], row["gross_margin"]) for name, row in segments.items()} == {
        "large": (1, 38),
        "small": (1, 95),
    }


def test_a_margin_that_lost_a_digit_is_found(
    warehouse: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    spent = [Cost("2026-01", "ada", "USD", "Search", "test", "EC2", Decimal(7))]
    paid = [Revenue("ada", None, "USD", date(2026, 1, 1), date(2026, 1, 31), Decimal(100))]
    build(warehouse, compiled, spent, paid, [BilledDay(date(2026, 1, 31))])
    one_digit = "+ 0.000000000001 where usage_date = date '2026-01-05'"
    warehouse.execute(f"update marts.customer_revenue_daily set revenue = revenue {one_digit}")
    for law in LAWS:
        assert warehouse.execute(compiled[law]).fetchall() != []


def test_a_month_of_a_hundred_is_spread_so_that_its_days_differ_by_the_last_digit_at_most(
    warehouse: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    paid = [Revenue("ada", None, "USD", date(2026, 9, 1), date(2026, 9, 30), Decimal("100.00"))]
    build(warehouse, compiled, [], paid, [])
    parts = [row["revenue"] for row in rows_of(warehouse, "customer_revenue_daily")]
    assert sorted(parts) == [Decimal("3.333333333333")] * 20 + [Decimal("3.333333333334")] * 10
    assert sum(parts) == Decimal("100.00")
