"""Detect that nothing has changed, from listings and digests alone, before Dagster or dbt is loaded.

Compares the sources, the program and the files with the record of the last successful run. What exactly
changed is determined later, by landing and `changed_days`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.settings import Settings
from orchestration.sources import SOURCES
from orchestration.sources.locations import LocationError, open_of
from orchestration.sources.telemetry.pulls import has_pulls
from orchestration.warehouse import audit
from orchestration.warehouse.made_from import digest, digest_of_files, digest_of_program

# Settings of alerts, the API, the lock and Dagster: no result depends on them.
_IRRELEVANT_SETTINGS = ("alert_", "api_", "writer_wait_seconds", "owners", "column_lineage", "runs_kept")


@dataclass(frozen=True)
class LastRun:
    """The run behind the current, still valid snapshot: its id, snapshot and warnings."""

    run_id: str
    snapshot: Path
    warnings: tuple[str, ...]


def find_unchanged(settings: Settings) -> LastRun | None:
    """The last run if another one would give the same result; None if anything may have changed."""
    known = audit.last(settings)
    if known is None or not known.looked_at or known.left_behind != digest_of_files(settings):
        return None
    if known.looked_at != digest_of_sources(settings):
        return None
    snapshot = (settings.published_folder / "current").resolve()
    return LastRun(known.run_id, snapshot, known.warnings) if snapshot.name == known.snapshot else None


def digest_of_sources(settings: Settings) -> str:
    """Digest of the day, the source listings, the settings, the contexts and the program.

    '' if listings cannot tell: a location fails, or other systems are asked for resources, accounts or usage.
    """
    if settings.inventory_accounts or settings.organization or has_pulls(settings):
        return ""
    try:
        found = [line for source in SOURCES for line in source.listed(settings, open_of(settings))]
    except LocationError:
        return ""
    values = settings.model_dump_json(
        exclude={name for name in Settings.model_fields if name.startswith(_IRRELEVANT_SETTINGS)}
    )
    # Dumped, a secret is masked; another database to export to is a change.
    exported_to = settings.export_postgres.get_secret_value() if settings.export_postgres else ""
    # With the day, what was to come becomes cost, and a month ends.
    today = str(datetime.now(UTC).date())
    return digest([today, values, exported_to, digest_of_program(settings), *found])


def note_finished(settings: Settings, looked_at: str, warnings: tuple[str, ...]) -> None:
    """Record what this successful run found (`digest_of_sources`) and left, for the next run to compare."""
    if looked_at:
        audit.finished(settings, looked_at, digest_of_files(settings), warnings)
