"""Execute the whole job, through the same Dagster definitions that `dagster dev` serves."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import dagster as dg
from rich.console import Console

from orchestration.automation.causes import cause_of
from orchestration.automation.deployment import definitions_of
from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.messages import show_summary, show_warnings
from orchestration.automation.partitions import MonthsError, billing_months, month_range_tags, note_months
from orchestration.automation.repair import repair
from orchestration.automation.run_history import open_instance
from orchestration.automation.terminal import RunDisplay
from orchestration.automation.unchanged import digest_of_sources, note_finished
from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home, prepare_workspace
from orchestration.outputs.run_summary import RunSummary, summary_of_run
from orchestration.settings import Settings
from orchestration.sources.billing.landing import discover_months
from orchestration.sources.locations import open_of
from orchestration.warehouse.assets import SNAPSHOT
from orchestration.warehouse.audit import CHECK_ALL_TAG
from orchestration.warehouse.project import prepare_project
from orchestration.warehouse.writer import close_dead_run, writer_lock

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def execute_job(
    settings: Settings, months: Sequence[str] | None, shown: Console, *, check_all: bool
) -> RunSummary | None:
    """Run everything from the bill to the published snapshot, once.

    `months` (YYYY-MM) are the billing months to process, from the first to the last; default: all in the
    sources. Only changed days are computed. Returns the summary, also printed, only if every check passed and
    the result is published; otherwise errors are printed or raised, and readers keep the previous snapshot.
    """
    prepare_workspace(settings)
    with shown.status("Compiling the contexts and reading the models"):
        project = prepare_project(settings)
    home = dagster_home(settings)
    with writer_lock(settings).hold(shown.print) as dead, open_instance(home, COMMAND_CONFIG) as instance:
        close_dead_run(instance, dead)
        with shown.status("Looking for bills"):
            # Before reading: the next run picks up whatever arrives meanwhile.
            looked_at = digest_of_sources(settings) if months is None else ""
            found = _months(settings)
            note_months(settings, found)
            tags = month_range_tags(billing_months(settings), months or found)
        if check_all:
            tags[CHECK_ALL_TAG] = "true"
        definitions = definitions_of(settings, project)
        return _execute(settings, definitions, instance, tags, shown, looked_at)


def repair_workspace(settings: Settings, shown: Console) -> None:
    """Move damaged files away so that the next run makes them again. Raises `ExpectedError` if it cannot."""
    with writer_lock(settings).hold(shown.print):
        repair(settings, datetime.now(UTC), lambda text: show_warnings(shown, [text]))


def _months(settings: Settings) -> list[str]:
    found = discover_months(settings.exports, open_of(settings), settings.landing_folder)
    if not found:
        places = ", ".join(export.location for export in settings.exports)
        raise MonthsError(
            f"No bill found in {places}. Put CUR, FOCUS or plain files there, or whole reports of AWS, "
            "or set their location: CPC_BILLING_EXPORTS, or billing_exports in the workspace's settings.yml."
        )
    return found


def _execute(
    settings: Settings,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    tags: dict[str, str],
    shown: Console,
    looked_at: str,
) -> RunSummary | None:
    run_id = str(uuid.uuid4())
    with RunDisplay(shown) as display, open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        instance.add_event_listener(run_id, display.on_event)
        with contextlib.redirect_stdout(nowhere):
            result = definitions.resolve_job_def(DAILY_COSTS).execute_in_process(
                instance=instance, run_id=run_id, tags=tags, run_config=_QUIET, raise_on_error=False
            )
    published = _snapshot_of(result)
    show_warnings(shown, display.warnings)
    if published is not None:
        summary = summary_of_run(
            settings,
            str(published["snapshot"].value),
            changed=bool(published["changed"].value),
        )
        show_summary(shown, summary)
    if not (result.success and published):
        display.show_failure(run_id, bool(published), cause_of(settings, display.errors))
        return None
    note_finished(settings, looked_at, tuple(display.warnings))
    return summary


def _snapshot_of(result: dg.ExecuteInProcessResult) -> Mapping[str, dg.MetadataValue[Any]] | None:
    """Metadata of the snapshot that the run published, or found to be still current."""
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.ASSET_MATERIALIZATION and event.asset_key == SNAPSHOT:
            return event.step_materialization_data.materialization.metadata
        if event.event_type == dg.DagsterEventType.ASSET_OBSERVATION and event.asset_key == SNAPSHOT:
            return event.asset_observation_data.asset_observation.metadata
    return None
