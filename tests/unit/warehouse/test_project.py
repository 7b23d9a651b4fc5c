"""Versions of the dbt project, of which each is parsed from what dbt knows of the one before."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.settings import Settings
from orchestration.warehouse import generate
from orchestration.warehouse.project import prepare_project
from tests.end_to_end import small_company


def test_seeds_are_read_from_the_version_of_the_run_when_old_ones_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generate, "VERSIONS_KEPT", 2)
    contexts = tmp_path / "contexts"
    small_company.write_contexts(contexts)
    workspace = tmp_path / "workspace"
    for feature in ("one", "two", "three"):
        rules = contexts / "dimensions" / "feature.yml"
        rules.write_text(f"{rules.read_text()}  - {{element: {feature}, when: {{tag: app, equals: x}}}}\n")
        project = prepare_project(Settings(workspace=workspace, contexts=contexts))
    assert len(list((workspace / "dbt_projects").iterdir())) == 2
    # As another process does: with what was parsed into files.
    project.just_parsed.clear()
    result = project.dbt("seed", folder=tmp_path / "dbt")
    assert result.is_success, result.error
