"""Notes of a landing: what people should know about its files. The mart `warnings` shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

import duckdb
import pyarrow as pa

from orchestration.sources.landing.parquet import ensure_landed, read_landed, write_landed

Severity = Literal["error", "warning", "note"]

_COLUMNS = {
    "source": "VARCHAR",
    "code": "VARCHAR",
    "severity": "VARCHAR",
    "billing_period": "VARCHAR",
    "subject": "VARCHAR",
    "row_count": "BIGINT",
    "billing_currency": "VARCHAR",
    "effective_cost": "DECIMAL(38, 12)",
    "message": "VARCHAR",
    "place": "VARCHAR",
}
_SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in ("code", "severity", "billing_period", "subject")),
        ("row_count", pa.int64()),
        ("billing_currency", pa.string()),
        ("effective_cost", pa.decimal128(38, 12)),
        ("message", pa.string()),
        ("place", pa.string()),
    ]
)


@dataclass(frozen=True)
class Note:
    """A note. `code` is a stable name in kebab case. `error`: figures are wrong until fixed; `warning`: look
    at it; `note`: nothing to do. `subject` is what it is about (a file, column, delivery), `place` where to
    look (file and row), `row_count` the number of affected rows, `effective_cost` the affected money in
    `billing_currency`.
    """

    code: str
    message: str
    severity: Severity = "warning"
    subject: str | None = None
    place: str | None = None
    row_count: int | None = None
    billing_period: str | None = None
    billing_currency: str | None = None
    effective_cost: Decimal | None = None


def assumed_encoding(file: str) -> Note:
    """Note on a file that is not UTF-8 and was read as Windows-1252."""
    message = (
        "the file is not UTF-8 text and was read as Windows-1252; see that its names are right, or save it"
    )
    return Note("assumed-encoding", f"{message} as UTF-8", severity="note", subject=file, place=file)


def write_notes(landing: Path, source: str, notes: Iterable[Note], part: str = "all") -> bool:
    """Replace the notes of the source's landing (or of a part of it, such as a month).

    Written at every landing, even without notes. True if they changed.
    """
    rows = pa.Table.from_pylist([asdict(note) for note in notes], schema=_SCHEMA)
    with duckdb.connect() as connection:
        connection.register("notes", rows)
        chosen = ", ".join("$source AS source" if name == "source" else name for name in _COLUMNS)
        connection.execute(f"CREATE TABLE noted AS SELECT {chosen} FROM notes", {"source": source})
        return write_landed(connection, "SELECT * FROM noted ORDER BY ALL", _path(landing, source, part))


def note_assumed_encodings(landing: Path, source: str, read: set[str], assumed: set[str]) -> None:
    """Note the `assumed` files among those `read` now, for a source that reads each file once."""
    path = _path(landing, source, "encodings")
    before = set(read_landed(path)["subject"].to_pylist()) if path.exists() else set()
    if before or assumed:
        files = sorted((before - read) | assumed)
        write_notes(landing, source, [assumed_encoding(file) for file in files], "encodings")


def ensure_notes(landing: Path) -> None:
    """Create what readers of the notes need before the first landing."""
    ensure_landed(_path(landing, "none", "none"), _COLUMNS)


def _path(landing: Path, source: str, part: str) -> Path:
    return landing / "notes" / source / f"{part}.parquet"
