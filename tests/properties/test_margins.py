"""The margins marts equal plain Python decimals, on random costs and revenue: refunds, odd periods, aliases,
several currencies, months without a bill, customers who come, go, or have one side only.

The SQL is the one that dbt compiles, on tables that stand in for the models it reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import astuple
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.settings import Settings
from orchestration.warehouse.project import prepare_project
from tests.properties.margins_by_hand import (
    ZERO,
    Alias,
    Cost,
    Daily,
    Margins,
    Revenue,
    daily_revenue,
    last_day,
    ratio,
    shifted,
)

CONTEXTS = Path(__file__).parent / "contexts_of_allocation"
MARTS = (
    "customer_revenue_daily",
    "cost_changes_monthly",
    "customer_margins_monthly",
    "segment_margins_monthly",
    "product_margins_monthly",
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
create table marts.customer_costs_monthly (
    billing_period varchar, customer_id varchar, billing_currency varchar, feature varchar,
    environment varchar, service_name varchar, effective_cost decimal(38, 12)
);
create table marts.customer_totals_daily (usage_date date);
create table marts.customers (customer_id varchar, customer_name varchar, segment varchar, plan varchar);
insert into marts.customers values ('ada', 'Ada', 'large', 'pro'), ('bob', 'Bob', 'small', null);
"""
SEGMENTS = {"ada": "large", "bob": "small", "unallocated": "unallocated"}
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
    command = project.arguments("compile", "--quiet", "--select", " ".join((*MARTS, *LAWS)))
    project.resource.cli(command, target_path=target).wait()
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
months = st.sampled_from(["2026-01", "2026-02", "2026-03", "2026-05"])
customers = st.sampled_from(["ada", "bob", "stranger"])
currencies = st.sampled_from(["USD", "USD", "EUR"])
costs = st.builds(
    Cost,
    month=months,
    customer=st.one_of(customers, st.just("unallocated")),
    currency=currencies,
    feature=st.sampled_from(["Search", "search", "Exports", None]),
    environment=st.sampled_from(["production", "test"]),
    service=st.sampled_from(["EC2", "S3"]),
    amount=money,
)


@st.composite
def revenues(draw: st.DrawFn) -> Revenue:
    month = draw(
        st.sampled_from(["2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2027-01"])
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
    billed_days: list[date],
) -> None:
    def fill(table: str, rows: list[tuple[Any, ...]]) -> None:
        warehouse.execute(f"delete from {table}")
        if rows:
            places = ", ".join("?" for _ in rows[0])
            warehouse.executemany(f"insert into {table} values ({places})", rows)

    fill("marts.customer_costs_monthly", [astuple(cost) for cost in spent])
    fill("staging.stg_revenue__revenue", [astuple(each) for each in paid])
    fill("marts.customer_totals_daily", [(day,) for day in billed_days])
    fill("staging.stg_customers__aliases", [astuple(alias) for alias in ALIASES])
    for mart in MARTS:
        warehouse.execute(f"create or replace table marts.{mart} as {compiled[mart]}")


def rows_of(warehouse: duckdb.DuckDBPyConnection, mart: str) -> list[dict[str, Any]]:
    result = warehouse.execute(f"from marts.{mart}")
    names = [column[0] for column in result.description]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


# Shrinking by the hundred rows of SQL takes minutes; a failing example is small as it is.
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    spent=st.lists(costs, max_size=14),
    paid=st.lists(revenues(), max_size=8),
    billed_days=st.lists(st.dates(date(2026, 1, 1), date(2026, 5, 31)), max_size=5),
)
def test_every_figure_and_reason_is_what_a_person_would_work_out(
    warehouse: duckdb.DuckDBPyConnection,
    compiled: dict[str, str],
    spent: list[Cost],
    paid: list[Revenue],
    billed_days: list[date],
) -> None:
    build(warehouse, compiled, spent, paid, billed_days)

    daily: Daily = daily_revenue(paid, ALIASES)
    columns = ("usage_date", "customer_id", "product", "billing_currency")
    shown = rows_of(warehouse, "customer_revenue_daily")
    assert {tuple(row[column] for column in columns): row["revenue"] for row in shown} == daily
    assert len(shown) == len(daily)

    expected = Margins(spent, daily, billed_days).rows()
    found = {
        (row["billing_month"], row["customer_id"], row["billing_currency"]): row
        for row in rows_of(warehouse, "customer_margins_monthly")
    }
    assert found.keys() == expected.keys()
    for key, wanted in expected.items():
        assert {column: found[key][column] for column in wanted} == wanted
        assert found[key]["segment"] == SEGMENTS.get(key[1], "unknown")

    check_segments(rows_of(warehouse, "segment_margins_monthly"), list(found.values()))
    products = {
        (row["billing_month"], row["product"], row["billing_currency"]): row
        for row in rows_of(warehouse, "product_margins_monthly")
    }
    check_products(products, Margins(spent, daily, billed_days), daily)
    for law in LAWS:
        assert warehouse.execute(compiled[law]).fetchall() == []


def check_segments(segments: list[dict[str, Any]], customers: list[dict[str, Any]]) -> None:
    keys = ("billing_month", "segment", "billing_currency")
    assert {tuple(row[key] for key in keys) for row in segments} == {
        tuple(row[key] for key in keys) for row in customers
    }
    for row in segments:
        members = [each for each in customers if all(each[key] == row[key] for key in keys)]
        for column in ("revenue", "effective_cost", "gross_margin", "revenue_to_date"):
            assert row[column] == sum((member[column] for member in members), ZERO)
        assert row["gross_margin_ratio"] == ratio(row["gross_margin"], row["revenue"])
        assert row["customer_count"] == sum(
            member["missing_side"] != "both" and member["customer_id"] != "unallocated" for member in members
        )
        if row["gross_margin_change"] is not None:
            assert row["gross_margin_change"] == sum(member["gross_margin_change"] for member in members)
            reasons = [f"{m['customer_name']} " for m in members if m["gross_margin_change"]]
            assert (row["change_reason"] or "").startswith(tuple(reasons)) if reasons else True


def check_products(found: dict[tuple[str, str, str], dict[str, Any]], margins: Margins, daily: Daily) -> None:
    expected = margins.products(daily)
    shown = {
        key: (row["revenue"], row["effective_cost"], row["customer_count"])
        for key, row in found.items()
        if row["missing_side"] != "both"
    }
    assert shown == expected
    for (month, product, currency), row in found.items():
        before = expected.get((shifted(month, -1), product, currency), (ZERO, ZERO, 0))
        previous = before[0] - before[1] if shifted(month, -1) in margins.months else None
        assert row["previous_gross_margin"] == previous


def test_a_margin_that_lost_a_digit_is_found(
    warehouse: duckdb.DuckDBPyConnection, compiled: dict[str, str]
) -> None:
    spent = [Cost("2026-01", "ada", "USD", "Search", "test", "EC2", Decimal(7))]
    paid = [Revenue("ada", None, "USD", date(2026, 1, 1), date(2026, 1, 31), Decimal(100))]
    build(warehouse, compiled, spent, paid, [date(2026, 1, 31)])
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
