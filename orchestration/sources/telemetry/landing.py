"""Land usage for a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestration.sources.source import Landed, LandingRequest, Markdown, markdown_table
from orchestration.sources.telemetry.batches import ensure_landing, land_telemetry
from orchestration.sources.telemetry.records import UsageLimits

__all__ = ["ensure_landing", "land"]


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land new and changed batches."""
    settings = request.settings
    landing = land_telemetry(
        request.open_location(settings.location_of("telemetry")),
        settings.landing_folder,
        request.now,
        lambda step, done, total: request.log.debug(f"{step}: {done} of {total}"),
        limits=UsageLimits(settings.usage_earliest_day, settings.usage_future_hours),
        memory_limit=settings.duckdb_memory_limit,
        threads=settings.duckdb_threads,
    )
    folder = settings.landing_folder / "telemetry"
    statuses = {
        "loaded": landing.loaded,
        "repeated": landing.repeated,
        "superseded": landing.superseded,
        "unchanged": landing.unchanged,
    }
    yield Landed(
        "telemetry_records",
        {
            "records_loaded": landing.records,
            "days_touched": len(landing.touched_days),
            "touched_days": tuple(str(day) for day in landing.touched_days),
            "unknown_fields": _table("field", "rows", landing.unknown_fields),
            "path": folder / "records",
        },
    )
    yield Landed(
        "telemetry_batches",
        {
            "batches": _table("status", "batches", statuses),
            "load_id": landing.load_id or "nothing new",
            "path": folder / "batches.parquet",
        },
    )
    yield Landed(
        "telemetry_quarantine",
        {
            "quarantined": landing.quarantined,
            "reasons": _table("reason", "rows", landing.quarantined_by_reason),
            "path": folder / "quarantine",
        },
    )


def _table(name: str, number: str, counts: Mapping[str, int]) -> Markdown:
    return markdown_table((name, number), ((key[:100], f"{count:,}") for key, count in counts.items()))
