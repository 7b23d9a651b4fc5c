"""The job: which assets run together, and how."""

from __future__ import annotations

import dagster as dg

from orchestration.warehouse.project import BrokenProject, PreparedProject

DAILY_COSTS = "daily_costs"


def build_daily_costs_job(
    months: dg.PartitionsDefinition[str], project: PreparedProject | BrokenProject
) -> dg.UnresolvedAssetJobDefinition:
    """Everything from the bill to the published snapshot and its report.

    Steps run sequentially in one process, so the writer lock is held from the first step to the last, and
    released when the process ends, however it ends. Its runs are tagged with the version of the rules.
    """
    return dg.define_asset_job(
        DAILY_COSTS,
        selection=dg.AssetSelection.all(),
        description="From bill, contexts and usage to cost per customer; publishes if every check passes.",
        partitions_def=months,
        tags={"cpc/rules": project.rules_fingerprint[:16]} if isinstance(project, PreparedProject) else None,
        executor_def=dg.in_process_executor,
    )
