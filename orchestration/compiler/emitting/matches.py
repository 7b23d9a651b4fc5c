"""Every rule that matches a charge, not only the first: what `cpc check` says about rules is made of it.

The query has one row per set of charges that the same rules match, so that a bill of millions of charges
becomes a few hundred rows in one scan.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from orchestration.compiler.emitting.classification import (
    POSITION_COLUMN,
    Layers,
    allocation_rule_condition,
    dimension_columns,
    rule_condition,
    value_column,
)
from orchestration.compiler.emitting.conditions import strictly
from orchestration.compiler.emitting.layout import laid_out
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.program import Allocation, Dimension

ALLOCATION = "allocation"
CHARGE_KEYS = "_charges"


def rule_matches(
    plan: Plan, allocation: Allocation, dialect: str = "duckdb", *, with_charges: bool = False
) -> str:
    """One row per currency and set of matching rules, with `charge_count` and `effective_cost`.

    For every dimension, and for `allocation`, which looks at cost of goods sold only:
    `<name>_rule` is the position of the rule that claims the charges (0: the default, NULL: none),
    `<name>_matches` the positions of all that match, `<name>_others` those of them that would have given
    another element. A charge whose parts match different rules is in several rows; `with_charges` adds
    `_charges`, a list of keys by which it can be counted once.
    """
    layers = Layers(plan, allocation)
    groups: list[exp.Expr] = [exp.column("billing_currency")]
    for dimension, _, rule in dimension_columns(plan):
        groups += [
            exp.column(rule),
            _positions(f"{dimension.name}_matches", _matches(dimension)),
            _positions(f"{dimension.name}_others", _others(dimension)),
        ]
    conditions = [
        exp.and_(exp.column("cost_of_goods_sold"), strictly(allocation_rule_condition(position, rule)))
        for position, rule in enumerate(allocation.rules, start=1)
    ]
    claimed = exp.If(this=exp.column("cost_of_goods_sold"), true=exp.column(POSITION_COLUMN))
    groups += [
        exp.alias_(exp.Case(ifs=[claimed]), f"{ALLOCATION}_rule"),
        _positions(f"{ALLOCATION}_matches", conditions),
        _positions(f"{ALLOCATION}_others", conditions),
    ]
    # The parts of a charge, by element or by day, are one charge.
    charge = exp.column("charge_id")
    count = exp.alias_(exp.Count(this=exp.Distinct(expressions=[charge])), "charge_count")
    if with_charges:
        key = exp.Distinct(expressions=[exp.Anonymous(this="hash", expressions=[charge])])
        groups.append(exp.alias_(exp.ArrayAgg(this=key), CHARGE_KEYS))
    cost = exp.alias_(exp.Sum(this=layers.amount("effective_cost").unalias()), "effective_cost")
    return laid_out(layers.select([*groups, count, cost]).group_by(exp.var("all"), copy=False), dialect)


def _matches(dimension: Dimension) -> list[exp.Expr]:
    return [
        strictly(rule_condition(dimension, position, rule))
        for position, rule in enumerate(dimension.rules, start=1)
    ]


def _others(dimension: Dimension) -> list[exp.Expr]:
    """Per rule: it matches, and would have given another element than the charge got."""
    return [
        exp.and_(condition, _gives_another(dimension, position))
        for position, condition in enumerate(_matches(dimension), start=1)
    ]


def _gives_another(dimension: Dimension, position: int) -> exp.Expr:
    rule = dimension.rules[position - 1]
    if rule.split is not None:
        # Whatever its shares are, those of another rule differ, and a whole charge is not a part.
        claimed = exp.column(f"{dimension.name}_rule")
        return exp.NullSafeNEQ(this=exp.Literal.number(position), expression=claimed)
    element = (
        exp.Literal.string(rule.element)
        if rule.element is not None
        else exp.column(value_column(dimension, position))
    )
    return exp.NullSafeNEQ(this=element, expression=exp.column(dimension.name))


def _positions(name: str, conditions: Sequence[exp.Expr]) -> exp.Expr:
    """The list of the positions, from 1, whose condition holds."""
    held = [
        exp.Case(ifs=[exp.If(this=condition, true=exp.Literal.number(position))])
        for position, condition in enumerate(conditions, start=1)
    ]
    listed = exp.cast(exp.Array(expressions=held), exp.DataType.build("smallint[]", dialect="duckdb"))
    position = exp.to_identifier("position_")
    present = exp.Not(this=exp.Is(this=exp.column("position_"), expression=exp.null()))
    kept = exp.Anonymous(
        this="list_filter", expressions=[listed, exp.Lambda(this=present, expressions=[position])]
    )
    return exp.alias_(kept, name)
