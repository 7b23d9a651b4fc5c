"""Values and conditions of the context language: what a rule looks at, and when it holds.

Frozen and typed, without YAML and without SQL. Dimensions, streams and allocation rules, which are made of
these, are in `language`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

from orchestration.compiler.problems import Place

ColumnType = Literal["text", "date", "timestamp", "decimal", "integer"]
Operand = str | date | datetime | Decimal | int


def normalise_key(key: str) -> str:
    """A tag or cost category key as the charges spell it: its letters and digits, in lower case.

    `CostCenter`, `user:CostCenter`, `cost-center` and `COST_CENTER` all become `costcenter`; empty when no
    letter or digit is left. The macro `tag_key` does the same to the charges.
    """
    own = re.sub(r"^user[:_]", "", unicodedata.normalize("NFC", key))
    # Letter by letter, like the warehouse: neighbours do not affect a letter's lower case.
    lowered = "".join(character.lower()[0] for character in own)
    return re.sub(r"[\W_]+", "", lowered)


# --- values: what a condition looks at and what an element can be named after ---


@dataclass(frozen=True)
class ChargeColumn:
    """A column of the canonical charge; `type` is what it holds."""

    name: str
    type: ColumnType


@dataclass(frozen=True)
class Tag:
    """A tag of the charge, by normalised key."""

    key: str


@dataclass(frozen=True)
class CostCategory:
    """An AWS cost category of the charge, by normalised key."""

    key: str


@dataclass(frozen=True)
class DimensionElement:
    """What another dimension made of the charge."""

    dimension: str


@dataclass(frozen=True)
class KubernetesLabel:
    """A label of the pod, by normalised key."""

    key: str


@dataclass(frozen=True)
class AccountFact:
    """A fact about the account in the organization: a column of `accounts`, or a key in one of its maps."""

    column: str
    key: str | None


@dataclass(frozen=True)
class ResourceFact:
    """A fact about a resource in the inventory: a column of `resources`, or a key in one of its maps.

    Refers to the charge's own resource if `path` is empty, else to the one at the end of the relationships in
    `path`. If they lead to several, the value on which all that have one agree.
    """

    path: tuple[str, ...]
    column: str
    key: str | None


Subject = ChargeColumn | Tag | CostCategory | DimensionElement | KubernetesLabel | AccountFact | ResourceFact


@dataclass(frozen=True)
class Lower:
    """All letters lower case."""


@dataclass(frozen=True)
class Upper:
    """All letters upper case."""


@dataclass(frozen=True)
class Title:
    """Every word (between spaces) with a capital first letter, the rest lower case."""


@dataclass(frozen=True)
class Trim:
    """Without spaces, tabs and line ends at both ends."""


@dataclass(frozen=True)
class Slug:
    """Lower case, everything but letters a-z and digits as single `-` between them."""


@dataclass(frozen=True)
class Split:
    """One part of the text between separators: 1 is the first, -1 the last; absent if there is none."""

    on: str
    take: int


@dataclass(frozen=True)
class Replace:
    """Every match of an RE2 pattern replaced; `\\1` in the replacement is the first group."""

    pattern: str
    replacement: str


@dataclass(frozen=True)
class MapValues:
    """Exact texts replaced by others; what is not listed stays."""

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Default:
    """The text to take when there is no value up to here."""

    text: str


Transform = Lower | Upper | Title | Trim | Slug | Split | Replace | MapValues | Default


@dataclass(frozen=True)
class Value:
    """The first subject that has a value, then the transforms in order; absent when the result is empty."""

    first_of: tuple[Subject, ...]
    transforms: tuple[Transform, ...]
    place: Place


# --- conditions: true or false, never unknown; a comparison with an absent value is false ---


class Operator(Enum):
    """How a comparison looks at its subject."""

    EQUALS = "equals"
    NOT_EQUALS = "not_equals"
    IN = "in"
    NOT_IN = "not_in"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    CONTAINS = "contains"
    MATCHES = "matches"
    EXISTS = "exists"
    BEFORE = "before"
    AFTER = "after"
    BETWEEN = "between"


@dataclass(frozen=True)
class Comparison:
    """One subject against its operands: one for most operators, two for `between`, any number for `in`.

    `exists` has none; `exists: false` is `Not` around it.
    """

    subject: Subject
    operator: Operator
    operands: tuple[Operand, ...]
    ignore_case: bool
    place: Place


@dataclass(frozen=True)
class All:
    """True when every condition is."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True)
class AnyOf:
    """True when at least one condition is."""

    conditions: tuple[Condition, ...]


NEVER = AnyOf(())
"""Stands for a condition that could not be read; the problem is noted, nothing is compiled."""


@dataclass(frozen=True)
class Not:
    """True when the condition is false, also where it is false because a value is absent."""

    condition: Condition


Condition = Comparison | All | AnyOf | Not
