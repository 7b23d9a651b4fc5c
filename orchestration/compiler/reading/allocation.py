"""`allocation.yml` to an `Allocation`: which cost counts, and which rule divides it.

Whether streams and dimensions exist is looked at by `check`.
"""

from __future__ import annotations

from decimal import Decimal

from orchestration.compiler.language.conditions import NEVER, AnyOf, Condition
from orchestration.compiler.language.program import (
    DEFAULT_WHEN_NO_USAGE,
    WHEN_NO_USAGE,
    Allocation,
    AllocationRule,
    ByAllocatedCost,
    ByStreams,
    Evenly,
    FixedShares,
    Granularity,
    Method,
    NoAllocation,
    ToCustomer,
    WeightedStream,
)
from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS
from orchestration.compiler.problems import Problems
from orchestration.compiler.reading.conditions import ConditionReader
from orchestration.compiler.reading.mappings import kind
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar, Sequence

ALLOCATION_KEYS = ("allocate_to", "cost_of_goods_sold", "rules")
METHOD_KEYS = ("to", "by", "shares", "none")
ALLOCATION_RULE_KEYS = (
    "name",
    "when",
    *METHOD_KEYS,
    "transform",
    "granularity",
    "when_no_usage",
    "minimum_share",
)
EVERYTHING = "everything"
BY_WORDS = ("allocated_cost", "even")


def read_allocation(node: Node, problems: Problems) -> Allocation:
    """What `allocation.yml` says; problems are added, what could be read is kept."""
    return _AllocationReader(problems).allocation(node)


class _AllocationReader(ConditionReader):
    """Reads the allocation file."""

    def allocation(self, node: Node) -> Allocation:
        mapping = self.mapping(node, "allocation.yml", ALLOCATION_KEYS, ALLOCATION_KEYS)
        if mapping is None:
            return Allocation(None, (), node.place)
        to_node, counts_node, rules_node = (mapping.get(key) for key in ALLOCATION_KEYS)
        to = self.text(to_node, '"allocate_to"') if to_node else None
        if to_node and to and to != "customer":
            message = f'costs are allocated to "customer", not to "{to}"'
            self.problem(to_node.place, "unknown-choice", message)
        counts = self.cost_of_goods_sold(counts_node) if counts_node else None
        rules: list[AllocationRule] = []
        if isinstance(rules_node, Sequence):
            read = [self.rule(item) for item in rules_node.items]
            rules = [rule for rule in read if rule is not None]
        elif rules_node is not None:
            self.items(rules_node, '"rules"')
        return Allocation(counts, tuple(rules), mapping.place)

    def cost_of_goods_sold(self, node: Node) -> Condition | None:
        """A condition, several of which one has to hold, or the word for all cost (None)."""
        if isinstance(node, Scalar):
            if node.text != EVERYTHING:
                message = (
                    f"a condition, a list of them, or the word {EVERYTHING} is needed; found {kind(node)}"
                )
                self.problem(node.place, "wrong-type", message)
            return None
        if isinstance(node, Mapping):
            return self.condition(node)
        read = [self.condition(item) for item in self.items(node, '"cost_of_goods_sold"')]
        conditions = tuple(item for item in read if item is not None)
        return AnyOf(conditions) if conditions else None

    def rule(self, node: Node) -> AllocationRule | None:
        mapping = self.mapping(node, "an allocation rule", ALLOCATION_RULE_KEYS, ("name",))
        if mapping is None:
            return None
        name_node, when_node, granularity_node = (mapping.get(key) for key in ("name", "when", "granularity"))
        name = self.name(name_node, "the name of the rule") if name_node else None
        misspelt = any(key.text not in ALLOCATION_RULE_KEYS for key, _ in mapping.entries)
        when = (self.condition(when_node) or NEVER) if when_node else NEVER if misspelt else None
        granularity: Granularity | None = None
        if granularity_node:
            word = self.choice(granularity_node, '"granularity"', ("hourly", "daily"))
            granularity = None if word is None else "hourly" if word == "hourly" else "daily"
        when_no_usage = self.when_no_usage(mapping.get("when_no_usage"))
        method = self.method(mapping)
        minimum_share = self.minimum_share(mapping.get("minimum_share"), method)
        if name is None or name_node is None or method is None:
            return None
        return AllocationRule(name, when, method, granularity, when_no_usage, minimum_share, name_node.place)

    def method(self, mapping: Mapping) -> Method | None:
        given = [(key, value) for key, value in mapping.entries if key.text in METHOD_KEYS]
        if len(given) != 1:
            code, place = ("conflicting-keys", given[1][0].place) if given else ("missing-key", mapping.place)
            self.problem(place, code, f"an allocation rule has exactly one of {', '.join(METHOD_KEYS)}")
            return None
        key, value = given[0]
        transform = mapping.get("transform")
        if key.text == "to":
            source = self.value(value, transform, '"to"')
            return ToCustomer(source) if source else None
        if transform is not None:
            self.problem(transform.place, "conflicting-keys", '"transform" belongs to "to"; remove it')
        if key.text == "by":
            return self.by(value)
        if key.text == "shares":
            return self.fixed_shares(value)
        wanted = self.flag(value, '"none"')
        if wanted is False:
            self.problem(
                value.place, "wrong-type", '"none: true" leaves cost unallocated; "none: false" says nothing'
            )
        return NoAllocation() if wanted else None

    def by(self, node: Node) -> Method | None:
        """`allocated_cost`, `even`, the name of a stream, or a list of streams with their weights."""
        if isinstance(node, Scalar):
            word = self.text(node, '"by"')
            if word == "allocated_cost":
                return ByAllocatedCost()
            if word == "even":
                return Evenly()
            return None if word is None else ByStreams((WeightedStream(word, Decimal(1), node.place),))
        items = self.items(node, '"by"')
        read = [self.weighted_stream(item) for item in items]
        streams = [item for item in read if item is not None]
        if not streams or len(streams) < len(read):
            return None
        total = sum((item.weight for item in streams), Decimal(0))
        if total != 1:
            self.problem(
                node.place, "bad-shares", f"the weights sum to {total}; they have to sum to exactly 1"
            )
            return None
        names = [item.stream for item in streams]
        for item in streams:
            if names.index(item.stream) < streams.index(item):
                self.problem(item.place, "duplicate-name", f'the stream "{item.stream}" is listed twice')
        return ByStreams(tuple(streams))

    def weighted_stream(self, node: Node) -> WeightedStream | None:
        if isinstance(node, Scalar):
            name = self.text(node, "a stream")
            return None if name is None else WeightedStream(name, Decimal(1), node.place)
        mapping = self.mapping(node, "a stream with its weight", ("stream", "weight"), required=("stream",))
        name_node = mapping.get("stream") if mapping else None
        weight_node = mapping.get("weight") if mapping else None
        name = self.text(name_node, '"stream"') if name_node else None
        weight = self.fraction(weight_node, '"weight"') if weight_node else Decimal(1)
        if name is None or name_node is None or weight is None:
            return None
        return WeightedStream(name, weight, name_node.place)

    def fixed_shares(self, node: Node) -> Method | None:
        """Fractions by customer id."""
        shares = self.shares(node, '"shares"', "customer id")
        for key, _ in node.entries if isinstance(node, Mapping) else ():
            if key.text.lower() in RESERVED_CUSTOMERS:
                message = f'"{key.text}" is kept for costs that no one customer carries; it is no customer'
                self.problem(key.place, "reserved-name", message)
        return FixedShares(shares) if shares else None

    def minimum_share(self, node: Node | None, method: Method | None) -> Decimal | None:
        """The share of a pool below which a customer is part of the long tail; of what is divided only."""
        if node is None:
            return None
        if isinstance(method, ToCustomer | NoAllocation):
            message = '"minimum_share" belongs to "by" and "shares", which divide cost; remove it'
            self.problem(node.place, "conflicting-keys", message)
        return self.fraction(node, '"minimum_share"')

    def when_no_usage(self, node: Node | None) -> tuple[str, ...]:
        """The windows to look for usage in, in order; `unallocated` always ends them."""
        if node is None:
            return DEFAULT_WHEN_NO_USAGE
        items = self.items(node, '"when_no_usage"')
        words = [self.choice(item, 'a step of "when_no_usage"', WHEN_NO_USAGE) for item in items]
        steps = [word for word in words if word is not None]
        positions = [WHEN_NO_USAGE.index(step) for step in steps]
        if positions != sorted(set(positions)):
            message = f"each step once, in this order: {', '.join(WHEN_NO_USAGE)}"
            self.problem(node.place, "unknown-choice", message)
        return (*(step for step in steps if step != "unallocated"), "unallocated")
