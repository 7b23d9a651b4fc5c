"""CSV: a header line, then one record per line.

A record is one line: line breaks inside quotes are rejected, so that a stray quote costs one line and not all
that follow.
"""

from __future__ import annotations

import csv
from contextlib import closing
from dataclasses import dataclass

from orchestration.sources.files.text import DELIMITERS, UTF_16_MARKS
from orchestration.sources.telemetry.formats.batch_file import (
    BROKEN_GZIP,
    BatchFile,
    UnreadableFileError,
    check_columns,
    unknown_columns,
)
from orchestration.sources.telemetry.formats.lines import (
    LONGEST_LINE_BYTES,
    NOT_BLANK,
    WITHOUT_RETURN,
    is_windows_1252,
)
from orchestration.sources.telemetry.records import FIELDS
from orchestration.warehouse.sql import literal

LINES_BEFORE_DATA = 20
"""How many lines a header may be looked for in."""


@dataclass(frozen=True)
class CsvForm:
    """What the first `lines` of a file determine: its columns and delimiter."""

    header: tuple[str, ...]
    delimiter: str
    lines: int


def csv_form(file: BatchFile) -> CsvForm | None:
    """The form of a file; None if it is empty.

    Lines of only delimiters before the header, and Excel's `sep=;`, are skipped.
    """
    declared = None
    try:
        with closing(file.open()) as stream:
            for number in range(1, LINES_BEFORE_DATA + 1):  # noqa: B007 (used after the loop)
                line = stream.readline(LONGEST_LINE_BYTES)
                if not line:
                    return None
                text = _header_text(file, line)
                if text.lower().startswith("sep=") and len(text) == len("sep=") + 1:
                    declared = text[-1]
                elif text.strip(DELIMITERS + " "):
                    break
            else:
                raise UnreadableFileError("the first lines are blank; one must name the columns")
    except BROKEN_GZIP as error:
        raise UnreadableFileError(f"gzip is broken: {error}") from error
    delimiter = declared or max(DELIMITERS, key="".join(text.split('"')[::2]).count)
    try:
        header = tuple(name.strip().lower() for name in next(csv.reader([text], delimiter=delimiter)))
    except csv.Error as error:
        raise UnreadableFileError(
            f"the first line is not a CSV header ({error}); end each line with a line feed"
        ) from error
    check_columns(header)
    return CsvForm(header, delimiter, number)


def _header_text(file: BatchFile, line: bytes) -> str:
    if line.startswith(UTF_16_MARKS):
        raise UnreadableFileError("the file is UTF-16; write it as UTF-8 (in Excel: CSV UTF-8)")
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        if is_windows_1252(file):
            return line.decode("cp1252").rstrip("\r\n")
        raise UnreadableFileError("the header is not UTF-8 text; write the file as UTF-8") from error


def csv_query(form: CsvForm) -> str:
    """Query over `lines` of files of this form."""
    header = form.header
    cell = f'"(?:[^"]|"")*"|[^{form.delimiter}"]*'
    between = literal(form.delimiter)
    fields = ", ".join(
        f"cells[{header.index(name) + 1}] AS {name}" if name in header else f"NULL::VARCHAR AS {name}"
        for name in FIELDS
    )
    return rf"""
    WITH numbered AS (
        SELECT batch, batch_row, {WITHOUT_RETURN}, contains(raw, '"') AS quoted
        FROM lines
        -- Rows of empty cells, as spreadsheets leave them below a table, say nothing.
        WHERE {NOT_BLANK} AND trim(raw, ' "' || chr(9) || chr(13) || {between}) <> ''
    ),
    checked AS (
        SELECT
            *,
            CASE
                WHEN contains(raw, chr(65533)) THEN 'not-utf-8'
                WHEN quoted AND NOT regexp_full_match({between} || raw, '(?:{form.delimiter}(?:{cell}))*')
                    THEN 'csv-quotes'
            END AS unclear
        FROM numbered
    ),
    cut AS (
        SELECT
            *,
            CASE
                WHEN unclear IS NOT NULL THEN NULL
                WHEN quoted
                    THEN list_transform(
                        regexp_extract_all({between} || raw, '{form.delimiter}({cell})', 1),
                        lambda cell: CASE
                            WHEN starts_with(cell, '"') THEN replace(cell[2:-2], '""', '"') ELSE cell
                        END
                    )
                ELSE string_split(raw, {between})
            END AS cells
        FROM checked
    )
    SELECT
        batch, batch_row, raw, {unknown_columns(header)} AS unknown_fields,
        {form.delimiter == ","} AS point_is_usual,
        CASE WHEN len(cells) <> {len(header)} THEN 'column-count' ELSE unclear END AS read_error,
        {fields}
    FROM cut
    """
