"""Usage that other systems hold, pulled into batches of the telemetry location as `usage.yml` says."""

from __future__ import annotations

from orchestration.compiler.reading.program import USAGE_FILE
from orchestration.settings import Settings


def has_pulls(settings: Settings) -> bool:
    """Whether the contexts pull usage."""
    file = settings.contexts / USAGE_FILE
    return file.is_file() and b"pulls" in file.read_bytes()
