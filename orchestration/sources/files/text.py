"""Encoding and delimiter of text files kept by people (customers, revenue), detected from the whole file."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

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


class EncodingError(ValueError):
    """The encoding cannot be determined; says where, and how to save the file."""


@dataclass(frozen=True)
class DelimitedText:
    """A CSV file's text without `sep=` and blank lines before the header.

    `skipped` counts those lines. `encoding` is utf-8, utf-16 or windows-1252; the last is assumed if the
    bytes are not UTF-8, which is worth a note.
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


def decoded(content: bytes) -> tuple[str, str]:
    """The text and its encoding: by byte order mark, else UTF-8, else Windows-1252."""
    if content.startswith(UTF_16_MARKS):
        try:
            return content.decode("utf-16"), "utf-16"
        except UnicodeDecodeError as error:
            raise EncodingError(f"begins as UTF-16 and is cut or broken at byte {error.start + 1}") from error
    try:
        return content.decode("utf-8-sig"), "utf-8"
    except UnicodeDecodeError as error:
        row = content.count(b"\n", 0, error.start) + 1
        advice = "save it as UTF-8 (in Excel: CSV UTF-8)"
        if b"\0" in content:
            raise EncodingError(f"is UTF-16 or binary, without a byte order mark; {advice}") from error
        try:
            return content.decode("cp1252"), "windows-1252"
        except UnicodeDecodeError:
            raise EncodingError(f"is neither UTF-8 nor Windows-1252 text (line {row}); {advice}") from error
