"""Splits as SQL: the parts of a charge, and the amounts of each part.

The parts of every split are the hand-written model `split_parts`. This module adds the layer that turns a
split charge into one row per part and, after all rules, the layer that computes the parts' amounts.
Conditions see the amounts of the undivided charge.

A part covers a range of the charge's shares; each of its amounts is the difference of two cumulative amounts,
rounded to the last digit, so the parts sum to the charge.
"""

from __future__ import annotations

from sqlglot import exp

from orchestration.compiler.emitting.conditions import text
from orchestration.compiler.language.charge_columns import AMOUNT_COLUMNS
from orchestration.compiler.language.program import Dimension, SplitByUsage
from orchestration.compiler.language.splits import part_numbers, splits_of

SPLIT_PARTS_REFERENCE = "{{ ref('split_parts') }}"
CHARGE_PART, CHARGE_SHARE = "charge_part", "charge_share"
_CARRIED = {"part": "part", "element": "element", "before": "share_before", "through": "share_through"}
_MONEY = "decimal(38, 12)"


def split_column(dimension: Dimension, name: str) -> str:
    """The column that carries a fact of a charge's part: `part`, `element`, `before` or `through`."""
    return f"_{dimension.name}_{name}"


def part_column(amount: str) -> str:
    """Column of the part's own amount or share, next to that of the undivided charge."""
    return f"_part_{amount}"


def has_usage(dimension: Dimension, position: int) -> exp.Expr:
    """Whether there is usage that decides a split on the day of a charge."""
    days = exp.select("usage_date").from_(exp.Table(this=exp.Var(this=SPLIT_PARTS_REFERENCE)))
    days = days.where(
        exp.column("dimension").eq(text(dimension.name)), exp.column("rule_position").eq(position)
    )
    return exp.In(this=exp.column("usage_date"), query=exp.Subquery(this=days))


def divided(dimension: Dimension, previous: str) -> exp.Select:
    """The layer in which a charge that a split claims becomes one row per part."""
    parts = f"{dimension.name}_parts"
    rule = exp.column(f"{dimension.name}_rule", table=previous)
    positions = [position for position, split in splits_of(dimension) if isinstance(split, SplitByUsage)]
    conditions: list[exp.Expr] = [
        exp.column("dimension", table=parts).eq(text(dimension.name)),
        exp.column("rule_position", table=parts).eq(rule),
    ]
    day: exp.Expr = exp.null()
    if positions:
        by_usage = exp.In(this=rule.copy(), expressions=[exp.Literal.number(n) for n in positions])
        day = exp.Case(ifs=[exp.If(this=by_usage, true=exp.column("usage_date", table=previous))])
    conditions.append(exp.NullSafeEQ(this=exp.column("usage_date", table=parts), expression=day))
    carried = [
        exp.alias_(exp.column(column, table=parts), split_column(dimension, name))
        for name, column in _CARRIED.items()
    ]
    everything = exp.Column(this=exp.Star(), table=exp.to_identifier(previous))
    source = exp.alias_(exp.Table(this=exp.Var(this=SPLIT_PARTS_REFERENCE)), parts, table=True)
    return (
        exp.select(everything, *carried, copy=False)
        .from_(exp.to_table(previous))
        .join(source, on=exp.and_(*conditions, copy=False), join_type="left", copy=False)
    )


def part_amounts(dimension: Dimension, is_first: bool) -> list[exp.Expr]:
    """Amounts of the part, next to the undivided charge's; equal if the charge is not split.

    `is_first` if no dimension has split the charge before, so its share is still the whole.
    """
    before, through = (exp.column(split_column(dimension, name)) for name in ("before", "through"))
    amounts = []
    for name in (*AMOUNT_COLUMNS, CHARGE_SHARE):
        whole: exp.Expr = exp.column(name if is_first else part_column(name))
        if is_first and name == CHARGE_SHARE:
            whole = whole_share()
        part = exp.Sub(this=_up_to(whole, through), expression=_up_to(whole, before))
        is_whole = exp.Is(this=before.copy(), expression=exp.null())
        part_or_whole = exp.Case(ifs=[exp.If(this=is_whole, true=whole.copy())], default=part)
        amounts.append(exp.alias_(part_or_whole, part_column(name)))
    return amounts


def _up_to(amount: exp.Expr, share: exp.Expr) -> exp.Expr:
    product = exp.Mul(this=amount.copy(), expression=share.copy())
    return exp.cast(product, exp.DataType.build(_MONEY))


def whole_share() -> exp.Expr:
    """The share of a charge that is not split."""
    return exp.cast(exp.Literal.number(1), exp.DataType.build(_MONEY))


def charge_part(dimensions: list[Dimension]) -> exp.Expr:
    """The number of a charge's part over all dimensions that split, in their order; 0 for a whole charge."""
    number: exp.Expr = exp.Literal.number(0)
    for dimension in dimensions:
        part = exp.Coalesce(
            this=exp.column(split_column(dimension, "part")), expressions=[exp.Literal.number(0)]
        )
        if dimension is dimensions[0]:
            number = exp.cast(part, exp.DataType.Type.BIGINT)
            continue
        inner = exp.Paren(this=number) if isinstance(number, exp.Add) else number
        number = exp.Add(
            this=exp.Mul(this=inner, expression=exp.Literal.number(part_numbers(dimension))), expression=part
        )
    return number if dimensions else exp.cast(number, exp.DataType.Type.BIGINT)
