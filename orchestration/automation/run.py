"""Run the job from the shell: return at once if nothing has changed, else execute it through Dagster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console

from orchestration.automation.unchanged import LastRun, find_unchanged
from orchestration.settings import ExpectedError, Settings

if TYPE_CHECKING:
    from orchestration.outputs.run_summary import RunSummary


def run_job(
    settings: Settings,
    months: Sequence[str] | None = None,
    console: Console | None = None,
    *,
    check_all: bool = False,
    repair: bool = False,
) -> RunSummary | None:
    """Run everything from the bill to the published snapshot, once.

    `months` (YYYY-MM) are the billing months to process, from the first to the last; default: all in the
    sources. Only changed days are computed and tested; `check_all` tests every day; `repair` first moves
    damaged files away, so that they are made again. Returns the summary, also
    printed, only if every check passed and the result is published; otherwise errors are printed and readers
    keep the previous snapshot.
    """
    shown = console or Console()
    # Pin the console to its current stream: the steps' standard output is redirected.
    shown.file = shown.file
    try:
        last = None if months or check_all or repair else find_unchanged(settings)
        if last is not None:
            return _say_unchanged(settings, last, shown)
        # Dagster and dbt take seconds to import.
        from orchestration.automation.full_run import execute_job, repair_workspace

        if repair:
            repair_workspace(settings, shown)
        return execute_job(settings, months, shown, check_all=check_all)
    except Exception as error:
        from orchestration.automation.causes import cause_of, texts_of
        from orchestration.automation.messages import show_error

        cause = cause_of(settings, texts_of(error))
        if cause is None and not isinstance(error, ExpectedError):
            raise
        show_error(shown, cause or str(error))
        return None


def _say_unchanged(settings: Settings, last: LastRun, shown: Console) -> RunSummary:
    from orchestration.automation.messages import show_summary, show_warnings
    from orchestration.outputs.run_summary import summary_of_run

    show_warnings(shown, last.warnings)
    summary = summary_of_run(settings, last.snapshot.name, changed=False)
    with shown.status("Recording the run"):
        from orchestration.automation.run_history import record_unchanged_run
        from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home

        record_unchanged_run(
            dagster_home(settings), COMMAND_CONFIG, last.run_id, last.snapshot.name, settings.runs_kept
        )
    show_summary(shown, summary)
    return summary
