"""Encoding of text files, and delimiter of those kept by people, detected from the whole file."""

from __future__ import annotations

import codecs
import gzip
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

_BLANKS = (9, 10, 11, 12, 13, 160, 8199, 8203, 8239, 8288, 65279)
BLANKS = "' ' || " + " || ".join(f"chr({code})" for code in _BLANKS)
"""SQL of the characters around a cell that are no part of it: spaces, also those of spreadsheets and web
pages that break no line or have no width."""


def cleaned(text: str) -> str:
    """SQL: a text without the blanks around it, in Unicode's composed form (NFC); NULL if nothing is left.

    Systems write `é` as one character or as two (macOS in file names, say); both are the same name.
    """
    return f"nullif(nfc_normalize(trim({text}, {BLANKS})), '')"


def has_control_character(text: str) -> str:
    """SQL: whether a text (SQL) has a control character other than a line break or tab.

    Such ids are rejected: Postgres, for one, does not hold NUL.
    """
    return rf"regexp_matches({text}, '[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]')"


DELIMITERS = ",;\t"
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_CODECS = {"utf-8": "utf-8-sig", "utf-16": "utf-16", "windows-1252": "cp1252"}
_UTF_8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_BLOCK_BYTES = 1 << 20
LARGEST_BYTES = 256 << 20


class EncodingError(ValueError):
    """The encoding cannot be determined; says where, and how to save the file."""


@dataclass(frozen=True)
class DelimitedText:
    """A CSV file's text without `sep=` and blank lines before the header.

    `skipped` counts those lines. `encoding` is that of `encoding_of`; windows-1252 is worth a note.
    """

    text: str
    delimiter: str
    encoding: str
    skipped: int


def read_delimited(content: bytes) -> DelimitedText:
    """A CSV file's text and its delimiter, detected from the first line. Raises `EncodingError`."""
    text, encoding = decoded(content)
    lines = text.splitlines(keepends=True)
    skipped = 0
    delimiter = None
    for line in lines:
        said = line.strip().lower()
        if said.startswith("sep=") and len(said) <= len("sep=") + 1:
            delimiter = line.strip()[4:] or ("\t" if "\t" in line else ",")
        elif said.strip(DELIMITERS + " "):
            break
        skipped += 1
    rest = lines[skipped:]
    header = rest[0] if rest else ""
    if delimiter is None:
        outside = "".join(header.split('"')[::2])
        delimiter = max(DELIMITERS, key=outside.count)
    return DelimitedText("".join(rest), delimiter, encoding, skipped)


def unpacked(path: Path, key: str) -> bytes:
    """The content of a file that is read as a whole, unpacked if its key ends in gz.

    Raises `EncodingError` if it is larger than a list kept by people can be, such as a gzip bomb.
    """
    with gzip.open(path) if key.lower().endswith(".gz") else path.open("rb") as content:
        whole = content.read(LARGEST_BYTES + 1)
    if len(whole) > LARGEST_BYTES:
        raise EncodingError(f"is larger than {LARGEST_BYTES >> 20} MiB unpacked; write several files")
    return whole


def decoded(content: bytes) -> tuple[str, str]:
    """The text and its encoding (see `encoding_of`). Raises `EncodingError`."""
    encoding = encoding_of(lambda: [content])
    return content.decode(_CODECS[encoding]), encoding


def blocks_of(path: Path) -> Iterator[bytes]:
    """The content of a file in blocks, unpacked if its name ends in gz."""
    with gzip.open(path) if path.suffix.lower() == ".gz" else path.open("rb") as content:
        while block := content.read(_BLOCK_BYTES):
            yield block


def write_as_utf_8(path: Path, encoding: str, target: Path) -> None:
    """Write the text of a file in `encoding` (see `encoding_of`) as UTF-8."""
    decoder = codecs.getincrementaldecoder(_CODECS[encoding])()
    with target.open("w", encoding="utf-8", newline="") as plain:
        for block in blocks_of(path):
            plain.write(decoder.decode(block))
        plain.write(decoder.decode(b"", final=True))


def encoding_of(blocks: Callable[[], Iterable[bytes]]) -> str:
    """utf-8, utf-16 (by its mark) or windows-1252: how the whole text, given block by block, can be read.

    Windows-1252 is assumed if the text is not UTF-8 and no part of it is: one damaged line makes nothing else
    of a file in UTF-8. Raises `EncodingError`.
    """
    if next(iter(blocks()), b"").startswith(UTF_16_MARKS):
        if broken := _undecodable(blocks(), "utf-16"):
            raise EncodingError(f"begins as UTF-16 and is cut or broken at byte {broken[0]}")
        return "utf-16"
    broken = _undecodable(blocks(), "utf-8")
    if not broken:
        return "utf-8"
    advice = "save it as UTF-8 (in Excel: CSV UTF-8)"
    if any(b"\0" in block for block in blocks()):
        raise EncodingError(f"is UTF-16 or binary, without a byte order mark; {advice}")
    if any(_UTF_8_LETTER.search(block) for block in blocks()):
        raise EncodingError(f"is UTF-8 in one part and not in another (line {broken[1]}); {advice}")
    if _undecodable(blocks(), "cp1252"):
        raise EncodingError(f"is neither UTF-8 nor Windows-1252 text (line {broken[1]}); {advice}")
    return "windows-1252"


def _undecodable(blocks: Iterable[bytes], codec: str) -> tuple[int, int] | None:
    """Byte and line, both from 1, where a text is not in the encoding; None if it is."""
    decoder = codecs.getincrementaldecoder(codec)()
    byte, line = 1, 1
    for block in chain(blocks, (b"",)):
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            at = max(0, error.start - kept)
            return byte + error.start - kept, line + block.count(b"\n", 0, at)
        byte, line = byte + len(block), line + block.count(b"\n")
    return None
