"""The context language as data: what a program of dimensions, streams and allocation rules consists of.

Frozen and typed, without YAML and without SQL: `resolve` makes these from nodes, `check` looks at them, the
`emit_` modules turn them into files. The columns of the canonical charge are listed in `charge_columns`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Literal

from orchestration.compiler.problems import Place

ColumnType = Literal["text", "date", "timestamp", "decimal", "integer"]
Granularity = Literal["hourly", "daily"]
Operand = str | date | datetime | Decimal | int

WHEN_NO_USAGE = ("same_day", "trailing_7_days", "trailing_30_days", "unallocated")
DEFAULT_WHEN_NO_USAGE = ("same_day", "unallocated")


def normalise_key(key: str) -> str:
    """A tag or cost category key as the charges spell it, by AWS' rule for column names in Parquet.

    `CostCenter`, `user:CostCenter` and `user_cost_center` all become `cost_center`; empty when no letter or
    digit is left. The macro `tag_key` does the same to the charges.
    """
    own = re.sub(r"^user[:_]", "", key)
    spaced = re.sub(r"([A-Z])", r"_\1", own).lower()
    return re.sub(r"[\W_]+", "_", spaced).strip("_")


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


Subject = ChargeColumn | Tag | CostCategory | DimensionElement


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


@dataclass(frozen=True)
class Not:
    """True when the condition is false, also where it is false because a value is absent."""

    condition: Condition


Condition = Comparison | All | AnyOf | Not


# --- dimensions ---


@dataclass(frozen=True)
class Valid:
    """The usage dates that a rule holds for, both ends included; None is open."""

    first: date | None
    last: date | None


@dataclass(frozen=True)
class Rule:
    """One rule of a dimension: gives `element`, or the value `source` as element; exactly one is set."""

    element: str | None
    source: Value | None
    when: Condition | None
    valid: Valid | None
    text: str
    place: Place


@dataclass(frozen=True)
class DimensionTest:
    """A charge given by hand and the element expected of it (None: unmatched)."""

    charge: tuple[tuple[str, Operand], ...]
    tags: tuple[tuple[str, str], ...]
    cost_categories: tuple[tuple[str, str], ...]
    dimensions: tuple[tuple[str, str], ...]
    expect: str | None
    place: Place


@dataclass(frozen=True)
class Dimension:
    """One way to look at cost; the first rule that matches a charge gives its element, else `default`."""

    name: str
    description: str
    default: str | None
    rules: tuple[Rule, ...]
    tests: tuple[DimensionTest, ...]
    place: Place
    name_place: Place


# --- streams and allocation ---


@dataclass(frozen=True)
class Stream:
    """A telemetry stream: what is counted, in which unit, by hour or by day."""

    name: str
    unit: str
    granularity: Granularity
    description: str
    place: Place


@dataclass(frozen=True)
class ToCustomer:
    """The whole cost goes to the customer that the value names."""

    value: Value


@dataclass(frozen=True)
class ByStream:
    """Divided in proportion to the usage of a stream."""

    stream: str
    place: Place


@dataclass(frozen=True)
class ByAllocatedCost:
    """Divided in proportion to what each customer already carries."""


@dataclass(frozen=True)
class Evenly:
    """The same for every active customer."""


@dataclass(frozen=True)
class FixedShares:
    """Fixed fractions per customer id; they sum to exactly 1."""

    shares: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class NoAllocation:
    """Stays unallocated on purpose."""


Method = ToCustomer | ByStream | ByAllocatedCost | Evenly | FixedShares | NoAllocation


@dataclass(frozen=True)
class AllocationRule:
    """How the cost that `when` holds for is divided among customers; the first rule that matches wins."""

    name: str
    when: Condition | None
    method: Method
    granularity: Granularity | None
    when_no_usage: tuple[str, ...]
    place: Place


@dataclass(frozen=True)
class Allocation:
    """`allocation.yml`: which cost counts, and the rules. `cost_of_goods_sold` None means everything."""

    cost_of_goods_sold: Condition | None
    rules: tuple[AllocationRule, ...]
    place: Place


@dataclass(frozen=True)
class Program:
    """All contexts of a project, read."""

    dimensions: tuple[Dimension, ...]
    streams: tuple[Stream, ...]
    allocation: Allocation
