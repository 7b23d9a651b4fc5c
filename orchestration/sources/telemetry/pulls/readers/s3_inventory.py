"""S3 Inventory reports (CSV or Parquet): bytes or objects stored per customer, by a pattern of the key.

`from` is the inventory's folder, `s3://<destination>/<prefix>/<bucket>/<configuration>/`; each report is a
folder named by its time with a `manifest.json`. The latest of a day is the day's usage; a weekly inventory
has usage on one day a week, so let the allocation rule look back (`when_no_usage: [same_day,
trailing_7_days]`).
All versions of an object count, as they cost.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
from pydantic import BaseModel

from orchestration.compiler.language.pulls import Pull
from orchestration.sources.locations import Location
from orchestration.sources.telemetry.pulls.readers.reader import (
    Access,
    PullError,
    Quantity,
    Window,
    customer_sql,
    readable,
)
from orchestration.warehouse.sql import literal

_VALUES = {"bytes": "coalesce(size, 0)", "objects": "1"}


class _File(BaseModel):
    key: str


class _Manifest(BaseModel):
    fileFormat: str  # noqa: N815 (S3's names)
    fileSchema: str  # noqa: N815
    files: list[_File]


def read(pull: Pull, window: Window, access: Access) -> Iterator[Quantity]:
    """One quantity per customer, or per key without a pattern."""
    location = access.open_location(pull.origin)
    manifests = [
        stored.key
        for stored in location.list(f"{window.start:%Y-%m-%d}T")
        if stored.key.endswith("/manifest.json")
    ]
    if not manifests:
        return
    with readable(max(manifests)):
        manifest = _Manifest.model_validate_json(location.read(max(manifests)))
    columns = [name.strip().lower() for name in manifest.fileSchema.split(",")]
    kind = manifest.fileFormat.lower()
    if kind not in ("csv", "parquet"):
        raise PullError(f"{max(manifests)}: the inventory is {kind}; let S3 write it as CSV or Parquet")
    if kind == "csv" and not {"key", "size"} <= {*columns}:
        raise PullError(f"{max(manifests)}: the inventory has no Key and Size; add them to its fields")
    with (
        tempfile.TemporaryDirectory() as folder,
        readable(max(manifests), folder),
        duckdb.connect() as connection,
    ):
        files = [str(_fetched(location, each.key, Path(folder))) for each in manifest.files]
        if not files:
            return
        types = "{" + ", ".join(f"{literal(name)}: 'VARCHAR'" for name in columns) + "}"
        form = f"columns = {types}, header = false, auto_detect = false, quote = '\"', escape = '\"'"
        source = f"read_csv($files, {form})" if kind == "csv" else "read_parquet($files)"
        key = "url_decode(replace(key, '+', ' '))" if kind == "csv" else "key"
        for name, value in connection.execute(
            f"SELECT {customer_sql(pull, 'key')} AS customer, sum({_VALUES[pull.option('value', 'bytes')]}) "
            f"FROM (SELECT {key} AS key, try_cast(size AS BIGINT) AS size FROM {source}) GROUP BY ALL",
            {"files": files},
        ).fetchall():
            yield Quantity(window.start, name, int(value))


def _fetched(location: Location, key: str, folder: Path) -> Path:
    """A data file. The manifest has its key in the bucket; a copy has its last two parts."""
    inside = bool(location.prefix) and key.startswith(location.prefix)
    return location.fetch(
        key.removeprefix(location.prefix) if inside else "/".join(key.split("/")[-2:]), folder
    )
