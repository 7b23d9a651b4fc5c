"""Dagster's run history, made cheap to write.

Dagster reopens its SQLite files for every event, and SQLite checkpoints its log whenever the last connection
closes. On a slow disk that can take longer than the run itself, so the files are kept open for the whole run.
"""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteJobOrigin, RemoteRepositoryOrigin
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.tags import CODE_LOCATION_TAG, REPOSITORY_LABEL_TAG
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine

from orchestration.automation.jobs import DAILY_COSTS
from orchestration.warehouse.writer import remove_old_runs

STARTED_BY_TAG = "cpc/started_by"
_LOCATION = "cost_per_customer"  # as in workspace.yaml
_REPOSITORY = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(_LOCATION), SINGLETON_REPOSITORY_NAME)
_BUSY_SECONDS = 60  # that another process may keep a file locked


class OpenEventLog(SqliteEventLogStorage):
    """Dagster's event log on one connection per file; `command.yaml` of the Dagster home names it.

    A new connection for each event took half the time that a run's history costs.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._open: dict[str, Connection] = {}
        super().__init__(base_dir, inst_data)

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> OpenEventLog:
        """As created by Dagster from the configuration."""
        return cls(inst_data=inst_data, **config_value)

    @contextlib.contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            if shard not in self._open:
                arguments = {"check_same_thread": False, "timeout": _BUSY_SECONDS}
                engine = create_engine(self.conn_string_for_shard(shard), connect_args=arguments)
                if shard not in self._initialized_dbs:
                    self._initdb(engine)
                    self._initialized_dbs.add(shard)
                self._open[shard] = engine.connect()
            with self._open[shard].begin():
                yield self._open[shard]

    def dispose(self) -> None:
        """Close the files."""
        super().dispose()
        for connection in self._open.values():
            connection.close()
            connection.engine.dispose()
        self._open.clear()


class LocatedRuns(SqliteRunStorage):
    """Dagster's runs, as if launched from the code location of `workspace.yaml`.

    Its pages, such as the timeline, show no others. `command.yaml` of the Dagster home names this class.
    """

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> LocatedRuns:
        """As created by Dagster from the configuration."""
        return cls.from_local(inst_data=inst_data, **config_value)

    def add_run(self, dagster_run: dg.DagsterRun) -> dg.DagsterRun:
        """Record a new run."""
        origin = RemoteJobOrigin(_REPOSITORY, dagster_run.job_name)
        tags = {
            REPOSITORY_LABEL_TAG: _REPOSITORY.get_label(),
            CODE_LOCATION_TAG: _LOCATION,
            STARTED_BY_TAG: "cpc run",
            **dagster_run.tags,
        }
        return super().add_run(dagster_run.with_job_origin(origin).with_tags(tags))


@contextlib.contextmanager
def open_instance(home: Path, config: str) -> Iterator[dg.DagsterInstance]:
    """Open the Dagster instance of a home folder with one of its configuration files.

    Events survive a crash of this process; only a power failure can lose the latest. No cost depends on them.
    """
    kept: dict[str, sqlite3.Connection] = {}

    def keep_open(connection: Any, _: object) -> None:
        if not isinstance(connection, sqlite3.Connection):
            return
        connection.execute("pragma synchronous = normal")
        path = str(connection.execute("pragma database_list").fetchone()[2])
        if path.startswith(str(home)) and path not in kept:
            kept[path] = sqlite3.connect(path, check_same_thread=False)
            kept[path].execute("select count(*) from sqlite_master").fetchone()

    event.listen(Engine, "connect", keep_open)
    try:
        with dg.DagsterInstance.from_config(str(home), config) as instance:
            yield instance
    finally:
        event.remove(Engine, "connect", keep_open)
        for connection in kept.values():
            connection.close()


def record_unchanged_run(home: Path, config: str, last_run: str, snapshot: str, kept: int) -> None:
    """Record a successful run without steps, because nothing has changed since `last_run`.

    Of all runs, the latest `kept` stay.
    """
    run = dg.DagsterRun(
        job_name=DAILY_COSTS, run_id=str(uuid.uuid4()), tags={"nothing_changed_since_run": last_run}
    )
    with open_instance(home, config) as instance:
        instance.add_run(run)
        for kind, message in (
            (dg.DagsterEventType.RUN_START, "Compared the sources, the contexts and the program"),
            (
                dg.DagsterEventType.RUN_SUCCESS,
                f"Nothing changed since run {last_run}; readers keep snapshot {snapshot}",
            ),
        ):
            event = dg.DagsterEvent(event_type_value=kind.value, job_name=DAILY_COSTS, message=message)
            instance.report_dagster_event(event, run.run_id)
        remove_old_runs(instance, kept)
