"""Open Spark, as the settings say."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from orchestration.settings import PACKAGE, ExpectedError, SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SECONDS_TO_ANSWER = 30
_QUIET = {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false", "spark.ui.enabled": "false"}


class SparkError(ExpectedError):
    """Spark cannot be started, or cannot compute the days; the message has its reason."""


@contextmanager
def open_spark(settings: SparkSettings) -> Iterator[SparkSession]:
    """A session of Spark; one that was open before, such as that of spark-submit, stays open.

    Raises `SparkError` if pyspark or Java is missing, or the address does not answer.
    """
    try:
        from py4j.protocol import Py4JError  # type: ignore[import-untyped]
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SparkError(
            f'engine: spark needs pyspark: pip install "cost-per-customer[spark]" ({error})'
        ) from error
    before = SparkSession.getActiveSession()
    builder = SparkSession.builder.appName("cost-per-customer")
    if settings.master and not settings.remote:
        builder = builder.master(settings.master)
    # A server of Spark Connect has its own; it accepts those of a session only.
    conf = settings.conf if settings.remote else {**_QUIET, **settings.conf}
    if settings.master.startswith("local"):
        # For executors on this machine; others have what docs/spark.md gives them.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        conf.setdefault("spark.executorEnv.PYTHONPATH", str(PACKAGE.parent))
    for name, value in conf.items():
        builder = builder.config(name, value)
    try:
        if settings.remote:
            _require_answer(settings.remote)
            builder = builder.remote(settings.remote)
        with java_without_fork():
            session = builder.getOrCreate()
    except (PySparkException, Py4JError, RuntimeError) as error:
        where = settings.remote or settings.master or "the master of spark-submit"
        needs = "" if settings.remote else " Is the master there, and Java 17 or newer?"
        reason = str(getattr(error, "java_exception", error)).partition("\n")[0].rstrip(".")
        raise SparkError(f"Spark does not start on {where}: {reason}.{needs} See docs/spark.md.") from error
    try:
        yield session
    finally:
        if before is None:
            session.stop()


@contextmanager
def java_without_fork() -> Iterator[None]:
    """Let pyspark start Java in a process group of its own.

    pyspark spares Java an interrupt by code that runs in a fork of this process, which with the threads of
    DuckDB and gRPC can end with a segmentation fault.
    """
    from pyspark import java_gateway

    gateway: Any = java_gateway
    start = gateway.Popen

    def start_in_group(command: list[str], **options: Any) -> Any:
        options.pop("preexec_fn", None)
        return start(command, process_group=0, **options)

    gateway.Popen = start_in_group
    try:
        yield
    finally:
        gateway.Popen = start


def _require_answer(remote: str) -> None:
    """Raise `SparkError` if no server of Spark Connect is there; Spark itself would try for ten minutes."""
    import grpc  # type: ignore[import-untyped]
    from pyspark.sql.connect.client import DefaultChannelBuilder

    with DefaultChannelBuilder(remote).toChannel() as channel:
        try:
            grpc.channel_ready_future(channel).result(SECONDS_TO_ANSWER)
        except grpc.FutureTimeoutError as error:
            raise SparkError(
                f"No server of Spark Connect answers at {remote} within {SECONDS_TO_ANSWER} s (spark.remote)."
            ) from error
