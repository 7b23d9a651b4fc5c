"""Which rules of the contexts claimed no charge of the bill in the warehouse.

Such a rule is dead weight or, more often, a misspelt tag. What does not belong here: rules that can never
match whatever the bill is; the compiler refuses those.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from orchestration.reports.databases import NotReadableError, open_working
from orchestration.settings import Settings


@dataclass(frozen=True)
class UnusedRule:
    """A rule without a charge. `place` is file:line in the contexts that the last run used."""

    place: str
    dimension: str
    element: str

    def __str__(self) -> str:
        rule = f"this rule of {self.dimension} ({self.element})"
        return f"{self.place} warning: {rule} claims no charge on this bill"


def unused_rules(warehouse: duckdb.DuckDBPyConnection) -> list[UnusedRule]:
    """The rules of every dimension that claim no charge, in the order of their files."""
    dimensions = [
        name
        for (name,) in warehouse.execute(
            "select distinct dimension from rules.context_rules order by dimension"
        ).fetchall()
    ]
    if not dimensions:
        return []
    claimed = " union all ".join(
        f"select distinct '{name}' as dimension, \"{name}_rule\" as rule_position "
        "from context.charges_in_context"
        for name in dimensions
    )
    rows = warehouse.execute(
        f"""
        select context_file, context_line, dimension, element
        from rules.context_rules
        anti join ({claimed}) as claimed using (dimension, rule_position)
        where rule_position > 0
        order by context_file, context_line
        """
    ).fetchall()
    return [UnusedRule(f"{file}:{line}", dimension, element) for file, line, dimension, element in rows]


def warnings_of_unused_rules(settings: Settings, contexts_fingerprint: str) -> list[str]:
    """Lines for a person: the unused rules, or why they cannot be told.

    `contexts_fingerprint` is that of the contexts as they are now; a bill classified by other contexts says
    nothing about these.
    """
    try:
        with open_working(settings) as warehouse:
            if not _is_built(warehouse):
                return ["Unused rules are not known: no run has got as far as the contexts yet."]
            built_from = warehouse.execute("select contexts_fingerprint from rules.context_version")
            if built_from.fetchall() != [(contexts_fingerprint,)]:
                again = f"cpc run --workspace {settings.workspace}"
                return [
                    f"Unused rules are not known: the last run used other contexts. To know them: {again}"
                ]
            return [str(rule) for rule in unused_rules(warehouse)]
    except NotReadableError as error:
        return [f"Unused rules are not known: {error}"]


def _is_built(warehouse: duckdb.DuckDBPyConnection) -> bool:
    tables = warehouse.execute("select table_schema, table_name from information_schema.tables").fetchall()
    needed = {
        ("context", "charges_in_context"),
        ("rules", "context_rules"),
        ("rules", "context_version"),
    }
    return needed <= set(tables)
