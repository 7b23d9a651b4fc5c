"""Build the models with days computed on Spark: dbt plans, tasks compute the days, dbt does everything else.

The files of tasks are taken from `built.days_made`, as if dbt had written them; what follows from days
(months, anomalies), the tests and publishing are the same as on one machine.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from dagster_pipes import PipesContext

from orchestration.settings import Settings
from orchestration.warehouse.dbt import DbtResult, OnEvent
from orchestration.warehouse.project import PreparedProject
from orchestration.warehouse.spark.days import compute_days
from orchestration.warehouse.spark.plan import Plan, daily_models, planning, read_plan
from orchestration.warehouse.working_database import open_warehouse

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult

Say = Callable[[str], None]
_CHANGED_DAYS = "changed_days"


def build_on_spark(
    settings: Settings, project: PreparedProject, folder: Path, on_event: OnEvent, say: Say
) -> DbtResult:
    """Build and test all models; results as those of `dbt build`. `say` gets a line per finished slice.

    Raises `SparkError` if Spark does not start or gives up.
    """
    planned = plan_days(project, folder, on_event)
    if not planned.is_success:
        return planned
    with read_plan(settings, project.assembled.folder, planned.nodes) as plan:
        if plan.work.slices:
            _take_days(settings, plan, functools.partial(_tell, say))
    # Not `changed_days` again: it has marked its days as begun.
    built = project.dbt(
        *("build", "--exclude-resource-type", "unit_test"),
        *("--exclude", _CHANGED_DAYS, "--indirect-selection", "empty"),
        folder=folder,
        on_event=on_event,
    )
    return replace(built, nodes=_in_order(planned.nodes, built.nodes))


def _tell(say: Say, line: str) -> None:
    """Tell this Dagster, and the one that started this driver by Dagster Pipes, if any."""
    say(line)
    if PipesContext.is_initialized():
        PipesContext.get().log.info(line)


def plan_days(project: PreparedProject, folder: Path, on_event: OnEvent | None = None) -> DbtResult:
    """Have dbt build what the daily models read, and plan their days."""
    wanted = [f"+{name}" for name in daily_models(project.manifest)]
    with planning():
        return project.dbt(
            *("build", "--exclude-resource-type", "unit_test", "test", "--select", *wanted),
            folder=folder,
            on_event=on_event,
        )


def _take_days(settings: Settings, plan: Plan, say: Say) -> None:
    made = compute_days(settings.spark, plan, say)
    with open_warehouse(settings, read_only=False) as warehouse:
        warehouse.executemany("insert into built.days_made values ($1, $2, $3, $4)", made)


def _in_order(planned: Sequence[RunResult], built: Sequence[RunResult]) -> tuple[RunResult, ...]:
    """All results, for Dagster: what `changed_days` reads, itself (of the plan), and the rest."""
    names = [result.node.name for result in planned]
    place = names.index(_CHANGED_DAYS)
    before = {result.node.unique_id for result in planned[:place]}
    early = [result for result in built if result.node.unique_id in before]
    late = [result for result in built if result.node.unique_id not in before]
    return (*early, planned[place], *late)
