"""Asset checks: things a person should look at, that do not make the numbers wrong.

What belongs here: warnings about deliveries and about rules. What does not: laws that fail a run, which are
dbt tests, and records that are set aside, which the landing does.
"""

# Dagster reads annotations when it meets a function, so they are not postponed here.
import dagster as dg

from orchestration.compiler import Compilation
from orchestration.reports.live_charges import open_live_charges
from orchestration.reports.rule_findings import RuleFinding, money_text, rule_findings
from orchestration.settings import Settings
from orchestration.sources.revenue.landing import rows_set_aside
from orchestration.sources.telemetry.landed_files import LandedTelemetry

QUARANTINE_SHARE = 0.01
OVERLAPS_SHOWN = 20


def build_landing_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Warnings about batches with many bad records, and about revenue that counts nowhere."""
    return [_build_quarantine_check(settings), _build_revenue_check(settings)]


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


def _build_quarantine_check(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(["landing", "telemetry_quarantine"]),
        name="few_records_in_quarantine",
        description=f"No more than {QUARANTINE_SHARE:.0%} of the usage records were set aside as malformed.",
    )
    def few_records_in_quarantine() -> dg.AssetCheckResult:
        ledger = LandedTelemetry(settings.landing_folder / "telemetry").read_ledger()
        loaded = [batch for batch in ledger if batch.status == "loaded"]
        quarantined = sum(batch.quarantined_count for batch in loaded)
        everything = quarantined + sum(batch.record_count for batch in loaded)
        return dg.AssetCheckResult(
            passed=quarantined <= QUARANTINE_SHARE * everything,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{quarantined:,} of {everything:,} usage records are in quarantine"
            if quarantined
            else None,
            metadata={"quarantined": quarantined, "records": everything},
        )

    return few_records_in_quarantine


def _build_revenue_check(settings: Settings) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(["landing", "revenue_quarantine"]),
        name="every_row_of_revenue_counts",
        description="No row of the revenue files was set aside; the mart revenue_quarantine has each reason.",
    )
    def every_row_of_revenue_counts() -> dg.AssetCheckResult:
        found = rows_set_aside(settings.landing_folder)
        return dg.AssetCheckResult(
            passed=found == 0,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"{found:,} rows of revenue were set aside" if found else None,
            metadata={"set_aside": found},
        )

    return every_row_of_revenue_counts
