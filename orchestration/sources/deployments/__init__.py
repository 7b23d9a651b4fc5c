"""Deployments: what was released, and when."""

from __future__ import annotations

from orchestration.sources.source import Check, Source, Table

DEPLOYMENTS = Source(
    name="deployments",
    label="deployments",
    module="orchestration.sources.deployments.landing",
    tables=(
        Table("deployments", "One row per deployment; replaced whole."),
        Table("deployments_rejected", "One row per row of a report that was rejected."),
    ),
    check=Check(
        "every_row_is_a_deployment",
        table="deployments_rejected",
        description="No row of the reports was rejected.",
    ),
)
