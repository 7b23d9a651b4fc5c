"""Versions of the dbt project, of which each is parsed from what dbt knows of the one before."""

from __future__ import annotations

import shutil
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

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


def test_a_new_workspace_has_what_another_one_parsed_and_parses_only_what_differs(tmp_path: Path) -> None:
    def manifest(company: str, cache: str) -> dict[str, Any]:
        contexts = tmp_path / company / "contexts"
        settings = Settings(workspace=tmp_path / company, contexts=contexts, cache=tmp_path / cache)
        shutil.rmtree(settings.workspace / "dbt_projects", ignore_errors=True)
        return prepare_project(settings).manifest

    for company in ("one", "two"):
        small_company.write_contexts(tmp_path / company / "contexts")
    (tmp_path / "two" / "contexts" / "dimensions" / "tier.yml").write_text(
        "dimension: tier\ndescription: Tier\nrules:\n  - {element: idle, when: {tag: app, equals: idle}}\n"
    )
    first = manifest("one", "cache")
    found = manifest("two", "cache")
    parsed_anew = manifest("two", "another cache")
    assert _when_made(found["macros"]) == _when_made(first["macros"]) != _when_made(parsed_anew["macros"])
    assert str(tmp_path / "one") not in str(found)
    for kind in ("nodes", "sources", "macros", "exposures", "unit_tests", "child_map"):
        assert _without_times(found[kind]) == _without_times(parsed_anew[kind]), kind


def test_a_damaged_cache_is_not_used(tmp_path: Path) -> None:
    contexts, cache = tmp_path / "contexts", tmp_path / "cache"
    small_company.write_contexts(contexts)
    prepare_project(Settings(workspace=tmp_path / "one", contexts=contexts, cache=cache))
    [kept] = cache.rglob("partial_parse.msgpack")
    kept.write_bytes(kept.read_bytes()[:1000])
    project = prepare_project(Settings(workspace=tmp_path / "two", contexts=contexts, cache=cache))
    assert project.manifest["nodes"]


@pytest.mark.parametrize(
    ("memory", "is_known"), [("12GB", True), ("8gb", True), ("80%", True), ("lots", False)]
)
def test_memory_is_written_as_duckdb_reads_it(memory: str, is_known: bool) -> None:
    with nullcontext() if is_known else pytest.raises(ValidationError, match="duckdb_memory_limit"):
        Settings(duckdb_memory_limit=memory)


def _when_made(macros: dict[str, Any]) -> set[float]:
    return {macro["created_at"] for macro in macros.values() if macro["package_name"] == "dbt"}


def _without_times(found: Any) -> Any:
    if isinstance(found, dict):
        # The checksum of a hook is that of the project file, which has the places of the workspace.
        left_out = {"created_at", "checksum"} if found.get("resource_type") == "operation" else {"created_at"}
        return {key: _without_times(value) for key, value in found.items() if key not in left_out}
    # dbt adds to these lists in the order in which it parses.
    return sorted(map(str, map(_without_times, found))) if isinstance(found, list) else found
