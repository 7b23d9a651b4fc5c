"""CSV: a header line, then one record per line.

What belongs here: how a line is cut into cells. What does not: the rules of a record.
A record is one line: a line break inside of quotes is refused, so that a stray quote costs one line and not
all that follow.
"""

from __future__ import annotations

import csv
from contextlib import closing

from orchestration.sources.telemetry.formats.batch_file import (
    BROKEN_GZIP,
    BatchFile,
    UnreadableFileError,
    check_columns,
    unknown_columns,
)
from orchestration.sources.telemetry.formats.lines import LONGEST_LINE_BYTES, NOT_BLANK, WITHOUT_RETURN
from orchestration.sources.telemetry.records import FIELDS


def csv_header(file: BatchFile) -> tuple[str, ...]:
    """The column names of a file; none when the file is empty."""
    try:
        with closing(file.open()) as stream:
            line = stream.readline(LONGEST_LINE_BYTES)
    except BROKEN_GZIP as error:
        raise UnreadableFileError(f"gzip is broken: {error}") from error
    if not line.strip():
        if line:
            raise UnreadableFileError("the first line is blank; it must name the columns")
        return ()
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UnreadableFileError("the header is not UTF-8 text; write the file as UTF-8") from error
    header = tuple(name.strip() for name in next(csv.reader([text])))
    check_columns(header)
    return header


def csv_query(header: tuple[str, ...]) -> str:
    """The query over `lines` of files with this header."""
    fields = ", ".join(
        f"cells[{header.index(name) + 1}] AS {name}" if name in header else f"NULL::VARCHAR AS {name}"
        for name in FIELDS
    )
    return rf"""
    WITH numbered AS (
        SELECT batch, batch_row, {WITHOUT_RETURN}, contains(raw, '"') AS quoted
        FROM lines
        WHERE {NOT_BLANK}
    ),
    checked AS (
        SELECT
            *,
            CASE
                WHEN contains(raw, chr(65533)) THEN 'not-utf-8'
                WHEN quoted AND NOT regexp_full_match(',' || raw, '(?:,(?:"(?:[^"]|"")*"|[^,"]*))*')
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
                        regexp_extract_all(',' || raw, ',("(?:[^"]|"")*"|[^,"]*)', 1),
                        lambda cell: CASE
                            WHEN starts_with(cell, '"') THEN replace(cell[2:-2], '""', '"') ELSE cell
                        END
                    )
                ELSE string_split(raw, ',')
            END AS cells
        FROM checked
    )
    SELECT
        batch, batch_row, raw, {unknown_columns(header)} AS unknown_fields,
        CASE WHEN len(cells) <> {len(header)} THEN 'column-count' ELSE unclear END AS misread,
        {fields}
    FROM cut
    """
