"""Facts of resources and accounts that rules refer to: the table `signal_facts`, and the joins.

How a resource's tags and relationships at a moment are found is hand-written, in `models/signals`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from orchestration.compiler.emitting.conditions import fact_column, text
from orchestration.compiler.emitting.tables import table
from orchestration.compiler.language.conditions import AccountFact, ResourceFact
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.signal_columns import ACCOUNT_NAME

Layer = tuple[str, exp.Select]
Fact = AccountFact | ResourceFact

SIGNAL_FACTS_COLUMNS = {
    "signal": "varchar",
    "path": "varchar[]",
    "fact": "varchar",
    "field": "varchar",
    "key": "varchar",
}
_SIGNALS = {"account": ("account_id", "sub_account_id"), "resource": ("resource_id", "resource_id")}
_FACTS = "{signal}_facts"
_MOMENTS = ("begins_from", "begins_before", "lasts_from", "lasts_before")


def signal_facts(plan: Plan, dialect: str = "duckdb") -> str:
    """One row per fact of a resource or account that the rules refer to."""
    rows = [
        [signal, getattr(fact, "path", ()), fact_name(fact), fact.column, fact.key]
        for signal, facts in _facts(plan).items()
        for fact in facts
    ]
    return table(SIGNAL_FACTS_COLUMNS, rows, dialect)


def fact_name(fact: Fact) -> str:
    """Name of a fact in the signal models: `type`, `tag app`, `attached_to > member_of > tag app`."""
    maps = {"tags": "tag", "attributes": "attribute"}
    name = fact.column.removeprefix("resource_") if fact.key is None else f"{maps[fact.column]} {fact.key}"
    return " > ".join([*getattr(fact, "path", ()), name])


def signal_tables(plan: Plan) -> list[Layer]:
    """The facts as columns, by account or resource and charge period."""
    layers = []
    for signal, facts in _facts(plan).items():
        columns = [
            exp.alias_(
                exp.Bracket(this=exp.column("facts"), expressions=[text(fact_name(fact))]), fact_column(fact)
            )
            for fact in facts
        ]
        reference = exp.Table(this=exp.Var(this=f"{{{{ ref('{_FACTS.format(signal=signal)}') }}}}"))
        star = exp.Star(except_=[exp.to_identifier("facts")])
        layers.append((_FACTS.format(signal=signal), exp.select(star, *columns, copy=False).from_(reference)))
    return layers


def fact_columns(plan: Plan) -> list[exp.Expr]:
    """Columns of the facts; an account's name comes from the bill, if it has one."""
    columns: list[exp.Expr] = []
    for signal, facts in _facts(plan).items():
        table_name = _FACTS.format(signal=signal)
        left_out = [exp.to_identifier(name) for name in (_SIGNALS[signal][0], *_MOMENTS)]
        replaced = []
        for fact in facts:
            if fact.column == ACCOUNT_NAME:
                name = fact_column(fact)
                billed = exp.Nullif(this=exp.column("sub_account_name", table="charges"), expression=text(""))
                known = exp.column(name, table=table_name)
                replaced.append(exp.alias_(exp.Coalesce(this=billed, expressions=[known]), name))
        star = exp.Star(except_=left_out, replace=replaced or None)
        columns.append(exp.Column(this=star, table=exp.to_identifier(table_name)))
    return columns


def join_facts(plan: Plan, query: exp.Select) -> exp.Select:
    """The query on `charges`, joined with at most one row of facts per charge."""
    begin, end = (exp.column(f"charge_period_{name}", table="charges") for name in ("start", "end"))
    last = exp.Greatest(
        this=begin.copy(),
        expressions=[end - exp.Interval(this=text("1"), unit=exp.var("microsecond"))],
        ignore_nulls=True,
    )
    for signal in _facts(plan):
        name = _FACTS.format(signal=signal)
        own, other = _SIGNALS[signal]
        begins_from, begins_before, lasts_from, lasts_before = (
            exp.column(moment, table=name) for moment in _MOMENTS
        )
        on = exp.and_(
            exp.column(own, table=name).eq(exp.column(other, table="charges")),
            begin >= begins_from,
            begin < begins_before,
            last >= lasts_from,
            last < lasts_before,
            copy=False,
        )
        query = query.join(exp.to_table(name), on=on, join_type="left", copy=False)
    return query


def _facts(plan: Plan) -> dict[str, Sequence[Fact]]:
    found: dict[str, Sequence[Fact]] = {"account": plan.account_facts, "resource": plan.resource_facts}
    return {signal: facts for signal, facts in found.items() if facts}
