"""Plan the days of a run: which models tasks compute, in which order, from which inputs."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import duckdb
import yaml

from orchestration.settings import Settings
from orchestration.warehouse.spark.shared import share_days, share_landing, storage_of
from orchestration.warehouse.spark.storage import Storage
from orchestration.warehouse.spark.task import INPUTS, DailyModel, Work
from orchestration.warehouse.sql import literal, quoted
from orchestration.warehouse.working_database import open_warehouse

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult

# A relation in compiled SQL; with a third group if macros/inputs_by_day.sql cut it to the days of the slice.
_RELATION = re.compile(r'"\w+"\."(\w+)"\."(\w+)"(?!\.)( where \w+ in getvariable\(\'batch_days\'\))?')
# They need the results of other days, or few days: dbt computes them after the days.
_TABLES = {"model", "seed"}
_NOT_BY_TASKS = ("period", "days_after", "days_kept", "made_again_after")


def daily_models(manifest: Mapping[str, Any]) -> list[str]:
    """Names of the models whose days tasks compute."""
    return sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["config"].get("materialized") == "by_day"
        and not any(node["config"].get(key) is not None for key in _NOT_BY_TASKS)
    )


@contextmanager
def planning() -> Iterator[None]:
    """In the block, dbt plans the days of these models instead of computing them: see macros/by_day.sql."""
    os.environ["DBT_PLAN_DAYS"] = "1"
    try:
        yield
    finally:
        del os.environ["DBT_PLAN_DAYS"]


@dataclass(frozen=True)
class Plan:
    """Days to compute: `waves` are the models of `work`, those of a wave after those of the one before.

    `earlier_files` are those of earlier runs' days, of models that some read whole, by model.
    """

    work: Work
    waves: Sequence[Sequence[DailyModel]]
    earlier_files: Mapping[str, Sequence[str]]


@contextmanager
def read_plan(settings: Settings, project: Path, planned: Sequence[RunResult]) -> Iterator[Plan]:
    """The days that dbt planned, from the results of its models. What tasks read exists within the block."""
    inputs = settings.days_folder / "inputs"
    shutil.rmtree(inputs, ignore_errors=True)  # left by a driver that was killed
    folder = inputs / uuid4().hex
    folder.mkdir(parents=True)
    try:
        tables = [result for result in planned if result.node.resource_type in _TABLES]
        yield _plan(settings, project, tables, folder)
    finally:
        shutil.rmtree(inputs)


def _plan(settings: Settings, project: Path, tables: Sequence[RunResult], folder: Path) -> Plan:
    with open_warehouse(settings, read_only=True) as warehouse:
        planned = warehouse.execute("from built.day_plan order by rowid").fetchall()
        models = tuple(DailyModel(*row) for row in planned)
        whole = _read_whole(models, tables)
        slices = warehouse.execute(
            "select list(usage_date order by usage_date) from staging.changed_days "
            "group by batch order by batch"
        ).fetchall()
        earlier = warehouse.execute(
            "select model, list(file order by file) from built.day_files where model in $1 "
            "and file is not null and period_start not in (select usage_date from staging.changed_days) "
            "group by model",
            [sorted(set[str]().union(*whole.values()))],
        ).fetchall()
    profile = yaml.safe_load((project / "profiles.yml").read_text(encoding="utf-8"))
    (output,) = next(iter(profile.values()))["outputs"].values()
    database = str(tables[0].node.database)
    storage = storage_of(settings)
    reading = share_landing(settings, storage) if storage else str
    models = tuple(replace(model, write_files=reading(model.write_files)) for model in models)
    inputs = folder / INPUTS
    _write_inputs(
        settings, inputs, database, tables, {model.name: model for model in models}, storage, reading
    )
    if storage:
        storage.upload({f"inputs/{folder.name}/{INPUTS}": inputs})
        earlier = [(model, share_days(settings, storage, files)) for model, files in earlier]
    limit = {"memory_limit": settings.spark.task_memory} if settings.spark.task_memory else {}
    work = Work(
        run=folder.name,
        database=database,
        inputs=f"inputs/{folder.name}" if storage else str(folder),
        days_folder=str(settings.days_folder),
        options={**output["settings"], **limit},
        slices=tuple(tuple(days) for (days,) in slices),
        models=models,
        storage=storage,
    )
    return Plan(work, _waves(models, whole), dict(earlier))


def _write_inputs(
    settings: Settings,
    inputs: Path,
    database: str,
    planned: Sequence[RunResult],
    models: Mapping[str, DailyModel],
    storage: Storage | None,
    reading: Callable[[str], str],
) -> None:
    """Copy what the daily models read besides landed files and days: tables with rows, views as they are."""
    with closing(duckdb.connect()) as connection:
        if storage:
            storage.let_read(connection)
        connection.execute(f"attach {literal(settings.warehouse_file)} as working (read_only)")
        connection.execute(f"attach {literal(inputs)} as {quoted(database)}")
        connection.execute(f"use {quoted(database)}")
        connection.execute("set variable batch_days = []::date[]")
        for result in planned:
            node: Any = result.node
            schema, name = node.schema, node.alias
            connection.execute(f"create schema if not exists {quoted(schema)}")
            relation = f"{quoted(schema)}.{quoted(name)}"
            if f"{schema}.{name}" in models:
                connection.execute(f"create view {relation} as {models[f'{schema}.{name}'].no_rows}")
            elif node.config.materialized == "view":
                connection.execute(f"create view {relation} as {reading(node.compiled_code)}")
            else:
                connection.execute(f"create table {relation} as from working.{relation}")


def _read_whole(models: Sequence[DailyModel], tables: Sequence[RunResult]) -> dict[str, set[str]]:
    """Names of the daily models that each model reads on more days than its own, maybe through views."""
    daily = {model.name: model.write_files for model in models}
    whole: dict[str, set[str]] = {}
    for result in tables:
        node: Any = result.node
        name = f"{node.schema}.{node.alias}"
        if name in daily or node.config.materialized == "view":
            found = whole[name] = set[str]()
            for match in _RELATION.finditer(daily.get(name, node.compiled_code)):
                read = f"{match[1]}.{match[2]}"
                if read not in daily:
                    found |= whole.get(read, set())
                elif name not in daily or not match[3]:
                    found.add(read)
    return whole


def _waves(models: Sequence[DailyModel], whole: Mapping[str, set[str]]) -> list[list[DailyModel]]:
    """The models in groups: all days of what a group reads whole are computed by the groups before it."""
    waves: list[list[DailyModel]] = []
    wave_of: dict[str, int] = {}
    for model in models:
        read = {f"{match[1]}.{match[2]}" for match in _RELATION.finditer(model.write_files)}
        of_slice = [wave_of[name] for name in read if name in wave_of]
        wave = max([0, *of_slice, *(wave_of[name] + 1 for name in whole[model.name])])
        wave_of[model.name] = wave
        waves += [[] for _ in range(wave + 1 - len(waves))]
        waves[wave].append(model)
    return waves
