"""Data files in DuckDB: CSV (plain, gz, zip) and Parquet, their columns, and completeness checks."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import shutil
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import duckdb

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.files.text import EncodingError, blocks_of, encoding_of, write_as_utf_8
from orchestration.warehouse.sql import literal, quoted

_CHUNK = 1 << 20
_LONGEST_LINE = 16 << 20
_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted, or packed in a way that Python does not know
    ValueError,
)


@dataclass(frozen=True)
class SourceColumn:
    """A column of a data file: its header, the SQL name it is read by, and its SQL type.

    `has_values` is false if every row is NULL, `may_be_blank` if some text may be empty, as far as the file's
    statistics tell: what is known beforehand need not be checked row by row.
    """

    header: str
    sql: str
    type: str
    has_values: bool = True
    may_be_blank: bool = True


@dataclass(frozen=True)
class DataFile:
    """A local data file; `key` is its object, `shown` its full name for messages, `encoding` that
    of the object's text (see `encoding_of`); here it is UTF-8.
    """

    key: str
    shown: str
    path: Path
    kind: Literal["csv", "parquet"]
    columns: tuple[SourceColumn, ...]
    encoding: str = "utf-8"


def open_data_file(
    connection: duckdb.DuckDBPyConnection, key: str, shown: str, path: Path, folder: Path
) -> DataFile:
    """Read a file's header and check that it is complete. A zip is unpacked into `folder`.

    Raises `BillingError` for a broken gz or zip, an unreadable Parquet file, and a file without header.
    """
    lowered = key.lower()
    if lowered.endswith(".parquet"):
        return DataFile(key, shown, path, "parquet", _parquet_columns(connection, shown, path))
    if lowered.endswith(".zip"):
        path = _unzip(shown, path, folder)
    encoding = _encoding(shown, path)
    if encoding != "utf-8":
        plain = folder / f"{path.name}.plain.csv"
        write_as_utf_8(path, encoding, plain)
        path = plain
    return DataFile(key, shown, path, "csv", _csv_columns(shown, path), encoding)


def relation(files: list[DataFile], rows: Mapping[str, tuple[int, int]] | None = None) -> str:
    """A subquery that reads files with the same columns unchanged, plus `landed_file` and `landed_row`.

    `rows` are the first and last row of each file (Parquet only) to read, by key; None reads all.
    """
    first = files[0]
    if rows is not None:
        return f"({' union all '.join(_rows_query(file, *rows[file.key]) for file in files)})"
    if first.kind == "csv":
        # DuckDB numbers rows in file order only when reading one file.
        return f"({' union all '.join(_csv_query(file) for file in files)})"
    paths = ", ".join(literal(file.path) for file in files)
    names = ", ".join(f"({literal(file.path)}, {literal(file.key)})" for file in files)
    return (
        "(select bill.*, named.landed_file, bill.file_row_number + 1 as landed_row "
        f"from read_parquet([{paths}], filename = true, file_row_number = true, hive_partitioning = false, "
        f"binary_as_string = true) as bill join (values {names}) as named(path, landed_file) "
        "on named.path = bill.filename)"
    )


def known_columns(connection: duckdb.DuckDBPyConnection, files: list[DataFile]) -> tuple[SourceColumn, ...]:
    """Columns shared by files, with what Parquet statistics say about their values."""
    columns = files[0].columns
    if files[0].kind == "csv":
        return columns
    found = connection.execute(
        """
        select
            path_in_schema,
            bool_and(coalesce(num_values = stats_null_count, false)),
            bool_and(coalesce(stats_min_value > '' or stats_null_count = num_values, false))
        from parquet_metadata($1)
        group by path_in_schema
        """,
        [[str(file.path) for file in files]],
    ).fetchall()
    known = {name: (not is_empty, not has_no_blank) for name, is_empty, has_no_blank in found}
    return tuple(
        replace(column, has_values=known[column.header][0], may_be_blank=known[column.header][1])
        if column.header in known and not column.type.endswith((")", "]"))
        else column
        for column in columns
    )


def _rows_query(file: DataFile, first: int, last: int) -> str:
    # DuckDB skips row groups without these rows.
    return (
        f"select *, {literal(file.key)} as landed_file, file_row_number + 1 as landed_row "
        f"from read_parquet({literal(file.path)}, file_row_number = true, hive_partitioning = false, "
        f"binary_as_string = true) where file_row_number between {first - 1} and {last - 1}"
    )


def _csv_query(file: DataFile) -> str:
    columns = ", ".join(f"{literal(column.sql)}: 'VARCHAR'" for column in file.columns)
    return (
        f"select *, {literal(file.key)} as landed_file, row_number() over () as landed_row "
        f"from read_csv({literal(file.path)}, auto_detect = false, header = true, delim = ',', "
        f"quote = '\"', escape = '\"', max_line_size = {_LONGEST_LINE}, columns = {{{columns}}})"
    )


def _parquet_columns(
    connection: duckdb.DuckDBPyConnection, shown: str, path: Path
) -> tuple[SourceColumn, ...]:
    try:
        rows = connection.execute(
            "describe select * from read_parquet(?, hive_partitioning = false, binary_as_string = true)",
            [str(path)],
        ).fetchall()
    except duckdb.Error as error:
        raise BillingError(f"{shown}: is not a whole Parquet file ({first_line(error)})") from error
    return tuple(SourceColumn(name, quoted(name), kind) for name, kind, *_ in rows)


def _csv_columns(shown: str, path: Path) -> tuple[SourceColumn, ...]:
    try:
        opened = gzip.open if path.name.lower().endswith(".gz") else open
        with opened(path, "rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines, strict=True), None)
    except csv.Error as error:
        raise BillingError(f"{shown}: its first line is not a CSV header ({error})") from error
    if not header:
        raise BillingError(f"{shown}: is empty, not even a header")
    # Headers can repeat or differ only in case; positional names are unique.
    return tuple(SourceColumn(name.strip(), f"c{place}", "VARCHAR") for place, name in enumerate(header))


def _encoding(shown: str, path: Path) -> str:
    # Reads the whole file, also because DuckDB does not verify the checksum of gz: damage would go unnoticed.
    try:
        return encoding_of(lambda: _with_short_lines(shown, blocks_of(path)))
    except EncodingError as error:
        raise BillingError(f"{shown}: {error}") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise BillingError(f"{shown}: broken gzip ({error}); deliver the file again") from error


def _with_short_lines(shown: str, blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The blocks, or an error: DuckDB leaves out a last line that is longer than what it reads at once."""
    line, length = 1, 0
    for block in blocks:
        first, end, _ = block.partition(b"\n")
        if length + len(first) > _LONGEST_LINE:
            raise BillingError(
                f"{shown}: line {line} is broken: it is longer than {_LONGEST_LINE >> 20} MiB; deliver the "
                "file again"
            )
        line += block.count(b"\n")
        length = len(block) - block.rfind(b"\n") - 1 if end else length + len(block)
        yield block


def _unzip(shown: str, path: Path, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(members) != 1:
                raise BillingError(f"{shown}: should hold one CSV file, holds {len(members)}")
            unpacked = folder / f"{path.name}.csv"
            folder.mkdir(parents=True, exist_ok=True)
            with archive.open(members[0]) as packed, unpacked.open("wb") as target:
                shutil.copyfileobj(packed, target, _CHUNK)  # verifies the checksum at the end
    except _BROKEN_ZIP as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # not a place that the archive names
            raise
        raise BillingError(f"{shown}: broken zip ({error}); deliver the file again") from error
    return unpacked


def first_line(error: Exception) -> str:
    """First line of a DuckDB error, the part about the data."""
    return str(error).strip().split("\n", 1)[0]
