"""Whether a run would find anything to do, from listings and digests, before Dagster or dbt is loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestration.settings import Settings
from orchestration.sources import SOURCES
from orchestration.sources.locations import LocationError, open_of
from orchestration.warehouse import audit
from orchestration.warehouse.made_from import digest, digest_of_files, digest_of_program

# Whom to tell, and how to be reached over HTTP: no number depends on it.
_OF_NO_CONSEQUENCE = ("alert_", "api_", "writer_wait_seconds")


@dataclass(frozen=True)
class LastRun:
    """The run that made what readers have, still right: its id, its snapshot, and what it warned of."""

    run_id: str
    snapshot: Path
    warnings: tuple[str, ...]


def find_unchanged(settings: Settings) -> LastRun | None:
    """The last run, when another one would make the very same; None when something may be different."""
    known = audit.last(settings)
    if known is None or not known.looked_at or known.left_behind != digest_of_files(settings):
        return None
    if known.looked_at != digest_of_sources(settings):
        return None
    snapshot = (settings.published_folder / "current").resolve()
    return LastRun(known.run_id, snapshot, known.warnings) if snapshot.name == known.snapshot else None


def digest_of_sources(settings: Settings) -> str:
    """Of what lies in every place now, of the settings, the contexts and the program.

    '' when that cannot be known from listings: a place refuses, or AWS is asked for resources or accounts.
    """
    if settings.inventory_accounts or settings.organization:
        return ""
    try:
        found = [line for source in SOURCES for line in source.listed(settings, open_of(settings))]
    except LocationError:
        return ""
    values = settings.model_dump_json(
        exclude={name for name in Settings.model_fields if name.startswith(_OF_NO_CONSEQUENCE)}
    )
    return digest([values, digest_of_program(settings), *found])


def note_finished(settings: Settings, looked_at: str, warnings: tuple[str, ...]) -> None:
    """Have the next run know what this one, which has ended well, found (`digest_of_sources`) and left."""
    if looked_at:
        audit.finished(settings, looked_at, digest_of_files(settings), warnings)
