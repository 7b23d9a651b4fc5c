"""The program as one SQL query that classifies every charge in one scan.

Layers: the keys of the tag maps; the facts of the signals; then, per step of the plan, the values that name
elements, the matching rule, and the element; finally the allocation. Everything is a sqlglot syntax tree
rendered for a dialect; dbt references are the only raw text, and they are constants.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from orchestration.compiler.emitting.conditions import (
    COST_CATEGORY_PREFIX,
    LABEL_PREFIX,
    TAG_PREFIX,
    all_of,
    condition_sql,
    strictly,
    text,
    valid_sql,
    value_sql,
)
from orchestration.compiler.emitting.layout import laid_out
from orchestration.compiler.emitting.signals import fact_columns, join_facts, signal_tables
from orchestration.compiler.emitting.splits import (
    CHARGE_PART,
    CHARGE_SHARE,
    charge_part,
    divided,
    has_usage,
    part_amounts,
    part_column,
    split_column,
    whole_share,
)
from orchestration.compiler.language.charge_columns import AMOUNT_COLUMNS, CLASSIFIED_COLUMNS
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.program import (
    Allocation,
    AllocationRule,
    Dimension,
    Rule,
    SplitByUsage,
    ToCustomer,
)
from orchestration.compiler.language.splits import splits_of
from orchestration.compiler.problems import Place

CHARGES_REFERENCE = "{{ ref('charges') }}"
POSITION_COLUMN = "_allocation_rule"


def charges_in_context(plan: Plan, allocation: Allocation, dialect: str = "duckdb") -> str:
    """Query of the model `charges_in_context`: one row per charge, or per part of a split charge."""
    return laid_out(Layers(plan, allocation).query(), dialect)


def classification(
    plan: Plan, allocation: Allocation, columns: Sequence[str], dialect: str = "duckdb"
) -> str:
    """The same query with other columns of the charge (`columns`) and only the dimensions' columns."""
    layers = Layers(plan, allocation)
    _, share = layers.part_columns()
    selected = [share if name == CHARGE_SHARE else layers.charge_column(name) for name in columns]
    for _, element, rule in dimension_columns(plan):
        selected += [exp.column(element), exp.column(rule)]
    return laid_out(layers.select(selected), dialect)


def dimension_columns(plan: Plan) -> list[tuple[Dimension, str, str]]:
    """Each dimension's element column and rule column, by name."""
    dimensions = sorted((dimension for step in plan.steps for dimension in step), key=lambda d: d.name)
    return [(dimension, dimension.name, f"{dimension.name}_rule") for dimension in dimensions]


class Layers:
    """Builds the query layer by layer; each layer selects everything from the previous one and adds columns.

    `matches` and `trace` select other columns from the last layer, so they see exactly what the model sees.
    """

    def __init__(self, plan: Plan, allocation: Allocation) -> None:
        self.plan = plan
        self.allocation = allocation
        self.layers: list[tuple[str, exp.Query]] = []
        self.splitting = [d for step in plan.steps for d in step if splits_of(d)]

    def add(self, name: str, columns: Sequence[exp.Expr]) -> None:
        """Add a layer, if there are columns to add."""
        if columns:
            previous = self.layers[-1][0]
            self.layers.append((name, exp.select("*", *columns, copy=False).from_(exp.to_table(previous))))

    def add_values(self, name: str, values: Sequence[tuple[Place, list[tuple[str, exp.Expr]]]]) -> None:
        """Add layers for values that build on intermediate columns."""
        depth = max((len(columns) for _, columns in values), default=0)
        for part in range(depth):
            found = [(place, columns[part]) for place, columns in values if part < len(columns)]
            layer = name if part == 0 else f"{name}_part_{part + 1}"
            self.add(layer, [_named(value, column, place) for place, (column, value) in found])

    def add_charges(self) -> None:
        """First layer: the charges, with the tags, labels and signal facts that any rule refers to."""
        everything = exp.Column(this=exp.Star(), table=exp.to_identifier("charges"))
        charges = exp.select(everything, *self.keys(), *fact_columns(self.plan), copy=False)
        source = exp.Table(this=exp.Var(this=CHARGES_REFERENCE))
        charges = charges.from_(exp.alias_(source, "charges", table=True))
        charges = join_facts(self.plan, charges)
        self.layers += [*signal_tables(self.plan), ("charges", charges)]

    def divide(self, dimensions: Sequence[Dimension]) -> None:
        """Layers that turn a split charge into one row per part."""
        for dimension in dimensions:
            self.layers.append((f"split_by_{dimension.name}", divided(dimension, self.layers[-1][0])))

    def query(self) -> exp.Select:
        """The complete query."""
        first, *others = CLASSIFIED_COLUMNS
        columns: list[exp.Expr] = [exp.column(first), *self.part_columns()]
        columns += [self.charge_column(name) for name in others]
        for _, element, rule in dimension_columns(self.plan):
            columns += [exp.column(element), exp.column(rule)]
        columns += [exp.column("cost_of_goods_sold"), self.allocation_rule(), self.direct_customer()]
        return self.select(columns)

    def select(self, columns: Sequence[exp.Expr]) -> exp.Select:
        """Select `columns` of every charge from the last layer."""
        self.add_charges()
        for number, step in enumerate(self.plan.steps, start=1):
            self.add_values(f"values_{number}", [column for d in step for column in self.values(d)])
            self.add(f"rules_{number}", [self.rule_column(d) for d in step])
            self.divide([dimension for dimension in step if dimension in self.splitting])
            self.add(f"elements_{number}", [self.element_column(d) for d in step])
        self.add_values("allocation_values", self.direct_values())
        self.add("allocation_positions", [self.cost_of_goods_sold(), self.allocation_position()])
        for dimension in self.splitting:
            is_first = dimension is self.splitting[0]
            amounts = part_amounts(dimension, is_first)
            columns_beside = [exp.Star(), *amounts] if is_first else [exp.Star(replace=amounts)]
            layer = exp.select(*columns_beside, copy=False).from_(exp.to_table(self.layers[-1][0]))
            self.layers.append((f"costs_by_{dimension.name}", layer))
        query = exp.select(*columns, copy=False).from_(exp.to_table(self.layers[-1][0]))
        for name, query_of_layer in self.layers:
            query = query.with_(name, as_=query_of_layer, copy=False)
        return query

    def part_columns(self) -> list[exp.Expr]:
        """Number and share of the part; 0 and 1 for an undivided charge."""
        share = self.amount(CHARGE_SHARE) if self.splitting else exp.alias_(whole_share(), CHARGE_SHARE)
        return [exp.alias_(charge_part(self.splitting), CHARGE_PART), share]

    def charge_column(self, name: str) -> exp.Expr:
        """A column of the charge; of its part, where it is an amount."""
        return self.amount(name) if name in AMOUNT_COLUMNS else exp.column(name)

    def amount(self, name: str) -> exp.Expr:
        """An amount of the charge, or of its part."""
        return exp.alias_(exp.column(part_column(name)), name) if self.splitting else exp.column(name)

    def keys(self) -> list[exp.Expr]:
        """One column per tag, cost category and Kubernetes label that any rule refers to."""
        maps = (
            ("tags", TAG_PREFIX, self.plan.tags),
            ("cost_categories", COST_CATEGORY_PREFIX, self.plan.cost_categories),
            ("x_kubernetes_labels", LABEL_PREFIX, self.plan.kubernetes_labels),
        )
        columns: list[exp.Expr] = []
        for source, prefix, keys in maps:
            for key in keys:
                value = exp.Bracket(this=exp.column(source, table="charges"), expressions=[text(key)])
                present = exp.Nullif(this=value, expression=text(""))
                columns.append(exp.alias_(present, prefix + key, quoted=False))
        return columns

    def values(self, dimension: Dimension) -> list[tuple[Place, list[tuple[str, exp.Expr]]]]:
        """The values that `from` rules use as elements."""
        return [
            (rule.place, value_sql(rule.source, value_column(dimension, position)))
            for position, rule in enumerate(dimension.rules, start=1)
            if rule.source is not None
        ]

    def rule_column(self, dimension: Dimension) -> exp.Expr:
        """Position of the first matching rule, 0 for the default, NULL for unmatched."""
        branches = [
            _branch(rule_condition(dimension, position, rule), exp.Literal.number(position), rule.place)
            for position, rule in enumerate(dimension.rules, start=1)
        ]
        other = exp.Literal.number(0) if dimension.default is not None else exp.null()
        case = _case(branches, other)
        return exp.alias_(exp.cast(case, exp.DataType.Type.SMALLINT), f"{dimension.name}_rule")

    def element_column(self, dimension: Dimension) -> exp.Expr:
        """Element of the matching rule; rules with the same element share a branch."""
        positions: dict[exp.Expr, list[int]] = {}
        for position, rule in enumerate(dimension.rules, start=1):
            if rule.split is not None:
                element: exp.Expr = exp.column(split_column(dimension, "element"))
            elif rule.source is not None:
                element = exp.column(value_column(dimension, position))
            else:
                element = text(rule.element or "")
            positions.setdefault(element, []).append(position)
        if dimension.default is not None:
            positions.setdefault(text(dimension.default), []).append(0)
        rule_column = exp.column(f"{dimension.name}_rule")
        branches = [
            exp.If(this=_is_one_of(rule_column, found), true=name) for name, found in positions.items()
        ]
        return exp.alias_(exp.cast(_case(branches, exp.null()), exp.DataType.Type.VARCHAR), dimension.name)

    def direct_values(self) -> list[tuple[Place, list[tuple[str, exp.Expr]]]]:
        """Customers named by `to` rules."""
        return [
            (rule.place, value_sql(rule.method.value, f"_to_{position}"))
            for position, rule in enumerate(self.allocation.rules, start=1)
            if isinstance(rule.method, ToCustomer)
        ]

    def cost_of_goods_sold(self) -> exp.Expr:
        """Whether the charge is cost of goods sold; never NULL."""
        condition = self.allocation.cost_of_goods_sold
        counts = exp.true() if condition is None else strictly(condition_sql(condition))
        return exp.alias_(counts, "cost_of_goods_sold")

    def allocation_position(self) -> exp.Expr:
        """Position of the first matching allocation rule."""
        branches = [
            _branch(allocation_rule_condition(position, rule), exp.Literal.number(position), rule.place)
            for position, rule in enumerate(self.allocation.rules, start=1)
        ]
        case = _case(branches, exp.null())
        return exp.alias_(exp.cast(case, exp.DataType.Type.SMALLINT), POSITION_COLUMN)

    def allocation_rule(self) -> exp.Expr:
        """Name of the matching allocation rule, NULL if there is none."""
        branches = [
            exp.If(this=exp.Literal.number(position), true=text(rule.name))
            for position, rule in enumerate(self.allocation.rules, start=1)
        ]
        case = _case(branches, exp.null(), of=exp.column(POSITION_COLUMN))
        return exp.alias_(exp.cast(case, exp.DataType.Type.VARCHAR), "allocation_rule")

    def direct_customer(self) -> exp.Expr:
        """Customer named by a `to` rule, else NULL."""
        branches = [
            exp.If(this=exp.Literal.number(position), true=exp.column(f"_to_{position}"))
            for position, rule in enumerate(self.allocation.rules, start=1)
            if isinstance(rule.method, ToCustomer)
        ]
        case = _case(branches, exp.null(), of=exp.column(POSITION_COLUMN))
        return exp.alias_(exp.cast(case, exp.DataType.Type.VARCHAR), "direct_customer_id")


def value_column(dimension: Dimension, position: int) -> str:
    """Column of the last layer with the value of a `from` rule."""
    return f"_from_{dimension.name}_{position}"


def rule_condition(dimension: Dimension, position: int, rule: Rule) -> exp.Expr:
    """Whether a rule matches a charge, regardless of earlier rules; NULL counts as no."""
    parts = [condition_sql(rule.when)] if rule.when is not None else []
    if rule.valid is not None:
        parts.append(valid_sql(rule.valid))
    if rule.source is not None:
        parts.append(_is_not_null(exp.column(value_column(dimension, position))))
    if isinstance(rule.split, SplitByUsage):
        parts.append(has_usage(dimension, position))
    return all_of(parts)


def allocation_rule_condition(position: int, rule: AllocationRule) -> exp.Expr:
    """Whether an allocation rule matches a charge, regardless of earlier rules; NULL counts as no."""
    parts = [condition_sql(rule.when)] if rule.when is not None else []
    if isinstance(rule.method, ToCustomer):
        parts.append(_is_not_null(exp.column(f"_to_{position}")))
    return all_of(parts)


def _is_not_null(column: exp.Expr) -> exp.Expr:
    return exp.Not(this=exp.Is(this=column, expression=exp.null()))


def _is_one_of(column: exp.Expr, positions: Sequence[int]) -> exp.Expr:
    numbers = [exp.Literal.number(position) for position in positions]
    if len(numbers) == 1:
        return exp.EQ(this=column.copy(), expression=numbers[0])
    return exp.In(this=column.copy(), expressions=numbers)


def _branch(condition: exp.Expr, result: exp.Expr, place: Place) -> exp.If:
    result.add_comments([str(place)])
    return exp.If(this=condition, true=result)


def _named(value: exp.Expr, name: str, place: Place) -> exp.Expr:
    alias = exp.alias_(value, name)
    alias.add_comments([str(place)])
    return alias


def _case(branches: list[exp.If], other: exp.Expr, of: exp.Expr | None = None) -> exp.Expr:
    return exp.Case(this=of, ifs=branches, default=other) if branches else other
