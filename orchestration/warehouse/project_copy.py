"""A copy of the dbt project that plain dbt and editors can open: every variable of a run is filled in."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import yaml

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.project import prepare_project

_PROJECT, _PROFILES = "dbt_project.yml", "profiles.yml"


class ForeignFolderError(ExpectedError):
    """The folder holds something else; nothing was written."""


def copy_project(settings: Settings, folder: Path) -> None:
    """Write the workspace's dbt project into `folder`, in place of an earlier copy.

    Raises `ForeignFolderError` for a folder that holds anything else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / _PROJECT).is_file():
        raise ForeignFolderError(f"{folder} is neither empty nor a copy of the dbt project; choose another")
    project = prepare_project(settings)
    source = project.assembled.folder
    for path in source.iterdir():
        if path.is_dir():
            shutil.rmtree(folder / path.name, ignore_errors=True)
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("target*", "logs"), dirs_exist_ok=True)
    # dbt itself fills variables into its project file from the command line only.
    text = re.sub(
        r"\"\{\{ var\('(\w+)'\) \}\}\"",
        lambda found: json.dumps(project.variables[found[1]]),
        (source / _PROJECT).read_text(encoding="utf-8"),
    )
    described = yaml.safe_load(text)
    described["vars"] |= project.variables
    _write(folder / _PROJECT, described)
    profiles = yaml.safe_load((source / _PROFILES).read_text(encoding="utf-8"))
    for output in profiles[described["profile"]]["outputs"].values():
        output["path"] = str(settings.warehouse_file)
    _write(folder / _PROFILES, profiles)


def _write(path: Path, document: object) -> None:
    path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
