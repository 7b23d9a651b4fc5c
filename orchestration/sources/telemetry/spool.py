"""The spool: where the API stores accepted batches before it acknowledges them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from orchestration.sources.locations import FolderLocation, LocationError, S3Client, open_location
from orchestration.sources.s3_location import S3Location
from orchestration.warehouse.files import create_file, write_file


class SpoolError(Exception):
    """The object could not be stored."""


class Spool(Protocol):
    """A store of objects."""

    def read(self, key: str) -> bytes | None:
        """The object, or None if there is none."""

    def exists(self, key: str) -> bool:
        """Whether the object exists."""

    def write(self, key: str, content: bytes) -> None:
        """Store the object, replacing one of the same name; durable on return. Raises `SpoolError`."""

    def create(self, key: str, content: bytes) -> bool:
        """Store the object unless one of that name exists, also with concurrent writers.

        Durable on return; false if it exists. Raises `SpoolError`.
        """

    def forget(self, folder: str, before: datetime) -> int:
        """Remove the objects below `folder` stored before then, and return how many."""


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
        """Whether the file exists."""
        return (self.root / key).is_file()

    def write(self, key: str, content: bytes) -> None:
        """Replace the file."""
        path = self.root / key
        try:
            write_file(path, content)
        except OSError as error:
            raise SpoolError(f"{path} cannot be written: {error}") from error

    def create(self, key: str, content: bytes) -> bool:
        """Create the file."""
        path = self.root / key
        try:
            return create_file(path, content)
        except OSError as error:
            raise SpoolError(f"{path} cannot be written: {error}") from error

    def forget(self, folder: str, before: datetime) -> int:
        """By file time; files removed concurrently by others are ignored."""
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
        """Whether the object exists."""
        return self.read(key) is not None

    def write(self, key: str, content: bytes) -> None:
        """One put."""
        try:
            self.client.put_object(Bucket=self.bucket, Key=self.prefix + key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise self._refused(key, error) from error

    def create(self, key: str, content: bytes) -> bool:
        """One conditional put, which fails if the object exists."""
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
        """Nothing: use a lifecycle rule of the bucket, so the API needs no right to delete."""
        return 0

    def _refused(self, key: str, error: Exception) -> SpoolError:
        return SpoolError(f"s3://{self.bucket}/{self.prefix}{key}: {error}")


def open_spool(location: str, s3_client: Callable[[], S3Client]) -> Spool:
    """The spool of a telemetry location: the folder or `s3://bucket/prefix` that the batch reader lists."""
    place = open_location(location, s3_client)
    match place:
        case S3Location():
            return S3Spool(place.client, place.bucket, place.prefix)
        case FolderLocation():
            return FolderSpool(place.root)
    raise LocationError(f"{location}: the API writes to folders and s3:// only; copy its files from there")
