"""A task: compute one slice of days in DuckDB, with the statements that dbt planned. Runs in an executor.

An attempt writes its files under names of its own and lists them only when all are complete, so an attempt
that is killed, repeated or raced by another one leaves at most files that nobody lists.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from orchestration.warehouse.spark.storage import Storage
from orchestration.warehouse.sql import literal, quoted

if TYPE_CHECKING:
    import pyarrow as pa

DayFile = tuple[str, date, str | None, int]
"""Model, day, its file (None: the day has no rows) and number of rows."""

INPUTS = "inputs.duckdb"
RESULT = "model string, day date, file string, row_count long"
"""A `DayFile` as a schema of Spark."""


@dataclass(frozen=True)
class DailyModel:
    """A model kept by day, `schema.name`, and its statements: see `plan_days` in macros/by_day.sql."""

    name: str
    write_files: str
    rows_of_files: str
    no_rows: str

    def rows(self, files: Sequence[str]) -> str:
        """Query: the rows of the files."""
        if not files:
            return self.no_rows
        return self.rows_of_files.replace("'__files__'", ", ".join(map(literal, files)))


@dataclass(frozen=True)
class Work:
    """What tasks compute: `models`, in order, for each slice of days.

    `inputs` is a folder, its `inputs.duckdb` has everything else that they read, as `database`; `known` are
    the files of models of earlier waves. With `storage`, the folders are in it.
    """

    run: str
    database: str
    inputs: str
    days_folder: str
    options: Mapping[str, Any]
    slices: tuple[tuple[date, ...], ...]
    models: tuple[DailyModel, ...]
    known: tuple[tuple[DailyModel, tuple[str, ...]], ...] = ()
    wave: int = 1
    storage: Storage | None = None

    def mark(self, name: str) -> None:
        """Leave a mark for the driver: the attempt of this name has finished."""
        if self.storage:
            self.storage.mark(f"{self.inputs}/{name}")
        else:
            Path(self.inputs, name).touch()

    def marks(self) -> set[str]:
        """Names of the wave's marks."""
        if self.storage:
            names = {key.rpartition("/")[2] for key in self.storage.keys(f"{self.inputs}/")}
        else:
            names = {path.name for path in Path(self.inputs).iterdir()}
        return {name for name in names if name.startswith(f"{self.wave}-")}

    def clear_marks(self) -> None:
        """Remove the wave's marks."""
        if self.storage:
            self.storage.delete(f"{self.inputs}/{name}" for name in self.marks())
        else:
            for name in self.marks():
                Path(self.inputs, name).unlink()


class DayError(Exception):
    """The days of a slice cannot be computed; names model and days."""


def compute(work: Work, number: int, attempt: str) -> list[DayFile]:
    """Compute the slice of this number: write its files and return them, one or more per model and day."""
    days, name = work.slices[number], f"{work.run}-{number}-{attempt}"
    with tempfile.TemporaryDirectory(prefix="cpc-days-") as folder:
        copied = Path(folder, INPUTS)
        if work.storage:
            work.storage.download({f"{work.inputs}/{INPUTS}": copied})
        else:
            shutil.copyfile(Path(work.inputs, INPUTS), copied)
        with closing(duckdb.connect(config={"temp_directory": folder})) as connection:
            if work.storage:
                work.storage.let_read(connection)
            for option, value in work.options.items():
                connection.execute(f"set {option} = $1", [value])
            connection.execute(f"attach {literal(copied)} as {quoted(work.database)}")
            connection.execute(f"use {quoted(work.database)}")
            connection.execute("set variable batch_days = $1", [list(days)])
            for model, files in work.known:
                connection.execute(f"create or replace view {model.name} as {model.rows(files)}")
            made: list[DayFile] = []
            target = folder if work.storage else work.days_folder
            for model in work.models:
                written = _compute_model(connection, model, days, name, target)
                made += _stored(work.storage, written, folder) if work.storage else written
            work.mark(f"{work.wave}-{number}-{attempt}")
            return made


def _compute_model(
    connection: duckdb.DuckDBPyConnection, model: DailyModel, days: Sequence[date], name: str, folder: str
) -> list[DayFile]:
    statement = model.write_files.replace("__folder__", folder).replace("__file__", name)
    try:
        written = connection.execute(statement).fetchall()
    except duckdb.Error as error:
        raise DayError(f"{model.name}, {days[0]} to {days[-1]}: {error}") from error
    files = [
        (date.fromisoformat(file.rsplit("/", 2)[1].partition("=")[2]), file, rows)
        for file, rows, *_ in written
    ]
    if astray := {day for day, _, _ in files} - {*days}:
        raise DayError(f"{model.name} has rows of days that are not of the slice, such as {min(astray)}")
    connection.execute(f"create or replace view {model.name} as {model.rows([file for _, file, _ in files])}")
    empty = {*days} - {day for day, _, _ in files}
    return [(model.name, *file) for file in files] + [(model.name, day, None, 0) for day in sorted(empty)]


def _stored(storage: Storage, made: list[DayFile], folder: str) -> list[DayFile]:
    """Store files that were written to a folder; they, under the names that they have there."""
    keys = {file: f"days{file.removeprefix(folder)}" for _, _, file, _ in made if file}
    storage.upload({key: Path(file) for file, key in keys.items()})
    return [
        (model, day, f"{storage.url}/{keys[file]}" if file else None, rows) for model, day, file, rows in made
    ]


def run_tasks(work: Work, numbers: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Compute the slices of these numbers: the function that Spark maps over them."""
    import pyarrow as pa
    from pyspark import TaskContext

    task = TaskContext.get()
    assert task is not None
    kinds = {"model": pa.string(), "day": pa.date32(), "file": pa.string(), "row_count": pa.int64()}
    schema = pa.schema(kinds)
    attempt = str(task.taskAttemptId())
    limited = replace(work, options={"threads": task.cpus(), **work.options})
    for batch in numbers:
        for number in batch.column(0).to_pylist():
            made = compute(limited, number, attempt)
            rows = [dict(zip(schema.names, file, strict=True)) for file in made]
            yield pa.RecordBatch.from_pylist(rows, schema)
