"""Every row of the allocation equals a plain Python division, on random companies and on the extremes.

One build of the real job holds many days, each a case of its own: negative pools, no usage, one customer,
very many, equal shares, the smallest and very large amounts.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.run import run_job
from orchestration.settings import Settings
from tests.properties.fair_division import COST_COLUMNS, Charge, Company, Rule, Usage, units

CONTEXTS = Path(__file__).parent / "contexts_of_allocation"
FIRST_DAY = date(2026, 3, 1)
FEATURES = ("search", "strict", "storage", "mixed", "seats", "contract", "gift", "platform", "unknown")
# A day of as many customers as the largest company has, with a charge for each feature.
LARGEST_DAY, MOST_CUSTOMERS = 19, 10_000
STRANGE = "c'; drop table x"
CONTRACT = (("A & Co", Decimal("0.5")), ("b", Decimal("0.3")), (STRANGE, Decimal("0.2")))
RULES = {
    "dedicated": Rule("to"),
    "search": Rule(
        "stream",
        (("searches", 10**6, True),),
        windows=("same_day", "trailing_7_days"),
        minimum_share=Decimal("0.0007"),
    ),
    "strict": Rule("stream", (("searches", 10**6, True),)),
    "storage": Rule(
        "stream", (("gibibytes", 10**6, False),), windows=("trailing_7_days", "trailing_30_days")
    ),
    "mixed": Rule(
        "stream", (("searches", 333_333, True), ("gibibytes", 666_667, False)), windows=("same_day",)
    ),
    "seats": Rule("even"),
    "contract": Rule("fixed", shares=CONTRACT),
    "gift": Rule("none"),
    "platform": Rule("allocated_cost", minimum_share=Decimal("0.01")),
}
# Another id of whom, until when. The contract is with "a" by the name of before.
ALIASES = {
    "zero": ("customer-0", date.max),
    "strange before": (STRANGE, FIRST_DAY + timedelta(9)),
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


def random_company(random: Random) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Lines of a bill and usage records over 24 days."""
    names = {customer: [customer] * 4 for customer, _ in ALIASES.values()}
    for alias, (customer, _) in ALIASES.items():
        names[customer].append(alias)
    lines: list[dict[str, str]] = []
    records: list[dict[str, Any]] = []

    def line(day: date, feature: str, cost: Decimal, **other: str) -> None:
        lines.append(bill_line(random, len(lines), day, feature, cost, **other))

    def use(stream: str, when: datetime, customer: str, value: Decimal) -> None:
        customer = random.choice(names.get(customer, [customer]))
        timestamp = f"{when:%Y-%m-%dT%H:%M:%SZ}"
        record = {"stream": stream, "timestamp": timestamp, "customer_id": customer, "value": str(value)}
        if random.random() < 0.05:
            elements = random.choice([["search"], ["strict", "mixed"], ["storage"], ["nowhere"]])
            record["filter"] = {"feature": elements}
            if random.random() < 0.2:
                record["filter"]["environment"] = ["production"]
        records.append(record)

    for offset in range(24):
        day = FIRST_DAY + timedelta(offset)
        extreme = offset % 8
        is_largest = offset == LARGEST_DAY
        many = [f"customer-{n}" for n in range(MOST_CUSTOMERS if is_largest else 500)]
        customers = {2: ["only"], 3: many}.get(
            extreme, [f"customer-{n}" for n in range(random.randrange(2, 9))] + [STRANGE, "ünï ☃"]
        )
        for feature in FEATURES if is_largest else random.choices(FEATURES, k=25):
            cost = Decimal(random.randrange(1, 10**13)).scaleb(-12 + random.randrange(5))
            if extreme == 0 or random.random() < 0.1:
                cost = -cost
            if extreme == 5:
                cost = Decimal(random.choice([-3, -1, 1, 2, 7])).scaleb(-12)
            if extreme == 6:
                cost = Decimal(random.randrange(10**24)).scaleb(-12)
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
        hours = random.sample(range(24), 3) if extreme == 3 else range(random.randrange(4, 24))
        for hour in hours:
            for customer in customers:
                if extreme != 4 and random.random() < 0.4:
                    continue
                value = Decimal(7) if extreme == 4 else Decimal(random.randrange(1, 10**6))
                if extreme == 6:
                    value = Decimal(random.randrange(1, 10**15)).scaleb(-9)
                if extreme == 7:
                    value = Decimal(random.randrange(1, 10**14))
                use("searches", start + timedelta(hours=hour, minutes=random.randrange(60)), customer, value)
        if random.random() < 0.6:
            for customer in customers:
                use("gibibytes", start, customer, Decimal(random.randrange(1, 10**9)).scaleb(-3))
    return lines, records


def build(folder: Path, lines: list[dict[str, str]], records: list[dict[str, Any]]) -> Path:
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
    assert run_job(Settings(workspace=workspace, contexts=CONTEXTS, hourly_costs_days=31))
    return workspace / "warehouse.duckdb"


def customer_of(name: str, day: date) -> str:
    customer, until = ALIASES.get(name, (name, date.max))
    return customer if day <= until else name


def company(connection: duckdb.DuckDBPyConnection, records: list[dict[str, Any]]) -> Company:
    charges = [
        Charge(
            day=row[0],
            start=row[1],
            hours=-(-int((row[2] - row[1]).total_seconds()) // 3600),
            key=row[3:9],
            currency=row[9],
            is_cogs=row[10],
            rule=row[11],
            direct_customer=row[12] and customer_of(row[12], row[0]),
            costs=tuple(map(units, row[13:])),
            elements={"feature": row[5], "environment": row[6]},
        )
        for row in connection.execute(
            f"""
            select usage_date, charge_period_start, charge_period_end, billing_period, provider_name, feature,
                environment, service_name, charge_category, billing_currency, cost_of_goods_sold,
                allocation_rule, direct_customer_id, {", ".join(COST_COLUMNS)}
            from context.charges_in_context
            """
        ).fetchall()
    ]
    usage = []
    for record in records:
        when = datetime.strptime(record["timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        hour = when.replace(minute=0, tzinfo=None) if record["stream"] == "searches" else None
        quantity = int(Decimal(record["value"]).scaleb(9))
        usage.append(
            Usage(
                record["stream"],
                when.date(),
                hour,
                customer_of(record["customer_id"], when.date()),
                quantity,
                record.get("filter"),
            )
        )
    # No rule applies to what is no cost of goods sold; the pool's key says so.
    charges = [
        charge if charge.is_cogs else replace(charge, rule=None, direct_customer=None) for charge in charges
    ]
    return Company(charges, usage, RULES)


def key_of(pool: Any, customer: str, reason: str | None) -> tuple[object, ...]:
    return (pool[0], *pool[5], pool[1], pool[2], pool[3], pool[4], customer, reason)


def allocated(connection: duckdb.DuckDBPyConnection) -> dict[object, object]:
    rows = connection.execute(
        f"""
        select pools.usage_date, pools.billing_period, pools.provider_name, pools.feature, pools.environment,
            pools.service_name, pools.charge_category, pools.billing_currency, pools.cost_of_goods_sold,
            pools.allocation_rule, pools.direct_customer_id, allocations.customer_id, allocations.reason,
            {", ".join(f"allocations.{column}" for column in (*COST_COLUMNS, "share"))}
        from allocation.allocations as allocations
        inner join allocation.cost_pools as pools using (pool_id)
        """
    ).fetchall()
    result = {row[:13]: tuple(map(units, row[13:])) for row in rows}
    assert len(result) == len(rows)
    return result


def by_the_hour(connection: duckdb.DuckDBPyConnection) -> dict[object, object]:
    rows = connection.execute(
        f"""
        select usage_date, billing_period, provider_name, feature, environment, service_name, charge_category,
            billing_currency, customer_id, unallocated_reason, allocation_kind, usage_hour,
            {", ".join(COST_COLUMNS)}
        from marts.customer_costs_hourly
        """
    ).fetchall()
    result = {row[:12]: tuple(map(units, row[12:])) for row in rows}
    assert len(result) == len(rows)
    return result


def expected_by_the_hour(hours: dict[Any, tuple[int, ...]]) -> dict[object, object]:
    """The pools that are one row of the mart added up: it tells kinds of allocation apart, not rules."""
    kinds = {"to": "direct", "allocated_cost": "overhead"}
    summed: dict[object, tuple[int, ...]] = {}
    for (pool, customer, reason, hour), amounts in hours.items():
        kind = "unallocated" if reason else kinds.get(RULES[pool[3]].method, "usage")
        key = (pool[0], *pool[5], pool[1], customer, reason, kind, hour)
        summed[key] = tuple(map(sum, zip(summed.get(key, (0,) * len(amounts)), amounts, strict=True)))
    return summed


# A seed is no smaller for being a smaller number: nothing to shrink.
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
@given(seed=st.integers(0, 2**32))
def test_every_row_is_the_fair_part(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    lines, records = random_company(Random(seed))
    warehouse = build(tmp_path_factory.mktemp("company"), lines, records)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        got, hours, fair = allocated(connection), by_the_hour(connection), company(connection, records)
    wanted = {key_of(*key): amounts for key, amounts in fair.divide().items()}
    # Nearly everyone uses something on the largest day, and they all pay for seats.
    assert max(Counter(key[:-2] for key in wanted).values()) > 0.9 * MOST_CUSTOMERS
    assert {"long tail", "A & Co", "customer-0"} <= {key[-2] for key in got}
    assert not {"a", "zero"} & {key[-2] for key in got}
    assert {key: got.get(key) for key in wanted} == wanted
    assert got.keys() == wanted.keys()
    wanted_hours = expected_by_the_hour(fair.divide_by_the_hour())
    assert {key: hours.get(key) for key in wanted_hours} == wanted_hours
    assert hours.keys() == wanted_hours.keys()
