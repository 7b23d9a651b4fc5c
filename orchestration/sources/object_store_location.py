"""A prefix in Google Cloud Storage or Azure Blob Storage as a location, through obstore.

Credentials come from the usual variables and the machine's identity, as obstore finds them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path, PurePosixPath

import obstore
from obstore import exceptions
from obstore.store import ObjectStore, from_url

from orchestration.sources.locations import (
    LocationBusyError,
    LocationError,
    ObjectMissingError,
    StoredObject,
    downloaded_to,
)

_BUSY = ("timed out", "error sending request", "429 Too", "500 Int", "502 Bad", "503 Service", "504 Gate")
_DENIED = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)


def open_object_store(location: str) -> ObjectStoreLocation:
    """Open `gs://bucket/prefix`, `az://container/prefix` or `abfss://container@account.dfs…/prefix`."""
    try:
        store = from_url(location, retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=30)})
    except exceptions.BaseError as error:
        hint = "; set AZURE_STORAGE_ACCOUNT_NAME" if "Account must" in str(error) else ""
        raise LocationError(f"{location}: {_first_line(error)}{hint}") from error
    return ObjectStoreLocation(store, location)


class ObjectStoreLocation:
    """The objects of a store whose own prefix is the location's. AWS' manifests are read as in a folder."""

    bucket: str | None = None
    prefix: str = ""

    def __init__(self, store: ObjectStore, location: str) -> None:
        self.store = store
        self.location = location.rstrip("/")

    def list(self, prefix: str = "") -> Iterator[StoredObject]:
        """All objects whose key begins with `prefix`, at any depth, sorted by key."""
        folder = prefix.rpartition("/")[0]  # obstore compares whole names between slashes
        try:
            found = [each for batch in obstore.list(self.store, folder or None) for each in batch]
        except (exceptions.BaseError, OSError) as error:
            raise self._error(error, "listed") from error
        folders = {str(parent) for each in found for parent in PurePosixPath(each["path"]).parents}
        for each in sorted(found, key=lambda each: each["path"]):
            # Consoles and Azure's hierarchical namespace have empty objects for folders.
            name = each["path"].rpartition("/")[2]
            is_folder = each["size"] == 0 and (each["path"] in folders or "." not in name)
            if each["path"].startswith(prefix) and not is_folder:
                yield StoredObject(
                    key=each["path"],
                    size=each["size"],
                    version=(each["e_tag"] or f"{each['size']}-{each['last_modified']}").strip('"'),
                    modified=each["last_modified"],
                )

    def read(self, key: str) -> bytes:
        """The content of one (small) object."""
        try:
            return bytes(obstore.get(self.store, key).bytes())
        except (exceptions.BaseError, OSError) as error:
            raise self._error(error, "read", key) from error

    def fetch(self, key: str, folder: Path) -> Path:
        """Download one object into `folder`, streamed to disk; keeps the key's extension."""
        path = downloaded_to(folder, key)
        try:
            with path.open("wb") as file:
                for chunk in obstore.get(self.store, key).stream():
                    file.write(chunk)
        except (exceptions.BaseError, OSError) as error:
            raise self._error(error, "read", key) from error
        return path

    def describe(self, key: str = "") -> str:
        """The location, or one of its objects, as a URL."""
        return f"{self.location}/{key}".rstrip("/")

    def _error(self, error: Exception, verb: str, key: str = "") -> LocationError:
        place, said = self.describe(key), _first_line(error)
        if isinstance(error, FileNotFoundError):
            return ObjectMissingError(f"{place} does not exist")
        if isinstance(error, _DENIED):
            return LocationError(f"{place} cannot be {verb}: access denied ({said})")
        if any(words in said for words in _BUSY):
            return LocationBusyError(f"{place} cannot be {verb} now: {said}")
        return LocationError(f"{place} cannot be {verb}: {said}; check the name and the credentials")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
