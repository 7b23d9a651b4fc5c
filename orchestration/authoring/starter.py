"""The first files of a new company: contexts with comments, sample files and settings.

From a bill, rules are proposed that take dimensions from its tags. They are guesses by the tags' names, and
say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal

from orchestration.authoring.bill_overview import CostOf, by_key

# Dimensions, and names of tags that they are usually taken from.
_DIMENSIONS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "environment": ("Where it runs, such as production and test", ("environment", "env", "stage")),
    "product": ("Product that it is sold as", ("product", "application", "app", "project")),
    "feature": ("Product feature that the cost serves", ("feature", "component", "module")),
    "team": ("Who builds and runs it", ("team", "owner", "squad", "costcenter")),
}
_ALWAYS = ("environment", "feature")
_CUSTOMER = ("customer", "customerid", "tenant", "tenantid", "client")
_VALUES_SHOWN = 4
_ENDLESS = 100  # a tag with more values names resources, not elements

_SAMPLES = {
    "examples/customers.csv": """\
customer_id,customer_name,segment,plan,aliases
acme,Acme Inc.,enterprise,pro,acme-prod;acme-test
bolt,Bolt GmbH,startup,free,
""",
    "examples/revenue.csv": """\
customer,period,amount,currency
acme,2026-09,12500.00,USD
bolt,2026-09,49.00,USD
""",
    "examples/usage.jsonl": """\
{"stream": "requests", "timestamp": "2026-09-01T14:00:00Z", "customer_id": "acme", "value": 1250}
{"stream": "requests", "timestamp": "2026-09-01T14:00:00Z", "customer_id": "bolt", "value": 3}
""",
}
_SETTINGS = """\
# Settings of this workspace. All of them: docs/settings.md. Each can also be an environment variable (CPC_…).

# Where bills are; without it: sources/billing.
# billing_exports:
#   - {name: aws, location: s3://my-bucket/my-report}
# s3: {region_name: eu-west-1}

# Where usage, customers and revenue are; without it: folders in sources/.
# telemetry_location: s3://my-bucket/usage
"""
_STREAMS = """\
# What your applications report about usage, one entry per stream; examples/usage.jsonl has such records.
streams:
  requests: {unit: request}
"""
_ALLOCATION = """\
# Who pays for what: the first rule that matches a charge divides it among customers. What no rule matches
# stays unallocated, and every run says how much that is.

# What counts as cost of goods sold; the rest is reported, never allocated. Without it, everything counts.
# cost_of_goods_sold: {dimension: environment, equals: production}

rules:%s
  # - name: search                    # in proportion to each customer's usage of a stream in streams.yml
  #   when: {dimension: feature, equals: Search}
  #   by: requests
  # - name: overhead                  # in proportion to what each customer carries already
  #   by: allocated_cost
"""
_NO_CUSTOMER_TAG = """
  # - name: dedicated                 # resources of a single customer, by a tag that names it
  #   when: {tag: customer, exists: true}
  #   to: {tag: customer}"""


def starter_files(costs: Sequence[CostOf]) -> dict[str, str]:
    """Every file by its path in the workspace; `costs` of the bill, if there is one."""
    tags = {key: found for (kind, key, _), found in by_key(costs).items() if kind == "tag"}
    named = {name: _tag_named(tags, names) for name, (_, names) in _DIMENSIONS.items()}
    dimensions = {name: _dimension(name, tag) for name, tag in named.items() if tag or name in _ALWAYS}
    customer = _tag_named(tags, _CUSTOMER)
    return {
        **{f"contexts/dimensions/{name}.yml": text for name, text in dimensions.items()},
        "contexts/streams.yml": _STREAMS,
        "contexts/allocation.yml": _ALLOCATION % (_by_tag(customer) if customer else _NO_CUSTOMER_TAG),
        "settings.yml": _SETTINGS,
        **_SAMPLES,
    }


def _dimension(name: str, tag: list[CostOf] | None) -> str:
    description, _ = _DIMENSIONS[name]
    lines = [
        "# One file per way to slice cost. The first rule that matches a charge names its element; without",
        "# one it is unmatched, and cpc coverage lists it.",
        f"dimension: {name}",
        f"description: {description}",
        "rules:",
    ]
    if tag:
        lines += [f"  # A guess by the tag's name: {_facts(tag)}.", f"  - from: {{tag: {_yaml(tag[0].key)}}}"]
        if tag[0].folded_count < tag[0].value_count:
            lines.append("    transform: [trim, lower]  # some values differ in capitals or blanks only")
    lines += [
        "  # - element: Search             # what matching charges are for; cpc tags lists the bill's tags",
        "  #   when: {tag: app, in: [search-api, search-indexer]}",
    ]
    return "\n".join(lines) + "\n"


def _by_tag(tag: list[CostOf]) -> str:
    return "\n".join(
        [
            "",
            f"  # A guess by the tag's name: {_facts(tag)}.",
            "  - name: dedicated",
            f"    when: {{tag: {_yaml(tag[0].key)}, exists: true}}",
            f"    to: {{tag: {_yaml(tag[0].key)}}}",
            "    transform: [trim, lower]",
        ]
    )


def _facts(tag: list[CostOf]) -> str:
    values = [f"{_word(cost.value)} {cost.cost:,.2f}" for cost in tag[:_VALUES_SHOWN]]
    more = [f"{tag[0].value_count - _VALUES_SHOWN:,} more"] if tag[0].value_count > _VALUES_SHOWN else []
    return (
        f"{_word(tag[0].key)} is on {tag[0].percent_of_bill:.0f}% of the cost "
        f"({', '.join([*values, *more])} {tag[0].billing_currency})"
    )


def _tag_named(tags: Mapping[str, list[CostOf]], names: Sequence[str]) -> list[CostOf] | None:
    """The tag that is called one of the names, the first name first, then the costliest."""
    found: list[tuple[int, Decimal, list[CostOf]]] = [
        (names.index(word), -costs[0].key_cost, costs)
        for key, costs in tags.items()
        if (word := re.sub(r"[^a-z]", "", key.lower().rpartition(":")[2].removeprefix("user_"))) in names
        and costs[0].value_count <= _ENDLESS
    ]
    return min(found, key=lambda each: each[:2])[2] if found else None


def _word(text: str) -> str:
    """A text on one line of a comment."""
    return " ".join(text.split())[:60]


def _yaml(text: str) -> str:
    return text if re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", text) else json.dumps(text, ensure_ascii=False)
