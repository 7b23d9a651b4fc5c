"""Conditions and values as sqlglot expressions.

Values only become literals of the syntax tree, which sqlglot quotes; nothing is pasted into SQL text. A
condition can be NULL instead of false (absent value); users that need strict booleans, such as `not`, wrap it
in `coalesce(…, false)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlglot import exp

from orchestration.compiler.language.conditions import (
    AccountFact,
    All,
    AnyOf,
    ChargeColumn,
    Comparison,
    Condition,
    CostCategory,
    Default,
    DimensionElement,
    KubernetesLabel,
    Lower,
    MapValues,
    Not,
    Operand,
    Operator,
    Replace,
    ResourceFact,
    Slug,
    Split,
    Subject,
    Tag,
    Title,
    Transform,
    Trim,
    Upper,
    Value,
)
from orchestration.compiler.language.program import Valid

TAG_PREFIX = "_tag_"
COST_CATEGORY_PREFIX = "_cost_category_"
LABEL_PREFIX = "_label_"


def text(value: str) -> exp.Expr:
    """A text literal."""
    return exp.Literal.string(value)


def strictly(condition: exp.Expr) -> exp.Expr:
    """True or false, never NULL."""
    return exp.Coalesce(this=condition, expressions=[exp.false()])


def all_of(parts: list[exp.Expr]) -> exp.Expr:
    """Conjunction of all parts; true if there are none."""
    return _joined(exp.And, parts) if parts else exp.true()


def any_of(parts: list[exp.Expr]) -> exp.Expr:
    """Disjunction of all parts; false if there are none."""
    return _joined(exp.Or, parts) if parts else exp.false()


def _joined(connector: type[exp.Connector], parts: list[exp.Expr]) -> exp.Expr:
    """As a balanced tree, so that thousands of parts neither nest deeply nor are copied repeatedly."""
    if len(parts) == 1:
        return parts[0]
    level = [exp.Paren(this=part) if isinstance(part, exp.Connector) else part for part in parts]
    while len(level) > 1:
        pairs = [level[at : at + 2] for at in range(0, len(level), 2)]
        level = [connector(this=pair[0], expression=pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]


def subject_column(subject: Subject) -> exp.Expr:
    """Column of a subject. Earlier layers have extracted map keys and joined signals into columns."""
    if isinstance(subject, Tag):
        return exp.column(TAG_PREFIX + subject.key)
    if isinstance(subject, CostCategory):
        return exp.column(COST_CATEGORY_PREFIX + subject.key)
    if isinstance(subject, DimensionElement):
        return exp.column(subject.dimension)
    if isinstance(subject, KubernetesLabel):
        return exp.column(LABEL_PREFIX + subject.key)
    if isinstance(subject, AccountFact | ResourceFact):
        return exp.column(fact_column(subject))
    return exp.column(subject.name)


def fact_column(fact: AccountFact | ResourceFact) -> str:
    """Column of a signal fact: `_resource_tag_feature`, `_attached_to__member_of__name`.

    Relationships and keys never contain two underscores in a row, so different facts have different names.
    """
    maps = {"tags": "tag_", "attributes": "attribute_"}
    prefix = "account_" if isinstance(fact, AccountFact) else "resource_"
    name = fact.column.removeprefix(prefix) if fact.key is None else maps[fact.column] + fact.key
    if isinstance(fact, AccountFact):
        return f"_account_{name}"
    return f"_resource_{name}" if not fact.path else f"_{'__'.join(fact.path)}__{name}"


def condition_sql(condition: Condition) -> exp.Expr:
    """A condition: true if it holds, else false or NULL."""
    if isinstance(condition, Not):
        return exp.Not(this=strictly(condition_sql(condition.condition)))
    if isinstance(condition, All):
        return all_of([condition_sql(part) for part in condition.conditions])
    if isinstance(condition, AnyOf):
        return any_of([condition_sql(part) for part in condition.conditions])
    return _comparison(condition)


def valid_sql(valid: Valid) -> exp.Expr:
    """Whether a charge's usage date is within a rule's dates."""
    day = exp.column("usage_date")
    parts: list[exp.Expr] = []
    if valid.first is not None:
        parts.append(exp.GTE(this=day.copy(), expression=_operand(valid.first, day)))
    if valid.last is not None:
        parts.append(exp.LTE(this=day.copy(), expression=_operand(valid.last, day)))
    return all_of(parts)


def _comparison(comparison: Comparison) -> exp.Expr:
    subject = comparison.subject
    is_text = not isinstance(subject, ChargeColumn) or subject.type == "text"
    column = subject_column(subject)
    if is_text:
        return _text_comparison(comparison, column, may_be_empty=isinstance(subject, ChargeColumn))
    operator, operands = comparison.operator, comparison.operands
    if operator is Operator.EXISTS:
        return exp.Not(this=exp.Is(this=column, expression=exp.null()))
    if operator is Operator.BEFORE:
        return exp.LT(this=_against(column, operands[0]), expression=_operand(operands[0], column))
    if operator is Operator.AFTER:
        return exp.GT(this=_against(column, operands[0]), expression=_operand(operands[0], column))
    if operator is Operator.BETWEEN:
        first, last = operands
        return all_of(
            [
                exp.GTE(this=_against(column, first), expression=_operand(first, column)),
                exp.LTE(this=_against(column, last), expression=_operand(last, column)),
            ]
        )
    equal = any_of(_groups(column, operands))
    return exp.not_(equal) if operator in {Operator.NOT_EQUALS, Operator.NOT_IN} else equal


def _groups(column: exp.Expr, operands: Sequence[Operand]) -> list[exp.Expr]:
    """`column in (…)`, with days and times separate if both are listed."""
    moments = [operand for operand in operands if isinstance(operand, datetime)]
    others = [operand for operand in operands if not isinstance(operand, datetime)]
    return [
        _one_of(_against(column, group[0]), [_operand(operand, column) for operand in group])
        for group in (others, moments)
        if group
    ]


def _against(column: exp.Expr, operand: Operand) -> exp.Expr:
    """The column cast for comparison with an operand: a time compared with a day counts as its day."""
    if isinstance(operand, date) and not isinstance(operand, datetime):
        return exp.cast(column.copy(), exp.DataType.Type.DATE)
    return column.copy()


def _operand(operand: Operand, column: exp.Expr) -> exp.Expr:
    if isinstance(operand, datetime):
        return exp.cast(text(operand.isoformat(sep=" ")), exp.DataType.Type.TIMESTAMP)
    if isinstance(operand, date):
        return exp.cast(text(operand.isoformat()), exp.DataType.Type.DATE)
    if isinstance(operand, Decimal):
        return exp.cast(text(f"{operand:f}"), exp.DataType.build("decimal(38, 12)"))
    if isinstance(operand, int):
        return exp.Literal.number(operand)
    raise TypeError(f"{column.sql()} is not text, compared with {operand!r}")


def _one_of(column: exp.Expr, values: list[exp.Expr]) -> exp.Expr:
    if len(values) == 1:
        return exp.EQ(this=column, expression=values[0])
    return exp.In(this=column, expressions=values)


def _text_comparison(comparison: Comparison, column: exp.Expr, may_be_empty: bool) -> exp.Expr:
    operator = comparison.operator
    not_empty = exp.NEQ(this=column.copy(), expression=text(""))
    if operator is Operator.EXISTS:
        return not_empty if may_be_empty else exp.Not(this=exp.Is(this=column, expression=exp.null()))
    texts = [str(operand) for operand in comparison.operands]
    if operator is Operator.MATCHES:
        pattern = f"(?i){texts[0]}" if comparison.ignore_case else texts[0]
        matches = exp.RegexpLike(this=column, expression=text(pattern))
        return all_of([not_empty, matches]) if may_be_empty else matches
    looked_at = exp.Lower(this=column) if comparison.ignore_case else column
    literals = [_lowered(value) if comparison.ignore_case else text(value) for value in texts]
    if operator is Operator.STARTS_WITH:
        return exp.StartsWith(this=looked_at, expression=literals[0])
    if operator is Operator.ENDS_WITH:
        return exp.EndsWith(this=looked_at, expression=literals[0])
    if operator is Operator.CONTAINS:
        return exp.Contains(this=looked_at, expression=literals[0])
    if operator in {Operator.EQUALS, Operator.IN}:
        return _one_of(looked_at, literals)
    differs = exp.not_(_one_of(looked_at, literals))
    return all_of([not_empty, differs]) if may_be_empty else differs


def _lowered(value: str) -> exp.Expr:
    """The literal in lower case, using the warehouse's rules beyond ASCII."""
    return text(value.lower()) if value.isascii() else exp.Lower(this=text(value))


def value_sql(value: Value, column: str) -> list[tuple[str, exp.Expr]]:
    """A value after its transforms (non-empty text or NULL), as columns that build on each other.

    The last one is named `column`. `map` uses its input twice, so the input gets its own column; otherwise
    the SQL would double with every `map`.
    """
    subjects = [_absent_when_empty(subject) for subject in value.first_of]
    result = subjects[0] if len(subjects) == 1 else exp.Coalesce(this=subjects[0], expressions=subjects[1:])
    columns: list[tuple[str, exp.Expr]] = []
    for transform in value.transforms:
        if isinstance(transform, MapValues) and not isinstance(result, exp.Column):
            part = f"{column}_part_{len(columns) + 1}"
            columns.append((part, result))
            result = exp.column(part)
        result = _transformed(transform, result)
    last = value.transforms[-1] if value.transforms else None
    if last is not None and not isinstance(last, Default):
        result = _nullif_empty(result)
    return [*columns, (column, result)]


def _absent_when_empty(subject: Subject) -> exp.Expr:
    column = subject_column(subject)
    return _nullif_empty(column) if isinstance(subject, ChargeColumn) else column


def _nullif_empty(value: exp.Expr) -> exp.Expr:
    return exp.Nullif(this=value, expression=text(""))


def _transformed(transform: Transform, value: exp.Expr) -> exp.Expr:
    if isinstance(transform, Lower):
        return exp.Lower(this=value)
    if isinstance(transform, Upper):
        return exp.Upper(this=value)
    if isinstance(transform, Title):
        return _title(value)
    if isinstance(transform, Trim):
        return exp.Trim(this=value, expression=_white_space())
    if isinstance(transform, Slug):
        dashed = _replaced(exp.Lower(this=value), "[^a-z0-9]+", "-")
        return exp.Trim(this=dashed, expression=text("-"))
    if isinstance(transform, Split):
        part = exp.Literal.number(transform.take)
        return exp.SplitPart(this=value, delimiter=text(transform.on), part_index=part)
    if isinstance(transform, Replace):
        return _replaced(value, transform.pattern, transform.replacement)
    if isinstance(transform, MapValues):
        branches = [exp.If(this=text(old), true=text(new)) for old, new in transform.entries]
        return exp.Case(this=value, ifs=branches, default=value.copy())
    return exp.Coalesce(this=_nullif_empty(value), expressions=[text(transform.text)])


def _white_space() -> exp.Expr:
    """Space, tab, line feed and carriage return, without writing them raw into the SQL."""
    codes = [exp.Chr(expressions=[exp.Literal.number(code)]) for code in (9, 10, 13)]
    return exp.Concat(expressions=[text(" "), *codes], safe=True)


def _replaced(value: exp.Expr, pattern: str, replacement: str) -> exp.Expr:
    return exp.RegexpReplace(
        this=value, expression=text(pattern), replacement=text(replacement), modifiers=text("g")
    )


def _title(value: exp.Expr) -> exp.Expr:
    """First letter of every word upper case, the rest lower case."""
    word = exp.column("word")
    first = exp.Upper(this=exp.Left(this=word, expression=exp.Literal.number(1)))
    rest = exp.Lower(this=exp.Substring(this=word.copy(), start=exp.Literal.number(2)))
    words = exp.Split(this=value, expression=text(" "))
    titled = exp.Transform(
        this=words,
        expression=exp.Lambda(
            this=exp.DPipe(this=first, expression=rest), expressions=[exp.to_identifier("word")]
        ),
    )
    return exp.ArrayToString(this=titled, expression=text(" "))
