"""What the signals say of a charge, as small tables that it meets at most once each.

Each table that a charge is joined with has, per resource or account, stretches of time that do not overlap,
by construction: whatever stands in the signals, a join never doubles a charge. A charge meets the stretch
that holds when its period begins, so that last month's bill meets last month's tags; or, where there is none
yet, the first one that begins within the period (a resource made in the middle of a day that is billed as a
whole).

Here: versions of resources and accounts, walks along relationships, and their joins. Not here: what is made
of the columns (`emit_conditions`).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from orchestration.compiler.conditions import AccountFact, ResourceFact
from orchestration.compiler.emit_conditions import fact_column, text
from orchestration.compiler.plan import Plan
from orchestration.compiler.signal_columns import ACCOUNT_NAME

Layer = tuple[str, exp.Select]
Fact = AccountFact | ResourceFact

_BEGINNING, _END = "0001-01-01", "9999-12-31"
_RELATIONSHIPS = "relationships"
_RESOURCE_VERSIONS, _ACCOUNT_VERSIONS = "resource_versions", "account_versions"


def signal_tables(plan: Plan) -> list[Layer]:
    """The tables that the charges are joined with, after the ones that they are made of."""
    layers: list[Layer] = []
    if plan.account_facts:
        layers.append(_versions(_ACCOUNT_VERSIONS, "accounts", "account_id", plan.account_facts))
    if any(not fact.path or _needs_inventory(fact) for fact in plan.resource_facts):
        facts = {fact_column(_own(fact)): _own(fact) for fact in plan.resource_facts}
        layers.append(_versions(_RESOURCE_VERSIONS, "resources", "resource_id", list(facts.values())))
    paths = sorted({fact.path for fact in plan.resource_facts if fact.path})
    layers += [_relationships(paths)] if paths else []
    layers += [
        _walk(walk) for walk in sorted({path[: end + 1] for path in paths for end in range(len(path))})
    ]
    for path in paths:
        layers += _agreed(path, [fact for fact in plan.resource_facts if fact.path == path])
    return layers


def with_signals(plan: Plan, previous: str) -> exp.Select | None:
    """The layer that joins every charge of the layer `previous` with the signals; None where none is used."""
    facts: list[Fact] = [*plan.account_facts, *plan.resource_facts]
    if not facts:
        return None
    columns = [_joined(fact) for fact in facts]
    query = exp.select(exp.column(exp.Star(), table="charges"), *columns, copy=False)
    query = query.from_(exp.alias_(exp.to_table(previous), "charges", table=True))
    for table in dict.fromkeys(_table_of(fact) for fact in facts):
        is_account = table == _ACCOUNT_VERSIONS
        own, other = ("sub_account_id", "account_id") if is_account else ("resource_id", "resource_id")
        begin, end = (exp.column(f"charge_period_{name}", table="charges") for name in ("start", "end"))
        microsecond = exp.Interval(this=text("1"), unit=exp.var("microsecond"))
        on = exp.and_(
            exp.column(own, table="charges").eq(exp.column(other, table=table)),
            begin >= exp.column("known_before", table=table),
            begin < exp.column("valid_to", table=table),
            _greatest(begin, end - microsecond) >= exp.column("valid_from", table=table),
            copy=False,
        )
        query = query.join(exp.to_table(table), on=on, join_type="left", copy=False)
    return query


def _joined(fact: Fact) -> exp.Expr:
    """The column of a fact; an account's name is the bill's, and the organization's where that has none."""
    column = exp.column(fact_column(fact), table=_table_of(fact))
    if fact.column != ACCOUNT_NAME:
        return column
    billed = exp.Nullif(this=exp.column("sub_account_name", table="charges"), expression=text(""))
    return exp.alias_(exp.Coalesce(this=billed, expressions=[column]), fact_column(fact))


def _own(fact: ResourceFact) -> ResourceFact:
    """The same fact, of the resource itself."""
    return ResourceFact((), fact.column, fact.key)


def _needs_inventory(fact: ResourceFact) -> bool:
    """Whether more has to be known of a related resource than its id, which the relationship says."""
    return fact.column != "resource_id"


def _table_of(fact: Fact) -> str:
    if isinstance(fact, AccountFact):
        return _ACCOUNT_VERSIONS
    if not fact.path:
        return _RESOURCE_VERSIONS
    return _path_name("agreed" if _needs_inventory(fact) else "id_agreed", fact.path)


def _path_name(prefix: str, path: Sequence[str]) -> str:
    return f"{prefix}_{'__'.join(path)}"


def _versions(name: str, model: str, id_column: str, facts: Sequence[Fact]) -> Layer:
    """One row per resource or account and stretch of time, cut so that no two of one overlap."""
    begin, end = exp.column("valid_from"), _with_an_end(exp.column("valid_to"))
    window = exp.Window(
        this=exp.to_identifier("versions"), partition_by=[exp.column(id_column)], order=_by_time(begin)
    )
    following, previous = (
        exp.Window(this=function, alias=exp.to_identifier("versions"))
        for function in (_following(begin), _previous(end))
    )
    query = exp.select(
        exp.column(id_column),
        begin,
        exp.alias_(_least(end, following), "valid_to"),
        exp.alias_(_least(previous, begin), "known_before"),
        *(exp.alias_(_fact_value(fact), fact_column(fact)) for fact in facts),
        copy=False,
    )
    query = query.from_(_reference(model)).where(begin < end, copy=False)
    query.set("windows", [window])
    return name, query


def _fact_value(fact: Fact) -> exp.Expr:
    column = exp.column(fact.column)
    value = column if fact.key is None else exp.Bracket(this=column, expressions=[text(fact.key)])
    return exp.Nullif(this=value, expression=text(""))


def _relationships(paths: Sequence[Sequence[str]]) -> Layer:
    """The relationships that anything follows, with an end to each."""
    used = sorted({name for path in paths for name in path})
    names = ("resource_id", "relationship", "related_resource_id", "valid_from")
    end = exp.alias_(_with_an_end(exp.column("valid_to")), "valid_to")
    query = exp.select(*(exp.column(name) for name in names), end, copy=False)
    query = query.from_(_reference("resource_relationships"))
    wanted = exp.In(this=exp.column("relationship"), expressions=[text(name) for name in used])
    return _RELATIONSHIPS, query.where(wanted, copy=False)


def _walk(path: Sequence[str]) -> Layer:
    """Where a path of relationships leads from each resource, and when it does.

    One join per relationship of the path: resources that are related in a circle are walked no further.
    """
    name = _path_name("via", path)
    if len(path) == 1:
        names = ("resource_id", "related_resource_id", "valid_from", "valid_to")
        query = exp.select(*(exp.column(column) for column in names), copy=False).from_(
            exp.to_table(_RELATIONSHIPS)
        )
        return name, query.where(exp.column("relationship").eq(text(path[0])), copy=False)
    columns = [
        exp.column("resource_id", table="walked"),
        exp.column("related_resource_id", table=_RELATIONSHIPS),
        *_common_time("walked", _RELATIONSHIPS),
    ]
    on = exp.and_(
        exp.column("related_resource_id", table="walked").eq(exp.column("resource_id", table=_RELATIONSHIPS)),
        exp.column("relationship", table=_RELATIONSHIPS).eq(text(path[-1])),
        *_at_one_time("walked", _RELATIONSHIPS),
        copy=False,
    )
    query = exp.select(*columns, copy=False)
    query = query.from_(exp.alias_(exp.to_table(_path_name("via", path[:-1])), "walked", table=True))
    return name, query.join(exp.to_table(_RELATIONSHIPS), on=on, copy=False)


def _agreed(path: Sequence[str], facts: Sequence[ResourceFact]) -> list[Layer]:
    """Per resource and stretch of time in which nothing changes: what the related resources agree on."""
    via, found = _path_name("via", path), _path_name("found", path)
    ids = {fact_column(fact): "related_resource_id" for fact in facts if not _needs_inventory(fact)}
    others = {fact_column(fact): fact_column(_own(fact)) for fact in facts if _needs_inventory(fact)}
    layers = _stretches(path, "id_", via, ids) if ids else []
    if others:
        columns = [
            exp.column("resource_id", table="walked"),
            *_common_time("walked", _RESOURCE_VERSIONS),
            *(exp.column(column, table=_RESOURCE_VERSIONS) for column in others.values()),
        ]
        there = exp.column("resource_id", table=_RESOURCE_VERSIONS)
        on = exp.and_(
            exp.column("related_resource_id", table="walked").eq(there),
            *_at_one_time("walked", _RESOURCE_VERSIONS),
            copy=False,
        )
        query = exp.select(*columns, copy=False)
        query = query.from_(exp.alias_(exp.to_table(via), "walked", table=True))
        layers.append((found, query.join(exp.to_table(_RESOURCE_VERSIONS), on=on, copy=False)))
        layers += _stretches(path, "", found, others)
    return layers


def _stretches(path: Sequence[str], prefix: str, found: str, columns: dict[str, str]) -> list[Layer]:
    """The time of each resource cut wherever something begins or ends, and what holds in each piece.

    `columns` of the table `found`, by the names of what all rows that have a value agree on.
    """
    cuts, result = (_path_name(f"{prefix}{name}", path) for name in ("moments", "agreed"))
    resource, begin, end = (exp.column(column) for column in ("resource_id", "valid_from", "valid_to"))
    begins, ends = exp.select(resource, begin), exp.select(resource, exp.alias_(end, "valid_from"))
    either = exp.union(begins.from_(found), ends.from_(found), copy=False).subquery("moment", copy=False)
    to_next = exp.alias_(_per_resource(_following(begin), resource, begin), "valid_to")
    moments = exp.select(resource, begin, to_next, copy=False).from_(either)

    keys = [exp.column(column, table="moments") for column in ("resource_id", "valid_from", "valid_to")]
    known_before = exp.alias_(_per_resource(_previous(keys[2]), keys[0], keys[1]), "known_before")
    agreements = [
        exp.alias_(_agreement(_not_empty(exp.column(column, table="found"), column)), name)
        for name, column in columns.items()
    ]
    on = exp.and_(
        keys[0].eq(exp.column("resource_id", table="found")),
        keys[1] >= exp.column("valid_from", table="found"),
        keys[1] < exp.column("valid_to", table="found"),
        copy=False,
    )
    agreed = exp.select(*keys, known_before, *agreements, copy=False)
    agreed = agreed.from_(exp.alias_(exp.to_table(cuts), "moments", table=True))
    agreed = agreed.join(exp.alias_(exp.to_table(found), "found", table=True), on=on, copy=False)
    return [(cuts, moments), (result, agreed.group_by(*keys))]


def _not_empty(value: exp.Expr, column: str) -> exp.Expr:
    """An id may be empty; facts of the inventory have lost their empty texts already."""
    return exp.Nullif(this=value, expression=text("")) if column == "related_resource_id" else value


def _agreement(column: exp.Expr) -> exp.Expr:
    """The one value that all have which have any, else NULL."""
    least, most = exp.Min(this=column), exp.Max(this=column)
    return exp.Case(ifs=[exp.If(this=least.eq(most), true=least)])


def _following(column: exp.Expr) -> exp.Expr:
    return exp.Lead(this=column, offset=exp.Literal.number(1), default=_moment(_END))


def _previous(column: exp.Expr) -> exp.Expr:
    return exp.Lag(this=column, offset=exp.Literal.number(1), default=_moment(_BEGINNING))


def _per_resource(function: exp.Expr, resource: exp.Expr, begin: exp.Expr) -> exp.Expr:
    return exp.Window(this=function, partition_by=[resource.copy()], order=_by_time(begin))


def _by_time(column: exp.Expr) -> exp.Order:
    return exp.Order(expressions=[exp.Ordered(this=column.copy())])


def _common_time(one: str, other: str) -> list[exp.Expr]:
    """The stretch of time in which both hold."""
    begins, ends = (
        [exp.column(column, table=table) for table in (one, other)] for column in ("valid_from", "valid_to")
    )
    return [exp.alias_(_greatest(*begins), "valid_from"), exp.alias_(_least(*ends), "valid_to")]


def _at_one_time(one: str, other: str) -> list[exp.Expr]:
    return [
        exp.column("valid_from", table=first) < exp.column("valid_to", table=second)
        for first, second in ((one, other), (other, one))
    ]


def _greatest(one: exp.Expr, other: exp.Expr) -> exp.Expr:
    return exp.Greatest(this=one.copy(), expressions=[other], ignore_nulls=True)


def _least(one: exp.Expr, other: exp.Expr) -> exp.Expr:
    return exp.Least(this=one.copy(), expressions=[other.copy()], ignore_nulls=True)


def _with_an_end(column: exp.Expr) -> exp.Expr:
    return exp.Coalesce(this=column, expressions=[_moment(_END)])


def _moment(day: str) -> exp.Expr:
    return exp.cast(text(day), exp.DataType.Type.TIMESTAMP)


def _reference(model: str) -> exp.Table:
    """A dbt model, the only raw text in these tables: its name is a constant."""
    return exp.Table(this=exp.Var(this=f"{{{{ ref('{model}') }}}}"))
