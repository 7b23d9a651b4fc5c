"""Euro foreign exchange reference rates as the European Central Bank publishes them.

`eurofxref-hist.csv` has a row per working day and a column per currency, `N/A` where there is no rate; the
daily `eurofxref.csv` has one row, blanks in the header and the day as `27 November 2026`. Both come in a zip.
The XML files have the same as `Cube` elements. A rate is what one euro costs.
"""

from __future__ import annotations

import csv
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO, StringIO
from xml.etree import ElementTree

from orchestration.sources.files.text import LARGEST_BYTES, EncodingError, decoded

BASE = "EUR"
Rate = tuple[int | None, str, str, str]
"""Row in the file (from 1, without the header; None: the whole file), day, currency and rate, as text."""

_CODE = re.compile("[A-Z]{3}")


def rates_of(content: bytes, ending: str) -> list[Rate] | None:
    """The rates of a file with this ending; None if it is not one of the ECB's.

    Raises `EncodingError` or `zipfile.BadZipFile` if it cannot be read.
    """
    if ending == ".zip":
        with zipfile.ZipFile(BytesIO(content)) as archive:
            [*names] = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if len(names) != 1 or archive.getinfo(names[0]).file_size > LARGEST_BYTES:
                raise EncodingError("is not a zip of one CSV file")
            content = archive.read(names[0])
    text, _ = decoded(content)
    if ending == ".xml":
        try:
            rates = list(_of_cubes(text))
        except ElementTree.ParseError as error:
            raise EncodingError(f"is not XML: {error}") from error
        if not rates:
            raise EncodingError("has no rates: elements Cube with a currency and a rate")
        return rates
    rows = csv.reader(StringIO(text))
    header = [name.strip() for name in next(rows, [])]
    codes = [name for name in header[1:] if name]
    if header[:1] != ["Date"] or not codes or not all(map(_CODE.fullmatch, codes)):
        return None
    return [
        (number, _day(row[0].strip()), code, cell.strip())
        for number, row in enumerate(rows, 1)
        for code, cell in zip(header[1:], row[1:], strict=False)
        if code and cell.strip() not in ("", "N/A")
    ]


def _of_cubes(text: str) -> Iterator[Rate]:
    day, number = "", 0
    # Expat itself refuses entities that grow without bound.
    for cube in ElementTree.fromstring(text).iterfind(".//{*}Cube"):  # noqa: S314
        if "time" in cube.attrib:
            day, number = cube.attrib["time"], number + 1
        elif "currency" in cube.attrib:
            yield number, day, cube.attrib["currency"], cube.attrib.get("rate", "")


def _day(text: str) -> str:
    try:
        return datetime.strptime(text, "%d %B %Y").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return text
