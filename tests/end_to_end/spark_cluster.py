"""A cluster of Spark on this machine: a master, and two workers that count as two hosts.

`local-cluster` has one host only, and Spark never races a task on the host where it runs already.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb
import pytest

from orchestration.settings import PROJECT_ROOT, Settings, SparkSettings
from orchestration.warehouse.dbt_results import failures_of
from orchestration.warehouse.project import prepare_project
from orchestration.warehouse.spark.build import build_on_spark
from orchestration.warehouse.spark.session import java_without_fork

ABSENT = None if shutil.which("java") else "no Java runtime: days are not computed on Spark (docs/spark.md)"
needs_java = pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))
HOSTS = ("127.0.0.2", "127.0.0.3")
CONNECT_PORT = "spark.connect.grpc.binding.port"

_CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.executorEnv.PYTHONPATH": str(PROJECT_ROOT),
    "spark.executorEnv.AWS_ACCESS_KEY_ID": "test",
    "spark.executorEnv.AWS_SECRET_ACCESS_KEY": "test",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.speculation": "true",
    "spark.speculation.interval": "100ms",
    "spark.speculation.minTaskRuntime": "2s",
    "spark.speculation.quantile": "0.5",
    "spark.plugins": "org.apache.spark.sql.connect.SparkConnectPlugin",
}


def free_port() -> str:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        return str(free.getsockname()[1])


@contextmanager
def cluster(folder: Path) -> Iterator[SparkSettings]:
    """The cluster's settings, with a session open that runs in it, and serves Spark Connect to others."""
    import pyspark
    from pyspark.sql import SparkSession

    home = Path(pyspark.__file__).parent
    port, connect_port = free_port(), free_port()
    master = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    worker = (f"{deploy}.worker.Worker", "--cores", "1", "--memory", "1g", "--webui-port", "0")
    commands = [
        (f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", port, "--webui-port", "0"),
        *((*worker, "--host", host, "--work-dir", str(folder / host), master) for host in HOSTS),
    ]
    processes = []
    try:
        for command in commands:
            log = (folder / f"{len(processes)}.log").open("wb")
            processes.append(
                subprocess.Popen(
                    [str(home / "bin" / "spark-class"), *command],
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m"},
                )
            )
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PYSPARK_PYTHON", sys.executable)
            settings = SparkSettings(master=master, conf={**_CONF, CONNECT_PORT: connect_port})
            builder = SparkSession.builder.master(master)
            for name, value in settings.conf.items():
                builder = builder.config(name, value)
            with java_without_fork():
                session = builder.getOrCreate()
            yield settings
            session.stop()
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def check_same_on_spark(spark: SparkSettings, finished: Settings, root: Path, batch_rows: int) -> None:
    """Build the marts once more from what has landed, with days on Spark: every row is the same."""
    given = {**finished.model_dump(exclude_unset=True), "landing": finished.landing_folder, "spark": spark}
    settings = Settings(**{**given, "workspace": root, "engine": "spark", "batch_rows": batch_rows})
    said: list[str] = []
    result = build_on_spark(settings, prepare_project(settings), root / "dbt", lambda _: None, said.append)
    assert result.is_success, failures_of(settings, result)
    assert len(said) >= 4  # two waves of several slices
    with closing(duckdb.connect()) as connection:
        for name, each in {"one_machine": finished, "cluster": settings}.items():
            connection.execute(f"attach '{each.warehouse_file}' as {name} (read_only)")
        marts = connection.execute(
            "select table_name from information_schema.tables "
            "where table_schema = 'marts' and table_catalog = 'cluster'"
        ).fetchall()
        assert len(marts) > 20
        for (mart,) in marts:
            found = []
            for name in ("one_machine", "cluster"):
                connection.execute(f"use {name}")  # views of marts name their inputs without a database
                rows = f"select count(*), sum(hash(found)::hugeint) from marts.{mart} as found"
                found.append(connection.execute(rows).fetchall())
            assert found[0] == found[1], mart
