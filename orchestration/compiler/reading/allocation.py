"""Read `allocation.yml` as an `Allocation`: which cost counts, and which rule divides it.

`check` verifies that streams and dimensions exist.
"""

from __future__ import annotations

from decimal import Decimal

from orchestration.compiler.language.conditions import NEVER, AnyOf, Condition
from orchestration.compiler.language.program import (
    DEFAULT_WHEN_NO_USAGE,
    METHODS_BY_WORD,
    WHEN_NO_USAGE,
    Allocation,
    AllocationRule,
    ByStreams,
    FixedShares,
    Granularity,
    Method,
    NoAllocation,
    ToCustomer,
    WeightedStream,
)
from orchestration.compiler.language.reserved_customers import RESERVED_CUSTOMERS
from orchestration.compiler.reading.conditions import read_condition
from orchestration.compiler.reading.mappings import Reader, kind
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar, Sequence, is_empty
from orchestration.compiler.reading.values import read_value

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


def read_allocation(reader: Reader, node: Node) -> Allocation:
    """Read `allocation.yml`; problems are reported, and everything readable is kept."""
    mapping = reader.mapping(node, "allocation.yml", ALLOCATION_KEYS)
    if mapping is None:
        return Allocation(None, (), node.place)
    to_node, counts_node, rules_node = (mapping.get(key) for key in ALLOCATION_KEYS)
    to = reader.text(to_node, '"allocate_to"') if to_node else None
    if to_node and to and to != "customer":
        message = f'costs are allocated to "customer", not to "{to}"'
        reader.problem(to_node.place, "unknown-choice", message)
    counts = _cost_of_goods_sold(reader, counts_node) if counts_node else None
    rules: list[AllocationRule] = []
    if isinstance(rules_node, Sequence):
        read = [_rule(reader, item) for item in rules_node.items]
        rules = [rule for rule in read if rule is not None]
    elif rules_node is not None and not is_empty(rules_node):
        reader.items(rules_node, '"rules"')
    return Allocation(counts, tuple(rules), mapping.place)


def _cost_of_goods_sold(reader: Reader, node: Node) -> Condition | None:
    """A condition, several of which one must hold, or the word for all cost (None)."""
    if isinstance(node, Scalar):
        if node.text != EVERYTHING:
            message = f"a condition, a list of them, or the word {EVERYTHING} is needed; found {kind(node)}"
            reader.problem(node.place, "wrong-type", message)
        return None
    if isinstance(node, Mapping):
        return read_condition(reader, node)
    read = [read_condition(reader, item) for item in reader.items(node, '"cost_of_goods_sold"')]
    conditions = tuple(item for item in read if item is not None)
    return AnyOf(conditions) if conditions else None


def _rule(reader: Reader, node: Node) -> AllocationRule | None:
    mapping = reader.mapping(node, "an allocation rule", ALLOCATION_RULE_KEYS)
    if mapping is None:
        return None
    name_node, when_node, granularity_node = (mapping.get(key) for key in ("name", "when", "granularity"))
    misspelt = any(key.text not in ALLOCATION_RULE_KEYS for key, _ in mapping.entries)
    when: Condition | None = NEVER if misspelt else None
    if when_node:
        when = read_condition(reader, when_node) or NEVER
    granularity: Granularity | None = None
    if granularity_node:
        word = reader.choice(granularity_node, '"granularity"', ("hourly", "daily"))
        if word is not None:
            granularity = "hourly" if word == "hourly" else "daily"
    when_no_usage = _when_no_usage(reader, mapping.get("when_no_usage"))
    method = _method(reader, mapping)
    minimum_share = _minimum_share(reader, mapping.get("minimum_share"), method)
    if method is None:
        return None
    name = reader.name(name_node, "the name of the rule") if name_node else _default_name(method)
    if name is None:
        return None
    place = name_node.place if name_node else mapping.place
    return AllocationRule(name, when, method, granularity, when_no_usage, minimum_share, place)


def _default_name(method: Method) -> str:
    """A rule's name says how it divides; two that say the same need names of their own, and an error asks."""
    if isinstance(method, ByStreams):
        return "_and_".join(weighted.stream for weighted in method.streams)
    return "direct" if isinstance(method, ToCustomer) else method.name


def _method(reader: Reader, mapping: Mapping) -> Method | None:
    given = [(key, value) for key, value in mapping.entries if key.text in METHOD_KEYS]
    if len(given) != 1:
        code, place = ("conflicting-keys", given[1][0].place) if given else ("missing-key", mapping.place)
        reader.problem(place, code, f"an allocation rule has exactly one of {', '.join(METHOD_KEYS)}")
        return None
    key, value = given[0]
    transform = mapping.get("transform")
    if key.text == "to":
        source = read_value(reader, value, transform, '"to"')
        return ToCustomer(source) if source else None
    if transform is not None:
        reader.problem(transform.place, "conflicting-keys", '"transform" belongs to "to"; remove it')
    if key.text == "by":
        return _by(reader, value)
    if key.text == "shares":
        return _fixed_shares(reader, value)
    wanted = reader.flag(value, '"none"')
    if wanted is False:
        reader.problem(
            value.place, "wrong-type", '"none: true" leaves cost unallocated; "none: false" says nothing'
        )
    return NoAllocation() if wanted else None


def _by(reader: Reader, node: Node) -> Method | None:
    """`allocated_cost`, `even`, the name of a stream, or a list of streams with their weights."""
    if isinstance(node, Scalar):
        word = reader.text(node, '"by"')
        if word is None:
            return None
        return METHODS_BY_WORD.get(word) or ByStreams((WeightedStream(word, Decimal(1), node.place),))
    items = reader.items(node, '"by"')
    read = [_weighted_stream(reader, item) for item in items]
    streams = [item for item in read if item is not None]
    if not streams or len(streams) < len(read):
        return None
    total = sum((item.weight for item in streams), Decimal(0))
    if total != 1:
        reader.problem(node.place, "bad-shares", f"the weights sum to {total}; they have to sum to exactly 1")
        return None
    names = [item.stream for item in streams]
    for item in streams:
        if names.index(item.stream) < streams.index(item):
            reader.problem(item.place, "duplicate-name", f'the stream "{item.stream}" is listed twice')
    return ByStreams(tuple(streams))


def _weighted_stream(reader: Reader, node: Node) -> WeightedStream | None:
    if isinstance(node, Scalar):
        name = reader.text(node, "a stream")
        return None if name is None else WeightedStream(name, Decimal(1), node.place)
    mapping = reader.mapping(node, "a stream with its weight", ("stream", "weight"), required=("stream",))
    name_node = mapping.get("stream") if mapping else None
    weight_node = mapping.get("weight") if mapping else None
    name = reader.text(name_node, '"stream"') if name_node else None
    weight = reader.fraction(weight_node, '"weight"') if weight_node else Decimal(1)
    if name is None or name_node is None or weight is None:
        return None
    return WeightedStream(name, weight, name_node.place)


def _fixed_shares(reader: Reader, node: Node) -> Method | None:
    """Fractions by customer id."""
    shares = reader.shares(node, '"shares"', "customer id")
    for key, _ in node.entries if isinstance(node, Mapping) else ():
        if key.text.lower() in RESERVED_CUSTOMERS:
            message = f'"{key.text}" is reserved for costs that no single customer carries'
            reader.problem(key.place, "reserved-name", message)
    return FixedShares(shares) if shares else None


def _minimum_share(reader: Reader, node: Node | None, method: Method | None) -> Decimal | None:
    """Share of a rule's daily usage below which a customer is in the long tail."""
    if node is None:
        return None
    if isinstance(method, ToCustomer | NoAllocation):
        message = '"minimum_share" belongs to "by" and "shares", which divide cost; remove it'
        reader.problem(node.place, "conflicting-keys", message)
    return reader.fraction(node, '"minimum_share"')


def _when_no_usage(reader: Reader, node: Node | None) -> tuple[str, ...]:
    """Windows to search for usage, in order; always ends with `unallocated`."""
    if node is None:
        return DEFAULT_WHEN_NO_USAGE
    items = reader.items(node, '"when_no_usage"')
    words = [reader.choice(item, 'a step of "when_no_usage"', WHEN_NO_USAGE) for item in items]
    steps = [word for word in words if word is not None]
    positions = [WHEN_NO_USAGE.index(step) for step in steps]
    if positions != sorted(set(positions)):
        message = f"each step once, in this order: {', '.join(WHEN_NO_USAGE)}"
        reader.problem(node.place, "unknown-choice", message)
    return (*(step for step in steps if step != "unallocated"), "unallocated")
