"""Landed files of OpenCost allocations: one per export file, named by its place and version."""

from __future__ import annotations

import hashlib
from pathlib import Path

from orchestration.sources.files.rows import REJECTED_COLUMNS
from orchestration.sources.landing.parquet import TAGS, ensure_landed
from orchestration.sources.locations import Location, StoredObject

COLUMNS = {
    "location": "VARCHAR",
    "modified": "TIMESTAMP",
    "file_row": "BIGINT",
    "window_start": "TIMESTAMP",
    "window_end": "TIMESTAMP",
    "cluster": "VARCHAR",
    "node": "VARCHAR",
    "provider_id": "VARCHAR",
    "namespace": "VARCHAR",
    "controller_kind": "VARCHAR",
    "controller": "VARCHAR",
    "pod": "VARCHAR",
    "labels": TAGS,
    "is_idle": "BOOLEAN",
    "cpu_cost": "DECIMAL(38, 12)",
    "gpu_cost": "DECIMAL(38, 12)",
    "ram_cost": "DECIMAL(38, 12)",
}
"""Costs are OpenCost's, with its adjustments: weights of who used a node, not money of the bill."""


def allocations_folder(landing: Path) -> Path:
    """Folder of the allocations."""
    return landing / "opencost" / "allocations"


def allocations_file(landing: Path, location: Location, stored: StoredObject) -> Path:
    """Allocations of one export file."""
    name = hashlib.sha256(f"{location.describe(stored.key)}\n{stored.version}".encode()).hexdigest()[:20]
    return allocations_folder(landing) / f"{name}.parquet"


def rejected_file(landing: Path) -> Path:
    """Rejected rows."""
    return landing / "opencost" / "rejected.parquet"


def ensure_landing(landing: Path) -> None:
    """Create the files, without rows, so that readers find every column."""
    ensure_landed(allocations_folder(landing) / "none.parquet", COLUMNS)
    ensure_landed(rejected_file(landing), REJECTED_COLUMNS)
