"""A source landed by Dagster, as a run does it."""

from __future__ import annotations

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.assets import build_landing_assets
from orchestration.sources.s3 import S3
from orchestration.sources.source import Source
from orchestration.warehouse.writer import SingleWriter


def landed_in_dagster(source: Source, settings: Settings, s3: S3 | None = None) -> dg.ExecuteInProcessResult:
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [build_landing_assets(source, settings)],
            instance=instance,
            resources={"s3": s3 or S3(), "writer": SingleWriter.of(settings)},
        )
