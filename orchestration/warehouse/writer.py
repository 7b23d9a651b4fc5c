"""The single writer as Dagster sees it: the lock is held for as long as a run's resources live.

It is the `io_manager` of the definitions because that is the one resource that every asset needs, whoever
wrote it. Assets here hand over files and tables, never Python values, so there is nothing else for it to
do.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.settings import Settings
from orchestration.warehouse.lock import Holder, WriterLock

LOCK_NAME = "writer.lock"


def writer_lock(settings: Settings) -> WriterLock:
    """The lock of one workspace."""
    return WriterLock(settings.workspace / LOCK_NAME, settings.warehouse_file, settings.writer_wait_seconds)


def close_dead_run(instance: dg.DagsterInstance, holder: Holder | None) -> None:
    """Have Dagster know that the run of a killed process is over; nobody else would tell it."""
    run = instance.get_run_by_id(holder.run_id) if holder and holder.run_id else None
    if run is not None and not run.is_finished:
        instance.report_run_failed(run, f"The process of this run ended without a word: {holder}")


class SingleWriter(dg.ConfigurableIOManager):
    """Holds the writer lock from before a run's first step until after its last."""

    lock_file: str
    database: str
    wait_seconds: float

    @classmethod
    def of(cls, settings: Settings) -> SingleWriter:
        """The writer of the workspace that the settings name."""
        lock = writer_lock(settings)
        return cls(lock_file=str(lock.path), database=str(lock.database), wait_seconds=lock.wait_seconds)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[SingleWriter]:
        """Wait for the lock, keep it while the run's steps are executed, and let it go."""
        lock = WriterLock(Path(self.lock_file), Path(self.database), self.wait_seconds)
        say = context.log.info if context.log else print
        with lock.hold(say, context.run_id or "") as dead:
            if dead and context.instance:
                close_dead_run(context.instance, dead)
            yield self

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Nothing to store; an asset that returns a value was not written for this project."""
        if obj is not None:
            raise dg.DagsterInvariantViolationError(
                f"{context.asset_key.to_user_string()} returned a value; write a file or a table instead"
            )

    def load_input(self, context: dg.InputContext) -> Any:
        """Nothing was stored."""
        raise dg.DagsterInvariantViolationError(
            f"{context.asset_key.to_user_string()} is taken as a Python value; name it in `deps` and read "
            "its file or table instead"
        )
