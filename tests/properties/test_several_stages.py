"""Platform cost → features → teams → customers, on the real job, against plain whole-number arithmetic.

Usage decides which features share the platform, fixed shares divide a gateway, teams split Search again, and
customers carry each feature by what they used of it. Then usage comes late, for a day that others looked
back to. Not here: the methods of allocation (`test_allocation`) and the language
(`test_context_language`).
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest

from orchestration.automation.run import run_job
from orchestration.settings import Settings
from tests.end_to_end import spark_cluster
from tests.properties.allocation_by_hand import COST_COLUMNS, share_set
from tests.properties.test_allocation import HEADER, bill_line

FIRST_DAY = date(2026, 3, 1)
DAYS = [FIRST_DAY + timedelta(offset) for offset in range(12)]
SILENT = (DAYS[0], DAYS[4], DAYS[5])  # no platform usage; nothing before the first to look back to
TEAMS = ("Crawl", "Index", "Query")
FEATURES = {"search": "Search", "exports": "Exports"}
CONTEXTS = {
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
rules:
  - element: Search
    when: {tag: feature, equals: search}
  - element: Exports
    when: {tag: feature, equals: exports}
  - split: {by: platform_requests}
    when: {tag: feature, equals: platform}
    when_no_usage: [same_day, trailing_7_days]
  - split: {Search: 0.7, Exports: 0.3}
    when: {tag: feature, equals: gateway}
""",
    "dimensions/team.yml": """\
dimension: team
description: Who answers for it
default: Core
rules:
  - split: even
    elements: [Query, Index, Crawl]
    when: {dimension: feature, equals: Search}
""",
    "streams.yml": """\
streams:
  platform_requests: {unit: request, granularity: hourly, description: Calls of a feature to the platform}
  searches: {unit: search, granularity: daily, description: Searches answered}
  rows: {unit: row, granularity: daily, description: Rows exported}
""",
    "allocation.yml": """\
allocate_to: customer
cost_of_goods_sold: everything
rules:
  - name: search
    when: {dimension: feature, equals: Search}
    by: searches
  - name: exports
    when: {dimension: feature, equals: Exports}
    by: rows
""",
}
Record = dict[str, Any]
ONE = 10**12


def units(amount: Decimal) -> int:
    """Money as a whole number of 10^-12 units."""
    return int(amount.scaleb(12))


def rounded(product: int) -> int:
    """A cost times a share, both in units of 10^-12, at the twelfth digit (half away from zero)."""
    size = (2 * abs(product) + ONE) // (2 * ONE)
    return size if product >= 0 else -size


def in_shares(usage: Mapping[str, int]) -> dict[str, int]:
    """Usage as shares in units of 10^-12 that add up to 1."""
    shares = share_set({name: Fraction(used) for name, used in usage.items()})
    return {name: int(share * ONE) for name, share in shares.items()}


Costs = tuple[int | None, ...]


def bill(random: Random) -> list[dict[str, str]]:
    lines = []
    for day in DAYS:
        for feature in ("search", "exports", "platform", "platform", "gateway", "strange"):
            cost = Decimal(random.randrange(-(10**9), 10**13)).scaleb(-random.choice([12, 12, 8]))
            lines.append(bill_line(random, len(lines), day, feature, cost))
        for cost in (1, -1, 2, 5):  # so little that most parts get nothing
            lines.append(bill_line(random, len(lines), day, "platform", Decimal(cost).scaleb(-12)))
    return lines


def usage(random: Random) -> list[Record]:
    records: list[Record] = []

    def use(stream: str, day: date, value: int, **other: Any) -> None:
        when = f"{day}T{0 if stream != 'platform_requests' else random.randrange(24):02d}:00:00Z"
        customer = other.pop("customer_id", "internal")
        records.append(
            {"stream": stream, "timestamp": when, "customer_id": customer, "value": str(value), **other}
        )

    for day in DAYS:
        for customer in ("ada", "bob", "cid"):
            use("searches", day, random.randrange(1, 1000), customer_id=customer)
            use("rows", day, 7, customer_id=customer)
        if day in SILENT:
            continue
        for element in ("Search", "Search", "Exports", "Reports", "it's; new"):
            use("platform_requests", day, random.randrange(1, 10**6), filter={"feature": [element]})
        # What says nothing of a single feature decides nothing.
        use("platform_requests", day, 10**9)
        use("platform_requests", day, 10**9, filter={"feature": ["Exports", "Search"]})
        use("platform_requests", day, 10**9, filter={"feature": ["Search"], "team": ["Core"]})
    return records


def shares_of_platform(records: list[Record]) -> Callable[[date], dict[str, int] | None]:
    by_day: dict[date, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for record in records:
        named = record.get("filter", {})
        if (
            record["stream"] == "platform_requests"
            and list(named) == ["feature"]
            and len(named["feature"]) == 1
        ):
            by_day[date.fromisoformat(record["timestamp"][:10])][named["feature"][0]] += int(record["value"])

    def shares(day: date) -> dict[str, int] | None:
        if day in by_day:
            return by_day[day]
        before: dict[str, int] = defaultdict(int)
        for back in range(1, 8):
            for element, value in by_day.get(day - timedelta(back), {}).items():
                before[element] += value
        return before or None

    return shares


def divide(costs: Costs, shares: Mapping[str, int]) -> dict[str, Costs]:
    """Each one's part: what a cost comes to by its end, less what it comes to by its beginning, by name."""
    parts: dict[str, Costs] = {}
    before = 0
    for name in sorted(shares):
        through = before + shares[name]
        parts[name] = tuple(
            None if cost is None else rounded(cost * through) - rounded(cost * before) for cost in costs
        )
        before = through
    assert before == ONE
    return parts


def run(folder: Path, **more: Any) -> Path:
    assert run_job(Settings(workspace=folder / "workspace", contexts=folder / "contexts", **more))
    return folder / "workspace" / "warehouse.duckdb"


def check(warehouse: Path, records: list[Record]) -> None:
    columns = (*COST_COLUMNS, "consumed_quantity")
    listed = ", ".join(columns)
    platform = shares_of_platform(records)
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        charges = connection.execute(
            f"select charge_id, usage_date, tags['feature'], {listed} from staging.charges"
        ).fetchall()
        in_context = connection.execute(
            f"select charge_id, usage_date, feature, team, {listed} from context.charges_in_context"
        ).fetchall()
        numbers = connection.execute(
            "select charge_id, count(distinct charge_part), count(*) "
            "from context.charges_in_context group by charge_id"
        ).fetchall()
        allocated = connection.execute(
            f"""
            select usage_date, feature, team, service_name, charge_category, billing_currency,
                strftime(billing_month, '%Y-%m'), customer_id, {", ".join(COST_COLUMNS)}
            from marts.customer_costs_daily
            """
        ).fetchall()
        pools_of = dict(
            connection.execute(
                "select charge_id, [service_name, charge_category, billing_currency, billing_period] "
                "from staging.charges"
            ).fetchall()
        )
    parts: dict[tuple[Any, ...], Costs] = {}
    for charge_id, day, tag, *amounts in charges:
        costs = tuple(None if amount is None else units(amount) for amount in amounts)
        features: dict[str | None, Costs] = {FEATURES.get(tag): costs}
        if tag == "gateway":
            features = {**divide(costs, {"Search": 7 * ONE // 10, "Exports": 3 * ONE // 10})}
        elif tag == "platform" and (shares := platform(day)) is not None:
            features = {**divide(costs, in_shares(shares))}
        for feature, part in features.items():
            teams = (
                divide(part, in_shares(dict.fromkeys(TEAMS, 1))) if feature == "Search" else {"Core": part}
            )
            for team, amount in teams.items():
                parts[charge_id, day, feature, team] = amount
    found = {
        row[:4]: tuple(None if amount is None else units(amount) for amount in row[4:]) for row in in_context
    }
    assert len(found) == len(in_context)
    assert found == parts
    assert [charge_id for charge_id, distinct, rows in numbers if distinct != rows] == []
    pools: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(COST_COLUMNS))
    for (charge_id, day, feature, team), amount in parts.items():
        for column in range(len(COST_COLUMNS)):
            pools[day, feature, team, *pools_of[charge_id]][column] += amount[column] or 0
    expected: dict[tuple[Any, ...], tuple[Fraction, ...]] = {}
    for key, total in pools.items():
        stream = {"Search": "searches", "Exports": "rows"}.get(key[1])
        customers: dict[str, int] = defaultdict(int)
        for record in records:
            if record["stream"] == stream and record["timestamp"].startswith(str(key[0])):
                customers[record["customer_id"]] += int(record["value"])
        for customer, share in in_shares(customers or {"unallocated": 1}).items():
            expected[*key, customer] = tuple(Fraction(cost * share, ONE**2) for cost in total)
    assert {row[:8]: tuple(map(Fraction, row[8:])) for row in allocated} == expected


def test_cost_passes_through_every_stage_exactly_also_when_usage_comes_late(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    random = Random(5)
    for name, text in CONTEXTS.items():
        path = tmp_path / "contexts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources = tmp_path / "workspace" / "sources"
    for kind in ("billing", "telemetry"):
        (sources / kind).mkdir(parents=True)
    with (sources / "billing" / "bill.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, HEADER)
        writer.writerow(HEADER)
        writer.writerows(bill(random))
    records = usage(random)
    (sources / "telemetry" / "usage.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records))
    check(run(tmp_path), records)

    late = {"stream": "platform_requests", "timestamp": f"{DAYS[3]}T05:00:00Z", "customer_id": "internal"}
    late |= {"value": "123457", "filter": {"feature": ["Late"]}}
    (sources / "telemetry" / "late.jsonl").write_text(json.dumps(late) + "\n")
    # Where Spark can run, its tasks compute the changed days, and look back at days of the first run.
    spark = {} if spark_cluster.ABSENT else {"engine": "spark", "spark": request.getfixturevalue("spark")}
    warehouse = run(tmp_path, batch_rows=1, **spark)
    check(warehouse, [*records, late])
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        changed = connection.execute("select usage_date from staging.changed_days order by 1").fetchall()
    # The day itself, and the two without usage that had looked back to it.
    assert [day for (day,) in changed] == [DAYS[3], DAYS[4], DAYS[5]]
