"""A program of dimensions, streams and allocation rules, as data.

Frozen and typed, without YAML or SQL: `reading` creates it from text and checks it, `emitting` turns it into
files. Its conditions and values are in `conditions`, the columns of the canonical charge in `charge_columns`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from orchestration.compiler.language.conditions import Condition, Operand, Value
from orchestration.compiler.language.pulls import Pull, Received
from orchestration.compiler.problems import Place

Granularity = Literal["hourly", "daily"]

WHEN_NO_USAGE = ("same_day", "trailing_7_days", "trailing_30_days", "unallocated")
DEFAULT_WHEN_NO_USAGE = ("same_day", "unallocated")
SPLIT_WINDOWS = ("same_day", "trailing_7_days", "trailing_30_days")


# --- dimensions ---


@dataclass(frozen=True)
class Valid:
    """The usage dates that a rule holds for, both ends included; None is open."""

    first: date | None
    last: date | None


@dataclass(frozen=True)
class FixedSplit:
    """The charge is divided among elements by fixed shares, which sum to exactly 1."""

    shares: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class EvenSplit:
    """The charge is divided among elements in equal parts."""

    elements: tuple[str, ...]


@dataclass(frozen=True)
class SplitByUsage:
    """The charge is divided by the usage of a stream that was sent for single elements of the dimension.

    `elements` are the only ones whose usage counts; None for all. `windows` are where to look when the day
    itself has no usage, in order; without any usage the rule does not match.
    """

    stream: str
    elements: tuple[str, ...] | None
    windows: tuple[str, ...]
    place: Place


ChargeSplit = FixedSplit | EvenSplit | SplitByUsage


@dataclass(frozen=True)
class Rule:
    """One rule of a dimension: gives `element`, or the value `source` as element, or a `split` among several;
    exactly one is set.
    """

    element: str | None
    source: Value | None
    when: Condition | None
    valid: Valid | None
    text: str
    place: Place
    split: ChargeSplit | None = None


Texts = tuple[tuple[str, str], ...]
"""Texts by the names or keys that they are given under."""


@dataclass(frozen=True)
class GivenResource:
    """An example resource: texts by column of `resources`, and its related resources."""

    columns: Texts
    tags: Texts
    attributes: Texts
    related: tuple[tuple[str, GivenResource], ...]


@dataclass(frozen=True)
class GivenAccount:
    """An example account: texts by column of `accounts`."""

    columns: Texts
    tags: Texts


Expected = str | tuple[tuple[str, Decimal], ...] | None
"""An element; the shares of several; None for unmatched."""


@dataclass(frozen=True)
class DimensionTest:
    """An example charge and its expected element. `resource` and `account` are None if not given."""

    charge: tuple[tuple[str, Operand], ...]
    tags: Texts
    cost_categories: Texts
    kubernetes_labels: Texts
    dimensions: Texts
    resource: GivenResource | None
    account: GivenAccount | None
    expect: Expected
    place: Place


@dataclass(frozen=True)
class Dimension:
    """One way to slice cost; the first matching rule gives a charge's element, else `default`."""

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
    """The whole cost goes to the customer named by the value."""

    name: ClassVar = "to"
    value: Value


@dataclass(frozen=True)
class WeightedStream:
    """A stream, and the part of the cost divided by its usage."""

    stream: str
    weight: Decimal
    place: Place


@dataclass(frozen=True)
class ByStreams:
    """Divided in proportion to the usage of streams; their weights sum to exactly 1."""

    name: ClassVar = "stream"
    streams: tuple[WeightedStream, ...]


@dataclass(frozen=True)
class ByAllocatedCost:
    """Divided in proportion to each customer's other costs."""

    name: ClassVar = "allocated_cost"


@dataclass(frozen=True)
class Evenly:
    """Equal shares for all active customers."""

    name: ClassVar = "even"


@dataclass(frozen=True)
class FixedShares:
    """Fixed fractions per customer id; they sum to exactly 1."""

    name: ClassVar = "fixed"
    shares: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True)
class NoAllocation:
    """Stays unallocated on purpose."""

    name: ClassVar = "none"


Method = ToCustomer | ByStreams | ByAllocatedCost | Evenly | FixedShares | NoAllocation
"""How a rule divides cost; `name` is what the table `allocation_rules` calls it."""

METHODS_BY_WORD: dict[str, Method] = {method.name: method for method in (ByAllocatedCost(), Evenly())}
"""The methods that one word under `by` names."""


@dataclass(frozen=True)
class AllocationRule:
    """How the cost that matches `when` is divided among customers; the first matching rule wins."""

    name: str
    when: Condition | None
    method: Method
    granularity: Granularity | None
    when_no_usage: tuple[str, ...]
    minimum_share: Decimal | None
    place: Place


@dataclass(frozen=True)
class Allocation:
    """`allocation.yml`: which cost counts, and the rules. `cost_of_goods_sold` None means everything."""

    cost_of_goods_sold: Condition | None
    rules: tuple[AllocationRule, ...]
    place: Place


@dataclass(frozen=True)
class Feedback:
    """A verdict on an anomaly, by its id; `note` is empty without one."""

    anomaly_id: str
    verdict: str
    note: str


@dataclass(frozen=True)
class Program:
    """All contexts of a project, read. `unread` names the files that could not be, without their folder."""

    dimensions: tuple[Dimension, ...]
    streams: tuple[Stream, ...]
    allocation: Allocation
    unread: frozenset[str] = frozenset()
    feedback: tuple[Feedback, ...] = ()
    pulls: tuple[Pull, ...] = ()
    received: tuple[Received, ...] = ()
