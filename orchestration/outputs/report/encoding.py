"""Tables as compact, exact bytes that a web page can take apart quickly.

A table becomes one text: base64 of zlib of

    4 bytes          length of the header, little-endian
    header           JSON: the number of rows, and of each column name, kind, width and, for texts, the values
    planes           of each column: the lowest byte of every row, then the next byte of every row, ...
                     and last, where the column has nulls, a byte per row that is 1 where it is null

Whole numbers, dates (days since 1970) and decimals (whole numbers of their last digit) are two's complement
of as many bytes as the column needs; texts are places in the header's list of values. Nothing is rounded, and
nothing passes through a floating point number. `page/columns.js` reads it.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

# A plane is redundant if it only repeats the sign of the one below: 0 above 0-127, 255 above 128-255.
_SIGNS = bytes(0 if byte < 128 else 255 for byte in range(256))
_LEVEL = 6
# The page sums every four bytes of an amount separately, in numbers that are exact below 2^53.
_MOST_ROWS = 2**21


class NotEncodableError(ValueError):
    """A column's type or number of rows cannot be encoded."""


@dataclass(frozen=True)
class _Column:
    header: dict[str, Any]
    planes: bytes


def encode(table: pa.Table) -> str:
    """The table as text of letters, digits, `+`, `/` and `=`."""
    columns = [_encode_column(name, table[name].combine_chunks()) for name in table.column_names]
    header = json.dumps(
        {"rows": table.num_rows, "columns": [column.header for column in columns]},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    content = b"".join([len(header).to_bytes(4, "little"), header, *(column.planes for column in columns)])
    return base64.b64encode(zlib.compress(content, _LEVEL)).decode("ascii")


def _encode_column(name: str, values: pa.Array) -> _Column:
    header: dict[str, Any] = {"name": name}
    if pa.types.is_string(values.type):
        texts = values.dictionary_encode()
        header |= {"kind": "text", "values": texts.dictionary.to_pylist()}
        numbers = texts.indices.cast(pa.int64())
    elif pa.types.is_date32(values.type):
        header |= {"kind": "date"}
        numbers = _differences(values.cast(pa.int32()).cast(pa.int64()))
    elif pa.types.is_decimal128(values.type):
        header |= {"kind": "decimal", "scale": values.type.scale}
        if len(values) > _MOST_ROWS:
            raise NotEncodableError(f"The report cannot sum {len(values):,} rows of column {name} exactly")
        numbers = values
    elif pa.types.is_integer(values.type) or pa.types.is_boolean(values.type):
        header |= {"kind": "whole"}
        numbers = values.cast(pa.int64())
    else:
        raise NotEncodableError(f"The report has no form for column {name} of type {values.type}")
    planes = _planes(numbers)
    header["width"] = len(planes)
    if values.null_count:
        header["nulls"] = True
        planes = [*planes, _bytes(pc.is_null(values).cast(pa.uint8()), 1)]
    return _Column(header, b"".join(planes))


def _differences(days: pa.Array) -> pa.Array:
    """Each day minus the previous one: nearly constant in tables sorted by day, so it compresses well."""
    filled = pc.fill_null(days, 0)
    return pc.subtract(filled, pa.concat_arrays([pa.array([0], pa.int64())[: len(filled)], filled[:-1]]))


def _planes(numbers: pa.Array) -> list[bytes]:
    """The numbers' bytes, lowest first, without high bytes that only repeat the sign."""
    zero = Decimal(0) if pa.types.is_decimal128(numbers.type) else 0
    width = numbers.type.bit_width // 8
    content = _bytes(pc.fill_null(numbers, pa.scalar(zero, numbers.type)), width)
    planes = [content[byte::width] for byte in range(width)]
    while len(planes) > 1 and planes[-1] == planes[-2].translate(_SIGNS):
        planes.pop()
    return planes


def _bytes(values: pa.Array, width: int) -> bytes:
    if len(values) == 0:
        return b""
    start = values.offset * width
    return bytes(memoryview(values.buffers()[1])[start : start + len(values) * width])
