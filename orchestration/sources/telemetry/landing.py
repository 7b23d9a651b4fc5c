"""Land usage for a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC

from orchestration.sources.landing.notes import Note, write_notes
from orchestration.sources.source import Landed, LandingRequest, Markdown, markdown_table
from orchestration.sources.telemetry.batches import ensure_landing, land_telemetry
from orchestration.sources.telemetry.pulls import has_pulls
from orchestration.sources.telemetry.pulls.pull import PullResult, pull_usage
from orchestration.sources.telemetry.records import UsageLimits

__all__ = ["ensure_landing", "land"]


def land(request: LandingRequest) -> Iterator[Landed]:
    """Pull usage from other systems, then land new and changed batches."""
    settings = request.settings
    yield _pull(request)
    landing = land_telemetry(
        request.open_location(settings.location_of("telemetry")),
        settings.landing_folder,
        request.now,
        lambda step, done, total: request.log.debug(f"{step}: {done} of {total}"),
        limits=UsageLimits(settings.usage_earliest_day, settings.usage_future_hours),
        memory_limit=settings.duckdb_memory_limit,
        threads=settings.duckdb_threads,
        loads_kept=settings.telemetry_loads_kept,
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


def _pull(request: LandingRequest) -> Landed:
    """Run the pulls of the contexts. One that fails is a warning: what others have still counts."""
    now = request.now.astimezone(UTC).replace(tzinfo=None)
    results: list[PullResult] = []
    if has_pulls(request.settings):
        results = list(pull_usage(request.settings, request.open_location, now))
    notes = []
    for result in results:
        if result.error:
            request.log.warning(
                f"{result.pull.place!s}: {result.pull.name} is not pulled to its end: {result.error}"
            )
            notes.append(
                Note("usage-not-pulled", result.error, subject=result.pull.name, place=str(result.pull.place))
            )
        notes += [
            Note("usage-pulled", remark, "note", subject=result.pull.name, place=str(result.pull.place))
            for remark in result.remarks
        ]
    write_notes(request.settings.landing_folder, "telemetry", notes, "pulls")
    rows = [(result.pull.name, result.summary) for result in results]
    return Landed("telemetry_pulls", {"pulls": markdown_table(("pull", "read"), rows, 0)})


def _table(name: str, number: str, counts: Mapping[str, int]) -> Markdown:
    return markdown_table((name, number), ((key[:100], f"{count:,}") for key, count in counts.items()))
