"""dbt in this process: one command on one assembled project, and what became of each model and test.

A process of its own would import dbt and read the parsed project once more, and say everything as JSON. Here
dbt also dies with the run that started it, so nothing goes on writing to a database whose lock is free.

What belongs here: calling dbt and keeping what it says. What does not: which commands are run (`project.py`)
and how people are told of results (`dbt_results.py`).
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
# The log is written here, from the events: dbt's own would be slow to make, and hold 8 MB of queries a run.
_QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-use-colors")


class DbtError(ExpectedError):
    """dbt could not do at all what it was told to, such as read the project; the message is dbt's own."""


@dataclass(frozen=True)
class DbtResult:
    """What became of a dbt command: its nodes in the order in which they ended, or the error that stopped it.

    `manifest` is what `parse` parsed.
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
) -> DbtResult:
    """Run one dbt command; compiled SQL and the log `dbt.log` go to `folder`.

    `manifest` saves dbt reading the project. `on_event` gets dbt's events of level info and above, as they
    happen, in dbt's own thread. With `validate` dbt checks the form of the project's files, which a test does
    once for all runs: they are part of this program.
    """
    from dbt.cli.main import dbtRunner
    from dbt_common.events.event_manager_client import ctx_set_event_manager
    from dbt_common.events.functions import msg_to_dict

    from orchestration.warehouse.dbt_events import NoticeableEvents

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
        # dbt goes to the project's folder and stays there.
        with contextlib.chdir(project), contextlib.nullcontext() if validate else _unvalidated():
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
    """Without dbt's checks against JSON schemas, which it first makes of its own classes, in 3 seconds."""
    from dbt_common.dataclass_schema import dbtClassMixin

    validate = dbtClassMixin.__dict__["validate"]
    dbtClassMixin.validate = classmethod(lambda *_: None)  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        dbtClassMixin.validate = validate  # type: ignore[method-assign]


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
        note()  # a command that says nothing once it has the database open, such as `compile`
        reset_adapters()  # type: ignore[no-untyped-call]
        for environment in opened.values():
            environment.close()
