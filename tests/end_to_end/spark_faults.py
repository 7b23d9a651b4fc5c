"""Tasks of Spark to which something happens. They run in executors, in place of `run_tasks`."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark import TaskContext

from orchestration.warehouse.spark import task
from orchestration.warehouse.spark.task import Work, run_tasks

UNLUCKY = 1
"""The number of the slice whose first attempt in the first wave it happens to."""

Batches = Iterator[pa.RecordBatch]


def is_unlucky(work: Work) -> bool:
    context = TaskContext.get()
    return work.wave == 1 and context.partitionId() == UNLUCKY and context.attemptNumber() == 0


def killed_in_the_middle(work: Work, numbers: Batches) -> Batches:
    """The executor is killed when half of the models are written; its Python works on, as it may."""
    if is_unlucky(work):
        compute_model, written = task._compute_model, []

        def compute_and_kill(*arguments: Any) -> list[task.DayFile]:
            written.append(compute_model(*arguments))
            if len(written) == len(work.models) // 2:
                executor = int(Path(f"/proc/{os.getppid()}/stat").read_text().split()[3])
                os.kill(executor, signal.SIGKILL)
            return written[-1]

        task._compute_model = compute_and_kill
    yield from run_tasks(work, numbers)


def failed_after_writing(work: Work, numbers: Batches) -> Batches:
    """All files are written and the result is lost."""
    for batch in run_tasks(work, numbers):
        if is_unlucky(work):
            raise OSError("the network is gone")
        yield batch


def stuck_after_writing(work: Work, numbers: Batches) -> Batches:
    """All files are written and then nothing happens, so that Spark starts another attempt elsewhere."""
    for batch in run_tasks(work, numbers):
        if is_unlucky(work):
            time.sleep(600)
        yield batch
