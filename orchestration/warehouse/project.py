"""dbt's view of the assembled project: its variables and manifest.

Parses once per version of the project, and says where each run's dbt artifacts are.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse import parsed
from orchestration.warehouse.dbt import DbtError, DbtResult, OnEvent, run_dbt
from orchestration.warehouse.generate import AssembledProject, assemble_project
from orchestration.warehouse.variables import Variable, variables_of

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

RUNS_KEPT = 10
_MANIFEST = "manifest.json"  # dbt's name
_FOLDER = "parsed"  # `target` belongs to who runs dbt by hand


@dataclass(frozen=True)
class PreparedProject:
    """An assembled project with its manifest and the variables of every dbt command."""

    assembled: AssembledProject
    variables: Mapping[str, Variable]
    runs: Path
    # What this process parsed, for the first command only: dbt modifies it.
    just_parsed: list[Manifest] = field(default_factory=list)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The parsed manifest."""
        manifest: dict[str, Any] = json.loads((self._parsed / _MANIFEST).read_bytes())
        return manifest

    @property
    def rules_fingerprint(self) -> str:
        """Fingerprint of the rules, as in the macro of this name; a new value recomputes every day."""
        variables = ("hourly_costs_days", "anomaly_dimension", "anomaly_hourly_series")
        return "-".join(
            [self.assembled.rules_fingerprint, *(str(self.variables[name]) for name in variables)]
        )

    def dbt(self, *command: str, folder: Path, on_event: OnEvent | None = None) -> DbtResult:
        """Run a dbt command, always with the same variables; `folder` gets its log and compiled SQL."""
        manifest = self.just_parsed.pop() if self.just_parsed else None
        # A version of the project never changes, so dbt need not check its files for changes.
        known = ["--partial-parse-file-path", str(self._parsed / parsed.PARSED)]
        known += ["--no-partial-parse-file-diff", "--no-write-json"]
        arguments = [*command, *known, *self.vars_arguments]
        return run_dbt(self.assembled.folder, arguments, folder, manifest, on_event)

    @property
    def vars_arguments(self) -> list[str]:
        """The variables as arguments of dbt; other values would make dbt parse again."""
        return ["--vars", json.dumps(self.variables, sort_keys=True)]

    @property
    def _parsed(self) -> Path:
        return self.assembled.folder / _FOLDER

    def artifacts_of_run(self, run_id: str) -> Path:
        """Folder of one run's dbt log, compiled SQL and results; old ones are removed."""
        self.runs.mkdir(parents=True, exist_ok=True)
        newest_first = sorted(self.runs.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for folder in newest_first[RUNS_KEPT - 1 :]:
            shutil.rmtree(folder, ignore_errors=True)
        return self.runs / run_id


@dataclass(frozen=True)
class BrokenProject:
    """In place of a project that cannot be prepared: why, and the manifest of the last one that could.

    Without any, the manifest has no nodes.
    """

    problem: ExpectedError
    manifest: dict[str, Any]


def prepare_or_last(
    settings: Settings, problem: ExpectedError | None = None
) -> PreparedProject | BrokenProject:
    """The prepared project; with a `problem`, or one that does not compile, what is left of the last."""
    if problem:
        return BrokenProject(problem, _last_manifest(settings))
    try:
        return prepare_project(settings)
    except ExpectedError as problem:
        return BrokenProject(problem, _last_manifest(settings))


def _last_manifest(settings: Settings) -> dict[str, Any]:
    by_age = sorted(
        (settings.workspace / "dbt_projects").glob(f"*/{_FOLDER}/{_MANIFEST}"),
        key=lambda path: path.stat().st_mtime,
    )
    for path in (settings.dbt_project / _FOLDER / _MANIFEST, *reversed(by_age)):
        if path.is_file():
            manifest: dict[str, Any] = json.loads(path.read_bytes())
            return manifest
    return {"nodes": {}, "sources": {}}


def prepare_project(settings: Settings, *, validate: bool = False) -> PreparedProject:
    """Assemble the project and parse it, each only when something changed; see `run_dbt` for `validate`.

    Raises `ContextProblems`, or `DbtError` with dbt's own message when the project does not parse.
    """
    assembled = assemble_project(settings)
    settings.days_folder.mkdir(parents=True, exist_ok=True)
    project = PreparedProject(
        assembled,
        variables_of(settings, assembled.compilation.program.feedback),
        settings.workspace / "dbt_runs",
    )
    _parse_when_needed(project, settings.cache.expanduser(), validate)
    return project


def _parse_when_needed(project: PreparedProject, cache: Path, validate: bool) -> None:
    """Parse into a folder next to `parsed` and rename it, so that a manifest is complete or absent."""
    parsed_folder = project.assembled.folder / _FOLDER
    # The folder, because dbt keeps where it found the seeds.
    versions = {"written": project.assembled.written_fingerprint, "dbt": version("dbt-core")}
    inputs = json.loads(
        json.dumps({"folder": str(project.assembled.folder), **versions, **project.variables})
    )
    parsed_with = parsed_folder / parsed.PARSED_WITH
    if parsed_with.is_file() and json.loads(parsed_with.read_text(encoding="utf-8")) == inputs:
        return
    unfinished = project.assembled.folder / f"{_FOLDER}.{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    of_this_program = cache / "parsed" / project.assembled.written_fingerprint[:16]
    of_workspace = project.assembled.folder.parent.glob(f"*/{_FOLDER}/{parsed.PARSED}")
    before = sorted(of_workspace, key=lambda path: path.stat().st_mtime)
    only_moved = False
    for path in before[-1:] or of_this_program.glob(parsed.PARSED):
        # Of a damaged one nothing is used, and dbt parses everything.
        with contextlib.suppress(ValueError):
            content, only_moved = parsed.fit(path.parent, inputs)
            (unfinished / parsed.PARSED).write_bytes(content)
    command = ["parse", *project.vars_arguments]
    result = run_dbt(project.assembled.folder, command, unfinished, validate=validate, only_moved=only_moved)
    if not result.is_success or result.manifest is None:
        raise DbtError(result.error)
    project.just_parsed.append(result.manifest)
    (unfinished / parsed_with.name).write_text(json.dumps(inputs, sort_keys=True), encoding="utf-8")
    shutil.rmtree(parsed_folder, ignore_errors=True)
    try:
        unfinished.rename(parsed_folder)
    except OSError:
        # A concurrent process parsed the same version.
        if not parsed_with.is_file():
            raise
        shutil.rmtree(unfinished)
    parsed.keep(parsed_folder, of_this_program)
