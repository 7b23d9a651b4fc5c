"""Suggest rules for spend that no rule matches yet, with what each would match.

Candidates come from three signals: a tag key whose values could name elements; a value (tag, namespace,
account, service, name prefix) whose matched charges nearly all have one element; a value that spells an
element's name. Candidates are compiled and counted like any rule, so the reported cost is exact. Whether a
rule is right is for a person to judge.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import yaml

from orchestration.authoring.live_charges import LiveCharges
from orchestration.authoring.rule_findings import money_text
from orchestration.authoring.suggestion_queries import KEYS, SIGNS, VALUES
from orchestration.compiler import Compilation, compile_contexts
from orchestration.compiler.emitting.matches import rule_matches
from orchestration.outputs.read_only import rows_of

CANDIDATES = 40
SURE_PERCENT = 95
EVIDENCE = 5  # matched cost of a value must be at least a fifth of its unmatched cost
MOST_VALUES_OF_A_KEY = 100
_SPELLED = 4
_SIGN_WORDS = {
    "tag": "the tag {key}: {value}",
    "cost_category": "the cost category {key}: {value}",
    "k8s": "the namespace {value}",
    "account": "the account {value}",
    "charge": "the service {value}",
    "name": "names like {value}…",
}
_NOT_WRITABLE = re.compile(r"\{\{|\{%|\{#|[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class Suggestion:
    """A rule as YAML, and what it matches beyond the rules and suggestions before it.

    `why` names its signal; `claims` is effective cost by currency.
    """

    dimension: str
    rule: str
    why: str
    charge_count: int
    claims: Mapping[str, Decimal]


def suggestions(
    charges: LiveCharges, contexts: Mapping[str, str], compilation: Compilation, count: int
) -> list[Suggestion]:
    """At most `count` rules per dimension, largest first; needs the table `profiles`.

    `contexts` are the texts that `compilation` was made from.
    """
    charges.warehouse.execute(SIGNS)
    candidates = {
        dimension.name: _candidates(charges, dimension.name)[:CANDIDATES]
        for dimension in compilation.program.dimensions
    }
    candidates = {name: found for name, found in candidates.items() if found}
    if not candidates:
        return []
    aside = _names_aside(compilation)
    # Next to the dimension files as shown to people, whatever the folder's name.
    files = {
        f"{dimension.place.path.rpartition('/')[0]}/{aside[dimension.name]}.yml": _file(
            aside[dimension.name], [rule for rule, _ in candidates[dimension.name]]
        )
        for dimension in compilation.program.dimensions
        if dimension.name in candidates
    }
    with_candidates = compile_contexts({**contexts, **files}, {})
    if with_candidates.plan is None or with_candidates.problems:
        raise AssertionError(f"suggestions do not compile: {with_candidates.problems}")
    rows = charges.rows(
        rule_matches(with_candidates.plan, with_candidates.program.allocation), with_candidates
    )
    return [
        suggestion
        for name, found in sorted(candidates.items())
        for suggestion in _chosen(name, aside[name], found, rows, count)
    ]


def _names_aside(compilation: Compilation) -> dict[str, str]:
    """An unused dimension name per dimension, for its suggestions."""
    taken = {dimension.name for dimension in compilation.program.dimensions}
    names: dict[str, str] = {}
    for number, name in enumerate(sorted(taken)):
        names[name] = next(
            free
            for free in (f"suggested_{number}{'_' * underscores}" for underscores in range(len(taken) + 1))
            if free not in taken
        )
    return names


def yaml_to_paste(found: Sequence[Suggestion]) -> str:
    """Suggestions as YAML, grouped by dimension, each with a comment on what it matches."""
    lines = []
    dimension = ""
    for each in found:
        if each.dimension != dimension:
            dimension = each.dimension
            lines.append(f"# dimensions/{dimension}.yml")
        count = "1 charge" if each.charge_count == 1 else f"{each.charge_count:,} charges"
        lines.append(f"  # claims {money_text(each.claims)}, {count}: {each.why}")
        lines += [f"  {line}" for line in each.rule.splitlines()]
    return "\n".join(lines)


def _candidates(charges: LiveCharges, dimension: str) -> list[tuple[str, str]]:
    """Rules with reasons, largest first; currencies are compared by the largest one, not summed."""
    found = rows_of(
        charges.warehouse, VALUES.format(name=dimension), {"sure": SURE_PERCENT, "evidence": EVIDENCE}
    )
    elements = [
        name
        for (name,) in charges.warehouse.execute(
            f'select distinct "{dimension}" from profiles where "{dimension}_rule" > 0 order by all'
        ).fetchall()
    ]
    rules: list[tuple[Decimal, str, str]] = []
    for row in found:
        value = row["value"]
        if not _is_writable(value):
            continue
        sign = _SIGN_WORDS[row["kind"]].format(**row)
        element = row["element"]
        why = f"inferred: {row['sure_percent']}% of the matched cost with {sign} is {element}"
        if element is None:
            element = _spelled(value, elements)
            why = f"a guess: {sign} contains the name {element}"
        if element is not None and _is_writable(element):
            rule = f"- element: {_yaml(element)}\n  when: {_condition(row)}"
            rules.append((row["unclaimed"], rule, why))
    keys = rows_of(charges.warehouse, KEYS.format(name=dimension), {"most": MOST_VALUES_OF_A_KEY})
    for row in keys:
        if _is_writable(row["key"]) and (
            _is_alike(row["key"], dimension) or _spells_one(row["key_values"], elements)
        ):
            why = f"a guess: {row['value_count']} values of the tag, such as {row['example']}"
            rule = f"- from: {{tag: {_yaml(row['key'])}}}"
            if row["folded_count"] < row["value_count"]:
                rule += "\n  transform: [trim, lower]"
                why += f", of which {row['folded_count']} differ by more than capitals and blanks"
            rules.append((row["unclaimed"], rule, why.replace("\n", " ")))
    rules.sort(key=lambda each: (-each[0], each[1]))
    return [(rule, why) for _, rule, why in rules]


def _condition(row: Mapping[str, Any]) -> str:
    value = _yaml(row["value"])
    if row["kind"] == "name":
        return f"{{charge: resource_id, contains: {value}}}"
    any_case = ", ignore_case: true" if row["spelling_count"] > 1 else ""
    return f"{{{row['kind']}: {_yaml(row['key'])}, equals: {value}{any_case}}}"


def _yaml(text: str) -> str:
    """Text as YAML, quoted unless it is unambiguously text."""
    is_plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_./-]*( [A-Za-z0-9_./-]+)*", text)
    return (
        text if is_plain and isinstance(yaml.safe_load(text), str) else json.dumps(text, ensure_ascii=False)
    )


def _is_alike(key: str, dimension: str) -> bool:
    """Whether a tag key looks like the dimension's name."""
    return dimension in key or (len(key) >= _SPELLED and key in dimension)


def _spells_one(values: Sequence[str], elements: Sequence[str]) -> bool:
    known = {element.casefold() for element in elements}
    return any(value.casefold() in known for value in values)


def _is_writable(text: str) -> bool:
    """Whether a value can be written in contexts, which allow no template marks or control characters."""
    return not _NOT_WRITABLE.search(text) and len(text) < 256


def _spelled(value: str, elements: Sequence[str]) -> str | None:
    plain = re.sub(r"[^a-z0-9]+", "", value.lower())
    for element in elements:
        word = re.sub(r"[^a-z0-9]+", "", element.lower())
        if len(word) >= _SPELLED and word in plain:
            return element
    return None


def _file(name: str, rules: Sequence[str]) -> str:
    listed = "\n".join(f"  {line}" for rule in rules for line in rule.splitlines())
    return f"dimension: {name}\ndescription: Suggestions\nrules:\n{listed}\n"


def _chosen(
    dimension: str,
    aside: str,
    candidates: Sequence[tuple[str, str]],
    rows: Sequence[Mapping[str, Any]],
    count: int,
) -> list[Suggestion]:
    """Greedily pick the candidate that matches most of the remaining spend."""
    left = [row for row in rows if not row[f"{dimension}_rule"]]
    chosen: list[Suggestion] = []
    while len(chosen) < count:
        claims: defaultdict[int, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        counts: defaultdict[int, Decimal] = defaultdict(Decimal)
        for row in left:
            for position in row[f"{aside}_matches"]:
                claims[position][row["billing_currency"]] += row["effective_cost"]
                counts[position] += row["charge_count"]
        if not claims:
            break
        best = min(claims, key=lambda position: (-max(claims[position].values()), position))
        if max(claims[best].values()) <= 0:
            break
        rule, why = candidates[best - 1]
        chosen.append(Suggestion(dimension, rule, why, int(counts[best]), dict(claims[best])))
        left = [row for row in left if best not in row[f"{aside}_matches"]]
    return chosen
