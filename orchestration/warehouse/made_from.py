"""Digests that tell whether a run would do anything: of the inputs of models, and of the files on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

from orchestration.settings import PROJECT_ROOT, Settings
from orchestration.warehouse import audit
from orchestration.warehouse.snapshots import DATABASE, current_snapshot

_PROGRAM = ("orchestration", "dbt_project")
_TOOLS = ("duckdb", "dbt-core", "dbt-duckdb")
_NOT_READ = frozenset({"__pycache__", "target", "logs"})


def digest(parts: Iterable[str]) -> str:
    """One digest of texts, of which each counts, and their order."""
    hashed = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        hashed.update(len(encoded).to_bytes(8, "big"))
        hashed.update(encoded)
    return hashed.hexdigest()


def digest_of_models(settings: Settings, variables: Mapping[str, str | int]) -> str:
    """Of everything that dbt's result depends on: what has landed, the rules, the variables, the program."""
    return digest([*_program(), json.dumps(variables, sort_keys=True), *states(settings.landing_folder)])


def digest_of_program(settings: Settings) -> str:
    """Of the code, the tools and the contexts, by content."""
    return digest([*_program(), *_contents(settings.contexts)])


def digest_of_files(settings: Settings) -> str:
    """Of the state of all that a run leaves behind: landed files, both databases, report and exports."""
    published = settings.published_folder
    places = (
        settings.landing_folder,
        settings.warehouse_file,
        settings.days_folder,
        (published / "current").resolve(),
        (published / "current.duckdb").resolve(),
        published / "report.html",
        settings.export_folder / "current" / "export.json",
    )
    return digest(state for place in places for state in states(place))


def is_published(settings: Settings, made_from: str) -> bool:
    """Whether readers have a whole snapshot of checked marts that were made from just this."""
    known = audit.last(settings)
    if known is None or not known.snapshot or known.made_from != made_from:
        return False
    snapshot = current_snapshot(settings.published_folder)
    return (
        snapshot is not None
        and snapshot.folder.name == known.snapshot
        and (settings.published_folder / "current.duckdb").resolve() == snapshot.folder / DATABASE
        and known.database == state_of_database(settings)
    )


def state_of_database(settings: Settings) -> str:
    """Of the working database: its file and the files of the days, and when each was written last."""
    return digest([*states(settings.warehouse_file), *states(settings.days_folder)])


def states(place: Path) -> Iterator[str]:
    """Path, size and time of the last change of a file, or of all files below a folder, in order."""
    if not place.is_dir():
        yield _state(place) if place.exists() else f"{place} is absent"
        return
    for folder, below, names in os.walk(place):
        below.sort()
        for name in sorted(names):
            yield _state(Path(folder, name))


def _state(path: Path) -> str:
    found = path.stat()
    return f"{path} {found.st_size} {found.st_mtime_ns}"


def _program() -> Iterator[str]:
    # Whether the last month of a bill is still running depends on the day.
    yield f"{datetime.now(UTC):%Y-%m-%d}"
    yield from (f"{tool} {installed_version(tool)}" for tool in _TOOLS)
    for name in _PROGRAM:
        yield from _contents(PROJECT_ROOT / name)


def _contents(place: Path) -> Iterator[str]:
    for folder, below, names in os.walk(place):
        below[:] = sorted(name for name in below if name not in _NOT_READ and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            yield path.relative_to(place).as_posix()
            yield hashlib.sha256(path.read_bytes()).hexdigest()
