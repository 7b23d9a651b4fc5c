"""Read one revenue file, CSV or Parquet, as a table."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from orchestration.sources.files.text import EncodingError, read_delimited, unpacked
from orchestration.sources.revenue.columns import HeaderError, columns_of

ENDINGS = (".csv", ".csv.gz", ".parquet")
FIELDS = ("customer", "month", "period_start", "period_end", "amount", "currency", "product")


class UnreadableFileError(Exception):
    """The file is not a table of revenue; the message says why, without its name."""


@dataclass(frozen=True)
class RevenueFile:
    """Content of one file.

    `rows` has `file_row` (from 1, without the header) and the `FIELDS`, null if the file lacks the column.
    `broken` are rows that cannot be split into columns, as (row, text, reason). `point_is_usual` means that
    an amount such as 1.500 has a decimal point unless other rows show otherwise; `encoding` is how the bytes
    were read.
    """

    rows: pa.Table
    broken: tuple[tuple[int, str, str], ...]
    point_is_usual: bool = True
    encoding: str = "utf-8"


def read_file(path: Path, key: str) -> RevenueFile:
    """Read the file at `path` named `key`. Raises `UnreadableFileError`."""
    try:
        if key.lower().endswith(".parquet"):
            table = pq.read_table(path, columns=list(columns_of(pq.read_schema(path).names).values()))
            return RevenueFile(_fields(table, list(range(1, table.num_rows + 1))), ())
        return _read_csv(unpacked(path, key))
    except (HeaderError, EncodingError) as error:
        raise UnreadableFileError(str(error)) from error
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException) as error:
        raise UnreadableFileError(f"cannot be read: {error}") from error


def _read_csv(content: bytes) -> RevenueFile:
    given = read_delimited(content)
    first = next(iter(given.text.splitlines()), "")
    header = next(csv.reader([first], delimiter=given.delimiter), [])
    columns_of(header)
    broken: list[tuple[int, str, str]] = []

    def note_broken(row: arrow_csv.InvalidRow) -> str:
        reason = f"has {row.actual_columns} cells, the header has {row.expected_columns}"
        broken.append((row.number - 1, row.text, reason))
        return "skip"

    table = arrow_csv.read_csv(
        pa.BufferReader(given.text.encode()),
        # Row numbers are only available with a single thread.
        read_options=arrow_csv.ReadOptions(use_threads=False),
        parse_options=arrow_csv.ParseOptions(
            delimiter=given.delimiter, newlines_in_values=True, invalid_row_handler=note_broken
        ),
        convert_options=arrow_csv.ConvertOptions(column_types=dict.fromkeys(header, pa.string())),
    )
    taken = {number for number, _, _ in broken}
    numbers = [number for number in range(1, table.num_rows + len(broken) + 1) if number not in taken]
    return RevenueFile(_fields(table, numbers), tuple(broken), given.delimiter == ",", given.encoding)


def _fields(table: pa.Table, numbers: list[int]) -> pa.Table:
    """The columns of `FIELDS` with their types in the file, plus the row number."""
    found = columns_of(table.column_names)
    missing = pa.nulls(table.num_rows, pa.string())
    columns = {field: table.column(found[field]) if field in found else missing for field in FIELDS}
    return pa.table({"file_row": pa.array(numbers, pa.int64()), **columns})
