"""Read a rule's `split`: fixed shares, even parts, or by the usage of a stream.

`check` verifies that the stream exists.
"""

from __future__ import annotations

from collections.abc import Collection

from orchestration.compiler.language.program import (
    SPLIT_WINDOWS,
    ChargeSplit,
    EvenSplit,
    FixedSplit,
    SplitByUsage,
)
from orchestration.compiler.reading.mappings import Reader, kind
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar

SPLIT_KEYS = ("elements", "when_no_usage")
"""The keys of a rule that say more about its `split`."""
EVEN = "even"
BY = "by"


def read_split(reader: Reader, rule: Mapping, node: Node) -> ChargeSplit | None:
    """Read the value of `split` in a rule, with the rule's keys that belong to it."""
    if not isinstance(node, Mapping | Scalar):
        message = (
            f'"split" is shares such as {{Search: 0.6, Ingest: 0.4}}, {EVEN}, or {{{BY}: <stream>}}; '
            f"found {kind(node)}"
        )
        reader.problem(node.place, "wrong-type", message)
        return None
    reject_keys(reader, rule, ("transform",), '"from"; remove it')
    if isinstance(node, Mapping) and node.get(BY) is not None:
        return _by_usage(reader, rule, node)
    reject_keys(reader, rule, ("when_no_usage",), f'"split: {{{BY}: <stream>}}"; remove it')
    if isinstance(node, Mapping):
        reject_keys(
            reader, rule, ("elements",), f'"split: {EVEN}" and "split: {{{BY}: <stream>}}"; remove it'
        )
        shares = reader.shares(node, '"split"', "element")
        return None if shares is None else FixedSplit(shares)
    word = reader.choice(node, '"split"', (EVEN,))
    elements = _elements(reader, rule)
    if word is not None and rule.get("elements") is None:
        message = f'"split: {EVEN}" needs "elements", a list of the elements that get the same each'
        reader.problem(node.place, "missing-key", message)
    return None if word is None or elements is None else EvenSplit(elements)


def reject_keys(reader: Reader, rule: Mapping, keys: Collection[str], owner: str) -> None:
    """Report a problem for each of the rule's keys that belongs to another kind of rule."""
    for key, value in rule.entries:
        if key.text in keys:
            reader.problem(value.place, "conflicting-keys", f'"{key.text}" belongs to {owner}')


def _by_usage(reader: Reader, rule: Mapping, node: Mapping) -> SplitByUsage | None:
    reader.mapping(node, f'"split" with "{BY}"', (BY,))
    stream_node = node.get(BY)
    assert stream_node is not None
    stream = reader.text(stream_node, f'"{BY}"')
    elements = _elements(reader, rule)
    windows = _windows(reader, rule.get("when_no_usage"))
    if stream is None or (elements is None and rule.get("elements") is not None):
        return None
    return SplitByUsage(stream, elements, windows, stream_node.place)


def _elements(reader: Reader, rule: Mapping) -> tuple[str, ...] | None:
    node = rule.get("elements")
    if node is None:
        return None
    items = reader.items(node, '"elements"')
    read = [(item, reader.text(item, "an element")) for item in items]
    elements: list[str] = []
    for item, element in read:
        if element in elements:
            reader.problem(item.place, "duplicate-name", f'the element "{element}" is listed twice')
        elif element is not None:
            elements.append(element)
    return tuple(elements) if elements and len(elements) == len(read) else None


def _windows(reader: Reader, node: Node | None) -> tuple[str, ...]:
    """Windows of `when_no_usage`, in order; none if the key is absent."""
    if node is None:
        return ()
    items = reader.items(node, '"when_no_usage"')
    words = [reader.choice(item, 'a step of "when_no_usage"', SPLIT_WINDOWS) for item in items]
    steps = tuple(word for word in words if word is not None)
    if [SPLIT_WINDOWS.index(step) for step in steps] != sorted({SPLIT_WINDOWS.index(s) for s in steps}):
        message = f"each step once, in this order: {', '.join(SPLIT_WINDOWS)}"
        reader.problem(node.place, "unknown-choice", message)
    return steps
