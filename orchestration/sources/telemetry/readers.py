"""How to read the files of a load: files of one kind together, each row as text with its place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import pyarrow as pa

from orchestration.sources.telemetry.formats.batch_file import BatchFile, UnreadableFileError
from orchestration.sources.telemetry.formats.csv_rows import CsvForm, csv_form, csv_query
from orchestration.sources.telemetry.formats.jsonl import JSONL_QUERY
from orchestration.sources.telemetry.formats.lines import LINES, lines_of_all
from orchestration.sources.telemetry.formats.parquet import numbered, parquet_columns, parquet_query

Format = Literal["jsonl", "csv", "parquet"]

ENDINGS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".parquet": "parquet"}


@dataclass(frozen=True)
class Reading:
    """Files of one kind, read by one query; or one by one with the same query, to find a broken file.

    `query(files)` is the SQL. It reads the relation `lines` if `lines(files)` gives one.
    """

    files: tuple[BatchFile, ...]
    query: Callable[[Sequence[BatchFile]], str]
    lines: Callable[[Sequence[BatchFile]], pa.RecordBatchReader] | None = None


@dataclass
class Readings:
    """How to read a load's files, and why some cannot be read: batch number -> message.

    `unreadable` also grows while `lines` are read, since gzip damage shows only there. So do `failures`:
    errors of the machine that invalidate everything read since. `assumed_encodings`: files that are not UTF-8
    and were read as Windows-1252.
    """

    readings: list[Reading] = field(default_factory=list)
    unreadable: dict[int, str] = field(default_factory=dict)
    failures: list[OSError] = field(default_factory=list)
    assumed_encodings: set[int] = field(default_factory=set)


def format_of(key: str) -> Format | None:
    """Format by the name's ending (`.jsonl`, `.ndjson`, `.csv`, `.parquet`, and `.gz`), or None."""
    return ENDINGS.get(Path(key.lower().removesuffix(".gz")).suffix)


def plan_readings(files: Sequence[BatchFile], folder: Path) -> Readings:
    """One reading for all JSONL files, one per CSV form and one per Parquet schema.

    `folder` takes files that must be unpacked first. The queries return batch, batch_row (JSONL: the line;
    CSV: the row after the header; Parquet: the row; each from 1), unknown_fields, read_error, raw,
    point_is_usual (how to read 1.500 if no other row decides) and each field.
    """
    plan = Readings()
    jsonl: list[BatchFile] = []
    csv_files: dict[CsvForm, list[BatchFile]] = {}
    parquet: dict[tuple[tuple[str, str], ...], list[BatchFile]] = {}
    for file in files:
        try:
            match format_of(file.key):
                case "jsonl":
                    jsonl.append(file)
                case "csv":
                    if form := csv_form(file):
                        csv_files.setdefault(form, []).append(file)
                case "parquet":
                    local = numbered(file, folder)
                    parquet.setdefault(parquet_columns(local.path), []).append(local)
                case None:
                    raise UnreadableFileError(
                        f"the name does not say a known format; known are {', '.join(ENDINGS)}, each also .gz"
                    )
        except UnreadableFileError as error:
            plan.unreadable[file.batch] = str(error)

    def lines(header_lines: int, chosen: Sequence[BatchFile]) -> pa.RecordBatchReader:
        found = lines_of_all(chosen, header_lines, plan.unreadable, plan.failures, plan.assumed_encodings)
        return pa.RecordBatchReader.from_batches(LINES, found)

    if jsonl:
        plan.readings.append(Reading(tuple(jsonl), partial(_same, JSONL_QUERY), partial(lines, 0)))
    for form, chosen in csv_files.items():
        query = partial(_same, csv_query(form))
        plan.readings.append(Reading(tuple(chosen), query, partial(lines, form.lines)))
    for columns, chosen in parquet.items():
        plan.readings.append(Reading(tuple(chosen), partial(parquet_query, columns)))
    return plan


def _same(query: str, files: Sequence[BatchFile]) -> str:  # noqa: ARG001
    """A query that reads its files from `lines`."""
    return query
