"""Usage records: who used how much of which stream, and when."""

from __future__ import annotations

from orchestration.sources.source import Source, Table

TELEMETRY = Source(
    name="telemetry",
    label="usage",
    module="orchestration.sources.telemetry.landing",
    tables=(
        Table("telemetry_pulls", "One row per pull of usage.yml: usage that was read from another system."),
        Table("telemetry_records", "One row per good usage record of a batch that counts."),
        Table("telemetry_batches", "One row per batch seen: a content at a place, and its fate."),
        Table("telemetry_quarantine", "One row per record that was rejected, and the reason."),
    ),
)
