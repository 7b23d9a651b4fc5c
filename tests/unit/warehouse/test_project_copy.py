"""The copy of the dbt project for plain dbt and editors."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from orchestration.settings import Settings
from orchestration.warehouse.project_copy import ForeignFolderError, copy_project


def test_a_copy_has_the_paths_of_its_workspace_and_the_compiled_models(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "workspace")
    copy = tmp_path / "copy"
    for _ in range(2):
        copy_project(settings, copy)
        described = yaml.safe_load((copy / "dbt_project.yml").read_text())
        assert described["vars"]["landing"] == str(settings.landing_folder)
        assert "{{ var(" not in (copy / "dbt_project.yml").read_text()
        profile = yaml.safe_load((copy / "profiles.yml").read_text())[described["profile"]]
        assert profile["outputs"]["duckdb"]["path"] == str(settings.warehouse_file)
        assert (copy / "models" / "context" / "charges_in_context.sql").is_file()
        # A model that a later version does not have is not left behind.
        assert not (copy / "models" / "marts" / "old.sql").exists()
        (copy / "models" / "marts" / "old.sql").write_text("select 1")


def test_a_folder_with_other_files_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(ForeignFolderError, match="is neither empty nor a copy of the dbt project"):
        copy_project(Settings(workspace=tmp_path / "workspace"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
