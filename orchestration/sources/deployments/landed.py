"""The landed file of the deployments.

What belongs here: its name and columns. What does not: what is a deployment (`landing.py`).
"""

from __future__ import annotations

from pathlib import Path

from orchestration.sources.files.rows import REFUSED_COLUMNS
from orchestration.sources.landing.parquet import ensure_landed

COLUMNS = {
    "deployed_at": "TIMESTAMP",
    "service": "VARCHAR",
    "version": "VARCHAR",
    "environment": "VARCHAR",
    "link": "VARCHAR",
    "description": "VARCHAR",
}


def deployments_file(landing: Path) -> Path:
    """Where the deployments lie."""
    return landing / "deployments" / "deployments.parquet"


def refused_file(landing: Path) -> Path:
    """Where it lies which rows of files were set aside."""
    return landing / "deployments" / "refused.parquet"


def ensure_landing(landing: Path) -> None:
    """Make the file, without rows, where there is none."""
    ensure_landed(deployments_file(landing), COLUMNS)
    ensure_landed(refused_file(landing), REFUSED_COLUMNS)
