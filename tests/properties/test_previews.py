"""What `cpc diff` and `cpc check` predict is what the next run gives, on random edits of random contexts.

One pair of runs holds many examples: each dimension is a set of rules of its own, edited in its own ways, and
every customer, element and rule of both is compared, to the last digit.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.authoring.diff import difference_since
from orchestration.authoring.diff_costs import UNMATCHED, Difference
from orchestration.authoring.live_charges import open_live_charges
from orchestration.authoring.preview import settings_of_preview
from orchestration.authoring.rule_findings import idle_rules, rule_findings
from orchestration.compiler import Compilation, compile_contexts
from orchestration.warehouse.generate import read_contexts
from tests.end_to_end.running import Company
from tests.end_to_end.test_difference import git
from tests.examples import examples

DIMENSIONS = [f"part_{number}" for number in range(6)]
# More of them would cut each charge into too many parts.
MAY_SPLIT = DIMENSIONS[:3]
APPS, TEAMS, ELEMENTS = "abcdefgh", "xyz", ("One", "Two", "Three", "Four")
CUSTOMERS = ("ada", "bob", "cid")
FIRST_DAY, DAYS = date(2026, 3, 30), 3
Rule = dict[str, Any]
Contexts = dict[str, Any]


def random_rule(random: Random, dimension: str) -> Rule:
    elements = random.sample(ELEMENTS, random.randrange(2, 4))
    cut = random.randrange(1, 1000)
    kinds: list[Rule] = [
        {"element": elements[0]},
        {"element": elements[0]},
        {"from": {"tag": "team"}},
        {"split": {elements[0]: cut / 1000, elements[1]: (1000 - cut) / 1000}},
        {"split": "even", "elements": elements},
        {"split": {"by": "calls"}, "elements": elements},
    ]
    conditions: list[Rule] = [
        {"tag": "app", "in": random.sample(APPS, random.randrange(1, 4))},
        {"tag": "team", "equals": random.choice(TEAMS)},
        {"charge": "service_name", "equals": random.choice(["Compute", "Nothing"])},
    ]
    when = random.choice([*conditions, {"all": random.sample(conditions, 2)}])
    return random.choice(kinds if dimension in MAY_SPLIT else kinds[:3]) | {"when": when}


def elements_of(rules: list[Rule]) -> set[str]:
    """The elements that rules name."""
    named: set[str] = set()
    for rule in rules:
        split = rule.get("split")
        listed = rule.get("elements", []) if not isinstance(split, dict) or "by" in split else split
        named |= {rule["element"]} if "element" in rule else set(listed)
    return named


def random_allocation(random: Random, dimensions: dict[str, list[Rule]]) -> list[Rule]:
    ways: list[Rule] = [
        {"by": "calls", "when_no_usage": ["same_day", "unallocated"]},
        {"by": "seats", "when_no_usage": ["trailing_7_days", "unallocated"]},
        {"by": "even"},
        {"shares": {"ada": 0.25, "dee": 0.75}},
        {"by": "allocated_cost"},
        {"none": True},
    ]
    named = sorted((name, element) for name, rules in dimensions.items() for element in elements_of(rules))
    rules = [
        {"name": f"rule_{number}", "when": {"dimension": name, "equals": element}} | random.choice(ways)
        for number, (name, element) in enumerate(random.sample(named, 6))
    ]
    return [*rules, {"name": "rest", **random.choice(ways[2:5])}]


def random_contexts(random: Random) -> Contexts:
    dimensions = {
        name: [random_rule(random, name) for _ in range(random.randrange(1, 6))] for name in DIMENSIONS[:-1]
    }
    return {"dimensions": dimensions, "allocation": random_allocation(random, dimensions)}


def edited(random: Random, contexts: Contexts) -> Contexts:
    """The contexts after some edits of each dimension, with one dimension more and one less."""
    dimensions = {name: [dict(rule) for rule in rules] for name, rules in contexts["dimensions"].items()}
    for name, rules in dimensions.items():
        for _ in range(random.randrange(3)):
            place = random.randrange(len(rules))
            match random.choice(["add", "remove", "move", "change", "replace"]):
                case "add":
                    rules.insert(place, random_rule(random, name))
                case "remove" if len(rules) > 1:
                    del rules[place]
                case "move":
                    rules.insert(random.randrange(len(rules)), rules.pop(place))
                case "change":
                    rules[place] = random_rule(random, name) | {"when": rules[place]["when"]}
                case _:
                    rules[place] = random_rule(random, name)
    del dimensions[random.choice(sorted(dimensions))]
    dimensions[DIMENSIONS[-1]] = [random_rule(random, DIMENSIONS[-1]) for _ in range(3)]
    allocation = random_allocation(random, dimensions)
    return {"dimensions": dimensions, "allocation": allocation}


def write_contexts(folder: Path, contexts: Contexts) -> None:
    (folder / "dimensions").mkdir(parents=True, exist_ok=True)
    for path in (folder / "dimensions").iterdir():
        path.unlink()
    for name, rules in contexts["dimensions"].items():
        dimension = {"dimension": name, "description": name, "rules": rules}
        # JSON is YAML. A rule a line, since findings name lines.
        text = json.dumps(dimension, indent=1)
        (folder / "dimensions" / f"{name}.yml").write_text(text)
    streams = {
        name: {"unit": "one", "granularity": "daily", "description": name} for name in ("calls", "seats")
    }
    (folder / "streams.yml").write_text(json.dumps({"streams": streams}))
    allocation = {
        "allocate_to": "customer",
        "cost_of_goods_sold": "everything",
        "rules": contexts["allocation"],
    }
    (folder / "allocation.yml").write_text(json.dumps(allocation, indent=1))


def write_sources(random: Random, sources: Path) -> None:
    rows = []
    for number in range(120):
        day = FIRST_DAY + timedelta(random.randrange(DAYS))
        tags = {"app": random.choice(APPS), "team": random.choice(TEAMS)}
        cost = Decimal(random.randrange(-(10**14), 10**15)).scaleb(-12)
        month = date(day.year, day.month, 1)
        rows.append(
            {
                "BillingAccountId": "1",
                "ProviderName": "A cloud",
                "BillingCurrency": random.choice(["USD", "USD", "EUR"]),
                "BillingPeriodStart": str(month),
                "BillingPeriodEnd": str((month + timedelta(31)).replace(day=1)),
                "ChargeCategory": "Credit" if cost < 0 else "Usage",
                "ChargePeriodStart": f"{day}T00:00:00Z",
                "ChargePeriodEnd": f"{day + timedelta(1)}T00:00:00Z",
                **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), f"{cost:f}"),
                "ResourceId": f"r-{number}",
                "ServiceName": random.choice(["Compute", "Storage"]),
                "Tags": json.dumps({key: value for key, value in tags.items() if random.random() < 0.8}),
            }
        )
    (sources / "billing").mkdir(parents=True)
    with (sources / "billing" / "bill.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    records = [
        {"stream": stream, "timestamp": str(day), "customer_id": customer, "value": random.randrange(1, 100)}
        | (
            {"filter": {random.choice(DIMENSIONS): [random.choice(ELEMENTS)]}}
            if random.random() < 0.8
            else {}
        )
        for day in (FIRST_DAY + timedelta(number) for number in range(DAYS))
        for stream in ("calls", "seats")
        for customer in CUSTOMERS * 8
        if random.random() < 0.7
    ]
    (sources / "telemetry").mkdir()
    (sources / "telemetry" / "usage.jsonl").write_text("\n".join(map(json.dumps, records)) + "\n")


Costs = dict[tuple[str, ...], Decimal]


def by_customer(company: Company) -> Costs:
    rows = company.read(
        "select customer_id, billing_currency, sum(effective_cost) from customer_costs_daily group by all"
    )
    return {tuple(key): cost for *key, cost in rows if cost}


def by_element(company: Company, dimensions: list[str]) -> Costs:
    return {
        (name, element or UNMATCHED, currency): cost
        for name in dimensions
        for element, currency, cost in company.read(
            f"select {name}, billing_currency, sum(effective_cost) from customer_costs_daily group by all"
        )
        if cost
    }


def changes(before: Costs, after: Costs) -> Costs:
    keys = {*before, *after}
    found = {key: after.get(key, Decimal(0)) - before.get(key, Decimal(0)) for key in keys}
    return {key: change for key, change in found.items() if change}


def foretold_of_elements(difference: Difference) -> Costs:
    """What each element gains; a dimension that one side lacks has none there."""
    moved: Costs = defaultdict(Decimal)
    for move in difference.moved:
        for element, cost in ((move.before, -move.cost), (move.after, move.cost)):
            if element is not None:
                moved[move.dimension, element, move.billing_currency] += cost
    return {key: cost for key, cost in moved.items() if cost}


def foretold_idle(company: Company, compilation: Compilation) -> set[str]:
    """The rules of which `cpc check` says that they claim nothing."""
    with (
        settings_of_preview(company.settings, compilation, lambda _: None) as preview,
        open_live_charges(preview) as charges,
    ):
        found = rule_findings(charges, compilation)
    return {str(finding.rule) for finding in found if finding.kind in ("matches-nothing", "shadowed")}


@settings(
    max_examples=examples(1), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(seed=st.integers(0, 2**32))
def test_previews_are_what_the_next_run_gives(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    random = Random(seed)
    company = Company(tmp_path_factory.mktemp("previews"))
    contexts = random_contexts(random)
    write_contexts(company.settings.contexts, contexts)
    write_sources(random, company.settings.sources)
    good, printed = company.run()
    assert good, printed
    git(company.root, "init", "--quiet")
    git(company.root, "add", "contexts")
    git(company.root, "commit", "--quiet", "--message", "The contexts of the last run")
    before = by_element(company, list(contexts["dimensions"])), by_customer(company)

    edit = edited(random, contexts)
    write_contexts(company.settings.contexts, edit)
    compilation = compile_contexts(read_contexts(company.settings.contexts), {})
    idle = foretold_idle(company, compilation)
    difference = difference_since(company.settings, "HEAD", None, lambda _: None)
    good, printed = company.run()
    assert good, printed
    after = by_element(company, list(edit["dimensions"])), by_customer(company)

    assert idle == set(map(str, idle_rules(company.settings, compilation.program)))
    assert foretold_of_elements(difference) == changes(before[0], after[0])
    foretold = {(each.customer_id, each.billing_currency): each.change for each in difference.customers}
    assert foretold == changes(before[1], after[1])
    assert difference.is_exact
