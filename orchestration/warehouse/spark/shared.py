"""A driver's workspace in shared storage: one driver writes, and the next one goes on from what it left.

`current.json` is replaced by a conditional write: it is always whole, and a driver that was silent for so
long that another one took over cannot publish. Objects of days never change: a snapshot is a list of them.
"""

from __future__ import annotations

import functools
import json
import re
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.files import write_file
from orchestration.warehouse.lock import WriterBusyError
from orchestration.warehouse.snapshots import Snapshot
from orchestration.warehouse.spark.storage import Storage
from orchestration.warehouse.sql import literal
from orchestration.warehouse.working_database import open_warehouse

Say = Callable[[str], None]
CURRENT, WRITER = "current.json", "writer.json"
SECONDS_BETWEEN_SIGNS = 10.0
SECONDS_UNTIL_DEAD = 60.0
_COMMIT = "shared_commit"  # in the workspace: the commit that it has


class DriverReplacedError(ExpectedError):
    """Another driver has taken over the storage; nothing was published there."""


class SharedWorkspace:
    """The storage of one run, from `hold_shared`."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        self.settings = settings
        self.storage = storage
        self._version, self._current = _read(storage, CURRENT)

    def restore(self, say: Say) -> None:
        """Bring the working database and the files of days to what the last commit left, if they are not."""
        settings, commit = self.settings, str(self._current.get("commit", ""))
        mark = settings.workspace / _COMMIT
        if not commit or (mark.is_file() and mark.read_text(encoding="utf-8") == commit):
            return
        say(f"Fetching what the last run left in {self.storage.url}")
        self.storage.download({f"commits/{commit}/warehouse.duckdb": settings.warehouse_file})
        days = self._keys_of_days()
        self.storage.download({key: path for key, path in days.items() if not path.exists()})
        write_file(mark, commit)

    def commit(self, snapshot: Snapshot) -> None:
        """Store the snapshot and the state after it, then make them current. Raises `DriverReplacedError`."""
        commit, settings = uuid.uuid4().hex, self.settings
        folder = f"commits/{commit}"
        days = self._keys_of_days()
        stored = self.storage.keys("days/")
        new = {key: path for key, path in days.items() if key not in stored}
        new[f"{folder}/warehouse.duckdb"] = settings.warehouse_file
        marts: dict[str, list[str]] = {}
        for mart, content in snapshot.marts.items():
            if content.is_view:
                continue
            marts[mart] = [f"days/{mart}/{file}" for file in content.files] or [f"{folder}/{mart}.parquet"]
            if not content.files:
                new[f"{folder}/{mart}.parquet"] = snapshot.folder / f"{mart}.parquet"
        self.storage.upload(new)
        latest = {"id": snapshot.folder.name, "commit": commit, "marts": marts}
        kept = [latest, *self._current.get("snapshots", [])][: settings.snapshots_kept]
        self._version = _replace(self.storage, CURRENT, {"commit": commit, "snapshots": kept}, self._version)
        write_file(settings.workspace / _COMMIT, commit)
        self._delete_unused(
            {*days, *(key for each in kept for keys in each["marts"].values() for key in keys)}, kept
        )

    def _delete_unused(self, used: set[str], kept: list[dict[str, Any]]) -> None:
        commits = {each["commit"] for each in kept}
        unused = self.storage.keys("days/") - used
        unused |= {key for key in self.storage.keys("commits/") if key.split("/")[1] not in commits}
        self.storage.delete(unused | self.storage.keys("inputs/"))

    def _keys_of_days(self) -> dict[str, Path]:
        """The files of all days that count, by their key."""
        with open_warehouse(self.settings, read_only=True) as warehouse:
            found = warehouse.execute("select file from built.day_files where file is not null").fetchall()
        root = self.settings.days_folder
        paths = [Path(file) for (file,) in found]
        if elsewhere := [path for path in paths if not path.is_relative_to(root)]:
            raise ExpectedError(
                f"The last run of {self.storage.url} had its workspace elsewhere ({elsewhere[0]}). Use the "
                "same path on every machine: CPC_WORKSPACE, or --workspace."
            )
        return {f"days/{path.relative_to(root).as_posix()}": path for path in paths}


@contextmanager
def hold_shared(settings: Settings, say: Say) -> Iterator[SharedWorkspace]:
    """Be the only driver that writes to the shared storage.

    Waits for another driver's end, or its death: it renews `writer.json`. Raises `WriterBusyError` after
    `writer_wait_seconds`.
    """
    storage = storage_of(settings)
    assert storage is not None
    holder = {"holder": uuid.uuid4().hex, "workspace": str(settings.workspace)}
    version = _take(storage, holder, settings.writer_wait_seconds, say)
    ended = threading.Event()

    def renew() -> None:
        nonlocal version
        while not ended.wait(SECONDS_BETWEEN_SIGNS):
            try:
                version = _replace(storage, WRITER, {**holder, "sign": uuid.uuid4().hex}, version)
            except DriverReplacedError:
                return  # the commit will fail, too
            except BaseError:
                continue  # the next sign may arrive in time

    signs = threading.Thread(target=renew, daemon=True)
    signs.start()
    try:
        yield SharedWorkspace(settings, storage)
    finally:
        ended.set()
        signs.join()
        with suppress(DriverReplacedError):
            _replace(storage, WRITER, {}, version)


def _take(storage: Storage, holder: dict[str, str], wait_seconds: float, say: Say) -> str:
    started = seen_at = time.monotonic()
    seen: str | None = ""
    while True:
        version, found = _read(storage, WRITER)
        now = time.monotonic()
        if version != seen:
            seen, seen_at = version, now
        if not found or now - seen_at > SECONDS_UNTIL_DEAD:
            try:
                return _replace(storage, WRITER, {**holder, "sign": uuid.uuid4().hex}, version)
            except DriverReplacedError:
                continue
        if now - started > wait_seconds:
            raise WriterBusyError(
                f"{storage.url} is being written to by another driver ({found['workspace']}). Waited "
                f"{wait_seconds:g} s. Let it end, or stop it, and run again (CPC_WRITER_WAIT_SECONDS)."
            )
        if now == seen_at:
            say(f"Waiting for the driver that writes to {storage.url} now: {found['workspace']}")
        time.sleep(min(1, wait_seconds / 10))


def _read(storage: Storage, key: str) -> tuple[str | None, dict[str, Any]]:
    """Version and content of a JSON object; None and nothing if it is absent."""
    try:
        found = obstore.get(storage.store, key)
        return found.meta["e_tag"], json.loads(bytes(found.bytes()))
    except FileNotFoundError:
        return None, {}


def _replace(storage: Storage, key: str, content: dict[str, Any], version: str | None) -> str:
    """Replace a version of the object (None: there is none) by a conditional write; the new version."""
    body = json.dumps(content).encode()
    try:
        stored = obstore.put(storage.store, key, body, mode={"e_tag": version} if version else "create")
    except (AlreadyExistsError, PreconditionError) as error:
        raise DriverReplacedError(
            f"Another driver has written to {storage.url}/{key} meanwhile; this one published nothing there."
        ) from error
    assert stored["e_tag"]
    return stored["e_tag"]


def share_landing(settings: Settings, storage: Storage) -> Callable[[str], str]:
    """Store what has landed, and return how SQL that reads these files reads them there."""
    root = settings.landing_folder
    stored = storage.keys("landing/")
    keys: dict[Path, str] = {}
    for path in (path for path in root.rglob("*.parquet") if path.is_file()):
        state = path.stat()
        folder = path.parent.relative_to(root).as_posix()
        keys[path] = f"landing/{folder}/{state.st_mtime_ns}-{state.st_size}-{path.name}"
    storage.upload({key: path for path, key in keys.items() if key not in stored})
    storage.delete(stored - {*keys.values()})

    def listed(match: re.Match[str]) -> str:
        found = sorted(root.glob(match[1]))
        return "[" + ", ".join(literal(f"{storage.url}/{keys[path]}") for path in found) + "]"

    return functools.partial(re.compile(f"'{re.escape(str(root))}/([^']+)'").sub, listed)


def share_days(settings: Settings, storage: Storage, files: Sequence[str]) -> list[str]:
    """Store files of days that are not there, such as those made before there was storage; their URLs."""
    keys = {f"days/{Path(file).relative_to(settings.days_folder).as_posix()}": Path(file) for file in files}
    stored = storage.keys("days/")
    storage.upload({key: path for key, path in keys.items() if key not in stored})
    return [f"{storage.url}/{key}" for key in keys]


def storage_of(settings: Settings) -> Storage | None:
    """The shared storage of the settings, if any."""
    if not settings.spark.storage:
        return None
    return Storage(settings.spark.storage.rstrip("/"), settings.s3.endpoint_url, settings.s3.region_name)
