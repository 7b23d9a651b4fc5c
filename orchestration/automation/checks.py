"""Asset checks: things a person should look at, that do not make the numbers wrong.

What belongs here: warnings about data and about rules. What does not: laws that fail a run, which are dbt
tests, and what is worth a warning, which the mart `warnings` says.
"""

# Dagster reads annotations when it meets a function, so they are not postponed here.
import dagster as dg

from orchestration.authoring.live_charges import open_live_charges
from orchestration.authoring.rule_findings import RuleFinding, money_text, rule_findings
from orchestration.compiler import Compilation
from orchestration.outputs.warnings import shown_lines, working_warnings
from orchestration.settings import Settings

WARNINGS = dg.AssetKey(["marts", "warnings"])
OVERLAPS_SHOWN = 20


def build_rules_check(settings: Settings, compilation: Compilation) -> dg.AssetChecksDefinition:
    """A warning about rules that claim nothing of the bill; overlaps are listed beside it."""

    @dg.asset_check(
        asset=dg.AssetKey(["context", "charges_in_context"]),
        name="every_rule_claims_charges",
        description="Every rule of the contexts claims charges of the bill; `cpc check` says the same.",
    )
    def every_rule_claims_charges() -> dg.AssetCheckResult:
        with open_live_charges(settings) as charges:
            found = rule_findings(charges, compilation)
        idle = [finding for finding in found if finding.kind != "overlap"]
        overlaps = [finding for finding in found if finding.kind == "overlap"]
        return dg.AssetCheckResult(
            passed=not idle,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(map(str, idle)) or None,
            metadata={
                "rules_without_charges": len(idle),
                "overlaps": len(overlaps),
                "largest_overlaps": dg.MetadataValue.md(_overlap_table(overlaps[:OVERLAPS_SHOWN])),
            },
        )

    return every_rule_claims_charges


def _overlap_table(overlaps: list[RuleFinding]) -> str:
    lines = [
        f"| {each.rule} | {each.claimed_by[0]} | {each.charge_count:,} | {money_text(each.cost)} |"
        for each in overlaps
    ]
    head = ["| rule | claimed before by | charges | effective cost |", "| --- | --- | ---: | ---: |"]
    return "\n".join([*head, *lines])


def build_warnings_check(settings: Settings) -> dg.AssetChecksDefinition:
    """A warning when the mart `warnings` has something to do: rejected records, unlisted customers, …"""

    @dg.asset_check(
        asset=WARNINGS,
        name="nothing_to_look_at",
        description="The data of the run need nobody's attention; the mart `warnings` lists what does.",
    )
    def nothing_to_look_at() -> dg.AssetCheckResult:
        found = working_warnings(settings)
        serious = [warning for warning in found if warning.severity != "note"]
        return dg.AssetCheckResult(
            passed=not serious,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(shown_lines(serious)) or None,
            metadata={"warnings": len(serious), "notes": len(found) - len(serious)},
        )

    return nothing_to_look_at
