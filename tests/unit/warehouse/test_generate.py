"""The assembled dbt project: whole or absent, made once per version, problems all told."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import yaml

from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.warehouse.exposures import exposures_with_marts
from orchestration.warehouse.generate import (
    MARTS_MACRO,
    VERSIONS_KEPT,
    ContextProblems,
    ContextsMissingError,
    assemble_project,
    read_contexts,
    read_written_project,
)
from orchestration.warehouse.variables import FOCUS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    shutil.copytree(PROJECT_ROOT / "contexts", tmp_path / "contexts")
    return Settings(workspace=tmp_path / "workspace", contexts=tmp_path / "contexts")


def edit(settings: Settings, name: str, old: str, new: str) -> None:
    path = settings.contexts / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_holds_the_written_files_and_the_compiled_ones(settings: Settings) -> None:
    assembled = assemble_project(settings)
    written = read_written_project()
    assert settings.dbt_project.resolve() == assembled.folder
    on_disk = {
        path.relative_to(assembled.folder).as_posix(): path.read_text()
        for path in assembled.folder.rglob("*")
        if path.is_file()
    }
    assert assembled.rules_fingerprint in on_disk.pop("macros/context/project_fingerprint.sql")
    assert "'customer_costs_daily'" in on_disk.pop(MARTS_MACRO)
    described = yaml.safe_load(on_disk.pop("dbt_project.yml"))
    assert described["vars"]["landing"] == str(settings.landing_folder)
    assert str(settings.warehouse_file) in on_disk.pop("profiles.yml")
    del written["dbt_project.yml"], written["profiles.yml"]
    columns = [column["name"] for column in yaml.safe_load(on_disk.pop(FOCUS))["models"][0]["columns"]]
    every = [column["name"] for column in yaml.safe_load(written.pop(FOCUS))["models"][0]["columns"]]
    since = [name for name in every if name.startswith("Allocated")]
    since += ["HostProviderName", "ServiceProviderName", "x_PoolId"]
    assert columns == [name for name in every if name not in since]
    assert on_disk == {**written, **assembled.compilation.files, **exposures_with_marts(written)}
    assert "models/context/charges_in_context.sql" in on_disk
    assert not [path for path, text in on_disk.items() if "__dimensions__" in text]


def test_nothing_is_written_when_nothing_changed(settings: Settings) -> None:
    first = assemble_project(settings)
    before = {path: path.stat().st_mtime_ns for path in first.folder.rglob("*")}
    second = assemble_project(settings)
    assert second.rules_fingerprint == first.rules_fingerprint
    assert {path: path.stat().st_mtime_ns for path in second.folder.rglob("*")} == before


def test_an_edited_rule_is_another_version_and_the_old_one_stays(settings: Settings) -> None:
    first = assemble_project(settings)
    edit(settings, "dimensions/team.yml", "dimension: team", "# who pays\ndimension: team")
    second = assemble_project(settings)
    assert second.rules_fingerprint != first.rules_fingerprint
    assert settings.dbt_project.resolve() == second.folder
    assert (first.folder / "dbt_project.yml").is_file()


def test_old_versions_go_after_a_while(settings: Settings) -> None:
    for number in range(VERSIONS_KEPT + 2):
        edit(
            settings, "dimensions/team.yml", "dimension: team", f"# moves the rules {number}\ndimension: team"
        )
        assembled = assemble_project(settings)
    kept = list(assembled.folder.parent.iterdir())
    assert len(kept) == VERSIONS_KEPT
    assert assembled.folder in kept


def test_every_problem_is_told_and_the_workspace_keeps_its_version(settings: Settings) -> None:
    before = assemble_project(settings).folder
    edit(settings, "dimensions/team.yml", "dimension: team", "dimension: team\ncolour: red")
    edit(settings, "dimensions/region.yml", "dimension: region", "dimension: region\nshape: round")
    with pytest.raises(ContextProblems) as raised:
        assemble_project(settings)
    told = str(raised.value)
    assert "2 problems" in told
    assert "contexts/dimensions/team.yml:" in told
    assert "contexts/dimensions/region.yml:" in told
    assert settings.dbt_project.resolve() == before


def test_a_file_that_is_no_text_is_a_problem_with_its_place(settings: Settings) -> None:
    (settings.contexts / "dimensions" / "team.yml").write_bytes(b"dimension: t\xe9am\n")
    with pytest.raises(ContextProblems, match=r"contexts/dimensions/team\.yml:1:1 yaml-syntax: byte 13 "):
        read_contexts(settings.contexts)


@pytest.mark.parametrize("kind", ["folder", "link to nothing", "link to itself", "pipe"])
def test_what_is_no_file_is_a_problem_with_its_place(settings: Settings, kind: str) -> None:
    path = settings.contexts / "dimensions" / "tier.yml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/nowhere" if kind == "link to nothing" else path)
    with pytest.raises(ContextProblems, match=r"tier\.yml:1:1 .* is no file, or a link to none"):
        read_contexts(settings.contexts)


def test_an_absent_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContextsMissingError, match=str(tmp_path / "nowhere")):
        read_contexts(tmp_path / "nowhere")
