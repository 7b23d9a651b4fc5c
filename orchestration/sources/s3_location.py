"""A prefix in an S3 bucket as a location."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from pathlib import Path

from boto3.exceptions import Boto3Error
from botocore import exceptions
from botocore.exceptions import BotoCoreError, ClientError
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from orchestration.sources.locations import (
    LocationBusyError,
    LocationError,
    ObjectMissingError,
    S3Client,
    StoredObject,
    downloaded_to,
)

_SERVER_ERROR = 500  # and above, such as 503 Slow Down
# A body that ends early; boto3 tries again only when it writes to a file.
_CUT = (exceptions.IncompleteReadError, exceptions.ResponseStreamingError, exceptions.ReadTimeoutError)


class S3Location:
    """The objects below a prefix of an S3 bucket. `client` is a boto3 S3 client."""

    def __init__(self, client: S3Client, bucket: str, prefix: str = "") -> None:
        self.client = client
        self.bucket: str | None = bucket
        self.prefix: str = prefix.strip("/") + "/" if prefix.strip("/") else ""

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key begins with `prefix`, at any depth, sorted by key (as S3 lists them)."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=self.prefix + prefix
        )
        try:
            for page in pages:
                for item in page.get("Contents", ()):
                    if not item["Key"].endswith("/"):  # empty objects that consoles create as folders
                        yield StoredObject(
                            key=item["Key"].removeprefix(self.prefix),
                            size=item["Size"],
                            version=item["ETag"].strip('"'),
                            modified=item["LastModified"].astimezone(UTC),
                        )
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise self._error(error, "listed") from error

    def read(self, key: str) -> bytes:
        """The content of one (small) object."""
        try:
            return self._content(key)
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise self._error(error, "read", key) from error

    @retry(retry=retry_if_exception_type(_CUT), stop=stop_after_attempt(3), reraise=True)
    def _content(self, key: str) -> bytes:
        content: bytes = self.client.get_object(Bucket=self.bucket, Key=self.prefix + key)["Body"].read()
        return content

    def fetch(self, key: str, folder: Path) -> Path:
        """Download one object into `folder`, streamed to disk; keeps the key's extension."""
        path = downloaded_to(folder, key)
        try:
            self.client.download_file(self.bucket, self.prefix + key, str(path))
        except (ClientError, BotoCoreError, Boto3Error) as error:
            raise self._error(error, "read", key) from error
        return path

    def describe(self, key: str = "") -> str:
        """`s3://bucket/key`."""
        return f"s3://{self.bucket}/{self.prefix}{key}".rstrip("/")

    def _error(
        self, error: ClientError | BotoCoreError | Boto3Error, verb: str, key: str = ""
    ) -> LocationError:
        place = self.describe(key)
        if not isinstance(error, ClientError):
            no_answer = isinstance(error, (exceptions.ConnectionError, exceptions.HTTPClientError))
            kind = LocationBusyError if no_answer else LocationError
            return kind(f"{place} cannot be {verb}: {error}; check the endpoint and the credentials")
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= _SERVER_ERROR:
            return LocationBusyError(f"{place} cannot be {verb} now: {error}")
        code = error.response.get("Error", {}).get("Code", "")
        if code in ("NoSuchKey", "404"):
            return ObjectMissingError(f"{place} does not exist")
        if code == "NoSuchBucket":
            return LocationError(f"{place} cannot be {verb}: there is no bucket {self.bucket!r}")
        if code in ("AccessDenied", "403"):
            rights = "s3:ListBucket on the bucket" if verb == "listed" else "s3:GetObject on the object"
            return LocationError(f"{place} cannot be {verb}: access denied; allow {rights}")
        return LocationError(f"{place} cannot be {verb}: {error}")
