"""Read conditions: combinations and comparisons, as in `when` and `cost_of_goods_sold`.

Subjects and values are read by `values`.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from orchestration.compiler.language.conditions import (
    All,
    AnyOf,
    ColumnType,
    Comparison,
    Condition,
    Not,
    Operand,
    Operator,
    Subject,
)
from orchestration.compiler.reading.mappings import Reader, kind
from orchestration.compiler.reading.subjects import SUBJECTS, read_subject, type_of
from orchestration.compiler.reading.syntax import Mapping, Node, Scalar
from orchestration.compiler.reading.values import read_pattern, read_typed

OPERATORS = tuple(operator.value for operator in Operator)
COMBINATIONS = ("all", "any", "not")

_TEXT_OPERATORS = {Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.MATCHES}
_ORDER_OPERATORS = {Operator.BEFORE, Operator.AFTER}


AZURE_ID = "/subscriptions/"
"""How Azure's ids begin; they compare without case."""


def read_condition(reader: Reader, node: Node) -> Condition | None:
    """A combination (`all`, `any`, `not`) or a comparison."""
    if not isinstance(node, Mapping):
        hint = "; put several conditions under any: or all:" if not isinstance(node, Scalar) else ""
        reader.problem(node.place, "wrong-type", f"a condition is a mapping; found {kind(node)}{hint}")
        return None
    combined = [key for key, _ in node.entries if key.text in COMBINATIONS]
    if not combined:
        return _comparison(reader, node)
    if len(node.entries) > 1:
        message = f'"{combined[0].text}" has to be the only key of its condition; nest the others under it'
        reader.problem(combined[0].place, "conflicting-keys", message)
        return None
    value = node.entries[0][1]
    if combined[0].text == "not":
        inner = read_condition(reader, value)
        return None if inner is None else Not(inner)
    read = [read_condition(reader, item) for item in reader.items(value, f'"{combined[0].text}"')]
    conditions = tuple(item for item in read if item is not None)
    if len(conditions) < len(read) or not conditions:
        return None
    return All(conditions) if combined[0].text == "all" else AnyOf(conditions)


def _comparison(reader: Reader, node: Mapping) -> Condition | None:
    """A subject, one operator, and optionally `ignore_case`."""
    if not reader.mapping(node, "a condition", (*COMBINATIONS, *SUBJECTS, *OPERATORS, "ignore_case")):
        return None
    subject = read_subject(reader, node, "a condition")
    operators = [(key, value) for key, value in node.entries if key.text in OPERATORS]
    if len(operators) != 1:
        if operators:
            message = "one operator per condition; put several conditions under all:"
            reader.problem(operators[1][0].place, "conflicting-keys", message)
        else:
            message = f"a condition needs an operator: {', '.join(OPERATORS)}"
            reader.problem(node.place, "missing-key", message)
        return None
    key, value = operators[0]
    operator = Operator(key.text)
    ignore_case_node = node.get("ignore_case")
    ignore_case = False if ignore_case_node is None else reader.flag(ignore_case_node, '"ignore_case"')
    if subject is None or ignore_case is None:
        return None
    if ignore_case and (type_of(subject) != "text" or operator is Operator.EXISTS):
        assert ignore_case_node is not None
        message = f'"ignore_case" has no meaning for "{operator.value}" here; remove it'
        reader.problem(ignore_case_node.place, "operator-type", message)
        return None
    if operator is Operator.EXISTS:
        wanted = reader.flag(value, '"exists"')
        if wanted is None:
            return None
        exists = Comparison(subject, operator, (), ignore_case=False, place=node.place)
        return exists if wanted else Not(exists)
    operands = _operands(reader, subject, operator, key, value)
    if operands is None:
        return None
    is_azure = any(str(operand).lower().startswith(AZURE_ID) for operand in operands)
    ignore_case = ignore_case or (is_azure and operator is not Operator.MATCHES)
    return Comparison(subject, operator, operands, ignore_case, node.place)


def _operands(
    reader: Reader, subject: Subject, operator: Operator, key: Scalar, value: Node
) -> tuple[Operand, ...] | None:
    column_type = type_of(subject)
    if operator in _ORDER_OPERATORS:
        fits = column_type in {"date", "timestamp"}
    elif operator in _TEXT_OPERATORS:
        fits = column_type == "text"
    else:
        fits = operator is not Operator.BETWEEN or column_type != "text"
    if not fits:
        message = f'"{operator.value}" does not fit a {column_type} value; {_FITTING[column_type]}'
        reader.problem(key.place, "operator-type", message)
        return None
    what = f'"{operator.value}"'
    if operator not in {Operator.IN, Operator.NOT_IN, Operator.BETWEEN}:
        operand = _operand(reader, value, column_type, operator, what)
        return None if operand is None else (operand,)
    items = reader.items(value, what)
    operands = tuple(_operand(reader, item, column_type, operator, f"a value of {what}") for item in items)
    read = tuple(operand for operand in operands if operand is not None)
    if not read or len(read) < len(operands):
        return None
    if operator is Operator.BETWEEN and len(read) != 2:
        reader.problem(value.place, "wrong-type", f"{what} is a list of two values, the first and the last")
        return None
    if operator is Operator.BETWEEN and _lies_after(read[0], read[1]):
        reader.problem(value.place, "bad-range", f"{what} ends before it begins; turn the two around")
        return None
    return read


def _operand(
    reader: Reader, node: Node, column_type: ColumnType, operator: Operator, what: str
) -> Operand | None:
    if operator is Operator.MATCHES:
        return read_pattern(reader, node, what)
    return read_typed(reader, node, column_type, what)


def _lies_after(first: Operand, last: Operand) -> bool:
    """Whether a range ends before it starts; a day and a time are compared by day."""
    if isinstance(first, date) and isinstance(last, date):
        both_times = isinstance(first, datetime) and isinstance(last, datetime)
        return str(first) > str(last) if both_times else str(first)[:10] > str(last)[:10]
    return first > last if isinstance(first, Decimal | int) and isinstance(last, Decimal | int) else False


_FITTING: dict[ColumnType, str] = {
    "text": "texts have equals, not_equals, in, not_in, starts_with, ends_with, contains, matches, exists",
    "date": "dates have equals, not_equals, in, not_in, before, after, between, exists",
    "timestamp": "times have equals, not_equals, in, not_in, before, after, between, exists",
    "decimal": "numbers have equals, not_equals, in, not_in, between, exists",
    "integer": "numbers have equals, not_equals, in, not_in, between, exists",
}
