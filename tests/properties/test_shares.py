"""What customers carry by the models of the allocation alone, on many random companies, against the oracle.

The models run on small tables, without the job around them: `test_allocation` runs the whole job on few.
"""

from __future__ import annotations

import json
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.compiler import compile_contexts
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from orchestration.warehouse.generate import read_contexts
from tests.examples import examples
from tests.properties.allocation_by_hand import COST_COLUMNS, Charge, Company, Usage, fractions
from tests.properties.rendered_models import PROJECT, build
from tests.properties.test_allocation import (
    ALIASES,
    FIRST_DAY,
    KEY,
    STRANGE,
    STREAMS,
    customer_of,
    random_rules,
    rules_by_hand,
    write_contexts,
)

MARTS = ("customer_costs_daily", "customer_costs_hourly", "long_tail_costs")
SUMS = ", ".join(f"sum({column})" for column in COST_COLUMNS)
SQL_TYPES = {
    **{"text": "varchar", "date": "date", "timestamp": "timestamp"},
    **{"decimal": "decimal(38, 12)", "integer": "bigint"},
}


def random_charges(random: Random, features: list[str], customers: list[str]) -> list[Charge]:
    names = {customer: [customer] for customer in customers}
    for alias, (customer, _) in ALIASES.items():
        names.setdefault(customer, [customer]).append(alias)
    charges = []
    for _ in range(random.randrange(1, 60)):
        day = FIRST_DAY + timedelta(random.choice([0, 0, 1, 3, 8, 20]))
        first = random.choice([0, 9, 23])
        start = datetime(day.year, day.month, day.day, first) + timedelta(minutes=random.choice([0, 0, 30]))
        minutes = random.choice([60, 60, 60 * (24 - first), 30, 1440])
        end = start + timedelta(minutes=minutes)
        feature = random.choice(features)
        environment = "production" if random.random() < 0.9 else "test"
        customer = random.choice(random.choice(list(names.values()))) if random.random() < 0.1 else None
        size = random.choice([10**13, 10**13, 10**4, 10**22])
        costs = fractions(Decimal(random.randrange(-size // 9, size)).scaleb(-12) for _ in COST_COLUMNS)
        said = {
            "billing_period": f"{day:%Y-%m}",
            "feature": feature,
            "environment": environment,
            "service_name": random.choice(["EC2", "S3"]),
            "provider_name": "AWS",
            "charge_category": random.choice(["Usage", "Usage", "Tax"]),
            "charge_class": random.choice([None, None, "Correction"]),
            "billing_currency": random.choice(["USD", "USD", "EUR"]),
            "billing_account_id": "1",
            "x_source_name": random.choice(["one", "two"]),
        }
        charges.append(
            Charge(
                day=day,
                start=start,
                end=end,
                key=tuple(said[name] for name in KEY),
                elements={"feature": feature, "environment": environment},
                currency=str(said["billing_currency"]),
                is_cogs=environment == "production",
                rule="dedicated" if customer else feature if feature != "unknown" else None,
                customer=customer,
                costs=costs,
            )
        )
    return charges


def random_usage(random: Random, customers: list[str], days: list[date]) -> list[Usage]:
    usage = []
    for day in days:
        for stream, is_hourly in STREAMS.items():
            if random.random() < 0.3:
                continue
            for customer in random.sample(customers, random.randrange(len(customers) + 1)):
                hour = datetime(day.year, day.month, day.day, random.choice([0, 5, 23]))
                quantity = random.choice([1, 7, 7, 10**6, 10**14, Fraction(1, 10**9)])
                named = None
                if random.random() < 0.2:
                    named = {"feature": random.choice([["search"], ["mixed", "strict"], ["nowhere"]])}
                usage.append(
                    Usage(stream, day, hour if is_hourly else None, customer, Fraction(quantity), named)
                )
    return usage


def fill(connection: duckdb.DuckDBPyConnection, charges: list[Charge], usage: list[Usage]) -> None:
    columns = {name: SQL_TYPES[kind] for name, kind in CHARGE_COLUMNS.items()}
    columns |= dict.fromkeys(("feature", "environment", "allocation_rule", "direct_customer_id"), "varchar")
    columns |= dict.fromkeys(("feature_rule", "environment_rule"), "integer")
    columns |= {"cost_of_goods_sold": "boolean", "charge_part": "bigint", "charge_share": "decimal(13, 12)"}
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    connection.execute(f"create table charges_in_context ({listed})")
    rows = [
        {
            "charge_id": str(number),
            "usage_date": charge.day,
            "charge_period_start": charge.start,
            "charge_period_end": charge.end,
            "allocation_rule": charge.rule,
            "direct_customer_id": charge.customer,
            "cost_of_goods_sold": charge.is_cogs,
            "sub_account_id": str(number % 3),
            "charge_part": 0,
            "charge_share": 1,
            **dict(zip(KEY, charge.key, strict=True)),
            **{name: exact(cost) for name, cost in zip(COST_COLUMNS, charge.costs, strict=True)},
        }
        for number, charge in enumerate(charges)
    ]
    names = list(rows[0])
    connection.executemany(
        f"insert into charges_in_context ({', '.join(names)}) values ({', '.join('?' * len(names))})",
        [[row[name] for name in names] for row in rows],
    )
    connection.execute(
        "create table usage_by_period (usage_date date, stream varchar, usage_granularity varchar, "
        "usage_period_start timestamp, customer_id varchar, filter varchar, usage_quantity decimal(38, 9))"
    )
    for each in usage:
        connection.execute(
            "insert into usage_by_period values (?, ?, ?, ?, ?, ?, ?)",
            [
                each.day,
                each.stream,
                "hourly" if each.hour else "daily",
                each.hour or datetime(each.day.year, each.day.month, each.day.day),
                each.customer,
                each.filter and json.dumps(each.filter, separators=(",", ":")),
                exact(each.quantity),
            ],
        )


def exact(amount: Fraction) -> Decimal:
    return Decimal(int(amount * 10**12)).scaleb(-12)


def read_also(connection: duckdb.DuckDBPyConnection, contexts: Path, last: date) -> None:
    """What the models read besides charges and usage."""
    rules = compile_contexts(read_contexts(contexts), {}).files["models/rules/allocation_rules.sql"]
    connection.execute(f"create table allocation_rules as {rules.partition(chr(10))[2]}")
    connection.execute(f"create table billed_through as select date '{last}' as billed_through")
    seed = PROJECT / "seeds" / "service_categories.csv"
    connection.execute(f"create table service_categories as from read_csv('{seed}')")
    connection.execute(
        "create table stg_customers__aliases "
        "(alias varchar, customer_id varchar, valid_from date, valid_to date)"
    )
    connection.executemany(
        "insert into stg_customers__aliases values (?, ?, date '0001-01-01', ?)",
        [(alias, customer, until) for alias, (customer, until) in ALIASES.items()],
    )


def rows_of(connection: duckdb.DuckDBPyConnection, mart: str, *last: str) -> dict[tuple[Any, ...], Any]:
    columns = ("usage_date", *KEY, "customer_id", "allocation_kind", "unallocated_reason", *last)
    rows = connection.execute(f"select {', '.join((*columns, *COST_COLUMNS))} from {mart}").fetchall()
    found = {row[: len(columns)]: fractions(row[len(columns) :]) for row in rows}
    assert len(found) == len(rows)
    return found


@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
@given(seed=st.integers(0, 2**32))
def test_customers_carry_pools_times_shares(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    random = Random(seed)
    rules = random_rules(random)
    contexts = write_contexts(tmp_path_factory.mktemp("company") / "contexts", rules)
    customers = [f"customer-{n}" for n in range(random.randrange(1, 8))] + [STRANGE, "a", "A & Co"]
    # A few features, so that several charges meet in a pool.
    charges = random_charges(random, random.sample([*rules, "unknown"], 6), customers)
    days = sorted({FIRST_DAY + timedelta(n) for n in (0, 1, 3, 7, 8, 19)})
    # Usage has the ids of customers, not their aliases: those are the landing's.
    usage = random_usage(random, [name for name in customers if name != "a"], days)
    by_hand = Company(
        [
            Charge(**{**vars(each), "customer": each.customer and customer_of(each.customer, each.day)})
            for each in charges
        ],
        usage,
        rules_by_hand(rules),
    )
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false; set threads = 1")
        fill(connection, charges, usage)
        read_also(connection, contexts, max(charge.day for charge in charges))
        for mart in MARTS:
            build(connection, mart)
        wanted = by_hand.daily()
        found = rows_of(connection, "customer_costs_daily")
        assert found == wanted
        assert rows_of(connection, "customer_costs_hourly", "usage_hour") == by_hand.hourly()
        counted = connection.execute("select sum(charge_count) from cost_pools").fetchall()
        assert counted == [(len(charges),)]
        build(connection, "allocations")
        explained = connection.execute(
            f"select pool_cost * share = effective_cost, {SUMS} from allocations group by all"
        ).fetchall()
        assert explained == [
            (True, *connection.execute(f"select {SUMS} from customer_costs_daily").fetchone())
        ]
        in_tail = connection.execute(
            "select usage_date, customer_id, billing_currency, sum(effective_cost) "
            "from long_tail_costs group by all"
        ).fetchall()
        assert {tuple(row[:3]): Fraction(row[3]) for row in in_tail} == by_hand.tail_costs()
