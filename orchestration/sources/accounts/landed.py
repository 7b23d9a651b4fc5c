"""The landed files of the accounts: their versions, and the snapshots that they were seen in.

What belongs here: their names and columns. What does not: how versions are found (`landing/versions.py`).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.sources.files.rows import REFUSED_COLUMNS
from orchestration.sources.landing.parquet import TAGS, ensure_landed
from orchestration.sources.landing.processed_files import FILE_COLUMNS
from orchestration.sources.landing.versions import SNAPSHOT_COLUMNS, History

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


def versions_file(landing: Path) -> Path:
    """Where the versions of accounts lie."""
    return landing / "accounts" / "account_versions.parquet"


def snapshots_file(landing: Path) -> Path:
    """Where it lies which snapshots were taken in, and how complete they were."""
    return landing / "accounts" / "snapshots.parquet"


def refused_file(landing: Path) -> Path:
    """Where it lies which rows of files were set aside."""
    return versions_file(landing).with_name("refused.parquet")


def files_file(landing: Path) -> Path:
    """Where it lies which files were taken in."""
    return versions_file(landing).with_name("files.parquet")


def history(landing: Path) -> History:
    """The history that snapshots are taken into."""
    return History("account_id", tuple(CONTENT), versions_file(landing), snapshots_file(landing))


def ensure_landing(landing: Path) -> None:
    """Make the files, without rows, where there are none."""
    ensure_landed(versions_file(landing), VERSION_COLUMNS)
    ensure_landed(snapshots_file(landing), SNAPSHOT_COLUMNS)
    ensure_landed(refused_file(landing), REFUSED_COLUMNS)
    ensure_landed(files_file(landing), FILE_COLUMNS)
