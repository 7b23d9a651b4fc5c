"""Open Spark, as the settings say."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orchestration.settings import PACKAGE, ExpectedError, SparkSettings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_QUIET = {"spark.log.level": "ERROR", "spark.ui.showConsoleProgress": "false", "spark.ui.enabled": "false"}


class SparkError(ExpectedError):
    """Spark cannot be started, or cannot compute the days; the message has its reason."""


@contextmanager
def open_spark(settings: SparkSettings) -> Iterator[SparkSession]:
    """A session of Spark; one that was open before, such as that of spark-submit, stays open.

    Raises `SparkError` if pyspark or Java is missing, or the address does not answer.
    """
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise SparkError(
            f'engine: spark needs pyspark: pip install "cost-per-customer[spark]" ({error})'
        ) from error
    before = SparkSession.getActiveSession()
    builder = SparkSession.builder.appName("cost-per-customer")
    if settings.remote:
        builder = builder.remote(settings.remote)
    elif settings.master:
        builder = builder.master(settings.master)
    conf = {**_QUIET, **settings.conf}
    if settings.master.startswith("local"):
        # For executors on this machine; others have what docs/spark.md gives them.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        conf.setdefault("spark.executorEnv.PYTHONPATH", str(PACKAGE.parent))
    for name, value in conf.items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        where = settings.remote or settings.master or "the master of spark-submit"
        raise SparkError(
            f"Spark does not start on {where}: {error}. It needs Java 17 or newer; see docs/spark.md."
        ) from error
    try:
        yield session
    finally:
        if before is None:
            session.stop()
