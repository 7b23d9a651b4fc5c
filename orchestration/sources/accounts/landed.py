"""The landed files of the accounts: their versions, and the snapshots that they were seen in.

What belongs here: their names and columns. What does not: how versions are found (`sources/versions.py`).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.sources.landed_parquet import TAGS, ensure_landed

CONTENT = {
    "scope": "VARCHAR",
    "account_name": "VARCHAR",
    "organizational_unit_path": "VARCHAR",
    "tags": TAGS,
}
"""What a snapshot says of an account; another value of any of it is another version."""

VERSION_COLUMNS = {
    "account_id": "VARCHAR",
    **CONTENT,
    "observed_at": "TIMESTAMP",
    "absent_at": "TIMESTAMP",
    "is_present": "BOOLEAN",
}
SNAPSHOT_COLUMNS = {
    "snapshot_time": "TIMESTAMP",
    "scope": "VARCHAR",
    "is_complete": "BOOLEAN",
    "row_count": "BIGINT",
    "detail": "VARCHAR",
}


def versions_file(landing: Path) -> Path:
    """Where the versions of accounts lie."""
    return landing / "accounts" / "account_versions.parquet"


def snapshots_file(landing: Path) -> Path:
    """Where it lies which snapshots were taken in, and how complete they were."""
    return landing / "accounts" / "snapshots.parquet"


def ensure_landing(landing: Path) -> None:
    """Make the files, without rows, where there are none."""
    ensure_landed(versions_file(landing), VERSION_COLUMNS)
    ensure_landed(snapshots_file(landing), SNAPSHOT_COLUMNS)
