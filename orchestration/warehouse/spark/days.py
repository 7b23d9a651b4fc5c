"""Compute the planned days by tasks of Spark, wave by wave."""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.settings import SparkSettings
from orchestration.warehouse.spark.plan import Plan
from orchestration.warehouse.spark.session import SparkError, open_spark
from orchestration.warehouse.spark.task import RESULT, DayFile, Work, run_tasks

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Say = Callable[[str], None]
_SECONDS_BETWEEN_LOOKS = 0.5


def compute_days(settings: SparkSettings, plan: Plan, say: Say) -> list[DayFile]:
    """Compute all planned days; returns the files of the attempts that Spark counts.

    `say` gets a line per slice of days when it is computed. Raises `SparkError`.
    """
    made: list[DayFile] = []
    models = {model.name: model for model in plan.work.models}
    with open_spark(settings) as session:
        for number, wave in enumerate(plan.waves, start=1):
            files = {name: list(files) for name, files in plan.earlier_files.items()}
            for name, _, file, _ in made:
                files.setdefault(name, []).extend([file] if file else [])
            known = tuple((models[name], tuple(read)) for name, read in files.items())
            work = replace(plan.work, models=tuple(wave), known=known, wave=number)
            made += _run_wave(session, work, f"wave {number} of {len(plan.waves)}", say)
    return _fetched(plan, made) if plan.work.storage else made


def _fetched(plan: Plan, made: list[DayFile]) -> list[DayFile]:
    """The files of days in the driver's own folder, where dbt reads them."""
    assert plan.work.storage
    prefix = f"{plan.work.storage.url}/days/"
    paths = {file: Path(plan.work.days_folder, file.removeprefix(prefix)) for _, _, file, _ in made if file}
    plan.work.storage.download({f"days/{file.removeprefix(prefix)}": path for file, path in paths.items()})
    return [(model, day, str(paths[file]) if file else None, rows) for model, day, file, rows in made]


def _run_wave(session: SparkSession, work: Work, wave: str, say: Say) -> list[DayFile]:
    """Wait for the tasks in this thread, which alone may log to Dagster, and report what they finish."""
    reported: set[int] = set()
    with ThreadPoolExecutor(1) as other_thread:
        tasks = other_thread.submit(_collect, session, work)
        try:
            # Every look at S3 is a request.
            seconds = 10 * _SECONDS_BETWEEN_LOOKS if work.storage else _SECONDS_BETWEEN_LOOKS
            while not wait([tasks], seconds).done:
                _report(work, reported, wave, say)
        except BaseException:
            session.stop()  # the run is being stopped, and its tasks with it
            raise
    made: list[DayFile] = tasks.result()
    _report(work, reported, wave, say)
    work.clear_marks()
    return made


def _collect(session: SparkSession, work: Work) -> list[DayFile]:
    from pyspark.errors import PySparkException

    numbers = session.range(0, len(work.slices), 1, len(work.slices))
    try:
        rows = numbers.mapInArrow(functools.partial(run_tasks, work), RESULT).collect()
    except PySparkException as error:
        raise SparkError(f"Spark gave up computing days: {_reason(error)}") from error
    return [(row.model, row.day, row.file, row.row_count) for row in rows]


def _report(work: Work, reported: set[int], wave: str, say: Say) -> None:
    finished = {int(name.split("-")[1]) for name in work.marks()}
    for number in sorted(finished - reported):
        reported.add(number)
        days = work.slices[number]
        span = f"{days[0]}" if len(days) == 1 else f"{days[0]} to {days[-1]}"
        say(f"{span} computed on Spark, {wave}: {len(reported)} of {len(work.slices)}")


def _reason(error: Exception) -> str:
    """The cause in an executor, without the stacks of Java and Python."""
    lines = [line.strip() for line in str(error).splitlines()]
    causes = [line for line in lines if "Error: " in line or "Exception: " in line]
    return causes[-1] if causes else lines[0]
