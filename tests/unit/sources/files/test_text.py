"""How text files are encoded and divided into cells."""

from __future__ import annotations

import pytest

from orchestration.sources.files.text import DelimitedText, EncodingError, read_delimited

TEXT = "id;name\na;Müller\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-8-sig"), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("cp1252"), "windows-1252"),
    ],
)
def test_text_is_read_however_it_is_encoded(content: bytes, encoding: str) -> None:
    assert read_delimited(content) == DelimitedText(TEXT, ";", encoding, 0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16-le"), "without a byte order mark"),
        ("id\nü\n".encode() + "ü".encode("cp1252"), r"UTF-8 in one part and not in another \(line 3\)"),
        (b"\xff\xfea", "is cut or broken at byte 3"),
        ("id\nü".encode("cp1252") + b"\x81", r"neither UTF-8 nor Windows-1252 text \(line 2\)"),
    ],
)
def test_what_cannot_be_told_is_an_error_that_says_how_to_save_the_file(content: bytes, message: str) -> None:
    with pytest.raises(EncodingError, match=message):
        read_delimited(content)


def test_excels_first_line_and_blank_rows_are_no_header() -> None:
    read = read_delimited(b'sep=;\r\n\r\n;;\r\n"a,b,c,d";e\r\n1;2\r\n')
    assert read == DelimitedText('"a,b,c,d";e\r\n1;2\r\n', ";", "utf-8", 3)
    assert read_delimited(b'"a;b;c",d\n').delimiter == ","
    assert read_delimited(b"a\tb\n").delimiter == "\t"
    assert read_delimited(b"").text == ""
