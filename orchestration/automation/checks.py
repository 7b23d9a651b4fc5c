"""Asset checks that warn without failing the run. Checks that fail a run are dbt tests."""

# No postponed annotations: Dagster evaluates them when decorating.
import dagster as dg

from orchestration.authoring.live_charges import open_live_charges
from orchestration.authoring.rule_findings import RuleFinding, money_text, rule_findings
from orchestration.compiler import Compilation
from orchestration.outputs.warnings import shown_lines, working_warnings
from orchestration.settings import Settings

WARNINGS = dg.AssetKey(["marts", "warnings"])
OVERLAPS_SHOWN = 20


def build_rules_check(settings: Settings, compilation: Compilation) -> dg.AssetChecksDefinition:
    """Warn about rules that match nothing; also list overlaps."""

    @dg.asset_check(
        asset=dg.AssetKey(["context", "charges_in_context"]),
        name="every_rule_claims_charges",
        description="Every context rule matches charges of the bill; same as `cpc check`.",
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
    head = ["| rule | matched earlier by | charges | effective cost |", "| --- | --- | ---: | ---: |"]
    return "\n".join([*head, *lines])


def build_warnings_check(settings: Settings) -> dg.AssetChecksDefinition:
    """Warn if the mart `warnings` lists anything to do: rejected records, unlisted customers, …"""

    @dg.asset_check(
        asset=WARNINGS,
        name="nothing_to_look_at",
        description="The run's data has no warnings; the mart `warnings` lists them.",
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
