"""One writer at a time, seen from real processes: each test starts the ones it needs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from orchestration.warehouse.lock import WriterBusyError, WriterLock

HOLD = """
import subprocess, sys, time
from pathlib import Path
from orchestration.warehouse.lock import WriterLock
lock = WriterLock(Path(sys.argv[1]), Path(sys.argv[2]), 0)
with lock.hold(print, "run-1"):
    if len(sys.argv) > 3:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(child.pid, flush=True)
    print("held", flush=True)
    time.sleep(60)
"""


def start_holder(folder: Path, *more: str) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", HOLD, str(folder / "writer.lock"), str(folder / "w.duckdb"), *more]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def lines_until_held(process: subprocess.Popen[str]) -> list[str]:
    assert process.stdout is not None
    lines = []
    while (line := process.stdout.readline().strip()) != "held":
        lines.append(line)
    return lines


@pytest.fixture
def lock(tmp_path: Path) -> WriterLock:
    return WriterLock(tmp_path / "writer.lock", tmp_path / "w.duckdb", wait_seconds=30)


def test_it_is_free_after_an_orderly_end_and_names_nobody(lock: WriterLock) -> None:
    for _ in range(2):
        with lock.hold(pytest.fail, "run-1") as dead:
            assert dead is None
    assert lock.dead_holder() is None


def test_taking_it_again_inside_is_free_and_tells_the_run(lock: WriterLock) -> None:
    with lock.hold(pytest.fail):
        inner = WriterLock(lock.path, lock.database, wait_seconds=0)
        with inner.hold(pytest.fail, "run-2"):
            assert json.loads(lock.path.read_text())["run_id"] == "run-2"
            assert inner.dead_holder() is None


def test_a_busy_workspace_names_its_holder(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    lines_until_held(holder)
    try:
        impatient = WriterLock(tmp_path / "writer.lock", tmp_path / "w.duckdb", wait_seconds=0)
        with (
            pytest.raises(WriterBusyError, match=f"process {holder.pid}, run run-1"),
            impatient.hold(pytest.fail),
        ):
            pytest.fail("got the lock")
    finally:
        holder.kill()
        holder.wait()


def test_waiting_says_so_once_and_ends_with_the_holder(tmp_path: Path, lock: WriterLock) -> None:
    holder = start_holder(tmp_path)
    lines_until_held(holder)
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        holder.kill()

    with lock.hold(say) as dead:
        assert dead is not None
        assert (dead.pid, dead.run_id) == (holder.pid, "run-1")
    holder.wait()
    assert len(said) == 1
    assert f"process {holder.pid}" in said[0]


def test_a_killed_holder_is_seen_until_somebody_takes_over(tmp_path: Path, lock: WriterLock) -> None:
    holder = start_holder(tmp_path)
    lines_until_held(holder)
    assert lock.dead_holder() is None
    holder.kill()
    holder.wait()
    seen = lock.dead_holder()
    assert seen is not None
    assert seen.run_id == "run-1"
    with lock.hold(pytest.fail):
        pass
    assert lock.dead_holder() is None


def test_what_a_killed_holder_started_keeps_the_lock_until_it_ends(tmp_path: Path, lock: WriterLock) -> None:
    holder = start_holder(tmp_path, "with a child")
    (child,) = lines_until_held(holder)
    holder.kill()
    holder.wait()
    assert lock.dead_holder() is None
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        os.kill(int(child), signal.SIGKILL)

    with lock.hold(say) as dead:
        assert dead is not None
    assert len(said) == 1


def test_standard_input_is_as_before_afterwards(lock: WriterLock) -> None:
    before = os.fstat(0)
    with lock.hold(pytest.fail):
        assert os.fstat(0).st_ino == os.stat(lock.path).st_ino  # noqa: PTH116
    assert os.path.samestat(before, os.fstat(0))


def test_a_database_open_elsewhere_is_waited_for(tmp_path: Path, lock: WriterLock) -> None:
    database = tmp_path / "w.duckdb"
    duckdb.connect(str(database)).close()
    reader = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb, time; c = duckdb.connect({str(database)!r}); print(flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert reader.stdout is not None
    reader.stdout.readline()
    impatient = WriterLock(tmp_path / "writer.lock", database, wait_seconds=0)
    with pytest.raises(WriterBusyError, match="open in another program"), impatient.hold(pytest.fail):
        pytest.fail("got the lock")
    said: list[str] = []

    def say(text: str) -> None:
        said.append(text)
        reader.kill()

    started = time.monotonic()
    with lock.hold(say):
        pass
    assert said, f"waited {time.monotonic() - started:.1f} s without a word"
    reader.wait()
