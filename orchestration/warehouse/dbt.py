"""Run dbt in this process: one command on an assembled project, with the result of each model and test.

A separate process would import dbt and load the parsed project again, and report everything as JSON. In this
process dbt also ends with its run, so nothing keeps writing to the database once the lock is free.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orchestration.settings import ExpectedError

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult
    from dbt.contracts.graph.manifest import Manifest

Event = Mapping[str, Any]
OnEvent = Callable[[Event], None]

LOG_NAME = "dbt.log"
# The log is written here, from events: dbt's own is slow to write and has 8 MB of queries per run.
_QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-use-colors")


class DbtError(ExpectedError):
    """dbt could not execute the command at all, such as read the project; has dbt's own message."""


@dataclass(frozen=True)
class DbtResult:
    """Result of a dbt command: its nodes in the order they finished, or the error that stopped it.

    `manifest` is the result of `parse`.
    """

    is_success: bool
    nodes: tuple[RunResult, ...]
    error: str
    folder: Path
    manifest: Manifest | None = None


def run_dbt(
    project: Path,
    command: Sequence[str],
    folder: Path,
    manifest: Manifest | None = None,
    on_event: OnEvent | None = None,
    *,
    validate: bool = False,
    only_moved: bool = False,
) -> DbtResult:
    """Run one dbt command; compiled SQL and the log `dbt.log` go to `folder`.

    `manifest` saves dbt reading the project. `on_event` gets dbt's events of level info and above, as they
    happen, in dbt's own thread. With `validate` dbt checks the form of the project's files, which a test does
    once for all runs: they are part of this program. `only_moved` says that what dbt parsed before, in
    `folder`, was parsed with the same variables but for places, which are already those of now.
    """
    from dbt.cli.main import dbtRunner
    from dbt_common.events.event_manager_client import ctx_set_event_manager
    from dbt_common.events.functions import msg_to_dict

    from orchestration.warehouse.dbt_events import NoticeableEvents, only_what_is_read

    folder.mkdir(parents=True, exist_ok=True)
    arguments = [*command, *_QUIET, "--project-dir", str(project), "--profiles-dir", str(project)]
    arguments += ["--target-path", str(folder), "--log-path", str(folder)]
    errors: list[str] = []
    with (folder / LOG_NAME).open("a", encoding="utf-8") as log, _database_of_dbt() as note_database:

        def hear(message: Any) -> None:
            note_database()
            event = msg_to_dict(message)
            print(event["info"]["ts"], event["info"]["msg"], file=log, flush=True)
            if event["info"]["level"] == "error":
                errors.append(event["info"]["msg"])
            if on_event:
                on_event(event)

        ctx_set_event_manager(NoticeableEvents())
        # dbt changes to the project's folder and stays there.
        checked = contextlib.nullcontext() if validate else _unvalidated()
        moved = _moved() if only_moved else contextlib.nullcontext()
        with contextlib.chdir(project), checked, moved, only_what_is_read():
            ended = dbtRunner(manifest=manifest, callbacks=[hear]).invoke(arguments)
    found: Any = ended.result
    return DbtResult(
        is_success=ended.success,
        nodes=tuple(getattr(found, "results", ())),
        error=str(ended.exception or "\n".join(errors)),
        folder=folder,
        manifest=found if command[0] == "parse" and ended.success else None,
    )


@contextlib.contextmanager
def _unvalidated() -> Iterator[None]:
    """Skip dbt's JSON schema checks, which take 3 seconds to set up."""
    from dbt_common.dataclass_schema import dbtClassMixin

    validate = dbtClassMixin.__dict__["validate"]
    dbtClassMixin.validate = classmethod(lambda *_: None)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        dbtClassMixin.validate = validate  # type: ignore[method-assign]


@contextlib.contextmanager
def _moved() -> Iterator[None]:
    """Let dbt parse only the files that differ, though it would parse everything in another place."""
    from dbt.constants import PARTIAL_PARSE_FILE_NAME
    from dbt.parser.manifest import ManifestLoader, extended_mashumaro_encoder

    compare = ManifestLoader.is_partial_parsable

    def take(loader: ManifestLoader, parsed: Manifest) -> tuple[bool, None]:
        parsed.state_check = loader.manifest.state_check
        # dbt does not write it when no file differs, and the next command compares.
        target = Path(loader.root_project.project_target_path) / PARTIAL_PARSE_FILE_NAME
        target.write_bytes(parsed.to_msgpack(extended_mashumaro_encoder))
        return True, None

    ManifestLoader.is_partial_parsable = take  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        ManifestLoader.is_partial_parsable = compare  # type: ignore[method-assign]


@contextlib.contextmanager
def _database_of_dbt() -> Iterator[Callable[[], None]]:
    """Close the database that dbt opened: it forgets the connection, which would stay open in this process.

    Gives what is to be called while dbt has it open.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.adapters.factory import reset_adapters

    opened: dict[int, Any] = {}

    def note() -> None:
        environment = DuckDBConnectionManager._ENV
        if environment is not None:
            opened[id(environment)] = environment

    try:
        yield note
    finally:
        note()  # a command without events while the database is open, such as `compile`
        reset_adapters()  # type: ignore[no-untyped-call]
        for environment in opened.values():
            environment.close()
