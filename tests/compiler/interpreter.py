"""The context language interpreted in plain Python: the oracle that compiled SQL is compared with.

Works on the YAML's own structure (dictionaries, lists, texts) and shares no code with the compiler. Slow and
obvious on purpose. A charge is a dictionary of column values with the maps `tags` and `cost_categories`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.compiler.known import Known, spelled_as_in_charges

Charge = Mapping[str, Any]
Usage = Mapping[tuple[str, int, date | None], Mapping[str, int]]
AMOUNTS = (
    *("consumed_quantity", "billed_cost", "effective_cost", "contracted_cost", "list_cost"),
    "x_net_effective_cost",
)
SUBJECTS = ("charge", "tag", "cost_category", "k8s", "account", "dimension", "resource", "related")
KUBERNETES = {
    "cluster": "x_kubernetes_cluster",
    "namespace": "x_kubernetes_namespace",
    "workload_type": "x_kubernetes_workload_type",
    "workload": "x_kubernetes_workload",
}
ACCOUNT = {"id": "sub_account_id"}


def lower(text: str) -> str:
    """Letter by letter, as the warehouse does it: one letter stays one letter."""
    return "".join(c.lower()[0] for c in text)


def upper(text: str) -> str:
    """Letter by letter: the sharp s has a capital of its own."""
    return "".join("ẞ" if c == "ß" else c.upper() if len(c.upper()) == 1 else c for c in text)


class Interpreter:
    """What a program makes of one charge. `dimensions` maps names to the content of their files.

    `usage` maps a dimension, the position of a rule that splits by a stream, and a day to the usage of each
    element. `found` has the elements of dimensions that are known already, with their rules: of a part of a
    charge that other dimensions split.
    """

    def __init__(
        self,
        dimensions: Mapping[str, Any],
        allocation: Mapping[str, Any],
        charge: Charge,
        known: Known | None = None,
        usage: Usage | None = None,
        found: Mapping[str, tuple[str | None, int | None]] | None = None,
    ) -> None:
        self.dimensions = dimensions
        self.allocation = allocation
        self.charge = charge
        self.known = known or Known({})
        self.usage = usage or {}
        self.found = dict(found or {})

    def parts(self) -> list[dict[str, Any]]:
        """The columns of each part, in the order of their numbers; of a charge that is not split, one."""
        return [{**amounts, **part.result()} for amounts, part in self.divided()]

    def divided(self) -> list[tuple[dict[str, Any], Interpreter]]:
        """The number, share and amounts of each part, and the part to ask for the rest."""
        whole = {
            "charge_part": 0,
            "charge_share": Decimal(1),
            **{name: self.charge.get(name) for name in AMOUNTS},
        }
        parts = [(whole, self)]
        is_first = True
        for name in in_order(self.dimensions):
            rules = self.dimensions[name]["rules"]
            if not any("split" in rule for rule in rules):
                continue
            divided = []
            for amounts, part in parts:
                _, position = part.element(name)
                rule = rules[position - 1] if position else {}
                shares = part.split_shares(name, rule, position) if "split" in rule else None
                base = amounts["charge_part"] * (1 if is_first else part_numbers(self.dimensions[name]))
                if shares is None:
                    divided.append(({**amounts, "charge_part": base}, part))
                    continue
                for number, element in enumerate(sorted(shares), start=1):
                    own = {
                        column: part_of(amount, shares, element) if column != "charge_part" else base + number
                        for column, amount in amounts.items()
                    }
                    found = {**part.found, name: (element, position)}
                    with_element = Interpreter(
                        self.dimensions, self.allocation, self.charge, self.known, self.usage, found
                    )
                    divided.append((own, with_element))
            parts = divided
            is_first = False
        return parts

    def split_shares(self, name: str, rule: Mapping[str, Any], position: int) -> Mapping[str, int] | None:
        """How many units of the charge each element gets; None when there is no usage to tell."""
        split = rule["split"]
        if split == "even":
            return dict.fromkeys(rule["elements"], 1)
        if "by" in split:
            return self.usage.get((name, position, self.charge.get("usage_date")))
        return {element: int(share * 1_000_000) for element, share in split.items()}

    def result(self) -> dict[str, Any]:
        """The columns that compiling adds to a charge, or to the part whose elements are known."""
        columns: dict[str, Any] = {}
        for name in self.dimensions:
            columns[name], columns[f"{name}_rule"] = self.element(name)
        counts = self.allocation["cost_of_goods_sold"]
        if counts == "everything":
            columns["cost_of_goods_sold"] = True
        elif isinstance(counts, list):
            columns["cost_of_goods_sold"] = any(self.holds(condition) for condition in counts)
        else:
            columns["cost_of_goods_sold"] = self.holds(counts)
        columns["allocation_rule"], columns["direct_customer_id"] = self.allocated()
        return columns

    def element(self, name: str) -> tuple[str | None, int | None]:
        """The element of a dimension and the position of the rule that gave it."""
        if name not in self.found:
            dimension = self.dimensions[name]
            default = dimension.get("default")
            self.found[name] = (default, 0) if default is not None else (None, None)
            for position, rule in enumerate(dimension["rules"], start=1):
                if not self.is_valid(rule) or ("when" in rule and not self.holds(rule["when"])):
                    continue
                element = self.named(name, rule, position)
                if element is not None:
                    self.found[name] = (element, position)
                    break
        return self.found[name]

    def named(self, name: str, rule: Mapping[str, Any], position: int) -> str | None:
        """The element that a rule gives (of a split, any that shows that it matches); None for no match."""
        if "element" in rule:
            return str(rule["element"])
        if "split" in rule:
            return next(iter(self.split_shares(name, rule, position) or ()), None)
        return self.value(rule["from"], rule)

    def is_valid(self, rule: Mapping[str, Any]) -> bool:
        valid = rule.get("valid", {})
        day = self.charge.get("usage_date")
        if not valid:
            return True
        if day is None:
            return False
        first, last = valid.get("from"), valid.get("until")
        return (first is None or first <= day) and (last is None or day <= last)

    def allocated(self) -> tuple[str | None, str | None]:
        for rule in self.allocation["rules"]:
            if "when" in rule and not self.holds(rule["when"]):
                continue
            if "to" not in rule:
                return rule["name"], None
            customer = self.value(rule["to"], rule)
            if customer is not None:
                return rule["name"], customer
        return None, None

    # --- values ---

    def subject(self, node: Mapping[str, Any]) -> Any:
        """The value that a condition or `from` looks at; None when it is absent or an empty text."""
        if "related" in node:
            fact = node["resource"] if "resource" in node else f"tag {node['tag']}"
            path = node["related"] if isinstance(node["related"], list) else [node["related"]]
            return self.known.of_related(self.charge, path, fact) or None
        [kind] = [key for key in SUBJECTS if key in node]
        name = node[kind]
        if kind == "charge":
            value = self.charge.get(name)
        elif kind == "tag":
            value = self.charge["tags"].get(spelled_as_in_charges(name))
        elif kind == "cost_category":
            value = self.charge["cost_categories"].get(spelled_as_in_charges(name))
        elif kind == "dimension":
            value = self.element(name)[0]
        elif kind == "resource":
            value = self.known.of_resource(self.charge, name)
        elif name.startswith("label "):
            value = self.charge["x_kubernetes_labels"].get(spelled_as_in_charges(name[len("label ") :]))
        elif name.startswith(("tag ", "organizational_unit_path")):
            value = self.known.of_account(self.charge, name)
        elif kind == "account" and name == "name":
            billed = self.charge.get("sub_account_name")
            value = billed or self.known.of_account(self.charge, "account_name")
        else:
            value = self.charge.get((KUBERNETES if kind == "k8s" else ACCOUNT)[name])
        return None if value == "" else value

    def value(self, node: Mapping[str, Any], rule: Mapping[str, Any]) -> str | None:
        """The value of `from` or `to`, transformed."""
        values = [self.subject(subject) for subject in node.get("first_of", [node])]
        value: str | None = next((value for value in values if value is not None), None)
        for transform in rule.get("transform", []):
            value = self.transformed(transform, value)
        return value or None

    def transformed(self, transform: Any, value: str | None) -> str | None:
        name, argument = (transform, None) if isinstance(transform, str) else next(iter(transform.items()))
        if name == "default":
            return value or argument
        if value is None:
            return None
        if name == "lower":
            return lower(value)
        if name == "upper":
            return upper(value)
        if name == "title":
            return " ".join(upper(word[:1]) + lower(word[1:]) for word in value.split(" "))
        if name == "trim":
            return value.strip(" \t\n\r")
        if name == "slug":
            return re.sub("[^a-z0-9]+", "-", lower(value)).strip("-")
        if name == "split":
            parts = value.split(argument["on"])
            index = argument["take"] - 1 if argument["take"] > 0 else argument["take"]
            return parts[index] if -len(parts) <= index < len(parts) else ""
        if name == "map":
            return argument.get(value, value)
        assert name == "replace"
        return python_pattern(argument["pattern"]).sub(lambda match: expanded(argument["with"], match), value)

    # --- conditions ---

    def holds(self, condition: Mapping[str, Any]) -> bool:
        """Whether a condition is true; never unknown."""
        if "all" in condition:
            return all(self.holds(part) for part in condition["all"])
        if "any" in condition:
            return any(self.holds(part) for part in condition["any"])
        if "not" in condition:
            return not self.holds(condition["not"])
        value = self.subject(condition)
        [operator] = set(condition) - {*SUBJECTS, "ignore_case"}
        operand = condition[operator]
        if operator == "exists":
            return (value is not None) == operand
        if value is None:
            return False
        if operator == "matches":
            return python_pattern(operand, condition.get("ignore_case", False)).search(value) is not None
        if condition.get("ignore_case"):
            value = lower(value)
            operand = [lower(item) for item in operand] if isinstance(operand, list) else lower(operand)
        return compares(operator, value, operand)


def in_order(dimensions: Mapping[str, Any]) -> list[str]:
    """The dimensions, each after those that it looks at; those of the same depth by name."""

    def referred(node: Any) -> set[str]:
        if isinstance(node, Mapping):
            named = {node["dimension"]} if isinstance(node.get("dimension"), str) else set()
            return named.union(*map(referred, node.values()))
        return set().union(*map(referred, node)) if isinstance(node, list) else set()

    def depth(name: str) -> int:
        return 1 + max(map(depth, referred(dimensions[name]["rules"])), default=0)

    return sorted(dimensions, key=lambda name: (depth(name), name))


def part_numbers(dimension: Mapping[str, Any]) -> int:
    """One more than a charge can have parts of a dimension; usage may name up to 99,999 elements."""
    counts = [0]
    for rule in dimension["rules"]:
        if "split" in rule:
            of_usage = isinstance(rule["split"], Mapping) and "by" in rule["split"]
            named = rule.get("elements", () if of_usage or rule["split"] == "even" else rule["split"])
            counts.append(len(named) or 99_999)
    return 1 + max(counts)


def part_of(amount: Decimal | None, shares: Mapping[str, int], element: str) -> Decimal | None:
    """An element's part of an amount: what lies between two cuts, by the shares before and through it.

    Shares have twelve digits, and the largest has what is missing to 1; a cut is rounded half away from zero.
    """
    if amount is None:
        return None
    total = sum(shares.values())
    units = {name: shares[name] * 10**12 // total for name in sorted(shares)}
    units[max(units, key=lambda name: shares[name])] += 10**12 - sum(units.values())
    before = sum(own for name, own in units.items() if name < element)

    def up_to(share: int) -> Decimal:
        exact = Fraction(amount) * share
        return Decimal((abs(exact) + Fraction(1, 2)).__floor__() * (-1 if exact < 0 else 1)).scaleb(-12)

    return up_to(before + units[element]) - up_to(before)


def compares(operator: str, value: Any, operand: Any) -> bool:
    """A value that is there against the operand of any operator but `exists` and `matches`."""
    if operator == "equals":
        return is_same(value, operand)
    if operator == "not_equals":
        return not is_same(value, operand)
    if operator == "in":
        return any(is_same(value, item) for item in operand)
    if operator == "not_in":
        return not any(is_same(value, item) for item in operand)
    if operator == "starts_with":
        return value.startswith(operand)
    if operator == "ends_with":
        return value.endswith(operand)
    if operator == "contains":
        return operand in value
    if operator == "before":
        return as_comparable(value, operand) < operand
    if operator == "after":
        return as_comparable(value, operand) > operand
    assert operator == "between"
    first, last = operand
    return as_comparable(value, first) >= first and as_comparable(value, last) <= last


def as_comparable(value: Any, operand: Any) -> Any:
    """A time against a day counts as its day."""
    is_day = isinstance(operand, date) and not isinstance(operand, datetime)
    return value.date() if is_day and isinstance(value, datetime) else value


def is_same(value: Any, operand: Any) -> bool:
    if isinstance(value, Decimal | int) and isinstance(operand, Decimal | int):
        return Decimal(value) == Decimal(operand)
    return as_comparable(value, operand) == operand


def python_pattern(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """A simple RE2 pattern for Python, whose `$` would match before a last line end too."""
    return re.compile(pattern.replace("$", r"\Z"), re.IGNORECASE if ignore_case else re.NOFLAG)


def expanded(replacement: str, match: re.Match[str]) -> str:
    """RE2's rewrite: `\\1` is a group, `\\\\` a backslash, anything else itself."""
    return re.sub(
        r"\\(.)", lambda found: "\\" if found[1] == "\\" else match[int(found[1])] or "", replacement
    )
