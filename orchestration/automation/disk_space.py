"""Tell a full disk from other failures: which folders are on it, and how much space is left."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from orchestration.settings import Settings

_FULL = re.compile(
    r"no space left on device|disk quota exceeded|file too large|database or disk is full", re.IGNORECASE
)
# SQLite says no more than this when it cannot extend its shared memory.
_MAYBE_FULL = re.compile(r"disk i/o error", re.IGNORECASE)
_FILE = re.compile(r"""["'](/[^"'\\]+)""")
_LITTLE = 32 << 20


def full_disk(settings: Settings, texts: Iterable[str]) -> str | None:
    """What to say of a failure with these errors if a full disk is the cause, else None."""
    text = "\n".join(texts)
    disks = _disks(settings)
    little = {folder: space for folder, space in disks.items() if space.free < _LITTLE}
    if not _FULL.search(text) and not (_MAYBE_FULL.search(text) and little):
        return None
    found = _FILE.search(text)
    shown = "; ".join(
        f"{folder} has {_megabytes(space.free)} free of {_megabytes(space.total)}"
        for folder, space in (little or disks).items()
    )
    at = f", writing {found[1]}" if found else ""
    return (
        f"A disk is full{at}: {shown}. Make room there, or move a folder (landing, warehouse, published in "
        "the settings; TMPDIR for temporary files), and run again: it continues as if nothing had happened."
    )


def _disks(settings: Settings) -> dict[Path, shutil._ntuple_diskusage]:
    """Each disk that a run writes to, by the first of the run's folders that is on it."""
    folders = (
        settings.workspace,
        settings.landing_folder,
        settings.warehouse_file.parent,
        settings.days_folder,
        settings.published_folder,
        settings.export_folder,
        settings.workspace / "dagster_home",
        Path(tempfile.gettempdir()),
    )
    by_device = {folder.stat().st_dev: folder for folder in reversed(folders) if folder.is_dir()}
    return {folder: shutil.disk_usage(folder) for folder in reversed(by_device.values())}


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
