"""Every row of what customers carry equals the oracle's, by the day and by the hour.

One build of the real job holds several companies, forty days apart, and several sets of rules made at
random, each for features of its own: every set and company is an example. A company has eight days, each a
case of its own: negative pools, no usage, one customer, very many, equal shares, the smallest and very large
amounts and usage.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.automation.run import run_job
from orchestration.settings import Settings
from tests.end_to_end import spark_cluster
from tests.examples import examples
from tests.properties.allocation_by_hand import (
    COST_COLUMNS,
    Charge,
    Company,
    Rule,
    Usage,
    add,
    fractions,
)

CONTEXTS = Path(__file__).parent / "contexts_of_allocation"
FIRST_DAY = date(2026, 3, 1)
COMPANIES, DAYS_OF_A_COMPANY, DAYS_APART = 3, 8, 40
RULE_SETS = 4
LARGEST_COMPANY, MOST_CUSTOMERS = 1, 1_000
STRANGE = "c'; drop table x"
STREAMS = {"searches": True, "logins": True, "gibibytes": False}
# Another id of whom, until when. The contract is with "a" by the name of before.
ALIASES = {
    "zero": ("customer-0", date.max),
    "strange before": (STRANGE, FIRST_DAY + timedelta(5)),
    "a": ("A & Co", date.max),
}
HEADER = {
    "id": "identity/LineItemId",
    "interval": "identity/TimeInterval",
    "payer": "bill/PayerAccountId",
    "period_start": "bill/BillingPeriodStartDate",
    "period_end": "bill/BillingPeriodEndDate",
    "account": "lineItem/UsageAccountId",
    "type": "lineItem/LineItemType",
    "start": "lineItem/UsageStartDate",
    "end": "lineItem/UsageEndDate",
    "product": "lineItem/ProductCode",
    "usage_type": "lineItem/UsageType",
    "operation": "lineItem/Operation",
    "amount": "lineItem/UsageAmount",
    "currency": "lineItem/CurrencyCode",
    "unblended": "lineItem/UnblendedCost",
    "description": "lineItem/LineItemDescription",
    "on_demand": "pricing/publicOnDemandCost",
    "feature": "resourceTags/user:feature",
    "environment": "resourceTags/user:environment",
    "customer": "resourceTags/user:customer",
}


def bill_line(
    random: Random, number: int, day: date, feature: str, cost: Decimal, **other: str
) -> dict[str, str]:
    start = datetime(day.year, day.month, day.day, random.randrange(24))
    end = start + timedelta(hours=random.choice([1, 1, 1, 24]))
    return {
        "id": str(number),
        "interval": f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}",
        "payer": "012345678901",
        "period_start": f"{day:%Y-%m-01T00:00:00.000Z}",
        "period_end": "2026-04-01T00:00:00.000Z",
        "account": "012345678901",
        "type": "Credit" if cost < 0 else random.choice(["Usage", "Usage", "Usage", "Tax"]),
        "start": f"{start:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        "product": random.choice(["AmazonEC2", "AmazonS3"]),
        "amount": "1",
        "currency": random.choice(["USD", "USD", "EUR"]),
        "unblended": f"{cost:f}",
        "on_demand": f"{random.randrange(10**9)}E-7",
        "feature": feature,
        **other,
    }


def random_parts(random: Random, count: int) -> list[Decimal]:
    """Numbers of six digits above 0 that sum to 1."""
    points = sorted(random.sample(range(1, 10**6), count - 1))
    return [Decimal(b - a).scaleb(-6) for a, b in zip([0, *points], [*points, 10**6], strict=True)]


def random_rule_sets(random: Random) -> dict[str, dict[str, Any]]:
    """Rules of allocation.yml by name, which is also the feature that each divides."""
    return {
        in_set(name, number): rule
        for number in range(RULE_SETS)
        for name, rule in random_rules(random).items()
    }


def in_set(name: str, rule_set: int) -> str:
    """A rule's name in its set; the first set has the plain ones."""
    return f"{name}_{rule_set}" if rule_set else name


def random_rules(random: Random) -> dict[str, dict[str, Any]]:
    """One set of rules by their plain names."""

    def windows() -> list[str]:
        every = ["same_day", "trailing_7_days", "trailing_30_days"]
        return [window for window in every if random.random() < 0.5] + ["unallocated"]

    def by_usage(*streams: str) -> dict[str, Any]:
        weights = random_parts(random, len(streams))
        listed = [{"stream": s, "weight": w} for s, w in zip(streams, weights, strict=True)]
        return {"by": listed if len(streams) > 1 else streams[0], "when_no_usage": windows()}

    contract = zip(["a", "b", STRANGE], random_parts(random, 3), strict=True)
    rules: dict[str, dict[str, Any]] = {
        "search": by_usage("searches"),
        "strict": by_usage("searches") | {"when_no_usage": ["unallocated"]},
        "daily": by_usage("searches") | {"granularity": "daily"},
        "storage": by_usage("gibibytes"),
        "mixed": by_usage("searches", "gibibytes"),
        "three": by_usage("logins", "searches", "gibibytes"),
        "seats": {"by": "even"},
        "contract": {"shares": dict(contract)},
        "gift": {"none": True},
        "platform": {"by": "allocated_cost"},
        "support": {"by": "allocated_cost"},
    }
    limits = {"search": "0.0007", "mixed": "0.002", "platform": "0.01", "contract": "0.3", "three": "0.05"}
    for name, limit in limits.items():
        if random.random() < 0.7:
            rules[name]["minimum_share"] = limit
    return rules


def write_contexts(folder: Path, rules: dict[str, dict[str, Any]]) -> Path:
    named = [{"name": "dedicated", "when": {"tag": "customer", "exists": True}, "to": {"tag": "customer"}}]
    for name, rule in rules.items():
        named.append({"name": name, "when": {"dimension": "feature", "equals": name}, **rule})
    streams = {
        name: {"unit": "one", "granularity": "hourly" if is_hourly else "daily", "description": name}
        for name, is_hourly in STREAMS.items()
    }
    allocation = {
        "allocate_to": "customer",
        "cost_of_goods_sold": {"dimension": "environment", "equals": "production"},
        "rules": named,
    }
    (folder / "dimensions").mkdir(parents=True)
    for file in (CONTEXTS / "dimensions").iterdir():
        (folder / "dimensions" / file.name).write_text(file.read_text())
    # JSON is YAML.
    (folder / "allocation.yml").write_text(json.dumps(allocation, default=float))
    (folder / "streams.yml").write_text(json.dumps({"streams": streams}))
    return folder


def rules_by_hand(rules: dict[str, dict[str, Any]]) -> dict[str, Rule]:
    """The same rules as the oracle takes them."""
    by_hand = {"dedicated": Rule("to")}
    for name, rule in rules.items():
        minimum = Fraction(rule.get("minimum_share", "0"))
        by = rule.get("by")
        if "none" in rule:
            by_hand[name] = Rule("none")
        elif "shares" in rule:
            shares = {ALIASES.get(c, (c,))[0]: Fraction(share) for c, share in rule["shares"].items()}
            by_hand[name] = Rule("fixed", shares=tuple(shares.items()), minimum_share=minimum)
        elif by in ("even", "allocated_cost"):
            by_hand[name] = Rule(by, minimum_share=minimum)
        else:
            listed = by if isinstance(by, list) else [{"stream": by, "weight": 1}]
            is_by_day = rule.get("granularity") == "daily"
            streams = [(s["stream"], Fraction(s["weight"]), STREAMS[s["stream"]]) for s in listed]
            by_hand[name] = Rule(
                "stream",
                tuple((stream, weight, hourly and not is_by_day) for stream, weight, hourly in streams),
                tuple(window for window in rule["when_no_usage"] if window != "unallocated"),
                minimum_share=minimum,
            )
    return by_hand


def random_companies(random: Random) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Lines of a bill and usage records of all companies."""
    names = {customer: [customer] * 4 for customer, _ in ALIASES.values()}
    for alias, (customer, _) in ALIASES.items():
        names[customer].append(alias)
    lines: list[dict[str, str]] = []
    records: list[dict[str, Any]] = []
    plain = [*random_rules(random), "unknown"]
    features = [in_set(name, number) for number in range(RULE_SETS) for name in plain]

    def line(day: date, feature: str, cost: Decimal, **other: str) -> None:
        lines.append(bill_line(random, len(lines), day, feature, cost, **other))

    def use(stream: str, when: datetime, customer: str, value: Decimal) -> None:
        customer = random.choice(names.get(customer, [customer]))
        timestamp = f"{when:%Y-%m-%dT%H:%M:%SZ}"
        record = {"stream": stream, "timestamp": timestamp, "customer_id": customer, "value": str(value)}
        if random.random() < 0.05:
            elements = random.choice([["search"], ["strict", "mixed"], ["storage"], ["nowhere"]])
            rule_set = random.randrange(RULE_SETS)
            record["filter"] = {"feature": [in_set(element, rule_set) for element in elements]}
            if random.random() < 0.2:
                record["filter"]["environment"] = ["production"]
        records.append(record)

    for number in range(COMPANIES * DAYS_OF_A_COMPANY):
        company, extreme = divmod(number, DAYS_OF_A_COMPANY)
        day = FIRST_DAY + timedelta(company * DAYS_APART + extreme)
        is_largest = company == LARGEST_COMPANY and extreme == 3
        many = [f"customer-{n}" for n in range(MOST_CUSTOMERS if is_largest else 400)]
        customers = {2: ["only"], 3: many}.get(
            extreme, [f"customer-{n}" for n in range(random.randrange(2, 9))] + [STRANGE, "ünï ☃"]
        )
        for feature in plain if is_largest else random.choices(features, k=6 * RULE_SETS):
            cost = Decimal(random.randrange(1, 10**13)).scaleb(-12 + random.randrange(5))
            if extreme == 0 or random.random() < 0.1:
                cost = -cost
            if extreme == 5:
                cost = Decimal(random.choice([-3, -1, 1, 2, 7])).scaleb(-12)
            if extreme == 6:
                cost = Decimal(random.randrange(10**22)).scaleb(-12)
            other = {}
            if not is_largest and random.random() < 0.15:
                other["environment"] = "development"
            if not is_largest and random.random() < 0.1:
                customer = random.choice(customers)
                other["customer"] = random.choice(names.get(customer, [customer]))
            line(day, feature, cost, **other)
        if extreme == 1:  # a day without any usage
            continue
        start = datetime(day.year, day.month, day.day)
        for stream in ("searches", "logins"):
            hours = random.sample(range(24), 2) if extreme == 3 else range(random.randrange(4, 24))
            for hour in hours:
                for customer in customers:
                    if extreme != 4 and random.random() < 0.4:
                        continue
                    value = Decimal(7) if extreme == 4 else Decimal(random.randrange(1, 10**6))
                    if extreme == 6:
                        value = Decimal(random.randrange(1, 10**15)).scaleb(-9)
                    if extreme == 7:
                        value = Decimal(random.randrange(1, 10**14))
                    use(stream, start + timedelta(hours=hour, minutes=random.randrange(60)), customer, value)
        if random.random() < 0.6:
            for customer in customers:
                use("gibibytes", start, customer, Decimal(random.randrange(1, 10**9)).scaleb(-3))
    return lines, records


def build(
    folder: Path, lines: list[dict[str, str]], records: list[dict[str, Any]], contexts: Path = CONTEXTS
) -> Path:
    workspace = folder / "workspace"
    (workspace / "sources" / "billing").mkdir(parents=True)
    (workspace / "sources" / "telemetry").mkdir()
    with (workspace / "sources" / "billing" / "bill.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writerow(HEADER)
        writer.writerows(lines)
    with (workspace / "sources" / "telemetry" / "usage.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)
    (workspace / "sources" / "customers").mkdir()
    with (workspace / "sources" / "customers" / "customers.jsonl").open("w", encoding="utf-8") as file:
        for alias, (customer, until) in ALIASES.items():
            days = {} if until == date.max else {"valid_to": str(until)}
            named = {"customer_id": customer, "aliases": [{"alias": alias, **days}]}
            file.write(json.dumps(named) + "\n")
    assert run_job(settings_of(folder, contexts))
    return workspace / "warehouse.duckdb"


def settings_of(folder: Path, contexts: Path) -> Settings:
    return Settings(workspace=folder / "workspace", contexts=contexts, hourly_costs_days=200)


def customer_of(name: str, day: date) -> str:
    customer, until = ALIASES.get(name, (name, date.max))
    return customer if day <= until else name


KEY = (
    *("billing_period", "feature", "environment", "service_name", "provider_name", "charge_category"),
    *("charge_class", "billing_currency", "billing_account_id", "x_source_name"),
)


def charges_of(connection: duckdb.DuckDBPyConnection) -> list[Charge]:
    rows = connection.execute(
        f"""
        select usage_date, charge_period_start, charge_period_end, cost_of_goods_sold, allocation_rule,
            direct_customer_id, {", ".join((*KEY, *COST_COLUMNS))}
        from context.charges_in_context
        """
    ).fetchall()
    return [
        Charge(
            *row[:3],
            key=(key := row[6 : 6 + len(KEY)]),
            elements={"feature": key[1], "environment": key[2]},
            currency=key[KEY.index("billing_currency")],
            is_cogs=row[3],
            rule=row[4],
            customer=row[5] and customer_of(row[5], row[0]),
            costs=fractions(row[6 + len(KEY) :]),
        )
        for row in rows
    ]


def usage_of(records: list[dict[str, Any]]) -> list[Usage]:
    usage = []
    for record in records:
        when = datetime.strptime(record["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        hour = when.replace(minute=0, tzinfo=None) if STREAMS[record["stream"]] else None
        customer = customer_of(record["customer_id"], when.date())
        quantity = Fraction(record["value"])
        usage.append(Usage(record["stream"], when.date(), hour, customer, quantity, record.get("filter")))
    return usage


def rows_of(connection: duckdb.DuckDBPyConnection, mart: str, *last: str) -> dict[tuple[Any, ...], Any]:
    columns = ("usage_date", *KEY, "customer_id", "allocation_kind", "unallocated_reason", *last)
    selected = ", ".join((*columns, *COST_COLUMNS)).replace(
        "billing_period", "strftime(billing_month, '%Y-%m')"
    )
    rows = connection.execute(f"select {selected} from marts.{mart}").fetchall()
    found = {row[: len(columns)]: fractions(row[len(columns) :]) for row in rows}
    assert len(found) == len(rows)
    return found


# A smaller seed is not a simpler case: nothing to shrink.
@settings(
    max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(seed=st.integers(0, 2**32))
def test_every_row_is_a_pool_times_a_share(
    seed: int, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> None:
    folder, random = tmp_path_factory.mktemp("companies"), Random(seed)
    rules = random_rule_sets(random)
    lines, records = random_companies(random)
    warehouse = build(folder, lines, records, write_contexts(folder / "contexts", rules))
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        by_hand = Company(charges_of(connection), usage_of(records), rules_by_hand(rules))
        days, hours = (
            rows_of(connection, "customer_costs_daily"),
            rows_of(connection, "customer_costs_hourly", "usage_hour"),
        )
        in_tail = connection.execute(
            "select usage_date, customer_id, billing_currency, sum(effective_cost) "
            "from allocation.long_tail_costs group by all"
        ).fetchall()
        by_stream = connection.execute(
            "select usage_date, stream, customer_id, billing_currency, effective_cost "
            "from marts.unit_costs_daily where effective_cost <> 0"
        ).fetchall()
        explained = connection.execute(
            "select usage_date, share, pool_cost, effective_cost from allocation.allocations"
        ).fetchall()
    wanted = by_hand.daily()
    # Nearly everyone uses something on the largest day, and they all pay for seats.
    assert max(Counter(row[:-3] for row in wanted).values()) > 0.9 * MOST_CUSTOMERS
    customers = {row[1 + len(KEY)] for row in days}
    assert {"A & Co", "customer-0", "unallocated"} <= customers
    assert not {"a", "zero"} & customers
    assert {row: days.get(row) for row in wanted} == wanted
    assert days.keys() == wanted.keys()
    assert {tuple(row[:3]): Fraction(row[3]) for row in in_tail} == by_hand.tail_costs()
    wanted_streams = {row: cost for row, cost in by_hand.stream_costs().items() if cost}
    assert {row[:4]: Fraction(row[4]) for row in by_stream} == wanted_streams
    wanted_hours = by_hand.hourly()
    assert {row: hours.get(row) for row in wanted_hours} == wanted_hours
    assert hours.keys() == wanted_hours.keys()
    # Each number is explained by its two factors, and the explanations of a day add up to it.
    of_days: dict[date, Fraction] = {}
    for day, share, pool, cost in explained:
        assert Fraction(share) * Fraction(pool) == Fraction(cost)
        of_days[day] = of_days.get(day, Fraction(0)) + Fraction(cost)
    whole = {day: Fraction(0) for day in of_days}
    for row, costs in days.items():
        whole[row[0]] = add((whole[row[0]],), (costs[COST_COLUMNS.index("effective_cost")],))[0]
    assert of_days == whole
    if not spark_cluster.ABSENT:
        one_machine = settings_of(folder, folder / "contexts")
        cluster = request.getfixturevalue("spark")
        spark_cluster.check_same_on_spark(cluster, one_machine, folder / "on_spark", batch_rows=2_000)
