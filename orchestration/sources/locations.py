"""Locations of files: a folder or an S3 prefix, behind one small interface."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Protocol, TypeAlias

from orchestration.settings import ExpectedError, Settings

# boto3 creates its clients at run time, so there is no type to import.
S3Client: TypeAlias = Any


class LocationError(ExpectedError):
    """A location cannot be listed or read; the message names it and says what to do."""


class LocationBusyError(LocationError):
    """The location does not answer, or asks to try again later."""

    may_pass = True


class ObjectMissingError(LocationError):
    """The location exists, the object does not."""


@dataclass(frozen=True)
class StoredObject:
    """One object of a location.

    `key` is relative to the location, with `/` between its parts; `size` is in bytes; `version` changes
    whenever the content does (S3: the ETag; a file: its size and modification time in ns).
    """

    key: str
    size: int
    version: str
    modified: datetime


class Location(Protocol):
    """A place to read files from. Every method raises `LocationError` if access fails."""

    @property
    def bucket(self) -> str | None:
        """The S3 bucket, or None for a folder."""

    @property
    def prefix(self) -> str:
        """Prefix of keys in the bucket: '' or text ending in '/'; '' for a folder."""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key begins with `prefix`, at any depth, sorted by key."""

    def read(self, key: str) -> bytes:
        """The content of one (small) object."""

    def fetch(self, key: str, folder: Path) -> Path:
        """A local file with the object's content: the file itself, or a download into `folder`."""

    def describe(self, key: str = "") -> str:
        """Full name of the location or of one of its objects, for messages."""


class FolderLocation:
    """A folder of the local file system. Names starting with a dot are ignored."""

    bucket: str | None = None
    prefix: str = ""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All files whose key begins with `prefix`, at any depth, sorted by key."""
        if not self.root.is_dir():
            state = "is not a folder" if self.root.exists() else "does not exist"
            raise LocationError(f"{self.root} {state}; create it or correct the location in the settings")
        start = self.root.joinpath(*PurePosixPath(prefix.rpartition("/")[0]).parts)
        found = [
            (path.relative_to(self.root).as_posix(), path)
            for path in self._files(start)
            if path.relative_to(self.root).as_posix().startswith(prefix)
        ]
        for key, path in sorted(found):
            state_of_file = path.stat()
            yield StoredObject(
                key=key,
                size=state_of_file.st_size,
                version=f"{state_of_file.st_size}-{state_of_file.st_mtime_ns}",
                modified=datetime.fromtimestamp(state_of_file.st_mtime, UTC),
            )

    def read(self, key: str) -> bytes:
        """The content of one file."""
        path = self._path(key)
        try:
            return path.read_bytes()
        except OSError as error:
            raise LocationError(f"{path} cannot be read: {error.strerror}") from error

    def fetch(self, key: str, folder: Path) -> Path:  # noqa: ARG002 (nothing to download)
        """The file itself."""
        path = self._path(key)
        if not os.access(path, os.R_OK):
            raise LocationError(f"{path} cannot be read: permission denied")
        return path

    def describe(self, key: str = "") -> str:
        """The path of the folder or of one of its files."""
        return str(self.root / key) if key else str(self.root)

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or ".." in parts or key.startswith("/"):
            raise LocationError(f"{key!r} does not name a file inside {self.root}")
        path = self.root.joinpath(*parts)
        if not path.is_file():
            raise ObjectMissingError(f"{path} does not exist")
        return path

    def _files(self, start: Path) -> Iterator[Path]:
        # Follow symlinked folders, each real folder once, so a link to a parent cannot loop.
        seen: set[str] = set()
        for folder, subfolders, names in os.walk(start, followlinks=True):
            real = os.path.realpath(folder)
            if real in seen:
                subfolders.clear()
                continue
            seen.add(real)
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in names:
                path = Path(folder, name)
                if name.startswith(".") or not path.is_file():
                    continue
                try:
                    os.path.relpath(path, start).encode()
                except UnicodeEncodeError as error:
                    shown = str(path).encode(errors="replace").decode()
                    raise LocationError(f"the name of {shown!r} is not UTF-8; rename it") from error
                yield path


def downloaded_to(folder: Path, key: str) -> Path:
    """The file in `folder` that an object is downloaded to: a key can contain anything, including `..`."""
    ending = re.sub(r"[^A-Za-z0-9._-]", "_", key.rpartition("/")[2])[-100:]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}-{ending}"


def open_of(settings: Settings) -> Callable[[str], Location]:
    """A function that opens locations with the configured S3."""
    return lambda place: open_location(place, lambda: s3_client(settings))


def s3_client(settings: Settings) -> S3Client:
    """A new client for the configured S3; credentials come from boto3's usual chain."""
    import boto3

    return boto3.client("s3", endpoint_url=settings.s3.endpoint_url, region_name=settings.s3.region_name)


def open_location(location: str, s3_client: Callable[[], S3Client]) -> Location:
    """Open a configured location: a folder, or a prefix on S3, Google Cloud Storage or Azure.

    `s3_client` is called only for S3. Nothing is listed yet.
    """
    scheme, mark, rest = location.partition("://")
    if not mark:
        if not location:
            raise LocationError("a location is empty; give a folder or s3://bucket/prefix")
        return FolderLocation(Path(location).expanduser().resolve())
    bucket, _, prefix = rest.partition("/")
    if scheme not in ("s3", "gs", "az", "abfss"):
        raise LocationError(f"{location}: locations are folders, s3://, gs://, az:// and abfss:// prefixes")
    if not bucket:
        raise LocationError(f"{location}: the bucket is missing; write {scheme}://bucket/prefix")
    if scheme != "s3":
        from orchestration.sources.object_store_location import open_object_store

        return open_object_store(location)
    # Imported late: boto3 takes as long to import as everything else a command needs for local files.
    from orchestration.sources.s3_location import S3Location

    return S3Location(s3_client(), bucket, prefix)
