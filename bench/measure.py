"""Seconds, memory and disk of a command in a process of its own, and of the steps inside a run of the job."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import dagster as dg
from dagster import DagsterEventType

from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home
from orchestration.settings import Settings

T = TypeVar("T")
_SECONDS_BETWEEN_LOOKS = 0.05
_BLOCK = 512
# A line of dbt's log about a model or test that ended: its name, and how long it took.
_ENDED = re.compile(r"(?:OK created|PASS|FAIL|ERROR) (?:sql \S+ model )?(\S+).* in ([0-9.]+)s\]")


class CommandFailedError(Exception):
    """A measured command did not end with exit code 0; the message is what it printed."""


@dataclass
class Memory:
    """Resident memory of a process and all below it, sampled: (time, bytes)."""

    seen: list[tuple[float, int]] = field(default_factory=list)

    def peak(self, since: float, until: float) -> int | None:
        """The most that was seen between two times, in bytes; None where memory cannot be seen."""
        return max((size for at, size in self.seen if since <= at <= until), default=None)


@dataclass(frozen=True)
class Stage:
    """One step of a run, with its start and end in seconds since the epoch."""

    name: str
    started: float
    ended: float

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.ended - self.started


@dataclass(frozen=True)
class Measured:
    """A finished command: wall and CPU seconds, peak bytes of memory and of disk, bytes written."""

    stage: Stage
    cpu_seconds: float
    memory: Memory
    written: int
    disk_peak: int
    printed: str

    @property
    def peak(self) -> int:
        """The most memory that the command and its children held, in bytes."""
        return self.memory.peak(self.stage.started, self.stage.ended) or 0


def command(arguments: list[str], disk: Path | None = None) -> Measured:
    """Run a command to its end and measure it; `disk` is a folder whose size is sampled meanwhile.

    Bytes written are those that reached a disk or its cache as the kernel accounts them, children included.
    Raises `CommandFailedError` when it fails.
    """
    memory = Memory()
    done = threading.Event()
    sizes = [0]
    with tempfile.TemporaryFile() as output:
        started = time.time()
        process = subprocess.Popen(arguments, stdout=output, stderr=subprocess.STDOUT)
        watchers = [threading.Thread(target=_watch, args=({process.pid}, memory, done), daemon=True)]
        if disk is not None:
            watchers.append(threading.Thread(target=_watch_disk, args=(disk, sizes, done), daemon=True))
        for watcher in watchers:
            watcher.start()
        _, status, used = os.wait4(process.pid, 0)
        ended = time.time()
        done.set()
        for watcher in watchers:
            watcher.join()
        output.seek(0)
        printed = output.read().decode(errors="replace")
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise CommandFailedError(f"{' '.join(arguments)} ended with {process.returncode}:\n{printed}")
    return Measured(
        Stage("in all", started, ended),
        used.ru_utime + used.ru_stime,
        memory,
        used.ru_oublock * _BLOCK,
        max(sizes),
        printed,
    )


def alone(work: Callable[..., T], *arguments: object) -> tuple[T, Stage, Memory]:
    """Call a function in a process of its own, so that its memory is its own, and watch it."""
    memory = Memory()
    done = threading.Event()
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        pool.submit(time.time).result()  # the process is there before the clock starts
        watcher = threading.Thread(target=_watch, args=(set(pool._processes), memory, done), daemon=True)
        watcher.start()
        started = time.time()
        result = pool.submit(work, *arguments).result()
        ended = time.time()
        done.set()
        watcher.join()
    return result, Stage("in all", started, ended), memory


def stages_of_last_run(settings: Settings) -> list[Stage]:
    """The steps of the newest run in Dagster's own log, in their order."""
    started: dict[str, float] = {}
    stages = []
    with dg.DagsterInstance.from_config(str(dagster_home(settings)), COMMAND_CONFIG) as instance:
        (run,) = instance.get_runs(limit=1)
        for entry in instance.all_logs(run.run_id):
            event = entry.dagster_event
            if event is None or event.step_key is None:
                continue
            if event.event_type == DagsterEventType.STEP_START:
                started[event.step_key] = entry.timestamp
            elif event.event_type == DagsterEventType.STEP_SUCCESS:
                stages.append(Stage(event.step_key, started[event.step_key], entry.timestamp))
    return stages


def slowest_of_last_run(settings: Settings, count: int) -> list[tuple[str, float]]:
    """The models and tests that took dbt longest in the newest run, from its log: name and seconds."""
    logs = (settings.workspace / "dbt_runs").glob("*/dbt.log")
    newest = max(logs, key=lambda path: path.stat().st_mtime).read_text(encoding="utf-8")
    timed = [(name, float(seconds)) for name, seconds in _ENDED.findall(newest)]
    return sorted(timed, key=lambda each: -each[1])[:count]


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder; a file under several names (hard links) counts once."""
    seen: dict[tuple[int, int], int] = {}
    for place, _, files in os.walk(folder):
        for name in files:
            try:
                found = os.lstat(os.path.join(place, name))  # noqa: PTH118
            except OSError:
                continue  # it was removed while we looked
            seen[found.st_dev, found.st_ino] = found.st_blocks * _BLOCK
    return sum(seen.values())


def _watch_disk(folder: Path, sizes: list[int], done: threading.Event) -> None:
    while not done.wait(1):
        sizes.append(size_of(folder))
    sizes.append(size_of(folder))


def _watch(roots: set[int], memory: Memory, done: threading.Event) -> None:
    while not done.wait(_SECONDS_BETWEEN_LOOKS):
        size = _resident_bytes(roots)
        if size:
            memory.seen.append((time.time(), size))


def descendants(roots: set[int]) -> set[int]:
    """The processes and those below them that run now; none where there is no /proc to ask."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended while we looked
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = roots & parents.keys()
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _resident_bytes(roots: set[int]) -> int:
    """Resident memory of the processes and their descendants; 0 where there is no /proc to ask."""
    resident = 0
    for pid in descendants(roots):
        with suppress(OSError):
            found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
            resident += int(found[1]) * 1024 if found else 0
    return resident
