"""The landed files of the inventory: versions of resources, and the snapshots that they were seen in.

What belongs here: their names and columns. What does not: how versions are found (`sources/versions.py`).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.sources.landed_parquet import TAGS, ensure_landed

RELATIONSHIPS = 'STRUCT(relationship VARCHAR, related_resource_id VARCHAR, "since" TIMESTAMP)[]'

CONTENT = {
    "scope": "VARCHAR",
    "account_id": "VARCHAR",
    "region_id": "VARCHAR",
    "resource_type": "VARCHAR",
    "resource_arn": "VARCHAR",
    "resource_name": "VARCHAR",
    "tags": TAGS,
    "attributes": TAGS,
    "relationships": RELATIONSHIPS,
    "created_at": "TIMESTAMP",
}
"""What a snapshot says of a resource; another value of any of it is another version."""

VERSION_COLUMNS = {
    "resource_id": "VARCHAR",
    **CONTENT,
    "observed_at": "TIMESTAMP",
    "absent_at": "TIMESTAMP",
    "is_present": "BOOLEAN",
}
"""`observed_at`: the first snapshot with this version (or, not `is_present`, without the resource);
`absent_at`: the last complete snapshot before a new resource, in which it was not there yet."""

SNAPSHOT_COLUMNS = {
    "snapshot_time": "TIMESTAMP",
    "scope": "VARCHAR",
    "is_complete": "BOOLEAN",
    "row_count": "BIGINT",
    "detail": "VARCHAR",
}
"""One row per snapshot and scope; `detail` says why one that is not complete ends nothing."""


def versions_file(landing: Path) -> Path:
    """Where the versions of resources lie."""
    return landing / "inventory" / "resource_versions.parquet"


def snapshots_file(landing: Path) -> Path:
    """Where it lies which snapshots were taken in, and how complete they were."""
    return landing / "inventory" / "snapshots.parquet"


def ensure_landing(landing: Path) -> None:
    """Make the files, without rows, where there are none."""
    ensure_landed(versions_file(landing), VERSION_COLUMNS)
    ensure_landed(snapshots_file(landing), SNAPSHOT_COLUMNS)
