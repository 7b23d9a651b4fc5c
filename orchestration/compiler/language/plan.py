"""Evaluation order of dimensions: a dimension comes after those it refers to.

Independent dimensions share a step, so the SQL has as few layers as possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from orchestration.compiler.language.conditions import (
    AccountFact,
    CostCategory,
    KubernetesLabel,
    ResourceFact,
    Tag,
)
from orchestration.compiler.language.program import Dimension, Program
from orchestration.compiler.language.references import all_subjects, dimension_references
from orchestration.compiler.problems import Problems


@dataclass(frozen=True)
class Plan:
    """What to look up for each charge, and the dimensions step by step."""

    tags: tuple[str, ...]
    cost_categories: tuple[str, ...]
    kubernetes_labels: tuple[str, ...]
    account_facts: tuple[AccountFact, ...]
    resource_facts: tuple[ResourceFact, ...]
    steps: tuple[tuple[Dimension, ...], ...]


def make_plan(program: Program, problems: Problems) -> Plan | None:
    """Plan a program whose names are all known; None with a problem if dimensions form a cycle."""
    by_name = {dimension.name: dimension for dimension in program.dimensions}
    needs = {
        name: {other for other, _ in dimension_references(dimension) if other in by_name}
        for name, dimension in by_name.items()
    }
    sorter = TopologicalSorter(needs)
    try:
        sorter.prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        _report_circle(by_name, circle, problems)
        return None
    steps = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        steps.append(tuple(by_name[name] for name in ready))
        sorter.done(*ready)
    subjects = set(all_subjects(program))
    return Plan(
        tags=tuple(sorted(subject.key for subject in subjects if isinstance(subject, Tag))),
        cost_categories=tuple(
            sorted(subject.key for subject in subjects if isinstance(subject, CostCategory))
        ),
        kubernetes_labels=tuple(
            sorted(subject.key for subject in subjects if isinstance(subject, KubernetesLabel))
        ),
        account_facts=tuple(
            sorted(
                (subject for subject in subjects if isinstance(subject, AccountFact)),
                key=lambda fact: (fact.column, fact.key or ""),
            )
        ),
        resource_facts=tuple(
            sorted(
                (subject for subject in subjects if isinstance(subject, ResourceFact)),
                key=lambda fact: (fact.path, fact.column, fact.key or ""),
            )
        ),
        steps=tuple(steps),
    )


def _report_circle(by_name: dict[str, Dimension], circle: list[str], problems: Problems) -> None:
    """`circle` lists each dimension before the one that needs it, with the first repeated at the end."""
    members = list(reversed(circle))[:-1]
    start = members.index(min(members))
    ordered = [*members[start:], *members[:start]]
    ordered.append(ordered[0])
    first = by_name[ordered[0]]
    place = next(place for name, place in dimension_references(first) if name == ordered[1])
    message = f"{' looks at '.join(ordered)}; take one of these references out"
    problems.add(place, "dimension-cycle", message)
