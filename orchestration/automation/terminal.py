"""Terminal output of a run: Dagster events as progress bars, results and errors."""

from __future__ import annotations

import logging
import re
import time
from types import TracebackType
from typing import Any

import dagster as dg
from dagster import DagsterEventType, EventLogEntry
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from orchestration.automation.checks import WARNINGS
from orchestration.automation.messages import show_error
from orchestration.sources import SOURCES
from orchestration.sources.assets import landing_step

_OF = re.compile(r"^(\d+) of (\d+) ")
_CLASS = re.compile(r"^(?P<name>[A-Za-z_][\w.]*): ")
_LABELS = {
    **{landing_step(source): f"land {source.label}" for source in SOURCES},
    "marts__warnings_nothing_to_look_at": "look for warnings",
    "dbt_models": "dbt models and tests, publish",
    "reports__customer_cost_report": "report",
}


class RunDisplay:
    """Displays one run; a context manager, the progress bars live as long as its block."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.started: dict[str, float] = {}
        self.tasks: dict[str, TaskID] = {}
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.fields[label]}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.description}"),
            console=console,
            transient=True,
        )

    def __enter__(self) -> RunDisplay:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def on_event(self, entry: EventLogEntry) -> None:
        """Event listener: called by Dagster for every event and log line of the run."""
        event = entry.dagster_event
        if event is None:
            # Steps that were not run because of another's failure say so; that failure is shown.
            skipped = entry.user_message.startswith("Dependencies for step")
            if int(entry.level) >= logging.WARNING and not skipped:
                self.warnings.append(entry.user_message)
            self._on_log_line(entry.step_key, entry.user_message)
        elif event.event_type == DagsterEventType.STEP_START:
            self._on_start(str(event.step_key))
        elif event.event_type == DagsterEventType.STEP_SUCCESS:
            self._on_end(str(event.step_key), "[green]✓[/]")
        elif event.event_type == DagsterEventType.STEP_FAILURE:
            self._on_end(str(event.step_key), "[bold red]✗[/]")
            self.errors.append(_words_of_step(event.step_failure_data))
        elif event.event_type == DagsterEventType.RUN_FAILURE and not self.errors:
            error = event.job_failure_data.error
            self.errors.append(_words(error) if error else str(event.message))
        elif event.event_type == DagsterEventType.ASSET_CHECK_EVALUATION:
            self._on_check(event.asset_check_evaluation_data)

    def show_failure(self, run_id: str, published: bool, cause: str | None) -> None:
        """Print the errors or, if known, their one cause; whether the result was published, and where to read
        more."""
        for text in [cause] if cause else self.errors or ["The run ended without publishing anything."]:
            show_error(self.console, text)
        result = (
            "The marts are published; a later step failed."
            if published
            else "Nothing was published; readers keep the last snapshot."
        )
        self.console.print(
            f"{result} `cpc dev` shows the run {run_id}.",
            soft_wrap=True,
            highlight=False,
        )

    def _on_start(self, step: str) -> None:
        self.started[step] = time.monotonic()
        self.tasks[step] = self.progress.add_task("", label=_label(step), total=None)

    def _on_end(self, step: str, mark: str) -> None:
        if step not in self.tasks:
            return
        self.progress.remove_task(self.tasks.pop(step))
        seconds = time.monotonic() - self.started[step]
        self.console.print(f"{mark} {_label(step)} [dim]{seconds:.1f} s[/]", highlight=False)

    def _on_log_line(self, step: str | None, message: str) -> None:
        task = self.tasks.get(step or "")
        if task is None or not message:
            return
        lines = message.splitlines()
        counted = _OF.match(lines[-1])
        if counted:
            shown = escape(lines[-1][:100])
            self.progress.update(task, completed=int(counted[1]), total=int(counted[2]), description=shown)
        else:
            self.progress.update(task, description=escape(lines[0][:100]))

    def _on_check(self, check: Any) -> None:
        if check.asset_key == WARNINGS:
            return  # shown from the mart itself, even if nothing was rebuilt
        if not check.passed and check.severity == dg.AssetCheckSeverity.WARN and check.description:
            self.warnings.append(f"{check.asset_key.to_user_string()}: {check.description}")


def _label(step: str) -> str:
    return _LABELS.get(step, step.replace("__", " ").replace("_", " "))


def _words_of_step(failure: Any) -> str:
    if failure.user_failure_data and failure.user_failure_data.description:
        return str(failure.user_failure_data.description)
    return _words(failure.error) if failure.error else "The step failed without an error."


def _words(error: Any) -> str:
    """The message of our own outermost error, which knows the file; for other errors, the root cause with its
    type and location.
    """
    while True:
        message = error.message.strip()
        named = _CLASS.match(message)
        if named and named["name"].startswith("orchestration."):
            return str(message[named.end() :])
        if error.cause is None:
            break
        error = error.cause
    where = "".join(error.stack[-1:]).strip()
    return f"{message}\n{where}" if where else str(message)
