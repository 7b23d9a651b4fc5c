"""The published snapshots as files: their content, the current one, and which are kept.

published/snapshots/<id>/marts.duckdb     every mart: a table, or a view over the files of its days
published/snapshots/<id>/<mart>/usage_date=<day>/<file>.parquet   a mart that is kept by day (or month)
published/snapshots/<id>/<mart>.parquet   any other mart that is a table
published/snapshots/<id>/reads/<schema>/<model>/…   likewise, other inputs of marts that are views
published/snapshots/<id>/snapshot.json    its content; written last: a folder without it is incomplete
published/current          -> snapshots/<id>
published/current.duckdb   -> current/marts.duckdb
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from orchestration.warehouse.files import point, protect, sync

DATABASE = "marts.duckdb"
_DESCRIPTION = "snapshot.json"


@dataclass(frozen=True)
class Content:
    """Content of one mart: its number of rows, and a fingerprint of its columns and rows.

    `files` are those of its days, or of the inputs of a view, relative to `folder_of_files`; empty for a mart
    that is one file. Rows of a view are not counted.
    """

    rows: int | None
    fingerprint: str
    files: tuple[str, ...] = ()
    is_view: bool = False

    def folder_of_files(self, folder: Path, mart: str) -> Path:
        """Where `files` are in the snapshot at `folder`."""
        return folder / ("reads" if self.is_view else mart)

    def paths(self, folder: Path, mart: str) -> list[Path]:
        """Its Parquet files in the snapshot at `folder`."""
        if self.files or self.is_view:
            return [self.folder_of_files(folder, mart) / file for file in self.files]
        return [folder / f"{mart}.parquet"]


@dataclass(frozen=True)
class Snapshot:
    """A published snapshot; `changed` is false if the previous one is still current."""

    folder: Path
    marts: dict[str, Content]
    changed: bool


def current_snapshot(published: Path) -> Snapshot | None:
    """The current snapshot; None if there is none or it is incomplete."""
    folder = (published / "current").resolve()
    if not (folder / _DESCRIPTION).is_file() or not (folder / DATABASE).is_file():
        return None
    described = json.loads((folder / _DESCRIPTION).read_text(encoding="utf-8"))["marts"]
    marts = {
        mart: Content(**{**content, "files": tuple(content.get("files", ()))})
        for mart, content in described.items()
    }
    if any(not path.is_file() for mart, content in marts.items() for path in content.paths(folder, mart)):
        return None
    return Snapshot(folder, marts, changed=False)


def finish(folder: Path, marts: dict[str, Content], now: datetime) -> None:
    """Write the description of the snapshot, whose other files are on disk: it is complete now."""
    described = {mart: asdict(content) for mart, content in sorted(marts.items())}
    text = json.dumps({"id": folder.name, "created": now.isoformat(), "marts": described}, indent=2) + "\n"
    unfinished = folder / f".{_DESCRIPTION}"
    unfinished.write_text(text, encoding="utf-8")
    protect(unfinished)
    unfinished.rename(folder / _DESCRIPTION)
    sync(folder)
    sync(folder.parent)


def swap(published: Path, folder: Path) -> None:
    """Atomically point readers at the snapshot."""
    point(published / "current.duckdb", Path("current", DATABASE))
    point(published / "current", folder.relative_to(published))
    sync(published)


def prune(published: Path, keep: int) -> None:
    """Remove all but the latest snapshots, and leftovers of killed runs."""
    current = (published / "current").resolve()
    newest_first = sorted((published / "snapshots").iterdir(), reverse=True)
    others = [folder for folder in newest_first if folder != current]
    finished = [folder for folder in others if (folder / _DESCRIPTION).is_file()]
    for folder in others:
        if folder not in finished[: keep - 1]:
            # Without its description it no longer counts as a snapshot if this is killed half-way.
            (folder / _DESCRIPTION).unlink(missing_ok=True)
            shutil.rmtree(folder)
