"""The jobs: which assets are made together."""

from __future__ import annotations

import dagster as dg

DAILY_COSTS = "daily_costs"


def build_daily_costs_job(months: dg.PartitionsDefinition[str]) -> dg.UnresolvedAssetJobDefinition:
    """Everything from the bill to the published snapshot and its report.

    Its steps run one after another in one process, so that what a run holds, such as the right to write, is
    held from its first step to its last, and is free when the process ends, however it ends.
    """
    return dg.define_asset_job(
        DAILY_COSTS,
        selection=dg.AssetSelection.all(),
        description="Bill, context and usage to cost per customer; publishes when every check has passed.",
        partitions_def=months,
        executor_def=dg.in_process_executor,
    )
