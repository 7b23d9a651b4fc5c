"""The spool: where batches that the API accepts are stored before it says so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orchestration.sources.locations import FolderLocation, S3Client, open_location
from orchestration.sources.s3_location import S3Location
from orchestration.warehouse.files import create_file, write_file


class SpoolError(Exception):
    """The spool does not take an object now; nothing was stored."""


class Spool(Protocol):
    """A place that keeps objects."""

    def read(self, key: str) -> bytes | None:
        """The object, or None when there is none."""

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def write(self, key: str, content: bytes) -> None:
        """Store the object, in place of one of that name; durable on return. Raises `SpoolError`."""

    def create(self, key: str, content: bytes) -> bool:
        """Store the object unless there is one of that name, whoever stores at the same time.

        Durable on return; false when there is one. Raises `SpoolError`.
        """

    def forget(self, folder: str, before: datetime) -> int:
        """Remove the objects below `folder` that were stored before then, and say how many."""


class FolderSpool:
    """A spool in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def read(self, key: str) -> bytes | None:
        """The file's content, or None."""
        try:
            return (self.root / key).read_bytes()
        except FileNotFoundError:
            return None

    def exists(self, key: str) -> bool:
        """Whether there is such a file."""
        return (self.root / key).is_file()

    def write(self, key: str, content: bytes) -> None:
        """Replace the file."""
        path = self.root / key
        try:
            write_file(path, content)
        except OSError as error:
            raise SpoolError(f"{path} cannot be written: {error}") from error

    def create(self, key: str, content: bytes) -> bool:
        """Make the file."""
        path = self.root / key
        try:
            return create_file(path, content)
        except OSError as error:
            raise SpoolError(f"{path} cannot be written: {error}") from error

    def forget(self, folder: str, before: datetime) -> int:
        """By the time of each file; what another process removes meanwhile is gone as well."""
        old = [
            path
            for path in (self.root / folder).glob("*/*")
            if path.is_file() and datetime.fromtimestamp(path.stat().st_mtime, UTC) < before
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


class S3Spool:
    """A spool on S3. Needs s3:PutObject and s3:GetObject."""

    def __init__(self, client: S3Client, bucket: str | None, prefix: str) -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = prefix

    def read(self, key: str) -> bytes | None:
        """The object's content, or None."""
        try:
            content: bytes = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
                return None
            raise self._refused(key, error) from error
        except BotoCoreError as error:
            raise self._refused(key, error) from error
        return content

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""
        return self.read(key) is not None

    def write(self, key: str, content: bytes) -> None:
        """One put."""
        try:
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(key, error) from error

    def create(self, key: str, content: bytes) -> bool:
        """One put, on the condition that there is no object of that name."""
        try:
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=content, IfNoneMatch="*")
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in ("PreconditionFailed", "412"):
                return False
            raise self._refused(key, error) from error
        except BotoCoreError as error:
            raise self._refused(key, error) from error
        return True

    def forget(self, folder: str, before: datetime) -> int:  # noqa: ARG002
        """Nothing: a lifecycle rule of the bucket does it better, and the API needs no right to delete."""
        return 0

    def _refused(self, key: str, error: Exception) -> SpoolError:
        return SpoolError(f"s3://{self.bucket}/{self.prefix}{key}: {error}")


def open_spool(location: str, s3_client: Callable[[], S3Client]) -> Spool:
    """The spool at a telemetry location: the folder or `s3://bucket/prefix` that the batch reader lists."""
    place = open_location(location, s3_client)
    match place:
        case S3Location():
            return S3Spool(place.client, place.bucket, place.prefix)
        case FolderLocation():
            return FolderSpool(place.root)
    raise TypeError(f"no spool for {place.describe()}")
