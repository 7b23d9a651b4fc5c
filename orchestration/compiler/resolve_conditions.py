"""Nodes to conditions, values and transforms: the part of the language that `when`, `from` and `to` share.

What names mean is settled here as far as the charge's columns go; whether a dimension or stream exists is
looked at by `check`, which knows the whole program.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from orchestration.compiler.charge_columns import ACCOUNT_FIELDS, CHARGE_COLUMNS, KUBERNETES_FIELDS
from orchestration.compiler.language import (
    All,
    AnyOf,
    ChargeColumn,
    ColumnType,
    Comparison,
    Condition,
    CostCategory,
    Default,
    DimensionElement,
    Lower,
    MapValues,
    Not,
    Operand,
    Operator,
    Replace,
    Slug,
    Split,
    Subject,
    Tag,
    Title,
    Transform,
    Trim,
    Upper,
    Value,
    normalise_key,
)
from orchestration.compiler.patterns import pattern_problem, replacement_problem
from orchestration.compiler.problems import did_you_mean
from orchestration.compiler.reading import Reader, kind
from orchestration.compiler.syntax import Mapping, Node, Scalar

SUBJECTS = ("charge", "tag", "cost_category", "k8s", "account", "dimension", "resource", "related")
OPERATORS = tuple(operator.value for operator in Operator)
COMBINATIONS = ("all", "any", "not")
SIMPLE_TRANSFORMS: dict[str, Transform] = {
    "lower": Lower(),
    "upper": Upper(),
    "title": Title(),
    "trim": Trim(),
    "slug": Slug(),
}
TRANSFORMS = (*SIMPLE_TRANSFORMS, "split", "replace", "map", "default")

_TEXT_OPERATORS = {Operator.STARTS_WITH, Operator.ENDS_WITH, Operator.CONTAINS, Operator.MATCHES}
_ORDER_OPERATORS = {Operator.BEFORE, Operator.AFTER}


class ConditionReader(Reader):
    """Reads conditions and values; gives None for what is wrong and notes the problem."""

    def condition(self, node: Node) -> Condition | None:
        """A combination (`all`, `any`, `not`) or a comparison."""
        if not isinstance(node, Mapping):
            hint = "; put several conditions under any: or all:" if not isinstance(node, Scalar) else ""
            self.problem(node.place, "wrong-type", f"a condition is a mapping; found {kind(node)}{hint}")
            return None
        combined = [key for key, _ in node.entries if key.text in COMBINATIONS]
        if not combined:
            return self.comparison(node)
        if len(node.entries) > 1:
            message = f'"{combined[0].text}" stands alone in its condition; nest the other keys under it'
            self.problem(combined[0].place, "conflicting-keys", message)
            return None
        value = node.entries[0][1]
        if combined[0].text == "not":
            inner = self.condition(value)
            return None if inner is None else Not(inner)
        read = [self.condition(item) for item in self.items(value, f'"{combined[0].text}"')]
        conditions = tuple(item for item in read if item is not None)
        if len(conditions) < len(read) or not conditions:
            return None
        return All(conditions) if combined[0].text == "all" else AnyOf(conditions)

    def comparison(self, node: Mapping) -> Condition | None:
        """A subject, one operator, and `ignore_case` if wanted."""
        if not self.mapping(node, "a condition", (*COMBINATIONS, *SUBJECTS, *OPERATORS, "ignore_case")):
            return None
        subject = self.subject(node, "a condition")
        operators = [(key, value) for key, value in node.entries if key.text in OPERATORS]
        if len(operators) != 1:
            if operators:
                message = "one operator per condition; put several conditions under all:"
                self.problem(operators[1][0].place, "conflicting-keys", message)
            else:
                message = f"a condition needs an operator: {', '.join(OPERATORS)}"
                self.problem(node.place, "missing-key", message)
            return None
        key, value = operators[0]
        operator = Operator(key.text)
        ignore_case_node = node.get("ignore_case")
        ignore_case = False if ignore_case_node is None else self.flag(ignore_case_node, '"ignore_case"')
        if subject is None or ignore_case is None:
            return None
        if ignore_case and (self._type(subject) != "text" or operator is Operator.EXISTS):
            assert ignore_case_node is not None
            message = f'"ignore_case" has no meaning for "{operator.value}" here; remove it'
            self.problem(ignore_case_node.place, "operator-type", message)
            return None
        if operator is Operator.EXISTS:
            wanted = self.flag(value, '"exists"')
            if wanted is None:
                return None
            exists = Comparison(subject, operator, (), ignore_case=False, place=node.place)
            return exists if wanted else Not(exists)
        operands = self._operands(subject, operator, key, value)
        return None if operands is None else Comparison(subject, operator, operands, ignore_case, node.place)

    def subject(self, node: Mapping, what: str) -> Subject | None:
        """The one key of the mapping that says what is looked at."""
        given = [(key, value) for key, value in node.entries if key.text in SUBJECTS]
        if not given:
            message = f"{what} needs a subject: {', '.join(SUBJECTS[:6])}"
            self.problem(node.place, "missing-key", message)
            return None
        key, value = given[0]
        if key.text in {"resource", "related"} or any(other.text == "related" for other, _ in given):
            message = (
                f'the subject "{key.text}" is not compiled by this version; use tag, charge, account or k8s'
            )
            self.problem(key.place, "not-yet-supported", message)
            return None
        if len(given) > 1:
            message = (
                f'"{key.text}" and "{given[1][0].text}" stand together; one subject per condition or value'
            )
            self.problem(given[1][0].place, "conflicting-keys", message)
            return None
        text = self.text(value, f'"{key.text}"')
        return None if text is None else self._named_subject(key.text, text, value)

    def _named_subject(self, kind_of_subject: str, text: str, node: Node) -> Subject | None:
        if kind_of_subject == "charge":
            if text in CHARGE_COLUMNS:
                return ChargeColumn(text, CHARGE_COLUMNS[text])
            self.problem(
                node.place, "unknown-column", f'no column "{text}"{did_you_mean(text, CHARGE_COLUMNS)}'
            )
            return None
        if kind_of_subject in {"tag", "cost_category"}:
            normalised = normalise_key(text)
            if not normalised:
                message = f'the key "{text}" has no letter a-z or digit; no charge can carry it'
                self.problem(node.place, "bad-key", message)
                return None
            return Tag(normalised) if kind_of_subject == "tag" else CostCategory(normalised)
        if kind_of_subject == "dimension":
            return DimensionElement(text)
        fields = KUBERNETES_FIELDS if kind_of_subject == "k8s" else ACCOUNT_FIELDS
        if text in fields:
            return ChargeColumn(fields[text], "text")
        later = text.startswith("label") if kind_of_subject == "k8s" else text.startswith("tag")
        if later:
            known = ", ".join(sorted(fields))
            message = f'"{kind_of_subject}: {text}" is not compiled by this version; use {known}'
            self.problem(node.place, "not-yet-supported", message)
            return None
        message = f'"{kind_of_subject}" has no field "{text}"{did_you_mean(text, fields)}'
        self.problem(node.place, "unknown-field", message)
        return None

    @staticmethod
    def _type(subject: Subject) -> ColumnType:
        return subject.type if isinstance(subject, ChargeColumn) else "text"

    def _operands(
        self, subject: Subject, operator: Operator, key: Scalar, value: Node
    ) -> tuple[Operand, ...] | None:
        column_type = self._type(subject)
        of_days = column_type in {"date", "timestamp"}
        fits = {
            True: of_days if operator in _ORDER_OPERATORS else column_type == "text",
            False: operator is not Operator.BETWEEN or column_type != "text",
        }[operator in _ORDER_OPERATORS | _TEXT_OPERATORS]
        if not fits:
            message = f'"{operator.value}" does not fit a {column_type} value; {_FITTING[column_type]}'
            self.problem(key.place, "operator-type", message)
            return None
        what = f'"{operator.value}"'
        if operator not in {Operator.IN, Operator.NOT_IN, Operator.BETWEEN}:
            operand = self._operand(value, column_type, operator, what)
            return None if operand is None else (operand,)
        items = self.items(value, what)
        operands = tuple(self._operand(item, column_type, operator, f"a value of {what}") for item in items)
        read = tuple(operand for operand in operands if operand is not None)
        if not read or len(read) < len(operands):
            return None
        if operator is Operator.BETWEEN and len(read) != 2:
            self.problem(value.place, "wrong-type", f"{what} is a list of two values, the first and the last")
            return None
        if operator is Operator.BETWEEN and _lies_after(read[0], read[1]):
            self.problem(value.place, "bad-range", f"{what} ends before it begins; turn the two around")
            return None
        return read

    def _operand(self, node: Node, column_type: ColumnType, operator: Operator, what: str) -> Operand | None:
        return (
            self.pattern(node, what) if operator is Operator.MATCHES else self.typed(node, column_type, what)
        )

    def typed(self, node: Node, column_type: ColumnType, what: str) -> Operand | None:
        """A value of the type that a column holds."""
        if column_type == "text":
            return self.text(node, what)
        if column_type == "decimal":
            return self.decimal(node, what)
        if column_type == "integer":
            return self.whole(node, what)
        return self.day(node, what) if column_type == "date" else self.day_or_moment(node, what)

    def pattern(self, node: Node, what: str) -> str | None:
        """A regular expression that RE2 takes."""
        text = self.text(node, what)
        wrong = None if text is None else pattern_problem(text)
        if wrong:
            message = f"{what} is no RE2 pattern: {wrong}; RE2 has no lookaround and no backreferences"
            self.problem(node.place, "bad-regex", message)
            return None
        return text

    def value(self, node: Node, transform: Node | None, what: str) -> Value | None:
        """A subject, or `first_of` several, with the transforms of `transform` in order."""
        transforms = () if transform is None else self.transforms(transform)
        if not isinstance(node, Mapping):
            self.problem(
                node.place, "wrong-type", f"{what} is a mapping such as {{tag: app}}; found {kind(node)}"
            )
            return None
        if not self.mapping(node, what, (*SUBJECTS, "first_of")):
            return None
        first_of = node.get("first_of")
        if first_of is None:
            subjects = [self._text_subject(node, what)]
        elif len(node.entries) > 1:
            self.problem(
                node.place, "conflicting-keys", '"first_of" stands alone; put every subject into its list'
            )
            return None
        else:
            subjects = []
            for item in self.items(first_of, '"first_of"'):
                part = self.mapping(item, 'a value of "first_of"', SUBJECTS)
                subjects.append(None if part is None else self._text_subject(part, 'a value of "first_of"'))
        read = tuple(subject for subject in subjects if subject is not None)
        if not read or len(read) < len(subjects) or transforms is None:
            return None
        return Value(read, transforms, node.place)

    def _text_subject(self, node: Mapping, what: str) -> Subject | None:
        subject = self.subject(node, what)
        if subject is not None and self._type(subject) != "text":
            message = (
                f"{what} has to be a text; a {self._type(subject)} column cannot name an element or customer"
            )
            self.problem(node.place, "operator-type", message)
            return None
        return subject

    def transforms(self, node: Node) -> tuple[Transform, ...] | None:
        """The list under `transform`."""
        read = [self._transform(item) for item in self.items(node, '"transform"')]
        done = tuple(item for item in read if item is not None)
        return done if done and len(done) == len(read) else None

    def _transform(self, node: Node) -> Transform | None:
        if isinstance(node, Scalar) and node.text in SIMPLE_TRANSFORMS:
            return SIMPLE_TRANSFORMS[node.text]
        if isinstance(node, Scalar):
            hint = "write it with what it needs, for example {default: none}"
            hint = hint if node.text in TRANSFORMS else did_you_mean(node.text, TRANSFORMS).removeprefix("; ")
            self.problem(node.place, "unknown-choice", f"{kind(node)} is no complete transform; {hint}")
            return None
        if not self.mapping(node, "a transform", TRANSFORMS) or not isinstance(node, Mapping):
            return None
        if len(node.entries) != 1:
            self.problem(node.place, "conflicting-keys", "a transform has one key; make a list of several")
            return None
        key, value = node.entries[0]
        if key.text == "split":
            return self._split(value)
        if key.text == "replace":
            return self._replace(value)
        if key.text == "map":
            return self._map(value)
        if key.text == "default":
            text = self.text(value, '"default"')
            return None if text is None else Default(text)
        if key.text in SIMPLE_TRANSFORMS:
            self.problem(key.place, "wrong-type", f'"{key.text}" takes nothing; write it without the colon')
        return None

    def _split(self, node: Node) -> Transform | None:
        mapping = self.mapping(node, '"split"', ("on", "take"), required=("on", "take"))
        on_node, take_node = (mapping.get("on"), mapping.get("take")) if mapping else (None, None)
        on = self.text(on_node, '"on"') if on_node else None
        take = self.whole(take_node, '"take"') if take_node else None
        if on is None or take is None or take_node is None:
            return None
        if not 1 <= abs(take) <= 1000:
            message = '"take" counts from 1 for the first part, or from -1 for the last, up to 1000'
            self.problem(take_node.place, "bad-number", message)
            return None
        return Split(on, take)

    def _replace(self, node: Node) -> Transform | None:
        mapping = self.mapping(node, '"replace"', ("pattern", "with"), required=("pattern", "with"))
        pattern_node, with_node = (mapping.get("pattern"), mapping.get("with")) if mapping else (None, None)
        pattern = self.pattern(pattern_node, '"pattern"') if pattern_node else None
        replacement = self.any_text(with_node, '"with"') if with_node else None
        if pattern is None or replacement is None or with_node is None:
            return None
        wrong = replacement_problem(pattern, replacement)
        if wrong:
            hint = "\\1 is the first group, \\\\ a backslash"
            message = f'"with" is no replacement for the pattern: {wrong}; {hint}'
            self.problem(with_node.place, "bad-replacement", message)
            return None
        return Replace(pattern, replacement)

    def _map(self, node: Node) -> Transform | None:
        if not isinstance(node, Mapping) or not node.entries:
            self.problem(
                node.place, "wrong-type", f'"map" is a mapping of old to new texts; found {kind(node)}'
            )
            return None
        entries = [(key.text, self.text(value, f'"{key.text}"')) for key, value in node.entries]
        read = tuple((old, new) for old, new in entries if new is not None)
        return MapValues(read) if len(read) == len(entries) else None


def _lies_after(first: Operand, last: Operand) -> bool:
    """Whether a range ends before it begins; a day against a time is compared by the day."""
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
