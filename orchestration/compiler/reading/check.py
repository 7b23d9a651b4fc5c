"""Checks across the parts of a program, as a tuple of functions that report everything they find.

Shapes and types of single values are checked while reading (`mappings`, `program`), cycles among dimensions
by `plan`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import PurePosixPath

from orchestration.compiler.language.charge_columns import RESERVED_NAMES
from orchestration.compiler.language.conditions import Condition, DimensionElement, Operator
from orchestration.compiler.language.program import (
    METHODS_BY_WORD,
    ByStreams,
    EvenSplit,
    Expected,
    FixedSplit,
    Program,
    Rule,
    SplitByUsage,
    ToCustomer,
)
from orchestration.compiler.language.pulls import Pull, Received
from orchestration.compiler.language.references import (
    allocation_conditions,
    allocation_references,
    comparisons,
    dimension_conditions,
    dimension_references,
)
from orchestration.compiler.language.splits import MAX_PART_NUMBERS, closed_elements, part_numbers
from orchestration.compiler.problems import Place, Problems, did_you_mean

MAX_RULES = 10_000


def check_program(program: Program, problems: Problems, taken_names: Collection[str] = ()) -> None:
    """Report everything in the program that cannot be compiled.

    `taken_names` are columns of hand-written models besides those of the dimensions.
    """
    for check in CHECKS:
        check(program, problems)
    _dimension_names_are_free(program, problems, taken_names)


def _dimension_names_are_free(program: Program, problems: Problems, taken_names: Collection[str]) -> None:
    reserved = RESERVED_NAMES.union(taken_names)
    for dimension in program.dimensions:
        name = dimension.name
        if name in reserved or name.startswith("x_") or name.endswith("_rule"):
            message = (
                f'"{name}" is a column or an SQL word already; choose another name, such as "{name}_group"'
            )
            problems.add(dimension.name_place, "reserved-name", message)


def _names_stand_once(program: Program, problems: Problems) -> None:
    _once("dimension", ((d.name, d.name_place) for d in program.dimensions), problems)
    _once("allocation rule", ((r.name, r.place) for r in program.allocation.rules), problems)
    _once("pull", ((pull.name, pull.place) for pull in program.pulls), problems)


def _once(what: str, named: Iterable[tuple[str, Place]], problems: Problems) -> None:
    first: dict[str, Place] = {}
    for name, place in named:
        if name in first:
            problems.add(
                place,
                "duplicate-name",
                f'the {what} "{name}" is already defined at {first[name]}; rename one',
            )
        first.setdefault(name, place)


def _dimensions_exist(program: Program, problems: Problems) -> None:
    known = {dimension.name for dimension in program.dimensions}
    unread = [PurePosixPath(name) for name in program.unread]
    known |= {path.stem for path in unread if path.parent.name == "dimensions"}
    references = [
        reference for dimension in program.dimensions for reference in dimension_references(dimension)
    ]
    usage: tuple[Pull | Received, ...] = (*program.pulls, *program.received)
    filters = [reference for each in usage for reference in each.filter_places.items()]
    for name, place in (*references, *allocation_references(program), *filters):
        if name not in known:
            problems.add(place, "unknown-dimension", f'no dimension "{name}"{did_you_mean(name, known)}')
    for dimension in program.dimensions:
        for test in dimension.tests:
            for name, _ in test.dimensions:
                if name not in known:
                    message = f'no dimension "{name}"{did_you_mean(name, known)}'
                    problems.add(test.place, "unknown-dimension", message)


def _elements_exist(program: Program, problems: Problems) -> None:
    elements = {dimension.name: closed_elements(dimension) for dimension in program.dimensions}
    for condition in _all_conditions(program):
        for comparison in comparisons(condition):
            subject = comparison.subject
            if not isinstance(subject, DimensionElement) or comparison.operator not in _WHOLE_TEXT_OPERATORS:
                continue
            known = elements.get(subject.dimension)
            if known is None:
                continue
            lowered = {element.lower() for element in known}
            for operand in comparison.operands:
                text = str(operand)
                if text in known or (comparison.ignore_case and text.lower() in lowered):
                    continue
                message = f'the dimension "{subject.dimension}" never is "{text}"{did_you_mean(text, known)}'
                problems.add(comparison.place, "unknown-element", message)
    for dimension in program.dimensions:
        known = elements[dimension.name]
        for test in dimension.tests:
            for element in _expected_elements(test.expect):
                if known is not None and element not in known:
                    message = f'this dimension never is "{element}"{did_you_mean(element, known)}'
                    problems.add(test.place, "unknown-element", message)


def _expected_elements(expect: Expected) -> tuple[str, ...]:
    """Elements named by a test."""
    if expect is None:
        return ()
    return (expect,) if isinstance(expect, str) else tuple(element for element, _ in expect)


_WHOLE_TEXT_OPERATORS = {Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN}


def _all_conditions(program: Program) -> Iterator[Condition]:
    for dimension in program.dimensions:
        yield from dimension_conditions(dimension)
    yield from allocation_conditions(program)


def _rules_can_be_reached(program: Program, problems: Problems) -> None:
    for dimension in program.dimensions:
        catch_all: Place | None = None
        for rule in dimension.rules:
            if catch_all is not None:
                message = (
                    f"the rule at {catch_all} matches every charge; move this one before it, or remove it"
                )
                problems.add(rule.place, "unreachable-rule", message)
            elif _matches_always(rule):
                catch_all = rule.place
        if len(dimension.rules) > MAX_RULES:
            message = (
                f"{len(dimension.rules)} rules; at most {MAX_RULES} are compiled, use in: or from: instead"
            )
            problems.add(dimension.place, "too-large", message)
    everything: Place | None = None
    for allocation_rule in program.allocation.rules:
        if everything is not None:
            message = f"the rule at {everything} matches every charge; move this one before it, or remove it"
            problems.add(allocation_rule.place, "unreachable-rule", message)
        elif allocation_rule.when is None and not isinstance(allocation_rule.method, ToCustomer):
            everything = allocation_rule.place


def _matches_always(rule: Rule) -> bool:
    """Whether no charge gets past the rule: its value may be absent, or there may be no usage."""
    gives_always = rule.element is not None or isinstance(rule.split, FixedSplit | EvenSplit)
    return gives_always and rule.when is None and rule.valid is None


def _parts_can_be_numbered(program: Program, problems: Problems) -> None:
    """`charge_part` is one number for the parts of all dimensions; see `emitting/splits.py`."""
    numbers = 1
    for dimension in program.dimensions:
        numbers *= part_numbers(dimension)
        if numbers > MAX_PART_NUMBERS:
            message = (
                "so many dimensions split charges into so many elements that their parts cannot be numbered; "
                'list the "elements" of splits by a stream, or let fewer dimensions split'
            )
            problems.add(dimension.place, "too-large", message)
            return


def _streams_exist(program: Program, problems: Problems) -> None:
    streams = {stream.name: stream for stream in program.streams}
    if "streams.yml" in program.unread:
        return
    for dimension in program.dimensions:
        for dimension_rule in dimension.rules:
            split = dimension_rule.split
            if isinstance(split, SplitByUsage) and split.stream not in streams:
                message = f'no stream "{split.stream}"{did_you_mean(split.stream, streams)}'
                problems.add(split.place, "unknown-stream", message)
    usage: tuple[Pull | Received, ...] = (*program.pulls, *program.received)
    for each in usage:
        if each.stream not in streams:
            message = f'no stream "{each.stream}"{did_you_mean(each.stream, streams)}'
            problems.add(each.stream_place, "unknown-stream", message)
    for rule in program.allocation.rules:
        if not isinstance(rule.method, ByStreams):
            continue
        for weighted in rule.method.streams:
            stream = streams.get(weighted.stream)
            if stream is None:
                known = (*streams, *METHODS_BY_WORD)
                message = f'no stream "{weighted.stream}"{did_you_mean(weighted.stream, known)}'
                problems.add(weighted.place, "unknown-stream", message)
            elif rule.granularity == "hourly" and stream.granularity == "daily":
                message = (
                    f'the stream "{stream.name}" is counted by the day; '
                    "make the rule daily or the stream hourly"
                )
                problems.add(rule.place, "granularity", message)


CHECKS: tuple[Callable[[Program, Problems], None], ...] = (
    _names_stand_once,
    _dimensions_exist,
    _elements_exist,
    _rules_can_be_reached,
    _streams_exist,
    _parts_can_be_numbered,
)
"""Every check; a new law of the language is one more function here."""
