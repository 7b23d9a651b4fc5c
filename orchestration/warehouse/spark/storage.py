"""Storage that executors, and drivers of other machines, share: a prefix in S3, through obstore.

landing/<folder>/<version>-<file>   landed files, as tasks read them
days/<model>/usage_date=<day>/<file>   files of days, immutable
inputs/<run>/   what the tasks of a run read besides, and their marks
snapshots/<id>/   other marts, and the state that the next run begins with
current.json    the current snapshot: every mart with its files; replaced by a conditional write
writer.json     the driver that writes, renewed while it does
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store, from_url

from orchestration.settings import ExpectedError

_AT_ONCE = 16


class StorageError(ExpectedError):
    """The storage, or an object in it, cannot be reached; the message says which."""

    may_pass = True


@dataclass(frozen=True)
class Storage:
    """A prefix, `s3://bucket/prefix`, and how to reach it."""

    url: str
    endpoint_url: str | None = None
    region_name: str | None = None

    @cached_property
    def store(self) -> S3Store:
        """The store of the prefix."""
        store = from_url(self.url, config=self._config, client_options=self._options)
        assert isinstance(store, S3Store)
        return store

    @property
    def _config(self) -> Any:
        given = {"endpoint": self.endpoint_url, "region": self.region_name}
        return {name: value for name, value in given.items() if value}

    @property
    def _options(self) -> Any:
        return {"allow_http": bool(self.endpoint_url and self.endpoint_url.startswith("http://"))}

    @contextmanager
    def _named_errors(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (BaseError, OSError) as error:
            reason = str(error).partition("\n")[0]
            raise StorageError(
                f"{self.url} cannot be {verb}: {reason}. Check the name and the role."
            ) from error

    def let_read(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let DuckDB read objects by their URL."""
        from obstore.fsspec import FsspecStore

        files = FsspecStore("s3", config=self._config, client_options=self._options)
        connection.register_filesystem(files)

    def upload(self, files: Mapping[str, Path]) -> None:
        """Store files, by key."""
        with self._named_errors("written"), ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda item: obstore.put(self.store, item[0], item[1]), files.items()))

    def download(self, files: Mapping[str, Path]) -> None:
        """Fetch objects, by key, into files that appear whole."""
        with self._named_errors("read"), ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(lambda item: self._download(*item), files.items()))

    def _download(self, key: str, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.unfinished")
        with unfinished.open("wb") as file:
            for chunk in obstore.get(self.store, key).stream():
                file.write(chunk)
        unfinished.replace(path)

    def mark(self, key: str) -> None:
        """Store an empty object."""
        obstore.put(self.store, key, b"")

    def keys(self, prefix: str) -> set[str]:
        """Keys of all objects below a prefix that ends at a slash."""
        with self._named_errors("listed"):
            return {each["path"] for batch in obstore.list(self.store, prefix) for each in batch}

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects."""
        found = [*keys]
        if found:
            with self._named_errors("deleted from"):
                obstore.delete(self.store, found)
