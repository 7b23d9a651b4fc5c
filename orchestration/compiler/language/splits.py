"""Elements and part numbers of splits, for checks and SQL."""

from __future__ import annotations

import hashlib
import json

from orchestration.compiler.language.program import ChargeSplit, Dimension, FixedSplit, SplitByUsage

MOST_PARTS_BY_USAGE = 99_999
"""The most elements that the usage of one day may name; a test of `split_shares` holds it."""
MAX_PART_NUMBERS = 2**63 - 1


def split_elements(split: ChargeSplit) -> tuple[str, ...] | None:
    """Elements that a split can produce; None if usage may name any."""
    if isinstance(split, FixedSplit):
        return tuple(element for element, _ in split.shares)
    return split.elements


def closed_elements(dimension: Dimension) -> frozenset[str] | None:
    """All elements of a dimension; None if a value or usage may name unlisted ones."""
    named = {rule.element for rule in dimension.rules} | {dimension.default}
    for rule in dimension.rules:
        elements = split_elements(rule.split) if rule.split else ()
        if rule.source is not None or elements is None:
            return None
        named.update(elements)
    return frozenset(element for element in named if element is not None)


def splits_of(dimension: Dimension) -> tuple[tuple[int, ChargeSplit], ...]:
    """The splits of a dimension, each with the position of its rule."""
    rules = enumerate(dimension.rules, start=1)
    return tuple((position, rule.split) for position, rule in rules if rule.split is not None)


def split_id(dimension: Dimension, split: SplitByUsage) -> str:
    """Id under which the usage of a split is stored.

    Derived from the split's definition, not its position, so a run's results stay valid when the rules around
    it are edited.
    """
    elements = None if split.elements is None else sorted(split.elements)
    said = json.dumps([split.stream, elements, split.windows])
    return f"{dimension.name} {hashlib.sha256(said.encode()).hexdigest()[:12]}"


def part_numbers(dimension: Dimension) -> int:
    """How many part numbers a charge can have in one dimension, including 0 for the undivided charge."""
    counts = [
        MOST_PARTS_BY_USAGE
        if isinstance(split, SplitByUsage) and split.elements is None
        else len(split_elements(split) or ())
        for _, split in splits_of(dimension)
    ]
    return 1 + max(counts, default=0)
