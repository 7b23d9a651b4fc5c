"""The landed files of the inventory: versions of resources, and the snapshots that they were seen in.

What belongs here: their names and columns. What does not: how versions are found (`landing/versions.py`).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.sources.files.rows import REFUSED_COLUMNS
from orchestration.sources.landing.parquet import TAGS, ensure_landed
from orchestration.sources.landing.processed_files import FILE_COLUMNS
from orchestration.sources.landing.versions import SNAPSHOT_COLUMNS, History

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


def versions_file(landing: Path) -> Path:
    """Where the versions of resources lie."""
    return landing / "inventory" / "resource_versions.parquet"


def snapshots_file(landing: Path) -> Path:
    """Where it lies which snapshots were taken in, and how complete they were."""
    return landing / "inventory" / "snapshots.parquet"


def refused_file(landing: Path) -> Path:
    """Where it lies which rows of files were set aside."""
    return versions_file(landing).with_name("refused.parquet")


def files_file(landing: Path) -> Path:
    """Where it lies which files were taken in."""
    return versions_file(landing).with_name("files.parquet")


def history(landing: Path) -> History:
    """The history that snapshots are taken into."""
    return History("resource_id", tuple(CONTENT), versions_file(landing), snapshots_file(landing))


def ensure_landing(landing: Path) -> None:
    """Make the files, without rows, where there are none."""
    ensure_landed(versions_file(landing), VERSION_COLUMNS)
    ensure_landed(snapshots_file(landing), SNAPSHOT_COLUMNS)
    ensure_landed(refused_file(landing), REFUSED_COLUMNS)
    ensure_landed(files_file(landing), FILE_COLUMNS)
