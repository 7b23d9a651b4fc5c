"""dbt on one assembled project, as Dagster starts it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

from dagster_dbt import DbtCliResource
from packaging.version import Version


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


def dbt_resource(project: Path) -> Dbt:
    """dbt on one assembled project, whose folder also holds the profile."""
    executable = Path(sys.executable).with_name("dbt")
    return Dbt(project_dir=str(project), profiles_dir=str(project), dbt_executable=str(executable))
