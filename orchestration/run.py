"""The whole job from the shell, through the same Dagster definitions that `dagster dev` serves.

What belongs here: making the workspace ready, holding the right to write, executing the job, and saying
whether it went well. What does not: how it looks in a terminal (`terminal.py`), and any step of the job
itself.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Sequence

import dagster as dg
from rich.console import Console

from orchestration.definitions import build_definitions
from orchestration.history import open_instance
from orchestration.jobs import DAILY_COSTS
from orchestration.partitions import MonthsError, month_range_tags
from orchestration.reports.warnings import published_warnings
from orchestration.settings import Settings
from orchestration.sources.billing.landing import BillingError, discover_months
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import s3_resource
from orchestration.terminal import RunDisplay, show_error
from orchestration.warehouse.assets import SNAPSHOT
from orchestration.warehouse.audit import CHECK_ALL_TAG
from orchestration.warehouse.dbt import DbtError
from orchestration.warehouse.generate import ContextProblems, ContextsMissingError
from orchestration.warehouse.lock import WriterBusyError
from orchestration.warehouse.writer import close_dead_run, writer_lock
from orchestration.workspace import COMMAND_CONFIG, dagster_home, prepare_workspace

# What a person can put right, and whose message says how.
_EXPECTED = (
    BillingError,
    ContextProblems,
    ContextsMissingError,
    DbtError,
    MonthsError,
    WriterBusyError,
)
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_job(
    settings: Settings,
    months: Sequence[str] | None = None,
    console: Console | None = None,
    *,
    check_all: bool = False,
) -> bool:
    """Run everything from the bill to the published snapshot, once.

    `months` (YYYY-MM) are the billing months to look at, from the first to the last of them; by default all
    that the sources hold. What has not changed is not done again. The tests look at the days that the run
    makes, with `check_all` at every day there is. True only when every check passed and
    readers have the result; what went wrong is printed, and readers keep what they had.
    """
    shown = console or Console()
    # Pinned to where it writes now: the output of dbt is turned away below.
    shown.file = shown.file
    try:
        prepare_workspace(settings)
        with shown.status("Compiling the contexts and reading the models"):
            definitions = build_definitions(settings)
        home = dagster_home(settings)
        with writer_lock(settings).hold(shown.print) as dead, open_instance(home, COMMAND_CONFIG) as instance:
            close_dead_run(instance, dead)
            with shown.status("Looking for bills"):
                tags = month_range_tags(settings, months or _months(settings))
            if check_all:
                tags[CHECK_ALL_TAG] = "true"
            return _execute(settings, definitions, instance, tags, shown)
    except _EXPECTED as error:
        show_error(shown, str(error))
        return False


def _months(settings: Settings) -> list[str]:
    s3 = s3_resource(settings)
    found = discover_months(
        settings.exports, lambda location: open_location(location, s3.get_client), settings.landing_folder
    )
    if not found:
        places = ", ".join(export.location for export in settings.exports)
        raise MonthsError(
            f"No bill found in {places}. Put CUR or FOCUS files there, or reports as AWS lays them out, or "
            "name the place that has them: CPC_BILLING_EXPORTS, or billing_exports in settings.yml of the "
            "workspace."
        )
    return found


def _execute(
    settings: Settings,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    tags: dict[str, str],
    shown: Console,
) -> bool:
    run_id = str(uuid.uuid4())
    with RunDisplay(shown) as display, open(os.devnull, "w") as nowhere:  # noqa: PTH123
        instance.add_event_listener(run_id, display.on_event)
        with contextlib.redirect_stdout(nowhere):
            result = definitions.resolve_job_def(DAILY_COSTS).execute_in_process(
                instance=instance, run_id=run_id, tags=tags, run_config=_QUIET, raise_on_error=False
            )
    published = [
        event.step_materialization_data.materialization
        for event in result.get_asset_materialization_events()
        if event.asset_key == SNAPSHOT
    ]
    display.show_warnings()
    if published:
        display.show_data_warnings(published_warnings(settings))
        display.show_published(published[-1].metadata)
    if not (result.success and published):
        display.show_failure(run_id, published=bool(published))
        return False
    return True
