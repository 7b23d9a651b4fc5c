"""The writer lock as a Dagster resource.

Every writing asset requires the resource `WRITER`. A run executes its steps in one process, so the lock is
taken before the first step and released after the last.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg

from orchestration.settings import Settings
from orchestration.warehouse.lock import Holder, WriterLock

LOCK_NAME = "writer.lock"
WRITER = "writer"


def writer_lock(settings: Settings) -> WriterLock:
    """The lock of one workspace."""
    return WriterLock(settings.workspace / LOCK_NAME, settings.warehouse_file, settings.writer_wait_seconds)


def close_dead_run(instance: dg.DagsterInstance, holder: Holder | None) -> None:
    """Mark the run of a killed process as failed in Dagster, since nobody else would."""
    run = instance.get_run_by_id(holder.run_id) if holder and holder.run_id else None
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, f"The process of this run died without reporting: {holder}")


def remove_old_runs(instance: dg.DagsterInstance, kept: int) -> None:
    """Remove all but the latest runs from Dagster's history, with their events; unfinished ones stay."""
    if instance.get_runs_count() <= kept:
        return
    for record in instance.get_run_records()[kept:]:
        run = record.dagster_run
        if run.is_finished:
            instance.delete_run(run.run_id)
            # The default history has a file for each run's events, and keeps it, empty.
            for left in Path(instance.root_directory, "history", "runs").glob(f"{run.run_id}.db*"):
                left.unlink(missing_ok=True)


class SingleWriter(dg.ConfigurableResource["SingleWriter"]):
    """Holds the writer lock from before a run's first step until after its last."""

    lock_file: str
    database: str
    wait_seconds: float
    runs_kept: int

    @classmethod
    def of(cls, settings: Settings) -> SingleWriter:
        """The writer of the settings' workspace."""
        lock = writer_lock(settings)
        return cls(
            lock_file=str(lock.path),
            database=str(lock.database),
            wait_seconds=lock.wait_seconds,
            runs_kept=settings.runs_kept,
        )

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[SingleWriter]:
        """Wait for the lock, hold it while the run's steps execute, and release it."""
        lock = WriterLock(Path(self.lock_file), Path(self.database), self.wait_seconds)
        say = context.log.info if context.log else print
        with lock.hold(say, context.run_id or "") as dead:
            if context.instance:
                close_dead_run(context.instance, dead)
                remove_old_runs(context.instance, self.runs_kept)
            yield self
