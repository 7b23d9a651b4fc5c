"""Digests of a run's inputs and outputs, to tell whether another run would do anything."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version as installed_version
from pathlib import Path

from orchestration.settings import PACKAGE, PROJECT_ROOT, Settings
from orchestration.warehouse import audit
from orchestration.warehouse.snapshots import DATABASE, current_snapshot
from orchestration.warehouse.variables import Variable

_TOOLS = ("duckdb", "dbt-core", "dbt-duckdb")
_NOT_READ = frozenset({"__pycache__", "target", "logs"})


def digest(parts: Iterable[str]) -> str:
    """Digest of texts, in order."""
    hashed = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        hashed.update(len(encoded).to_bytes(8, "big"))
        hashed.update(encoded)
    return hashed.hexdigest()


def digest_of_models(settings: Settings, variables: Mapping[str, Variable]) -> str:
    """Digest of everything dbt's result depends on: landed data, rules, variables, program."""
    return digest([*_program(), json.dumps(variables, sort_keys=True), *states(settings.landing_folder)])


def digest_of_program(settings: Settings) -> str:
    """Digest of the code, tools and contexts, by content."""
    return digest([*_program(), *_contents(settings.contexts)])


def digest_of_files(settings: Settings) -> str:
    """Digest of everything a run leaves behind: landed files, both databases, report and exports."""
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
    """Whether the current snapshot is complete and was built from exactly this."""
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
    """Path, size and modification time of the working database and its day files."""
    return digest([*states(settings.warehouse_file), *states(settings.days_folder)])


def states(place: Path) -> Iterator[str]:
    """Path, size and modification time of a file, or of all files below a folder, in order."""
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
    # Whether the last billing month is still running depends on today's date.
    yield f"{datetime.now(UTC):%Y-%m-%d}"
    yield from (f"{tool} {installed_version(tool)}" for tool in _TOOLS)
    yield from _contents(PACKAGE)
    yield from _contents(PROJECT_ROOT / "dbt_project")


def _contents(place: Path) -> Iterator[str]:
    for folder, below, names in os.walk(place):
        below[:] = sorted(name for name in below if name not in _NOT_READ and not name.startswith("."))
        for name in sorted(names):
            path = Path(folder, name)
            yield path.relative_to(place).as_posix()
            yield hashlib.sha256(path.read_bytes()).hexdigest()
