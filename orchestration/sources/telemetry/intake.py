"""Turn a request into a stored batch and a list of rejected records."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import local
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.sources.telemetry.formats.jsonl import JSONL_QUERY
from orchestration.sources.telemetry.records import EVERY_TIME, UsageLimits, judged_records

ELSEWHERE = "not-of-this-address"
"""The reason of a record that names another stream or operation than the address it was sent to."""

_SPACES = re.compile(r"[ \t\r\n]*")
_LINES = pa.schema([("batch", pa.int32()), ("batch_row", pa.int64()), ("raw", pa.string())])

# A record may omit what the URL says; if given, it must agree.
_ADDRESSED = f"""
    SELECT * REPLACE (coalesce(stream, $stream) AS stream, coalesce(operation, $operation) AS operation)
    FROM ({JSONL_QUERY})
"""
# A record without an identity gets one from its request, so equal records of two requests both count, and the
# same request stored twice has the same content.
_JUDGED = f"""
    SELECT
        batch_row,
        CASE
            WHEN reason IS NULL AND (stream <> $stream OR operation <> $operation) THEN '{ELSEWHERE}'
            ELSE reason
        END AS rejection,
        CASE
            WHEN rejection = '{ELSEWHERE}'
                THEN 'the record is for ' || stream || '/' || operation
                    || '; send it to that address, or leave stream and operation out'
            ELSE detail
        END AS message,
        CASE
            WHEN rejection IS NULL
                THEN to_json(struct_pack(
                    stream := stream,
                    timestamp := strftime(usage_timestamp, '%Y-%m-%dT%H:%M:%S.%fZ'),
                    granularity := granularity,
                    customer_id := customer_id,
                    value := value::VARCHAR,
                    operation := operation,
                    filter := filter::JSON,
                    record_id := coalesce(record_id, $request || '-' || batch_row)
                ))::VARCHAR
        END AS stored
    FROM ({judged_records(_ADDRESSED)})
    ORDER BY batch_row
"""
_of_thread = local()


class BodyError(ValueError):
    """The body is invalid; no records can be read from it. Says why."""


@dataclass(frozen=True)
class IntakeResult:
    """`batch` is the JSONL of the `accepted` records; `rejected` has index (from 0), reason and message."""

    accepted: int
    batch: bytes
    rejected: list[dict[str, Any]]


def records_of_json(body: bytes) -> list[str]:
    """Records of `{"records": [...]}` as text, with digits as written."""
    text = _text(body)
    # Numbers stay text: Python refuses to convert very long ones, and they are not needed here.
    decoder = json.JSONDecoder(parse_int=str, parse_float=str)
    try:
        parsed = decoder.decode(text)
        if (
            not isinstance(parsed, dict)
            or list(parsed) != ["records"]
            or not isinstance(parsed["records"], list)
        ):
            raise BodyError('the body must be {"records": [...]} and nothing else')
        place = text.index("[") + 1
        records = []
        for _ in parsed["records"]:
            start = _skip(text, place)
            _, end = decoder.raw_decode(text, start)
            records.append(re.sub(r"[\r\n]", " ", text[start:end]))
            place = _skip(text, end) + 1  # comma or end of the list
        if parsed["records"] and (text[place - 1] != "]" or text[place:].strip(" \t\r\n") != "}"):
            raise BodyError("the body names records more than once")
    except (json.JSONDecodeError, RecursionError) as error:
        raise BodyError(f"the body is not JSON: {error}") from error
    return records


def records_of_ndjson(body: bytes) -> list[str]:
    """Lines of a body with one record per line; blank lines are skipped."""
    # Invalid UTF-8 affects only its line: the rules reject the replacement character.
    return [line for line in body.decode("utf-8", "replace").split("\n") if line.strip(" \t\r")]


def judge(
    records: Sequence[str],
    stream: str,
    operation: str,
    request: str,
    now: datetime,
    limits: UsageLimits = EVERY_TIME,
) -> IntakeResult:
    """Judge records (JSON text without line breaks). The same arguments give the same batch, byte for byte.

    `request` is unique to the request; `now` is UTC without zone.
    """
    connection = _connection()
    connection.register(
        "lines",
        pa.table([[0] * len(records), list(range(len(records))), list(records)], schema=_LINES),
    )
    address = {"stream": stream, "operation": operation, "request": request}
    rows = connection.execute(_JUDGED, {**address, **limits.parameters(now)}).fetchall()
    good = [stored for _, rejection, _, stored in rows if rejection is None]
    return IntakeResult(len(good), _lines(good), list(_rejected(rows)))


def _rejected(rows: Iterable[tuple[Any, ...]]) -> Iterable[dict[str, Any]]:
    for index, rejection, message, _ in rows:
        if rejection is not None:
            yield {"index": index, "reason": rejection, "message": message}


def _lines(texts: Iterable[str]) -> bytes:
    return "".join(f"{text}\n" for text in texts).encode()


def _connection() -> duckdb.DuckDBPyConnection:
    """One in-memory database per thread, so small requests do not wait for each other."""
    if not hasattr(_of_thread, "connection"):
        _of_thread.connection = duckdb.connect(config={"threads": 1})
        _of_thread.connection.execute("SET TimeZone = 'UTC'")
    connection: duckdb.DuckDBPyConnection = _of_thread.connection
    return connection


def _skip(text: str, place: int) -> int:
    spaces = _SPACES.match(text, place)
    return spaces.end() if spaces else place


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyError(f"the body is not UTF-8 text: {error}") from error
