"""Explain how a charge was classified: the rule that matched, and the rules tried before it.

Applies the current contexts to the charge as the last run staged it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from orchestration.authoring.explain_query import NothingToExplainError
from orchestration.authoring.live_charges import LiveCharges, open_live_charges
from orchestration.compiler import Compilation
from orchestration.compiler.emitting.tables import describe_split, describe_subject
from orchestration.compiler.emitting.trace import Trace, TracedCondition, TracedRule, trace
from orchestration.compiler.language.conditions import Comparison
from orchestration.compiler.language.program import AllocationRule, Valid
from orchestration.outputs.read_only import rows_of
from orchestration.settings import Settings

Row = Mapping[str, Any]
LONGEST_LIST = 8


@dataclass(frozen=True)
class TracedCharge:
    """A charge (`charge`: its columns) and the rows of its trace: one, or one per part of a split."""

    charge: Row
    trace: Trace
    rows: tuple[Row, ...]


def show_charge(
    settings: Settings, compilation: Compilation, charge: str, day: date | None, console: Console
) -> None:
    """Print the trace of a charge, given by its id or its resource's id. See `traced_charge` for errors."""
    with open_live_charges(settings) as charges:
        traced = traced_charge(charges, compilation, charge, day)
    for line in _heading(traced.charge):
        console.print(line, highlight=False, soft_wrap=True)
    for number, row in enumerate(traced.rows, start=1):
        if len(traced.rows) > 1:
            cost = f"{row['effective_cost']:f} {row['billing_currency']}"
            share = f"{row['charge_share']:.6%} of the charge"
            console.print(f"\nPart {number} of {len(traced.rows)}: {cost}, {share}", highlight=False)
        for tree in _trees(traced.trace, row):
            console.print(tree, highlight=False)


def traced_charge(
    charges: LiveCharges, compilation: Compilation, wanted: str, day: date | None
) -> TracedCharge:
    """Trace the charge with id `wanted`, or the costliest charge of resource `wanted`.

    `day` (usage date) narrows the search. Raises `NothingToExplainError` and `NotReadableError`.
    """
    if compilation.plan is None or compilation.problems:
        raise ValueError("contexts with problems classify nothing")
    charge = _charge(charges, wanted, day)
    query = trace(compilation.plan, compilation.program.allocation)
    sql = charges.sql(query.sql, compilation, only="charge_id = $charge and usage_date = $day")
    rows = rows_of(charges.warehouse, sql, {"charge": charge["charge_id"], "day": charge["usage_date"]})
    rows.sort(key=lambda row: row["charge_part"])
    return TracedCharge(charge, query, tuple(rows))


def _charge(charges: LiveCharges, wanted: str, day: date | None) -> Row:
    found = rows_of(
        charges.warehouse,
        f"""
        select *
        from {charges.table}
        where (charge_id = $wanted or resource_id = $wanted) and ($day is null or usage_date = $day)
        order by charge_id = $wanted desc, abs(effective_cost) desc, charge_id
        limit 1
        """,
        {"wanted": wanted, "day": day},
    )
    if not found:
        on_day = f" on {day}" if day else ""
        raise NothingToExplainError(
            f'No charge and no resource "{wanted}"{on_day} in the working database. Ids of charges are in '
            "cpc explain --customer … --day …, and in staging.charges."
        )
    return found[0]


def _heading(charge: Row) -> Iterator[str]:
    yield f"[bold]{escape(charge['charge_id'])}[/]"
    service, resource = charge["service_name"] or "no service", charge["resource_id"] or "no resource"
    cost = f"{charge['effective_cost']:f} {charge['billing_currency']} effective"
    yield f"{charge['charge_period_start']:%Y-%m-%d %H:%M} UTC, {escape(service)}, {escape(resource)}: {cost}"
    yield escape(f"from {charge['x_landed_file']}, row {charge['x_landed_row']}")


def _trees(query: Trace, row: Row) -> Iterator[Tree]:
    for dimension, rules in query.dimensions:
        claimed = row[f"{dimension.name}_rule"]
        element = row[dimension.name]
        name = f"[bold]{escape(dimension.name)} = {escape(element) if element else '(unmatched)'}[/]"
        if claimed is None:
            tree = Tree(f"{name}: no rule matches, and there is no default")
        elif claimed == 0:
            tree = Tree(f"{name}: the default of {escape(str(dimension.place))}; no rule matches")
        else:
            tree = Tree(f"{name}: by {escape(str(rules[claimed - 1].rule.place))}")
        _add_rules(tree, rules[:claimed] if claimed else rules, row)
        yield tree
    yield _allocation_tree(query, row)


def _allocation_tree(query: Trace, row: Row) -> Tree:
    if not row["cost_of_goods_sold"]:
        tree = Tree("[bold]no cost of goods sold[/]: reported, not allocated")
        if query.cost_of_goods_sold is not None:
            _add_condition(tree, query.cost_of_goods_sold, row)
        return tree
    names = [_allocation_name(traced) for traced in query.allocation]
    name = row["allocation_rule"]
    if name is None:
        tree = Tree("[bold]allocation[/]: no rule matches; stays unallocated")
        _add_rules(tree, query.allocation, row)
        return tree
    position = names.index(name) + 1
    customer = f", to {escape(row['direct_customer_id'])}" if row["direct_customer_id"] else ""
    place = query.allocation[position - 1].rule.place
    tree = Tree(f"[bold]allocation = {escape(name)}[/]{customer}: by {escape(str(place))}")
    _add_rules(tree, query.allocation[:position], row)
    return tree


def _allocation_name(traced: TracedRule) -> str:
    return traced.rule.name if isinstance(traced.rule, AllocationRule) else ""


def _add_rules(tree: Tree, rules: tuple[TracedRule, ...], row: Row) -> None:
    for traced in rules:
        rule = traced.rule
        split = getattr(rule, "split", None)
        gives = _allocation_name(traced) or getattr(rule, "element", None) or ""
        gives = gives if split is None else describe_split(split)
        branch = tree.add(f"{_mark(row[traced.matches])} line {rule.place.line} {escape(gives)}".rstrip())
        if traced.in_dates is not None and traced.valid is not None:
            branch.add(f"{_mark(row[traced.in_dates])} valid {_dates(traced.valid)}")
        if traced.condition is not None:
            _add_condition(branch, traced.condition, row)
        if traced.named_by is not None:
            branch.add(f"{_mark(row[traced.named_by] is not None)} value {_text(row[traced.named_by])}")


def _add_condition(tree: Tree, condition: TracedCondition, row: Row) -> None:
    mark = _mark(row[condition.holds])
    if condition.comparison is None:
        branch = tree.add(f"{mark} {condition.word}")
        for part in condition.parts:
            _add_condition(branch, part, row)
        return
    tree.add(f"{mark} {escape(_comparison(condition.comparison))}: it is {_text(row[condition.value])}")


def _comparison(comparison: Comparison) -> str:
    operands = [f'"{each}"' if isinstance(each, str) else str(each) for each in comparison.operands]
    shown = operands[:LONGEST_LIST]
    if len(operands) > LONGEST_LIST:
        shown.append(f"… {len(operands) - LONGEST_LIST:,} more")
    listed = shown[0] if len(operands) == 1 else f"[{', '.join(shown)}]"
    listed = listed if operands else ""
    case = ", ignoring case" if comparison.ignore_case else ""
    return f"{describe_subject(comparison.subject)} {comparison.operator.value} {listed}".rstrip() + case


def _dates(valid: Valid) -> str:
    return f"{valid.first or '…'} to {valid.last or '…'}"


def _text(value: str | None) -> str:
    return "absent" if value is None or value == "" else escape(f'"{value}"')


def _mark(holds: bool) -> str:
    return "[green]yes[/]" if holds else "[red]no [/]"
