"""Splits as SQL: the parts that a charge is divided into, and what each part costs.

Three things for a dimension that splits: its parts as a small table (`<dimension>_split`: of the rules that
say the shares, and of the usage of each day), the layer in which a charge that such a rule claims becomes
one row per part, and, after all rules are known, the layers that work out the parts' amounts. Conditions see
the whole charge's amounts, as the bill has them.

The arithmetic is that of allocation (see docs/decisions/0002): whole numbers of 10^-12 units, cut toward
zero, what is missing to the charge given to the largest share.
"""

from __future__ import annotations

import sqlglot
from sqlglot import exp

from orchestration.compiler.charge_columns import AMOUNT_COLUMNS
from orchestration.compiler.emit_conditions import text
from orchestration.compiler.language import Dimension, EvenSplit, FixedSplit, SplitByUsage
from orchestration.compiler.splits import known_parts, part_numbers, split_id, splits_of

SPLIT_SHARES_REFERENCE = "{{ ref('split_shares') }}"
CHARGE_PART, CHARGE_SHARE = "charge_part", "charge_share"
_PART_COLUMNS = {
    "rule_position": "smallint",
    "usage_date": "date",
    "part": "integer",
    "element": "varchar",
    "share_units": "hugeint",
    "total_units": "hugeint",
    "other_units": "hugeint[]",
}
SPLIT_SHARES_COLUMNS = {"split_id": "varchar", **dict(list(_PART_COLUMNS.items())[1:])}
"""The columns of `split_shares` that the query reads."""
_CARRIED = {"part": "part", "element": "element", "share": "share_units", "total": "total_units"}
_CARRIED["others"] = "other_units"

# Quotient and remainder first, so that no product is larger than the amount or the total squared.
_CUT = "divide(units, total) * share + divide(units % total * share, total)"
_PART_UNITS = f"""
case
    when others is null then {_CUT}
    else units - coalesce(list_sum(list_transform(others, lambda share : {_CUT})), 0)
end
"""
_UNITS = "case when not total is null then cast(amount * 1000000000000 as hugeint) end"
_MONEY = "coalesce(cast(cast(units as decimal(38, 0)) * 0.000000000001 as decimal(38, 12)), amount)"


def split_column(dimension: Dimension, name: str) -> str:
    """The column that carries a fact of a charge's part: `part`, `element`, `share`, `total` or `others`."""
    return f"_split_{dimension.name}_{name}"


def part_column(amount: str) -> str:
    """The column that holds the part's own amount, or its share, beside the whole charge's."""
    return f"_part_{amount}"


def has_usage(dimension: Dimension, split: SplitByUsage) -> exp.Expr:
    """Whether there is usage that decides a split on the day of a charge."""
    days = _of_split(dimension, split, [exp.column("usage_date")])
    return exp.In(this=exp.column("usage_date"), query=exp.Subquery(this=days))


def split_tables(dimension: Dimension) -> exp.Query:
    """The parts of all splits of a dimension: one row per rule, day (NULL: every day) and element."""
    tables: list[exp.Query] = []
    rows = [
        [
            exp.Literal.number(position),
            exp.null(),
            exp.Literal.number(part.number),
            text(part.element),
            exp.Literal.number(part.share_units),
            exp.Literal.number(sum(each.share_units for each in parts)),
            exp.Array(expressions=[exp.Literal.number(o.share_units) for o in parts if o is not part])
            if part.takes_the_rest
            else exp.null(),
        ]
        for position, split in splits_of(dimension)
        if isinstance(split, FixedSplit | EvenSplit)
        for parts in [known_parts(split)]
        for part in parts
    ]
    if rows:
        listed = exp.Values(
            expressions=[exp.Tuple(expressions=row) for row in rows],
            alias=exp.TableAlias(
                this=exp.to_identifier("listed"),
                columns=[exp.to_identifier(name) for name in _PART_COLUMNS],
            ),
        )
        typed = [
            exp.alias_(exp.cast(exp.column(name), kind, dialect="duckdb"), name)
            for name, kind in _PART_COLUMNS.items()
        ]
        tables.append(exp.select(*typed).from_(listed))
    for position, split in _by_usage(dimension):
        first, *others = _PART_COLUMNS
        number = exp.alias_(exp.Literal.number(position), first)
        tables.append(_of_split(dimension, split, [number, *(exp.column(name) for name in others)]))
    return tables[0] if len(tables) == 1 else exp.union(*tables, distinct=False)


def divided(dimension: Dimension, previous: str) -> exp.Select:
    """The layer in which a charge that a split claims becomes one row per part."""
    table = f"{dimension.name}_split"
    rule = exp.column(f"{dimension.name}_rule", table=previous)
    by_usage = [position for position, _ in _by_usage(dimension)]
    condition: exp.Expr = exp.EQ(this=exp.column("rule_position", table=table), expression=rule)
    if by_usage:
        day: exp.Expr = exp.column("usage_date", table=previous)
        same: type[exp.Binary] = exp.EQ
        if len(by_usage) < len(splits_of(dimension)):
            day, same = exp.Case(ifs=[exp.If(this=_one_of(rule, by_usage), true=day)]), exp.NullSafeEQ
        same_day = same(this=exp.column("usage_date", table=table), expression=day)
        condition = exp.and_(condition, same_day)
    carried = [
        exp.alias_(exp.column(column, table=table), split_column(dimension, name))
        for name, column in _CARRIED.items()
    ]
    everything = exp.Column(this=exp.Star(), table=exp.to_identifier(previous))
    return (
        exp.select(everything, *carried, copy=False)
        .from_(exp.to_table(previous))
        .join(exp.to_table(table), on=condition, join_type="left", copy=False)
    )


def part_costs(dimension: Dimension, previous: str, is_first: bool) -> list[tuple[str, exp.Select]]:
    """The layers that work out the amounts of the part; of a charge that is not split they are its own.

    They stand beside the whole charge's, which conditions look at.
    `is_first` where no dimension has split the charge before: its share is still the whole.
    """
    total, share, others = (
        exp.column(split_column(dimension, name)) for name in ("total", "share", "others")
    )
    amounts: dict[str, exp.Expr] = {
        name: exp.column(name if is_first else part_column(name)) for name in (*AMOUNT_COLUMNS, CHARGE_SHARE)
    }
    if is_first:
        amounts[CHARGE_SHARE] = whole_share()
    units = {name: exp.column(f"_{name}_of_{dimension.name}") for name in amounts}
    whole = [
        exp.alias_(_filled(_UNITS, amount=amount, total=total), units[name].name)
        for name, amount in amounts.items()
    ]
    cut = [
        exp.alias_(_filled(_PART_UNITS, units=column, total=total, share=share, others=others), column.name)
        for column in units.values()
    ]
    costs = [
        exp.alias_(_filled(_MONEY, units=units[name], amount=amount), part_column(name))
        for name, amount in amounts.items()
    ]
    layers: dict[str, list[exp.Expr]] = {
        f"{dimension.name}_units": [exp.Star(), *whole],
        f"{dimension.name}_part_units": [exp.Star(replace=cut)],
        f"{dimension.name}_costs": [exp.Star(), *costs] if is_first else [exp.Star(replace=costs)],
    }
    selects = []
    for name, columns in layers.items():
        selects.append((name, exp.select(*columns, copy=False).from_(exp.to_table(previous))))
        previous = name
    return selects


def whole_share() -> exp.Expr:
    """The share of a charge that is not split."""
    return exp.cast(exp.Literal.number(1), exp.DataType.build("decimal(38, 12)"))


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


def _filled(template: str, **columns: exp.Expr) -> exp.Expr:
    """A constant SQL expression with other expressions in place of its columns."""

    def filled(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and node.name in columns:
            column = columns[node.name]
            needs_paren = isinstance(column, exp.Binary) and isinstance(node.parent, exp.Binary)
            return exp.Paren(this=column.copy()) if needs_paren else column.copy()
        return node

    return sqlglot.parse_one(template, dialect="duckdb").transform(filled)


def _by_usage(dimension: Dimension) -> list[tuple[int, SplitByUsage]]:
    return [(position, split) for position, split in splits_of(dimension) if isinstance(split, SplitByUsage)]


def _of_split(dimension: Dimension, split: SplitByUsage, columns: list[exp.Expr]) -> exp.Select:
    """Columns of `split_shares`, of one split."""
    return (
        exp.select(*columns)
        .from_(exp.Table(this=exp.Var(this=SPLIT_SHARES_REFERENCE)))
        .where(exp.EQ(this=exp.column("split_id"), expression=text(split_id(dimension, split))))
    )


def _one_of(column: exp.Expr, positions: list[int]) -> exp.Expr:
    numbers = [exp.Literal.number(position) for position in positions]
    if len(numbers) == 1:
        return exp.EQ(this=column.copy(), expression=numbers[0])
    return exp.In(this=column.copy(), expressions=numbers)
