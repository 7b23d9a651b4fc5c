"""Random programs of the context language and random charges, made of single choices.

Whoever asks for a program gives the choices (Hypothesis, which can then shrink a failure, or a seeded
`Random`). The texts are hostile on purpose: quotes, semicolons, comments, backslashes, braces, line ends,
letters beyond ASCII. Charges draw from the same few texts as the program, so that rules do match.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import yaml

from tests.compiler.known import spelled_as_in_charges
from tests.compiler.random_signals import ACCOUNT_IDS, RESOURCE_IDS, SIGNAL_SUBJECTS, random_signals

T = TypeVar("T")
Node = dict[str, Any]

HOSTILE = "aAbB01 -_/:.,;'\"\\`$%#{}()[]*+?|&<>\n\téÄßΩ漢🚀"
JINJA_MARKS = ("{{", "{%", "{#")
PATTERNS = ("^a", "b$", "[a-b]+", "^[^a]*$", "a|1", "(?i)B", "^.*$", "[\\[\\]\\\\]", "[0-9]{2}", "'", "é|漢")
REPLACED = (
    ("(a+)", "<\\1>"),
    ("[ _-]", "\\\\"),
    ("'", "''"),
    ("^(.)(.)", "\\2\\1"),
    ("b$", ""),
    ("漢", "kan"),
)
SEPARATORS = ("-", " ", "a", "'", "\\", "b1")
TAG_KEYS = ("app", "CostCenter", "user:Team", "aws:eks:cluster-name", "it's; a key", "Ünï")
LABEL_KEY = "app.kubernetes.io/Name"
TEXT_SUBJECTS: tuple[Node, ...] = (
    *({"tag": key} for key in TAG_KEYS),
    {"cost_category": "Team"},
    {"k8s": "namespace"},
    {"k8s": f"label {LABEL_KEY}"},
    {"account": "name"},
    {"charge": "service_name"},
    *SIGNAL_SUBJECTS,
)
DAYS = tuple(date(2026, 1, day) for day in (1, 2, 3))
MOMENTS = tuple(datetime(2026, 1, day, hour) for day in (1, 2, 3) for hour in (0, 12))
NUMBERS = tuple(Decimal(text) for text in ("0", "1", "-0.5", "0.000000000001", "99999999999999999999999999"))
TYPED: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("usage_date", DAYS),
    ("charge_period_start", (*DAYS, *MOMENTS)),
    ("effective_cost", NUMBERS),
    ("x_landed_row", (0, 1, 2)),
)
STREAMS = ("requests", "gibibytes")
CUTS = (1, 250_000, 333_333, 500_000, 999_999)
UNITS = (1, 1, 2, 3, 7, 10**12 + 1, 333_333_333_333_333_333)
AMOUNTS = tuple(
    Decimal(text) for text in ("0", "1", "-1", "0.000000000001", "-12345.678901234567", "99999999999.99")
)
TEXT_OPERATORS = (
    *("equals", "not_equals", "in", "not_in", "starts_with", "ends_with", "contains", "matches", "exists"),
)


class Choices:
    """Single choices, all from one function that gives a number from 0 up to, not including, its argument."""

    def __init__(self, below: Callable[[int], int]) -> None:
        self.below = below

    def one_of(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def maybe(self, one_in: int = 2) -> bool:
        return self.below(one_in) == one_in - 1

    def some(self, most: int, make: Callable[[], T], least: int = 1) -> list[T]:
        return [make() for _ in range(least + self.below(most - least + 1))]

    def text(self) -> str:
        text = "".join(self.some(6, lambda: self.one_of(HOSTILE)))
        return text if not any(mark in text for mark in JINJA_MARKS) else "{ {"


class Program:
    """Makes the files of one program; `words` are the few texts that it and its charges are made of."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices
        self.words = choices.some(4, choices.text, least=2)
        self.dimensions: dict[str, Node] = {}
        names = ["feature", "team", "z_stage"]
        for _ in range(1 + choices.below(3)):
            name = choices.one_of(names)
            names.remove(name)
            self.dimensions[name] = self.dimension(name)
        self.allocation = self.allocation_file()
        self.signals = random_signals(choices, self.value)
        self.usage = self.random_usage()

    def __repr__(self) -> str:
        return "\n".join(f"--- {path}\n{text}" for path, text in self.contexts().items())

    def value(self) -> str | None:
        """A text that the program may look for, another one, an empty one or none."""
        kind = self.choices.below(8)
        if kind < 2:
            return (None, "")[kind]
        word = self.choices.text() if kind == 2 else self.word()
        return self.choices.one_of([word, word, word.lower(), word.upper()]) if word.isascii() else word

    def word(self) -> str:
        return self.choices.one_of(self.words)

    def dimension(self, name: str) -> Node:
        dimension: Node = {"dimension": name, "description": self.choices.text()}
        if self.choices.maybe():
            dimension["default"] = self.word()
        rules = self.choices.some(4, self.rule)
        if self.choices.maybe(5):
            rules.append({"element": self.word()})
        return {**dimension, "rules": rules}

    def rule(self) -> Node:
        if self.choices.maybe(6):
            return self.split_rule()
        rule: Node = {"element": self.word()} if self.choices.maybe() else self.named_by_value("from")
        if "element" in rule or self.choices.maybe():
            rule["when"] = self.condition(3)
        if self.choices.maybe(4):
            first, last = sorted([self.choices.one_of(DAYS), self.choices.one_of(DAYS)])
            rule["valid"] = self.choices.one_of(
                [{"from": first, "until": last}, {"from": first}, {"until": last}]
            )
        return rule

    def split_rule(self) -> Node:
        choices = self.choices
        elements = sorted(set(choices.some(4, self.word)))
        rule: Node = {"when": self.condition(1)}
        kind = choices.below(4)
        if kind == 0:
            return {"split": "even", "elements": elements, **rule}
        if kind == 1:
            cuts = sorted({choices.one_of(CUTS) for _ in elements[1:]})
            ends = zip([0, *cuts], [*cuts, 1_000_000], strict=True)
            shares = [Decimal(last - first).scaleb(-6) for first, last in ends]
            return {"split": dict(zip(elements, shares, strict=False)), **rule}
        if choices.maybe(3):
            del rule["when"]
        if choices.maybe(3):
            rule["when_no_usage"] = ["trailing_7_days"]
        named = {"elements": elements} if kind == 2 else {}
        return {"split": {"by": choices.one_of(STREAMS)}, **named, **rule}

    def random_usage(self) -> dict[tuple[str, int, date], dict[str, int]]:
        """Usage that decides the splits by a stream, on some days; alike for alike splits."""
        alike: dict[str, dict[date, dict[str, int]]] = {}
        usage = {}
        for name, dimension in self.dimensions.items():
            for position, rule in enumerate(dimension["rules"], start=1):
                if not isinstance(rule.get("split"), dict) or "by" not in rule["split"]:
                    continue
                said = str((name, rule["split"], rule.get("elements"), rule.get("when_no_usage")))
                if said not in alike:
                    alike[said] = {day: self.used(rule) for day in DAYS if self.choices.maybe()}
                usage |= {(name, position, day): units for day, units in alike[said].items()}
        return usage

    def used(self, rule: Node) -> dict[str, int]:
        elements = rule.get("elements") or sorted(set(self.choices.some(4, self.word)))
        some = [element for element in elements if self.choices.maybe()] or elements
        return {element: self.choices.one_of(UNITS) for element in some}

    def named_by_value(self, key: str) -> Node:
        subjects = [*TEXT_SUBJECTS, *({"dimension": name} for name in self.dimensions)]
        if self.choices.maybe():
            rule: Node = {key: {"first_of": self.choices.some(3, lambda: self.choices.one_of(subjects))}}
        else:
            rule = {key: self.choices.one_of(subjects)}
        if self.choices.maybe():
            rule["transform"] = self.choices.some(4, self.transform)
        return rule

    def transform(self) -> Any:
        kind = self.choices.below(9)
        if kind < 5:
            return ("lower", "upper", "title", "trim", "slug")[kind]
        if kind == 5:
            take = self.choices.one_of([1, 2, 3, -1, -2])
            return {"split": {"on": self.choices.one_of(SEPARATORS), "take": take}}
        if kind == 6:
            pattern, replacement = self.choices.one_of(REPLACED)
            return {"replace": {"pattern": pattern, "with": replacement}}
        if kind == 7:
            return {"map": {self.word(): self.word() for _ in range(1 + self.choices.below(3))}}
        return {"default": self.word()}

    def condition(self, depth: int) -> Node:
        kind = self.choices.below(7 if depth else 4)
        if kind < 2:
            return self.text_condition()
        if kind == 2:
            return self.typed_condition()
        if kind == 3:
            return self.dimension_condition()
        if kind == 4:
            return {"not": self.condition(depth - 1)}
        return {("all", "any")[kind - 5]: self.choices.some(3, lambda: self.condition(depth - 1))}

    def dimension_condition(self) -> Node:
        """What a dimension equals is asked only for what it can be; the compiler refuses the rest."""
        if not self.dimensions:
            return self.text_condition()
        name = self.choices.one_of(list(self.dimensions))
        rules = self.dimensions[name]["rules"]
        elements = [element for rule in rules for element in given_by(rule)]
        if elements and self.choices.maybe():
            return {"dimension": name, "equals": self.choices.one_of(elements)}
        if not all(map(given_by, rules)):
            return self.text_condition({"dimension": name})
        return {"dimension": name, "exists": self.choices.maybe()}

    def text_condition(self, subject: Node | None = None) -> Node:
        subject = subject or self.choices.one_of(TEXT_SUBJECTS)
        operator = self.choices.one_of(TEXT_OPERATORS)
        if operator == "exists":
            return {**subject, operator: self.choices.maybe()}
        word = self.word()
        at = self.choices.below(len(word))
        operand = {
            "in": lambda: self.choices.some(3, self.word),
            "not_in": lambda: self.choices.some(3, self.word),
            "matches": lambda: self.choices.one_of(PATTERNS),
            "starts_with": lambda: word[: at + 1],
            "ends_with": lambda: word[at:],
            "contains": lambda: word[at : at + 2],
        }.get(operator, lambda: word)()
        return {**subject, operator: operand, **({"ignore_case": True} if self.choices.maybe() else {})}

    def typed_condition(self) -> Node:
        column, values = self.choices.one_of(TYPED)
        ordered = ("before", "after") if isinstance(values[0], date) else ()
        operator = self.choices.one_of(
            ("equals", "not_equals", "in", "not_in", "between", "exists", *ordered)
        )

        def value() -> Any:
            return self.choices.one_of(values)

        if operator == "exists":
            return {"charge": column, operator: self.choices.maybe()}
        if operator in {"in", "not_in"}:
            return {"charge": column, operator: self.choices.some(3, value)}
        if operator == "between":
            ends = [value(), value()]
            return {"charge": column, operator: sorted(ends, key=str if ordered else lambda end: end)}
        return {"charge": column, operator: value()}

    def allocation_file(self) -> Node:
        choices = self.choices
        counts = (
            lambda: "everything",
            lambda: self.condition(2),
            lambda: choices.some(2, lambda: self.condition(1)),
        )
        methods: tuple[Node, ...] = (
            {"by": "even"},
            {"by": "allocated_cost"},
            {"none": True},
            {"shares": {"it's": 1}},
        )
        rules = [
            {
                "name": f"rule_{number}",
                "when": self.condition(2),
                **(self.named_by_value("to") if choices.maybe() else choices.one_of(methods)),
            }
            for number in range(choices.below(4))
        ]
        return {"allocate_to": "customer", "cost_of_goods_sold": choices.one_of(counts)(), "rules": rules}

    def charges(self) -> list[Node]:
        return self.choices.some(6, self.charge)

    def charge(self) -> Node:
        choices = self.choices

        text = self.value

        def value(values: Sequence[Any]) -> Any:
            return choices.one_of([None, *values])

        begin = value(MOMENTS)
        length = choices.one_of(
            [None, timedelta(0), timedelta(hours=1), timedelta(days=1), timedelta(days=2)]
        )
        tags = {spelled_as_in_charges(key): text() for key in TAG_KEYS if choices.maybe()}
        return {
            "tags": {key: tag for key, tag in tags.items() if tag is not None},
            "cost_categories": {"team": self.word()} if choices.maybe() else {},
            "x_kubernetes_namespace": text(),
            "x_kubernetes_labels": {spelled_as_in_charges(LABEL_KEY): self.word()} if choices.maybe() else {},
            "sub_account_name": text(),
            "service_name": text(),
            "usage_date": value(DAYS),
            "charge_period_start": begin,
            "charge_period_end": None if begin is None or length is None else begin + length,
            "resource_id": value(RESOURCE_IDS),
            "sub_account_id": value(ACCOUNT_IDS),
            **{name: value(AMOUNTS) for name in ("consumed_quantity", "billed_cost", "list_cost")},
            # The largest numbers can be compared with, but not divided.
            "effective_cost": value(AMOUNTS if self.splits() else NUMBERS),
            "x_landed_row": value((0, 1, 2)),
        }

    def splits(self) -> bool:
        """Whether any rule splits charges."""
        return any("split" in rule for content in self.dimensions.values() for rule in content["rules"])

    def contexts(self) -> dict[str, str]:
        """The program as context files."""
        contexts = {f"dimensions/{name}.yml": as_yaml(content) for name, content in self.dimensions.items()}
        streams = {
            name: {"unit": "1", "granularity": "hourly", "description": "What is used"} for name in STREAMS
        }
        return {
            **contexts,
            "streams.yml": as_yaml({"streams": streams}),
            "allocation.yml": as_yaml(self.allocation),
        }


def given_by(rule: Node) -> list[str]:
    """The elements that a rule is written to give; none where a value or usage names them."""
    if "element" in rule:
        return [rule["element"]]
    split = rule.get("split", {})
    return list(rule.get("elements", () if "by" in split or split == "even" else split))


class _Dumper(yaml.SafeDumper):
    """Writes every text in quotes, numbers in full, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _quoted(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"')


def _plain(dumper: yaml.SafeDumper, value: Decimal) -> yaml.ScalarNode:
    text = f"{value:f}"
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(str, _quoted)
_Dumper.add_representer(Decimal, _plain)


def as_yaml(content: Any) -> str:
    """A context file, texts in quotes."""
    return yaml.dump(content, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=10_000)
