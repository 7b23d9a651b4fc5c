"""Findings about rules on the bill in the warehouse: rules that match nothing, come too late, or contradict.

A rule without charges is dead weight or, more often, a misspelt tag; a rule whose every charge an earlier
rule matches is in the wrong place. Rules that can never match any bill are rejected by the compiler.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from textwrap import shorten
from typing import Any, Literal

from orchestration.authoring.live_charges import LiveCharges, open_live_charges
from orchestration.compiler import Compilation
from orchestration.compiler.emitting.matches import ALLOCATION, CHARGE_KEYS, rule_matches
from orchestration.compiler.language.program import Program
from orchestration.compiler.problems import Place
from orchestration.outputs.read_only import NotReadableError, open_working, rows_of
from orchestration.settings import Settings

Kind = Literal["matches-nothing", "shadowed", "overlap"]
Money = Mapping[str, Decimal]


@dataclass(frozen=True)
class NamedRule:
    """A rule as shown to people: place, owner and result."""

    place: Place
    dimension: str
    gives: str

    def __str__(self) -> str:
        return f"{self.place} ({self.dimension}: {self.gives})"


@dataclass(frozen=True)
class RuleFinding:
    """A finding. `cost` is the effective cost of the affected charges, by currency.

    `matches-nothing`: no charge of the bill matches. `shadowed`: some do, but earlier rules (`claimed_by`)
    match all of them. `overlap`: the first of `claimed_by` matches charges to which `rule` would have given a
    different element.
    """

    kind: Kind
    rule: NamedRule
    claimed_by: tuple[NamedRule, ...]
    charge_count: int
    cost: Money

    def __str__(self) -> str:
        place, whose = self.rule.place, f"this rule of {self.rule.dimension} ({self.rule.gives})"
        if self.kind == "matches-nothing":
            return f"{place} warning: {whose} claims no charge on this bill"
        charges = "1 charge" if self.charge_count == 1 else f"{self.charge_count:,} charges"
        about = f"{charges}, {money_text(self.cost)}"
        earlier = ", ".join(f"{other.place} ({other.gives})" for other in self.claimed_by)
        if self.kind == "shadowed":
            return f"{place} warning: {whose} comes too late: {about}, all claimed before it by {earlier}"
        return f"{place} note: {whose} also matches {about} that {earlier} claims"


@dataclass
class _Tally:
    """What a finding is about: the cost, and the sets of charges, of which some may be in several."""

    sets: list[int] = field(default_factory=list)
    cost: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))

    def add(self, row: Mapping[str, Any]) -> None:
        self.sets.append(row["_set"])
        self.cost[row["billing_currency"]] += row["effective_cost"]


@dataclass(frozen=True)
class _Uncounted:
    kind: Kind
    rule: NamedRule
    claimed_by: tuple[NamedRule, ...]
    tally: _Tally


def idle_rules(settings: Settings, program: Program) -> list[NamedRule]:
    """The rules that claim no charge of the bill, as the last run classified it, by place."""
    rules = named_rules(program)
    claims = ", ".join(f"list(distinct {name}_rule)" for name in rules)
    with open_working(settings) as warehouse:
        claimed = warehouse.execute(f"select {claims} from allocation.charge_groups").fetchall()[0]
    idle = [
        rule
        for (name, named), found in zip(rules.items(), claimed, strict=True)
        for position, rule in enumerate(named, start=1)
        if (rule.gives if name == ALLOCATION else position) not in (found or ())
    ]
    return sorted(idle, key=lambda rule: rule.place)


def lines_of_findings(settings: Settings, compilation: Compilation, overlaps: int) -> list[str]:
    """Findings as text, at most `overlaps` of that kind; or why they are not available."""
    try:
        with open_live_charges(settings) as charges:
            found = rule_findings(charges, compilation)
    except NotReadableError as error:
        return [f"What the rules do on the bill is not known: {error}"]
    overlapping = [finding for finding in found if finding.kind == "overlap"]
    lines = [str(finding) for finding in found if finding.kind != "overlap"]
    lines += [str(finding) for finding in overlapping[:overlaps]]
    if len(overlapping) > overlaps:
        lines.append(
            f"{len(overlapping) - overlaps:,} more overlaps; --overlaps {len(overlapping)} lists all"
        )
    return lines


def rule_findings(charges: LiveCharges, compilation: Compilation) -> list[RuleFinding]:
    """All findings: rules that match nothing or come too late, by place; then overlaps by cost."""
    plan, program = compilation.plan, compilation.program
    if plan is None or compilation.problems:
        raise ValueError("contexts with problems have no rules to look at")
    matches = charges.sql(rule_matches(plan, program.allocation, with_charges=True), compilation)
    charges.warehouse.execute(
        f"create or replace temp table matched_sets as "
        f"select row_number() over () as _set, * from ({matches})"
    )
    rows = rows_of(charges.warehouse, f"select * exclude ({CHARGE_KEYS}) from matched_sets")
    found = [
        finding for name, rules in named_rules(program).items() for finding in _findings(name, rules, rows)
    ]
    return sorted(_counted(charges, found), key=_order)


def _counted(charges: LiveCharges, found: Sequence[_Uncounted]) -> list[RuleFinding]:
    """The findings with the number of their charges: one in several sets, in parts, counts once."""
    pairs = [(number, each) for number, finding in enumerate(found) for each in finding.tally.sets]
    counts = charges.warehouse.execute(
        f"""
        select finding, count(distinct charge)
        from (select unnest($findings::integer[]) as finding, unnest($sets::bigint[]) as _set)
        inner join (select _set, unnest({CHARGE_KEYS}) as charge from matched_sets) using (_set)
        group by finding
        """,
        {"findings": [number for number, _ in pairs], "sets": [each for _, each in pairs]},
    ).fetchall()
    count_of = dict(counts)
    return [
        RuleFinding(
            finding.kind, finding.rule, finding.claimed_by, count_of.get(number, 0), dict(finding.tally.cost)
        )
        for number, finding in enumerate(found)
    ]


def named_rules(program: Program) -> dict[str, list[NamedRule]]:
    """Rules of every dimension, and allocation rules under `allocation`, in order."""
    rules = {
        dimension.name: [
            NamedRule(rule.place, dimension.name, rule.element or _in_a_line(rule.text))
            for rule in dimension.rules
        ]
        for dimension in program.dimensions
    }
    rules[ALLOCATION] = [NamedRule(rule.place, ALLOCATION, rule.name) for rule in program.allocation.rules]
    return rules


def _in_a_line(text: str) -> str:
    """Label of a rule without a single element, such as a split: the start of its text."""
    return shorten(text, 60, placeholder=" …")


def money_text(cost: Money) -> str:
    """Amounts as text: `1,234.56 USD + 7.00 EUR`."""
    return " + ".join(f"{amount:,.2f} {currency}" for currency, amount in sorted(cost.items())) or "0.00"


def _findings(name: str, rules: Sequence[NamedRule], rows: Iterable[Mapping[str, Any]]) -> list[_Uncounted]:
    matched: defaultdict[int, _Tally] = defaultdict(_Tally)
    taken: defaultdict[int, set[int]] = defaultdict(set)
    overlaps: defaultdict[tuple[int, int], _Tally] = defaultdict(_Tally)
    for row in rows:
        claimed = row[f"{name}_rule"]
        for position in row[f"{name}_matches"]:
            matched[position].add(row)
            taken[position].add(claimed)
        for position in row[f"{name}_others"]:
            if position != claimed:
                overlaps[claimed, position].add(row)
    found = []
    for position, rule in enumerate(rules, start=1):
        if position not in matched:
            found.append(_Uncounted("matches-nothing", rule, (), _Tally()))
        elif position not in taken[position]:
            earlier = tuple(rules[other - 1] for other in sorted(taken[position]))
            found.append(_Uncounted("shadowed", rule, earlier, matched[position]))
    for (claimed, position), tally in overlaps.items():
        if position in taken[position]:
            found.append(_Uncounted("overlap", rules[position - 1], (rules[claimed - 1],), tally))
    return found


def _order(finding: RuleFinding) -> tuple[bool, Decimal, Place]:
    is_overlap = finding.kind == "overlap"
    # Currencies cannot be summed; the largest amount in any currency is good enough for sorting.
    largest = max((abs(amount) for amount in finding.cost.values()), default=Decimal(0))
    return is_overlap, -largest if is_overlap else Decimal(0), finding.rule.place
