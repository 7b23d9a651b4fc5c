"""The telemetry landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3
from orchestration.sources.telemetry.batches import land_telemetry
from orchestration.sources.telemetry.records import UsageLimits

RECORDS = dg.AssetKey(["landing", "telemetry_records"])
BATCHES = dg.AssetKey(["landing", "telemetry_batches"])
QUARANTINE = dg.AssetKey(["landing", "telemetry_quarantine"])


def build_telemetry_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets `landing/telemetry_records`, `_batches` and `_quarantine`; they need the resource `s3`."""

    @dg.multi_asset(
        name="telemetry_landing",
        group_name="landing",
        specs=[
            dg.AssetSpec(
                RECORDS,
                kinds={"parquet"},
                description="One row per good usage record of a batch that counts.",
            ),
            dg.AssetSpec(
                BATCHES,
                kinds={"parquet"},
                description="One row per batch seen: a content at a place, and its fate.",
            ),
            dg.AssetSpec(
                QUARANTINE,
                kinds={"parquet"},
                description="One row per record that was refused, and the reason.",
            ),
        ],
    )
    def telemetry_landing(context: dg.AssetExecutionContext, s3: S3) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_telemetry(
            open_location(settings.telemetry, s3.get_client),
            settings.landing_folder,
            datetime.now(UTC),
            lambda step, done, total: context.log.debug(f"{step}: {done} of {total}"),
            limits=UsageLimits(settings.usage_earliest_day, settings.usage_future_hours),
            memory_limit=settings.duckdb_memory_limit,
            threads=settings.duckdb_threads,
        )
        folder = settings.landing_folder / "telemetry"
        yield dg.MaterializeResult(
            asset_key=RECORDS,
            metadata={
                "records_loaded": landing.records,
                "days_touched": len(landing.touched_days),
                "touched_days": [str(day) for day in landing.touched_days],
                "unknown_fields": _table("field", "rows", landing.unknown_fields),
                "path": dg.MetadataValue.path(folder / "records"),
            },
        )
        yield dg.MaterializeResult(
            asset_key=BATCHES,
            metadata={
                "batches": _table(
                    "status",
                    "batches",
                    {
                        "loaded": landing.loaded,
                        "repeated": landing.repeated,
                        "superseded": landing.superseded,
                        "unchanged": landing.unchanged,
                    },
                ),
                "load_id": landing.load_id or "nothing new",
                "path": dg.MetadataValue.path(folder / "batches.parquet"),
            },
        )
        yield dg.MaterializeResult(
            asset_key=QUARANTINE,
            metadata={
                "quarantined": landing.quarantined,
                "reasons": _table("reason", "rows", landing.quarantined_by_reason),
                "path": dg.MetadataValue.path(folder / "quarantine"),
            },
        )

    return telemetry_landing


def _table(name: str, number: str, counts: Mapping[str, int]) -> dg.MarkdownMetadataValue:
    """Counts as a Markdown table, or that there are none."""
    if not counts:
        return dg.MetadataValue.md("none")
    lines = [f"| {name} | {number} |", "| --- | ---: |"]
    lines += [f"| {_cell(key)} | {count:,} |" for key, count in counts.items()]
    return dg.MetadataValue.md("\n".join(lines))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")[:100]
