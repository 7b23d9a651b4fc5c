"""A local file with one batch, and what makes it unreadable as a whole."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from orchestration.sources.telemetry.records import FIELDS, REQUIRED_FIELDS
from orchestration.warehouse.sql import literal

BROKEN_GZIP = (gzip.BadGzipFile, EOFError, zlib.error)
"""What reading a damaged or cut gzip file raises."""


class UnreadableFileError(Exception):
    """The file is not what its name says, so no record can be read; says why."""


@dataclass(frozen=True)
class BatchFile:
    """A local file with one batch: `batch` is its number in this load, `key` the name it arrived under."""

    batch: int
    key: str
    path: Path

    @property
    def packed(self) -> bool:
        """Whether the name ends in gz."""
        return self.key.lower().endswith(".gz")

    def open(self) -> BinaryIO:
        """The uncompressed content."""
        return cast("BinaryIO", gzip.open(self.path)) if self.packed else self.path.open("rb")


def check_columns(columns: Sequence[str]) -> None:
    """Raise `UnreadableFileError` for a table without records or with ambiguous columns."""
    missing = [name for name in REQUIRED_FIELDS if name not in columns]
    if missing:
        raise UnreadableFileError(
            f"no column {', '.join(missing)}; the columns are {', '.join(columns)[:300]}"
        )
    repeated = sorted({name for name in columns if columns.count(name) > 1})
    if repeated:
        raise UnreadableFileError(f"columns named more than once: {', '.join(repeated)[:300]}")


def unknown_columns(columns: Sequence[str]) -> str:
    """SQL of the list of columns that records do not have."""
    names = [literal(name) for name in columns if name not in FIELDS]
    return f"[{', '.join(names)}]::VARCHAR[]"
