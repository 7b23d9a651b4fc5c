"""Texts that have broken out of some language's quotes somewhere, and a program with one in every place."""

from __future__ import annotations

from typing import Any

import yaml

Node = dict[str, Any]
HOSTILE_TEXTS = (
    "'",
    "''",
    "'; drop table charges; --",
    "' or '1' = '1",
    "a' union all select * from charges --",
    '"',
    "\"; attach 'other.duckdb'; --",
    "\\",
    "\\'",
    "\\\\'",
    "\\1",
    "*/ select 1 /*",
    "-- nothing after this",
    "# a comment",
    "a\nb",
    "a\n--\n'b",
    "\ta\n b\t",
    "$$ select 1 $$",
    "$1 ? :name %s %(name)s {0} {name}",
    "e'\\x27'",
    "} }% }} %} #}",
    "{ { { % { #",
    "%",
    "_",
    "[a-b]*+?(c|d)^$.",
    "null",
    "true",
    "0x1F",
    "2026-01-01",
    "1e5",
    "ÄÖÜ ß İı Ǆ ﬁ",
    "漢字 🚀 👩‍👩‍👧 é e\u0301",
    "\u202eevil\u202c \u200b\ufeff",
    "a" * 65_500,
    "'" * 5_000,
)


def escaped(text: str) -> str:
    """As a pattern or replacement of RE2 that means the text itself."""
    return "".join("\\" + character if character in "\\.+*?()|[]{}^$" else character for character in text)


def program_with(text: str) -> tuple[dict[str, Node], Node, list[Node]]:
    """Dimensions and an allocation with the text in every place, and charges that meet it there."""
    key = f"{text[:200]}k"
    start, end = text[:3], text[-3:]
    rewritten = text.replace("\\", "\\\\")
    transforms: tuple[list[Any], ...] = (
        [{"map": {text: f"{text}!", "x": text}}],
        [{"split": {"on": text, "take": 2}}, {"default": text}],
        [{"replace": {"pattern": "x", "with": rewritten}}],
        ["lower", "trim"],
        ["title", "slug"],
    )
    every: Node = {
        "dimension": "every",
        "description": text,
        "default": text,
        "rules": [
            {"element": text, "when": {"tag": key, "equals": text}},
            {"element": f"in {text}", "when": {"cost_category": key, "in": ["a", text, "b"]}},
            {"element": f"starts {text}", "when": {"k8s": f"label {key}", "starts_with": start}},
            {"element": f"ends {text}", "when": {"charge": "service_name", "ends_with": end}},
            {"element": f"contains {text}", "when": {"charge": "resource_name", "contains": text}},
            {"element": "differs", "when": {"charge": "sku_id", "not_in": [text]}},
            {"element": "ignores", "when": {"charge": "region_id", "equals": text, "ignore_case": True}},
            {"element": f"account {text}", "when": {"account": f"tag {key}", "equals": text}},
            {"element": f"resource {text}", "when": {"resource": f"tag {key}", "equals": text}},
            {"element": f"related {text}", "when": {"related": "attached_to", "tag": key, "equals": text}},
        ],
    }
    dimensions = {"every": every}
    for number, transform in enumerate(transforms):
        rule = {"from": {"charge": "consumed_unit"}, "transform": transform}
        dimensions[f"made_{number}"] = {"dimension": f"made_{number}", "description": text, "rules": [rule]}
    dimensions["told"] = {
        "dimension": "told",
        "description": "What the other one says",
        "rules": [{"element": text, "when": {"dimension": "every", "equals": text}}],
    }
    allocation: Node = {
        "allocate_to": "customer",
        "cost_of_goods_sold": {"charge": "service_name", "not_equals": text},
        "rules": [
            {"name": "to", "when": {"tag": key, "equals": text}, "to": {"cost_category": key}},
            {"name": "fixed", "when": {"charge": "sku_id", "equals": text}, "shares": {text: 1}},
        ],
    }
    return dimensions, allocation, _charges(text, key)


def _charges(text: str, key: str) -> list[Node]:
    from tests.compiler.known import spelled_as_in_charges

    spelled = spelled_as_in_charges(key)
    columns = ("service_name", "resource_name", "sku_id", "region_id", "consumed_unit")
    given: list[Node] = [{column: value} for column in columns for value in (text, f"x{text}x", text.upper())]
    given += [{kind: {spelled: text}} for kind in ("tags", "cost_categories", "x_kubernetes_labels")]
    given += [{"tags": {spelled: text}, "cost_categories": {spelled: text}}, {"sub_account_id": text}]
    given += [{"resource_id": text}, {"resource_id": f"related to {text}"}, {}]
    empty: Node = {"tags": {}, "cost_categories": {}, "x_kubernetes_labels": {}}
    return [{**empty, **charge, "charge_period_start": BEGIN} for charge in given]


BEGIN = yaml.safe_load("2026-01-01 00:00:00")


def signals_with(text: str) -> dict[str, list[Node]]:
    """A resource, an account and a relationship that have the text as id and as tag."""
    from tests.compiler.known import spelled_as_in_charges

    tags = {spelled_as_in_charges(f"{text[:200]}k"): text}
    always = {"valid_from": BEGIN, "valid_to": None}
    fields = dict.fromkeys(("resource_arn", "resource_type", "resource_name", "account_id", "region_id"))
    resource = {"resource_id": text, **fields, "tags": tags, "attributes": {}, **always}
    relationship = {
        "resource_id": f"related to {text}",
        "relationship": "attached_to",
        "related_resource_id": text,
        **always,
    }
    texts = {"account_name": text, "organizational_unit_path": text}
    account = {"account_id": text, **texts, "tags": tags, **always}
    return {"resources": [resource], "resource_relationships": [relationship], "accounts": [account]}
