"""What customers carry by the models of the allocation alone, on many random companies, against the oracle.

The models run on small tables, without the job around them: `test_allocation` runs the whole job on few.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
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
from tests.properties.allocation_by_hand import (
    COST_COLUMNS,
    LONG_TAIL,
    Charge,
    Company,
    Usage,
    add,
    fractions,
    share_set,
)
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

MARTS = ("customer_costs_daily", "customer_costs_hourly", "long_tail_costs", "days_allocated")
# By the seed's words; what no word fits is of the last kind.
FOCUS_CATEGORIES = ("Web", "Storage", "Compute")
CATEGORY_OF_NAME = {"EC2": "Compute", "S3": "Storage", "Dial tone": "Other", None: "Other"}
# Of two categories that fit, the first listed.
CATEGORY_OF_NAME["Backup of RDS"] = "Databases"
Category = tuple[str | None, str | None]
SUMS = ", ".join(f"sum({column})" for column in COST_COLUMNS)
FINGERPRINTS = ("charges", "usage", "signals", "aliases", "rules")
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
            "service_name": random.choice(list(CATEGORY_OF_NAME)),
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


def random_categories(random: Random, charges: list[Charge]) -> list[Category]:
    """Line item type and category of each charge: only without a type it is a FOCUS one."""
    return [
        (
            random.choice([None, None, "Usage"]),
            random.choice([None, "Web", "Storage", "Compute", "instances"]),
        )
        for _ in charges
    ]


def fill(
    connection: duckdb.DuckDBPyConnection,
    charges: list[Charge],
    usage: list[Usage],
    categories: list[Category],
) -> None:
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
            "x_line_item_type": categories[number][0],
            "service_category": categories[number][1],
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
        "create table stg_customers__customers "
        "(customer_id varchar, customer_name varchar, segment varchar, plan varchar, aliases varchar)"
    )
    connection.execute("create schema staging")
    connection.execute("create view staging.stg_customers__customers as from main.stg_customers__customers")
    connection.execute("create table split_shares (usage_date date, lookback_days integer)")
    fingerprints = ", ".join(f"null as {name}_fingerprint" for name in FINGERPRINTS)
    connection.execute(
        f"create table changed_days as select distinct usage_date, {fingerprints} from charges_in_context"
    )
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
    # Marts have the first day of the billing period.
    chosen = ", ".join((*columns, *COST_COLUMNS)).replace(
        "billing_period", "strftime(billing_month, '%Y-%m')"
    )
    rows = connection.execute(f"select {chosen} from {mart}").fetchall()
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
    check(charges, usage, rules, contexts, random_categories(random, charges))


def test_shares_at_the_edge(tmp_path: Path) -> None:
    """What random companies hardly meet, a day each: see the comments."""
    rules: dict[str, dict[str, Any]] = {
        "storage": {"by": "gibibytes", "when_no_usage": ["unallocated"], "minimum_share": "0.5"},
        "contract": {"shares": {"x": 0.5, "y": 0.5}, "minimum_share": "0.5"},
        "platform": {"by": "allocated_cost", "minimum_share": "0.5"},
        "search": {"by": "searches", "when_no_usage": ["same_day", "unallocated"]},
    }
    contexts = write_contexts(tmp_path / "contexts", rules)
    equal, fixed, tiny, hour, alike, hours = (FIRST_DAY + timedelta(n) for n in range(6))
    charges = [
        # As much as the minimum is enough: by usage, as fixed share, and of overhead.
        edge_charge(equal, "storage", 10),
        edge_charge(equal, "platform", 6),
        edge_charge(fixed, "contract", 8),
        edge_charge(fixed, "platform", 2),
        # A member of the tail whose part of the overhead is cut to nothing.
        edge_charge(tiny, "dedicated", 10**7, customer="w"),
        edge_charge(tiny, "storage", 4),
        edge_charge(tiny, "platform", 1),
        # In the hour there is usage of another feature only, on the day there is more.
        edge_charge(hour, "search", 5),
        # Charges that nothing tells apart but their category.
        *(edge_charge(alike, "contract", 1) for _ in range(6)),
        # The first category is that of one of several charges of an hour, each in its own span of hours.
        edge_charge(hours, "contract", 1, length=2),
        *(edge_charge(hours, "contract", 1, first=first) for first in (0, 0, 1)),
    ]
    named = ("Web", "Web", "Web", "Storage", "Storage", "Storage", "Storage", "Web", "Compute", "Web")
    categories: list[Category] = [(None, None)] * (len(charges) - len(named)) + [
        (None, name) for name in named
    ]
    usage = [
        *(Usage("gibibytes", equal, None, customer, Fraction(7)) for customer in "xy"),
        Usage("gibibytes", tiny, None, "large", Fraction(3 * 10**12)),
        Usage("gibibytes", tiny, None, "middle", Fraction(10**12)),
        Usage("gibibytes", tiny, None, "tiny", Fraction(8)),
        Usage("searches", hour, datetime(*hour.timetuple()[:3]), "x", Fraction(1), {"feature": ["nowhere"]}),
        Usage("searches", hour, datetime(*hour.timetuple()[:3], 5), "y", Fraction(1)),
    ]
    check(charges, usage, rules, contexts, categories)


def test_a_pool_of_more_than_its_column_holds_says_what_to_do(tmp_path: Path) -> None:
    rules = {"contract": {"shares": {"x": 1}}}
    contexts = write_contexts(tmp_path / "contexts", rules)
    with pytest.raises(
        duckdb.Error, match=r"of EC2 on 2026-03-01 is 1000000000000\.0+ USD, .* less than 10\^12"
    ):
        check([edge_charge(FIRST_DAY, "contract", 10**12)], [], rules, contexts, [(None, None)])


def edge_charge(
    day: date, feature: str, cost: int, customer: str | None = None, first: int = 0, length: int = 1
) -> Charge:
    said = {"billing_period": f"{day:%Y-%m}", "feature": feature, "environment": "production"}
    said |= {"service_name": "EC2", "provider_name": "AWS", "charge_category": "Usage"}
    said |= {"billing_currency": "USD", "billing_account_id": "1", "x_source_name": "one"}
    start = datetime(day.year, day.month, day.day, first)
    return Charge(
        day=day,
        start=start,
        end=start + timedelta(hours=length),
        key=tuple(said.get(name) for name in KEY),
        elements={"feature": feature, "environment": "production"},
        currency="USD",
        is_cogs=True,
        rule=feature,
        customer=customer,
        costs=(Fraction(cost),) * len(COST_COLUMNS),
    )


def check(
    charges: list[Charge],
    usage: list[Usage],
    rules: dict[str, dict[str, Any]],
    contexts: Path,
    categories: list[Category],
) -> None:
    by_hand = Company(
        [
            Charge(**{**vars(each), "customer": each.customer and customer_of(each.customer, each.day)})
            for each in charges
        ],
        usage,
        rules_by_hand(rules),
    )
    days = sorted({charge.day for charge in charges})
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false; set threads = 1")
        fill(connection, charges, usage, categories)
        read_also(connection, contexts, days[-1])
        for mart in MARTS:
            build(connection, mart)
        wanted = by_hand.daily()
        found = rows_of(connection, "customer_costs_daily")
        assert found == wanted
        assert rows_of(connection, "customer_costs_hourly", "usage_hour") == by_hand.hourly()
        # Who gets nothing is not among the customers that a long tail counts.
        assert connection.execute("select count(*) from overhead_shares where share <= 0").fetchall() == [
            (0,)
        ]
        check_pools(connection, by_hand, len(charges))
        in_tail = connection.execute(
            "select usage_date, customer_id, billing_currency, effective_cost from long_tail_costs"
        ).fetchall()
        assert {tuple(row[:3]) for row in in_tail if not row[3]} <= set(by_hand.tail_costs())
        costs: dict[tuple[Any, ...], Fraction] = defaultdict(Fraction)
        for *row, cost in in_tail:
            costs[tuple(row)] += Fraction(cost)
        assert costs == by_hand.tail_costs()
        found_categories = connection.execute(
            "select distinct usage_date, service_name, service_category from customer_costs_daily"
        ).fetchall()
        assert {row[:2]: row[2] for row in found_categories} == categories_by_hand(charges, categories)
        assert len(found_categories) == len({row[:2] for row in found_categories})
        looked_back = connection.execute("select usage_date, lookback_days from days_allocated").fetchall()
        assert dict(looked_back) == {day: by_hand.looked_back.get(day, 0) for day in days}


def check_pools(connection: duckdb.DuckDBPyConnection, by_hand: Company, charge_count: int) -> None:
    """Pools hold the charges, by the hour only where a rule divides by it, and explain the costs."""
    pools: dict[tuple[Any, ...], Any] = defaultdict(lambda: (Fraction(0),) * len(COST_COLUMNS))
    for pool in by_hand.pools:
        at = (pool.day, pool.hour, *pool.charge.key)
        pools[at] = add(pools[at], pool.costs)
    rows = connection.execute(
        f"select usage_date, usage_hour, {', '.join(KEY)}, {SUMS} from cost_pools group by all"
    ).fetchall()
    width = 2 + len(KEY)
    assert {row[:width]: fractions(row[width:]) for row in rows} == pools
    counted = connection.execute(
        "select (select sum(charge_count) from cost_pools), sum(charge_share) from charge_groups"
    ).fetchall()
    assert counted == [(charge_count, charge_count)]
    build(connection, "allocations")
    used = connection.execute(
        "select usage_date, usage_hour, allocation_rule, customer_id, usage_quantity, total_usage "
        "from allocations where usage_quantity is not null and allocation_kind = 'usage'"
    ).fetchall()
    assert {(*row[:4], Fraction(row[4]), Fraction(row[5])) for row in used} == set(used_by_hand(by_hand))
    explained = connection.execute(
        f"select pool_cost * share = effective_cost, {SUMS} from allocations group by all"
    ).fetchall()
    assert explained == [(True, *connection.execute(f"select {SUMS} from customer_costs_daily").fetchone())]
    # A filter twice would make another share set of the same usage.
    repeated = "len(string_split(filters, chr(10))) > len(list_distinct(string_split(filters, chr(10))))"
    assert not connection.execute(f"from pool_share_sets where {repeated}").fetchall()


def used_by_hand(by_hand: Company) -> Iterator[tuple[Any, ...]]:
    """Of rules by one stream: who used how much of how much, the long tail together."""
    for number, pool in enumerate(by_hand.pools):
        rule = by_hand.rules.get(pool.charge.rule or "") if pool.charge.is_cogs else None
        if rule is None or len(rule.streams) != 1:
            continue
        ((stream, _, is_hourly),) = rule.streams
        usage = by_hand.usage_of(rule, stream, pool, pool.hour if is_hourly else None)
        used: dict[str, Fraction] = defaultdict(Fraction)
        for customer in share_set(usage) if usage else ():
            used[LONG_TAIL if customer in by_hand.tails[number] else customer] += usage[customer]
        for customer, quantity in used.items():
            yield pool.day, pool.hour, pool.charge.rule, customer, quantity, sum(usage.values())


def categories_by_hand(charges: list[Charge], categories: list[Category]) -> dict[tuple[date, str], str]:
    """Of each day and service: FOCUS' own, the first by name; else the one for the service's name."""
    own: dict[tuple[date, str], set[str]] = defaultdict(set)
    for charge, (line_item_type, category) in zip(charges, categories, strict=True):
        known = own[charge.day, charge.key[KEY.index("service_name")]]
        if line_item_type is None and category in FOCUS_CATEGORIES:
            known.add(category)
    return {at: min(known, default=CATEGORY_OF_NAME[at[1]]) for at, known in own.items()}
