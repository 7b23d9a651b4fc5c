"""Read a dimension file as a `Dimension`: its rules and tests."""

from __future__ import annotations

from orchestration.compiler.language.conditions import NEVER, Condition, Value
from orchestration.compiler.language.program import Dimension, DimensionTest, Expected, Rule, Valid
from orchestration.compiler.reading.conditions import read_condition
from orchestration.compiler.reading.given import read_given
from orchestration.compiler.reading.mappings import Reader
from orchestration.compiler.reading.splits import SPLIT_KEYS, read_split, reject_keys
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar, Sequence, is_empty
from orchestration.compiler.reading.values import read_value

DIMENSION_KEYS = ("dimension", "description", "default", "rules", "tests")
RULE_KEYS = ("element", "from", "split", "when", "transform", "valid", *SPLIT_KEYS)


def read_dimension(reader: Reader, node: Node, file_name: str) -> Dimension | None:
    """The dimension of a file named `file_name` (without ending)."""
    mapping = reader.mapping(node, "a dimension file", DIMENSION_KEYS, ("dimension",))
    if mapping is None:
        return None
    name_node, rules_node, tests_node = (mapping.get(key) for key in ("dimension", "rules", "tests"))
    name = reader.name(name_node, "the name of the dimension") if name_node else None
    if name_node and name and name != file_name:
        message = f'the file is named "{file_name}.yml", its dimension "{name}"; give both the same name'
        reader.problem(name_node.place, "file-name", message)
    description = reader.optional_text(mapping, "description")
    default = reader.optional_text(mapping, "default")
    # Without rules yet, every charge is unmatched: coverage shows what there is to match.
    listed = () if rules_node is None or is_empty(rules_node) else reader.items(rules_node, '"rules"')
    rules = tuple(_rule(reader, item) for item in listed)
    tests: tuple[DimensionTest | None, ...] = ()
    if isinstance(tests_node, Sequence):
        tests = tuple(_test(reader, item) for item in tests_node.items)
    elif tests_node is not None:
        reader.items(tests_node, '"tests"')
    if name is None or name_node is None:
        return None
    return Dimension(
        name,
        description or "",
        default,
        tuple(rule for rule in rules if rule is not None),
        tuple(test for test in tests if test is not None),
        mapping.place,
        name_node.place,
    )


def _rule(reader: Reader, node: Node) -> Rule | None:
    """One rule; unreadable parts are replaced by ones that match nothing."""
    mapping = reader.mapping(node, "a rule", RULE_KEYS)
    if mapping is None:
        return None
    named = [(key, value) for key, value in mapping.entries if key.text in {"element", "from", "split"}]
    if len(named) != 1:
        code = "conflicting-keys" if named else "missing-key"
        place = named[1][0].place if named else mapping.place
        reader.problem(
            place,
            code,
            'a rule has exactly one of "element" (a fixed text), "from" (a value) and "split" (shares)',
        )
        return None
    key, value_node = named[0]
    when_node, transform, valid_node = (mapping.get(name) for name in ("when", "transform", "valid"))
    misspelt = any(key.text not in RULE_KEYS for key, _ in mapping.entries)
    when: Condition | None = NEVER if misspelt else None
    if when_node:
        when = read_condition(reader, when_node) or NEVER
    valid = _valid(reader, valid_node) if valid_node else None
    text, place = mapping.source, mapping.place
    if key.text == "split":
        split = read_split(reader, mapping, value_node)
        if split is not None:
            return Rule(None, None, when, valid, text, place, split)
    elif key.text == "element":
        reject_keys(reader, mapping, ("transform",), '"from"; write the element out')
        reject_keys(reader, mapping, SPLIT_KEYS, '"split"; write the element out')
        element = reader.text(value_node, '"element"')
        return Rule(element, None, when, valid, text, place) if element else None
    else:
        reject_keys(reader, mapping, SPLIT_KEYS, '"split"; remove it')
    source = read_value(reader, value_node, transform, '"from"') if key.text == "from" else None
    source = source or Value((), (), value_node.place)  # unreadable, but it could have named any element
    return Rule(None, source, when, valid, text, place)


def _valid(reader: Reader, node: Node) -> Valid | None:
    """`valid: {from, until}`."""
    mapping = reader.mapping(node, '"valid"', ("from", "until"))
    if mapping is None:
        return None
    first_node, last_node = mapping.get("from"), mapping.get("until")
    if first_node is None and last_node is None:
        reader.problem(mapping.place, "missing-key", '"valid" needs "from", "until" or both, each a date')
    first = reader.day(first_node, '"from"') if first_node else None
    last = reader.day(last_node, '"until"') if last_node else None
    if first and last and last < first:
        reader.problem(mapping.place, "bad-range", '"valid" ends before it begins; turn the two dates around')
    return Valid(first, last)


def _test(reader: Reader, node: Node) -> DimensionTest | None:
    """`{given: {…}, expect: …}`."""
    mapping = reader.mapping(node, "a test", ("given", "expect"), required=("given", "expect"))
    given_node = mapping.get("given") if mapping else None
    expect_node = mapping.get("expect") if mapping else None
    if mapping is None or given_node is None or expect_node is None:
        return None
    unmatched = isinstance(expect_node, Scalar) and expect_node.is_nothing
    expect: Expected = None
    if isinstance(expect_node, Mapping):
        expect = reader.shares(expect_node, '"expect"', "element")
    elif not unmatched:
        expect = reader.text(expect_node, '"expect"')
    return read_given(reader, given_node, expect, mapping.place)
