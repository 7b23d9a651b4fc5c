"""The handles that assets work with, made from the settings: S3, dbt, and the working database.

What belongs here: how a deployment reaches these three. What does not: what is done with them.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import duckdb
from dagster_aws.s3 import S3Resource
from dagster_dbt import DbtCliResource
from packaging.version import Version

from orchestration.settings import Settings


class Dbt(DbtCliResource):
    """dbt of this Python environment, without what dagster-dbt does beside it.

    dagster-dbt asks `dbt --version`, which asks the package registry for news, and opens the warehouse a
    second time in this process. Both cost seconds of every run, and the first needs a network.
    """

    @cached_property
    def _cli_version(self) -> Version:
        return Version(installed_version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> Any:  # noqa: ARG002
        return None


class S3(S3Resource):
    """S3 whose client is made by who needs it.

    dagster-aws makes one more for every step, for code that takes the client from the context. None here
    does, and files in a folder need no client at all: a tenth of a second each.
    """

    def get_object_to_set_on_execution_context(self) -> None:
        """Nothing for a step's context."""


def s3_resource(settings: Settings) -> S3Resource:
    """S3 as the settings say; credentials come from boto3's usual chain."""
    return S3(endpoint_url=settings.s3.endpoint_url, region_name=settings.s3.region_name)


def dbt_resource(project: Path) -> Dbt:
    """dbt on one assembled project, whose folder also holds the profile."""
    executable = Path(sys.executable).with_name("dbt")
    return Dbt(project_dir=str(project), profiles_dir=str(project), dbt_executable=str(executable))


@contextmanager
def open_warehouse(settings: Settings, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to the working database, closed at the end of the block."""
    connection = duckdb.connect(str(settings.warehouse_file), read_only=read_only)
    try:
        if settings.duckdb_threads:
            connection.execute(f"set threads = {settings.duckdb_threads:d}")
        if settings.duckdb_memory_limit:
            connection.execute("set memory_limit = $1", [settings.duckdb_memory_limit])
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set enable_progress_bar = false")  # it would be drawn over the run's own
        yield connection
    finally:
        connection.close()
