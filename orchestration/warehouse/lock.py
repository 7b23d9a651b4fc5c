"""The writer lock: a run holds it from before its first step until after its last.

It is an operating system lock on a file, so it is released as soon as its holder exits, however it ends.
(Dagster's own queue only orders the runs of one daemon.)
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.settings import ExpectedError

Say = Callable[[str], None]
POLL_SECONDS = 0.2


class WriterBusyError(ExpectedError):
    """Another run held the workspace for longer than this one may wait; the message names it."""


@dataclass(frozen=True)
class Holder:
    """Current or last holder of the lock: process, run ('' if not known yet) and start time (UTC)."""

    pid: int
    run_id: str
    since: str

    def __str__(self) -> str:
        run = f", run {self.run_id}" if self.run_id else ""
        return f"process {self.pid}{run}, since {self.since}"


class WriterLock:
    """The lock of one workspace.

    Reentrant within a process, for a run whose caller already holds it. Not thread-safe.
    """

    _held: dict[Path, WriterLock] = {}

    def __init__(self, path: Path, database: Path, wait_seconds: float) -> None:
        self.path = path.resolve()
        self.database = database
        self.wait_seconds = wait_seconds
        self._file = -1

    @contextmanager
    def hold(self, say: Say, run_id: str = "") -> Iterator[Holder | None]:
        """Wait for the lock, hold it for the block, and yield the previous holder if it was killed.

        `say` gets one line if there is something to wait for. Raises `WriterBusyError` after `wait_seconds`.
        """
        outer = self._held.get(self.path)
        if outer is not None:
            outer._write(Holder(os.getpid(), run_id, _now()))
            yield None
            return
        deadline = time.monotonic() + self.wait_seconds
        self._file = self._open()
        try:
            self._wait_for_lock(deadline, say)
            dead = self._read()
            self._write(Holder(os.getpid(), run_id, _now()))
            with self._shared_with_children():
                self._wait_for_database(deadline, say)
                self._held[self.path] = self
                try:
                    yield dead
                finally:
                    del self._held[self.path]
            os.ftruncate(self._file, 0)
        finally:
            # Closed, not unlocked: a dbt process that is still running keeps holding the lock.
            os.close(self._file)
            self._file = -1

    def dead_holder(self) -> Holder | None:
        """The holder that was killed while holding the lock, if nobody has taken it since."""
        if self.path in self._held or not self.path.exists():
            return None
        self._file = self._open()
        try:
            return self._read() if self._try_lock() else None
        finally:
            os.close(self._file)
            self._file = -1

    def _open(self) -> int:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _wait_for_lock(self, deadline: float, say: Say) -> None:
        said = False
        while not self._try_lock():
            holder = self._read() or "a process that has not said its name yet"
            if time.monotonic() >= deadline:
                raise WriterBusyError(
                    f"{self.path.parent} is being written to by {holder}. Waited {self.wait_seconds:g} s. "
                    "Let that run end, or stop it, and run again (CPC_WRITER_WAIT_SECONDS: how long to wait)."
                )
            if not said:
                say(f"Waiting for the run that writes to {self.path.parent} now: {holder}")
                said = True
            time.sleep(POLL_SECONDS)

    def _wait_for_database(self, deadline: float, say: Say) -> None:
        """Wait until no other program, such as a SQL client, has the working database open."""
        said = False
        while (obstacle := _obstacle(self.database)) is not None:
            if time.monotonic() >= deadline:
                raise WriterBusyError(
                    f"{self.database} is open in another program. Waited {self.wait_seconds:g} s. Close it "
                    f"there; to read results, open the published file instead. DuckDB says: {obstacle}"
                )
            if not said:
                say(f"Waiting for {self.database}, which another program has open: {obstacle}")
                said = True
            time.sleep(POLL_SECONDS)

    @contextmanager
    def _shared_with_children(self) -> Iterator[None]:
        """Share the lock with child processes through their standard input.

        If a run is killed, the dbt it started can live on for a while and write to the database. Standard
        input is the one file every child inherits, so the lock stays held until dbt has ended too.
        """
        try:
            stdin = os.dup(0)
        except OSError:  # started without standard input, as services may be
            stdin = os.open(os.devnull, os.O_RDONLY)
        os.dup2(self._file, 0)
        try:
            yield
        finally:
            os.dup2(stdin, 0)
            os.close(stdin)

    def _read(self) -> Holder | None:
        text = os.pread(self._file, 4096, 0).decode()
        # Empty: released normally. Partial line: the holder was killed while writing it, before doing
        # anything.
        try:
            return Holder(**json.loads(text)) if text else None
        except (ValueError, TypeError):
            return None

    def _write(self, holder: Holder) -> None:
        text = json.dumps(asdict(holder)).encode()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, text, 0)


def _obstacle(database: Path) -> str | None:
    if not database.exists():
        return None
    try:
        with closing(duckdb.connect(str(database))):
            return None
    except duckdb.Error as error:
        # Not locked but damaged: who reads it says so.
        return str(error).splitlines()[0] if "lock" in str(error).lower() else None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
