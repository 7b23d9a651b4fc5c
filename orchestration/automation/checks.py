"""Asset checks that do not fail the run. Checks that fail a run are dbt tests."""

# No postponed annotations: Dagster evaluates them when decorating.
import dagster as dg

from orchestration.authoring.rule_findings import idle_rules
from orchestration.outputs.warnings import shown_lines, working_warnings
from orchestration.settings import Settings
from orchestration.warehouse.failures import expected_errors
from orchestration.warehouse.project import BrokenProject, PreparedProject

WARNINGS = dg.AssetKey(["marts", "warnings"])


def build_rules_check(
    settings: Settings, project: PreparedProject | BrokenProject
) -> dg.AssetChecksDefinition:
    """Warn about rules that match nothing."""

    @dg.asset_check(
        asset=dg.AssetKey(["allocation", "charge_groups"]),
        name="every_rule_claims_charges",
        description="Every context rule matches charges of the bill; `cpc check` says why one does not.",
    )
    def every_rule_claims_charges() -> dg.AssetCheckResult:
        with expected_errors():
            if isinstance(project, BrokenProject):
                raise project.problem
        idle = idle_rules(settings, project.assembled.compilation.program)
        lines = [
            f"{rule.place} warning: this rule of {rule.dimension} ({rule.gives}) claims no charge on this "
            "bill; cpc check says whether none matches, or others come before it"
            for rule in idle
        ]
        return dg.AssetCheckResult(
            passed=not idle,
            severity=dg.AssetCheckSeverity.WARN,
            description="\n".join(lines) or None,
            metadata={"rules_without_charges": len(idle)},
        )

    return every_rule_claims_charges


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
        is_wrong = any(warning.severity == "error" for warning in found)
        return dg.AssetCheckResult(
            passed=not serious,
            severity=dg.AssetCheckSeverity.ERROR if is_wrong else dg.AssetCheckSeverity.WARN,
            description="\n".join(shown_lines(serious)) or None,
            metadata={"warnings": len(serious), "notes": len(found) - len(serious)},
        )

    return nothing_to_look_at
