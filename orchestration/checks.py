"""Asset checks on what was landed: things a person should look at, that do not make the numbers wrong.

What belongs here: warnings about deliveries. What does not: laws that fail a run, which are dbt tests, and
records that are set aside, which the landing does.
"""

# Dagster reads annotations when it meets a function, so they are not postponed here.
import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.telemetry.landed_files import LandedTelemetry

QUARANTINE_SHARE = 0.01


def build_landing_checks(settings: Settings) -> list[dg.AssetChecksDefinition]:
    """Warnings about batches with many bad records."""
    return [_build_quarantine_check(settings)]


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
