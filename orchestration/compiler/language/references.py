"""What a condition or program refers to: its subjects, with their places."""

from __future__ import annotations

from collections.abc import Iterator

from orchestration.compiler.language.conditions import (
    All,
    AnyOf,
    Comparison,
    Condition,
    DimensionElement,
    Not,
    Subject,
    Value,
)
from orchestration.compiler.language.program import Dimension, Program, ToCustomer
from orchestration.compiler.problems import Place


def comparisons(condition: Condition | None) -> Iterator[Comparison]:
    """Every comparison in a condition, from left to right."""
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Not):
        yield from comparisons(condition.condition)
    elif isinstance(condition, All | AnyOf):
        for part in condition.conditions:
            yield from comparisons(part)


def dimension_conditions(dimension: Dimension) -> Iterator[Condition]:
    """The conditions of a dimension's rules."""
    return (rule.when for rule in dimension.rules if rule.when is not None)


def allocation_conditions(program: Program) -> Iterator[Condition]:
    """The conditions of `allocation.yml`."""
    if program.allocation.cost_of_goods_sold is not None:
        yield program.allocation.cost_of_goods_sold
    yield from (rule.when for rule in program.allocation.rules if rule.when is not None)


def dimension_values(dimension: Dimension) -> Iterator[Value]:
    """What a dimension's rules name elements after."""
    return (rule.source for rule in dimension.rules if rule.source is not None)


def allocation_values(program: Program) -> Iterator[Value]:
    """What the allocation rules name customers after."""
    return (rule.method.value for rule in program.allocation.rules if isinstance(rule.method, ToCustomer))


def dimension_references(dimension: Dimension) -> Iterator[tuple[str, Place]]:
    """Dimensions that a dimension refers to, with their places."""
    for condition in dimension_conditions(dimension):
        for comparison in comparisons(condition):
            if isinstance(comparison.subject, DimensionElement):
                yield comparison.subject.dimension, comparison.place
    yield from _referred_by(dimension_values(dimension))


def allocation_references(program: Program) -> Iterator[tuple[str, Place]]:
    """Dimensions that `allocation.yml` refers to, with their places."""
    for condition in allocation_conditions(program):
        for comparison in comparisons(condition):
            if isinstance(comparison.subject, DimensionElement):
                yield comparison.subject.dimension, comparison.place
    yield from _referred_by(allocation_values(program))


def _referred_by(values: Iterator[Value]) -> Iterator[tuple[str, Place]]:
    for value in values:
        for subject in value.first_of:
            if isinstance(subject, DimensionElement):
                yield subject.dimension, value.place


def all_subjects(program: Program) -> Iterator[Subject]:
    """Every subject anywhere in the program, as often as it is used."""
    conditions = [c for dimension in program.dimensions for c in dimension_conditions(dimension)]
    values = [value for dimension in program.dimensions for value in dimension_values(dimension)]
    for condition in (*conditions, *allocation_conditions(program)):
        yield from (comparison.subject for comparison in comparisons(condition))
    for value in (*values, *allocation_values(program)):
        yield from value.first_of
