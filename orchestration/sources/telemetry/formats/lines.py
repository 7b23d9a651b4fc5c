"""Text files as lines, a block at a time: the relation that the queries of JSONL and CSV read.

A damaged line stays one bad line, memory is bounded by the block, and thousands of small files are one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.sources.files.text import EncodingError, encoding_of
from orchestration.sources.telemetry.formats.batch_file import BROKEN_GZIP, BatchFile, UnreadableFileError

BLOCK_BYTES = 8 << 20
LONGEST_LINE_BYTES = 64 << 20
# Usage is packed to a tenth or a thirtieth of its size; lines of `{}`, which are a row each, to a 230th.
MOST_UNPACKED = 200
LINES = pa.schema([("batch", pa.int32()), ("batch_row", pa.int64()), ("raw", pa.large_string())])
"""A line: its batch, its number (from 1, after the header), its text."""

NOT_BLANK = "(raw >= '!' OR trim(raw, ' \t\r') <> '')"
"""SQL: the line is a record; one of nothing but blanks is none. The comparison spares most lines the trim."""

WITHOUT_RETURN = "CASE WHEN ends_with(raw, chr(13)) THEN raw[:-2] ELSE raw END AS raw"
"""SQL: the line without the carriage return of a file from Windows."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def lines_of_all(
    files: Sequence[BatchFile],
    header_lines: int,
    unreadable: dict[int, str],
    failures: list[OSError],
    assumed_encodings: set[int],
) -> Iterator[pa.RecordBatch]:
    """Lines of the files after their headers; files found broken on the way are added to `unreadable`, and
    those read as Windows-1252 to `assumed_encodings`.

    What was read of a broken file before its damage is included. An error of the machine is added to
    `failures`, to be raised by whoever runs the query, because exceptions lose their type inside the query.
    """
    for file in files:
        try:
            yield from _lines(file, header_lines, assumed_encodings)
        except BROKEN_GZIP as error:
            unreadable[file.batch] = f"gzip is broken: {error}"
        except UnreadableFileError as error:
            unreadable[file.batch] = str(error)
        except OSError as error:
            failures.append(error)
            return


def is_windows_1252(file: BatchFile) -> bool:
    """Whether a file that is not UTF-8 is Windows-1252 as a whole; else only its bad lines are rejected."""
    try:
        return encoding_of(lambda: _blocks(file)) == "windows-1252"
    except EncodingError:
        return False


def _lines(file: BatchFile, header_lines: int, assumed_encodings: set[int]) -> Iterator[pa.RecordBatch]:
    """Lines of one file, numbered from 1 after the header."""
    before = -header_lines
    for block in _blocks(file):
        found = pc.split_pattern(pa.array([block], pa.large_binary()), b"\n").values
        try:
            text = found.cast(pa.large_string())
        except pa.ArrowInvalid:
            # Blocks before this one are ASCII if the file is Windows-1252.
            if file.batch in assumed_encodings or is_windows_1252(file):
                assumed_encodings.add(file.batch)
                whole = block.decode("cp1252")
            else:
                # Only bad lines are marked: their reader looks for the replacement character.
                whole = block.decode("utf-8", "replace")
            text = pa.array(whole.split("\n"), pa.large_string())
        header_here = max(0, -before)
        numbers = pa.arange(before + 1, before + len(text) + 1)
        before += len(text)
        batches = pa.repeat(pa.scalar(file.batch, pa.int32()), len(text))
        yield pa.record_batch([batches, numbers, text], schema=LINES).slice(header_here)


def _blocks(file: BatchFile) -> Iterator[bytes]:
    """The file in blocks of whole lines, without the last line break of each."""
    kept: list[bytes] = []
    unpacked, most = 0, max(BLOCK_BYTES, MOST_UNPACKED * file.path.stat().st_size)
    with closing(file.open()) as stream:
        first = stream.read(len(_BYTE_ORDER_MARK))
        kept.append(first.removeprefix(_BYTE_ORDER_MARK))
        while block := stream.read(BLOCK_BYTES):
            unpacked += len(block)
            if unpacked > most:
                raise UnreadableFileError(
                    f"it unpacks to more than {MOST_UNPACKED} times its size, which no usage does; if it is "
                    "right, deliver it unpacked"
                )
            whole, end, rest = block.rpartition(b"\n")
            if end:
                yield b"".join([*kept, whole])
                kept = [rest]
            else:
                kept.append(block)
                if sum(map(len, kept)) > LONGEST_LINE_BYTES:
                    raise UnreadableFileError(
                        f"a line is longer than {LONGEST_LINE_BYTES >> 20} MiB; write one record per line"
                    )
    if last := b"".join(kept):
        yield last.removesuffix(b"\n")
