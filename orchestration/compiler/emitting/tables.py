"""Small tables describing the contexts: allocation rules, context rules, streams.

Each is a `select` of literal rows that hand-written models join, so no rule is written twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from sqlglot import exp

from orchestration.compiler.emitting.conditions import text
from orchestration.compiler.language.conditions import (
    AccountFact,
    ChargeColumn,
    CostCategory,
    DimensionElement,
    KubernetesLabel,
    Subject,
    Tag,
    Value,
)
from orchestration.compiler.language.plan import Plan
from orchestration.compiler.language.program import (
    AllocationRule,
    ByStreams,
    ChargeSplit,
    Dimension,
    EvenSplit,
    FixedShares,
    FixedSplit,
    Program,
    Rule,
    SplitByUsage,
    Stream,
)
from orchestration.compiler.language.splits import closed_elements, split_id

Cell = str | int | Decimal | tuple[str, ...] | None
ALLOCATION_RULES_COLUMNS = {
    "rule_name": "varchar",
    "rule_position": "smallint",
    "method": "varchar",
    "stream": "varchar",
    "weight": "decimal(9, 6)",
    "granularity": "varchar",
    "when_no_usage": "varchar[]",
    "minimum_share": "decimal(9, 6)",
    "fixed_customer_id": "varchar",
    "context_file": "varchar",
    "context_line": "integer",
}
CONTEXT_RULES_COLUMNS = {
    "dimension": "varchar",
    "rule_position": "smallint",
    "element": "varchar",
    "rule_text": "varchar",
    "context_file": "varchar",
    "context_line": "integer",
}
SPLIT_RULES_COLUMNS = {
    "dimension": "varchar",
    "rule_position": "smallint",
    "method": "varchar",
    "split_id": "varchar",
    "stream": "varchar",
    "element": "varchar",
    "share": "decimal(38, 12)",
    "when_no_usage": "varchar[]",
    "context_file": "varchar",
    "context_line": "integer",
}
DIMENSION_ELEMENTS_COLUMNS = {"dimension": "varchar", "elements": "varchar[]"}
TELEMETRY_STREAMS_COLUMNS = {
    "stream": "varchar",
    "unit": "varchar",
    "granularity": "varchar",
    "description": "varchar",
    "context_file": "varchar",
    "context_line": "integer",
}


def allocation_rules(program: Program, dialect: str = "duckdb") -> str:
    """One row per allocation rule and stream, or per rule and customer for fixed shares."""
    streams = {stream.name: stream for stream in program.streams}
    rules = program.allocation.rules
    rows = [
        row for position, rule in enumerate(rules, start=1) for row in _rule_rows(rule, position, streams)
    ]
    return table(ALLOCATION_RULES_COLUMNS, rows, dialect)


def _rule_rows(rule: AllocationRule, position: int, streams: Mapping[str, Stream]) -> list[list[Cell]]:
    method = rule.method
    shares: list[tuple[str | None, str | None, Decimal]] = [(None, None, Decimal(1))]
    if isinstance(method, ByStreams):
        shares = [(item.stream, None, item.weight) for item in method.streams]
    elif isinstance(method, FixedShares):
        shares = [(None, customer, share) for customer, share in method.shares]
    return [
        [
            rule.name,
            position,
            rule.method.name,
            stream,
            weight,
            rule.granularity or (streams[stream].granularity if stream else "daily"),
            rule.when_no_usage,
            rule.minimum_share,
            customer,
            rule.place.path,
            rule.place.line,
        ]
        for stream, customer, weight in shares
    ]


def context_rules(plan: Plan, dialect: str = "duckdb") -> str:
    """One row per dimension and rule, and one with position 0 for a dimension's default."""
    dimensions = sorted((dimension for step in plan.steps for dimension in step), key=lambda d: d.name)
    rows = [row for dimension in dimensions for row in _context_rows(dimension)]
    return table(CONTEXT_RULES_COLUMNS, rows, dialect)


def _context_rows(dimension: Dimension) -> list[list[Cell]]:
    rows: list[list[Cell]] = []
    if dimension.default is not None:
        place = dimension.place
        rows.append([dimension.name, 0, dimension.default, "(default)", place.path, place.line])
    for position, rule in enumerate(dimension.rules, start=1):
        names = rule.element if rule.element is not None else _description(rule)
        rows.append([dimension.name, position, names, rule.text, rule.place.path, rule.place.line])
    return rows


def _description(rule: Rule) -> str:
    if rule.split is not None:
        return f"({describe_split(rule.split)})"
    return f"({describe_value(rule.source)})" if rule.source else ""


def describe_split(split: ChargeSplit) -> str:
    """A split as text: `split Search 0.6, Ingest 0.4`, `split by search_queries`."""
    if isinstance(split, FixedSplit):
        return "split " + ", ".join(f"{element} {share:f}" for element, share in split.shares)
    if isinstance(split, EvenSplit):
        return "split evenly among " + ", ".join(split.elements)
    among = f" among {', '.join(split.elements)}" if split.elements else ""
    return f"split by {split.stream}{among}"


def split_rules(plan: Plan, dialect: str = "duckdb") -> str:
    """One row per dimension, split rule and element it names."""
    dimensions = sorted((dimension for step in plan.steps for dimension in step), key=lambda d: d.name)
    rows: list[list[Cell]] = [
        [dimension.name, position, *cells, rule.place.path, rule.place.line]
        for dimension in dimensions
        for position, rule in enumerate(dimension.rules, start=1)
        if rule.split is not None
        for cells in _split_cells(dimension, rule.split)
    ]
    return table(SPLIT_RULES_COLUMNS, rows, dialect)


def _split_cells(dimension: Dimension, split: ChargeSplit) -> list[list[Cell]]:
    """Method, id, stream, element, share and windows of a split, per element that it names."""
    if isinstance(split, SplitByUsage):
        elements: tuple[str | None, ...] = split.elements or (None,)
        name = split_id(dimension, split)
        return [["stream", name, split.stream, element, None, split.windows] for element in elements]
    if isinstance(split, EvenSplit):
        return [["even", None, None, element, None, ()] for element in split.elements]
    return [["fixed", None, None, element, share, ()] for element, share in split.shares]


def describe_value(value: Value) -> str:
    """Source of a value as text: `from tag app, else resource attached_to tag app`."""
    return f"from {', else '.join(describe_subject(subject) for subject in value.first_of)}"


def describe_subject(subject: Subject) -> str:
    """A subject as text: `tag app`."""
    if isinstance(subject, ChargeColumn):
        return f"charge {subject.name}"
    if isinstance(subject, Tag):
        return f"tag {subject.key}"
    if isinstance(subject, CostCategory):
        return f"cost category {subject.key}"
    if isinstance(subject, KubernetesLabel):
        return f"Kubernetes label {subject.key}"
    if isinstance(subject, DimensionElement):
        return f"dimension {subject.dimension}"
    prefix = "account_" if isinstance(subject, AccountFact) else "resource_"
    fact = subject.column.removeprefix(prefix).replace("_", " ")
    fact = fact if subject.key is None else f"{fact.removesuffix('s')} {subject.key}"
    if isinstance(subject, AccountFact):
        return f"account {fact}"
    return f"{' '.join(('resource', *subject.path))} {fact}"


def dimension_elements(program: Program, dialect: str = "duckdb") -> str:
    """One row per dimension with all of its elements; null if values may name others."""
    rows: list[list[Cell]] = []
    for dimension in sorted(program.dimensions, key=lambda dimension: dimension.name):
        elements = closed_elements(dimension)
        rows.append([dimension.name, None if elements is None else tuple(sorted(elements))])
    return table(DIMENSION_ELEMENTS_COLUMNS, rows, dialect)


def telemetry_streams(program: Program, dialect: str = "duckdb") -> str:
    """One row per telemetry stream."""
    rows: list[list[Cell]] = [
        [
            stream.name,
            stream.unit,
            stream.granularity,
            stream.description,
            stream.place.path,
            stream.place.line,
        ]
        for stream in program.streams
    ]
    return table(TELEMETRY_STREAMS_COLUMNS, rows, dialect)


def table(columns: Mapping[str, str], rows: Sequence[Sequence[Cell]], dialect: str) -> str:
    """A `select` of literal rows with the given columns and DuckDB types."""
    typed = [
        exp.alias_(exp.cast(exp.column(name), kind, dialect="duckdb"), name) for name, kind in columns.items()
    ]
    source = rows or [[None] * len(columns)]
    values = exp.Values(
        expressions=[exp.Tuple(expressions=[_cell(cell) for cell in row]) for row in source],
        alias=exp.TableAlias(
            this=exp.to_identifier("listed"), columns=[exp.to_identifier(name) for name in columns]
        ),
    )
    query = exp.select(*typed).from_(values)
    if not rows:
        query = query.where(exp.false())
    return query.sql(dialect=dialect, pretty=True, normalize_functions="lower", max_text_width=100)


def _cell(cell: Cell) -> exp.Expr:
    if cell is None:
        return exp.null()
    if isinstance(cell, str):
        return text(cell)
    if isinstance(cell, tuple):
        return exp.Array(expressions=[text(part) for part in cell])
    if isinstance(cell, Decimal):
        return exp.Literal.number(f"{cell:f}")
    return exp.Literal.number(cell)
