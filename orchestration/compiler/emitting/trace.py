"""Every condition of every rule as its own column, to explain how a charge was classified.

Selects more columns from the last layer of the classification itself, so it cannot disagree with the model.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlglot import exp

from orchestration.compiler.emitting.classification import (
    Layers,
    allocation_rule_condition,
    dimension_columns,
    rule_condition,
    value_column,
)
from orchestration.compiler.emitting.conditions import condition_sql, strictly, subject_column, valid_sql
from orchestration.compiler.emitting.layout import laid_out
from orchestration.compiler.language.conditions import AnyOf, Comparison, Condition, Not, Subject
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.program import (
    Allocation,
    AllocationRule,
    Dimension,
    Rule,
    ToCustomer,
    Valid,
)


@dataclass(frozen=True)
class TracedCondition:
    """A condition and the column with its result.

    `word` is `all`, `any` or `not` with `parts`, or empty for a `comparison`, whose subject's value is in the
    column `value`.
    """

    holds: str
    word: str = ""
    parts: tuple[TracedCondition, ...] = ()
    comparison: Comparison | None = None
    value: str = ""


@dataclass(frozen=True)
class TracedRule:
    """A rule of a dimension or of the allocation, and its result columns.

    `in_dates` is set for rules with `valid`, `named_by` (a text column) for those whose value names the
    element or customer.
    """

    rule: Rule | AllocationRule
    matches: str
    condition: TracedCondition | None
    in_dates: str | None = None
    valid: Valid | None = None
    named_by: str | None = None


@dataclass(frozen=True)
class Trace:
    """The query, one row per part of the requested charges, and what its columns mean.

    Besides those named here it has, per dimension, `<name>` and `<name>_rule`, then `cost_of_goods_sold`,
    `allocation_rule` and `direct_customer_id`, and every column of the charge.
    """

    sql: str
    dimensions: tuple[tuple[Dimension, tuple[TracedRule, ...]], ...]
    cost_of_goods_sold: TracedCondition | None
    allocation: tuple[TracedRule, ...]


def trace(plan: Plan, allocation: Allocation, dialect: str = "duckdb") -> Trace:
    """The trace of a program without problems, with dimensions in evaluation order."""
    columns = _Columns()
    dimensions = tuple(
        (dimension, tuple(_dimension_rule(dimension, n, rule, columns) for n, rule in _numbered(dimension)))
        for step in plan.steps
        for dimension in step
    )
    counts = allocation.cost_of_goods_sold
    of_cost = None if counts is None else _condition(counts, columns)
    rules = tuple(
        _allocation_rule(position, rule, columns) for position, rule in enumerate(allocation.rules, start=1)
    )
    layers = Layers(plan, allocation)
    found = [column for _, element, rule in dimension_columns(plan) for column in (element, rule)]
    selected: list[exp.Expr] = [exp.column("charge_id"), *layers.part_columns()]
    selected.append(layers.amount("effective_cost"))
    selected += [exp.column("billing_currency"), *map(exp.column, found), exp.column("cost_of_goods_sold")]
    selected += [layers.allocation_rule(), layers.direct_customer(), *columns.found]
    sql = laid_out(layers.select(selected), dialect)
    return Trace(sql, dimensions, of_cost, rules)


@dataclass
class _Columns:
    """Numbers the columns of the trace; equal values are selected once."""

    found: list[exp.Expr] = field(default_factory=list)
    values: dict[Subject, str] = field(default_factory=dict)

    def add(self, value: exp.Expr) -> str:
        name = f"_trace_{len(self.found) + 1}"
        self.found.append(exp.alias_(value, name))
        return name

    def holds(self, condition: exp.Expr) -> str:
        return self.add(strictly(condition))

    def value(self, subject: Subject) -> str:
        if subject not in self.values:
            text = exp.cast(subject_column(subject), exp.DataType.Type.VARCHAR)
            self.values[subject] = self.add(text)
        return self.values[subject]


def _numbered(dimension: Dimension) -> list[tuple[int, Rule]]:
    return list(enumerate(dimension.rules, start=1))


def _dimension_rule(dimension: Dimension, position: int, rule: Rule, columns: _Columns) -> TracedRule:
    return TracedRule(
        rule,
        columns.holds(rule_condition(dimension, position, rule)),
        None if rule.when is None else _condition(rule.when, columns),
        None if rule.valid is None else columns.holds(valid_sql(rule.valid)),
        rule.valid,
        None if rule.source is None else columns.add(exp.column(value_column(dimension, position))),
    )


def _allocation_rule(position: int, rule: AllocationRule, columns: _Columns) -> TracedRule:
    is_named = isinstance(rule.method, ToCustomer)
    return TracedRule(
        rule,
        columns.holds(allocation_rule_condition(position, rule)),
        None if rule.when is None else _condition(rule.when, columns),
        named_by=columns.add(exp.column(f"_to_{position}")) if is_named else None,
    )


def _condition(condition: Condition, columns: _Columns) -> TracedCondition:
    holds = columns.holds(condition_sql(condition))
    if isinstance(condition, Comparison):
        return TracedCondition(holds, comparison=condition, value=columns.value(condition.subject))
    if isinstance(condition, Not):
        return TracedCondition(holds, "not", (_condition(condition.condition, columns),))
    word = "any" if isinstance(condition, AnyOf) else "all"
    return TracedCondition(holds, word, tuple(_condition(part, columns) for part in condition.conditions))
