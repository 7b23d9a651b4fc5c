"""A copy of the workspace's dbt project, which runs leave alone: for editors and plain dbt."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.generate import assemble_project
from orchestration.warehouse.variables import PROJECT


class ForeignFolderError(ExpectedError):
    """The folder holds something else; nothing was written."""


def copy_project(settings: Settings, folder: Path) -> None:
    """Write the workspace's dbt project into `folder`, in place of an earlier copy.

    Raises `ForeignFolderError` for a folder that holds anything else.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / PROJECT).is_file():
        raise ForeignFolderError(f"{folder} is neither empty nor a copy of the dbt project; choose another")
    source = assemble_project(settings).folder
    settings.days_folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        if path.is_dir():
            shutil.rmtree(folder / path.name, ignore_errors=True)
    not_copied = shutil.ignore_patterns("parsed*", "target", "logs")
    shutil.copytree(source, folder, ignore=not_copied, dirs_exist_ok=True)
