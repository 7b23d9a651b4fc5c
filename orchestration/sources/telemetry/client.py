"""Send a file of usage records to the telemetry API; sending it again is harmless.

Each request has an Idempotency-Key made of the file's content and the request's place in it, and is tried
again until the server answers it, for a while.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import duckdb
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential_jitter,
)

from orchestration.settings import ExpectedError
from orchestration.sources.telemetry.formats.batch_file import BatchFile
from orchestration.sources.telemetry.readers import Reading, plan_readings
from orchestration.sources.telemetry.records import FIELDS

RECORDS_A_REQUEST = 5_000
SECONDS_TO_TRY = 300
_SECONDS = 60
_WAIT = wait_exponential_jitter(initial=0.5, max=30)
# A stream's records stay in the file's order, which decides what a replace or delete replaces.
_RECORDS = """
    SELECT
        batch_row,
        nullif(trim(stream), '') AS stream,
        coalesce(nullif(trim(operation), ''), 'sum') AS operation,
        read_error,
        json_merge_patch('{{}}', to_json(struct_pack({texts}))) AS record
    FROM ({rows})
    ORDER BY stream, batch_row
"""


class SendError(ExpectedError):
    """The file cannot be read, or the server refuses it; says why."""


class _TryAgainError(Exception):
    """The server cannot be reached, or takes nothing now."""

    def __init__(self, why: str, seconds: int = 0) -> None:
        super().__init__(why)
        self.seconds = seconds


@dataclass(frozen=True)
class SentFile:
    """How many records the server stored, and why it rejected others, by row."""

    accepted: int
    rejected: tuple[str, ...]


@dataclass(frozen=True)
class _Batch:
    stream: str
    operation: str
    rows: list[int]
    records: list[str]


def send_file(path: Path, url: str, token: str) -> SentFile:
    """Send every record of a JSONL, CSV or Parquet file (also .gz). Raises `SendError`."""
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    accepted = 0
    rejected: list[str] = []
    for number, batch in enumerate(_batches(path, rejected)):
        answer = _send(batch, url, token, f"{content}-{number}")
        accepted += answer["accepted"]
        rejected += [
            f"row {batch.rows[each['index']]}: {each['reason']}: {each['message']}"
            for each in answer["rejected"]
        ]
    return SentFile(accepted, tuple(rejected))


def _batches(path: Path, rejected: list[str]) -> Iterator[_Batch]:
    """Requests of one stream and operation each; unreadable rows go to `rejected`."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        plan = plan_readings([BatchFile(0, path.name, path)], Path(folder))
        for reading in plan.readings:
            batch: _Batch | None = None
            for row, stream, operation, error, record in _rows(connection, reading):
                if error is not None or stream is None:
                    rejected.append(f"row {row}: {error or 'stream-missing'}")
                    continue
                full = batch is not None and len(batch.rows) == RECORDS_A_REQUEST
                if batch is None or full or (batch.stream, batch.operation) != (stream, operation):
                    if batch:
                        yield batch
                    batch = _Batch(stream, operation, [], [])
                batch.rows.append(row)
                batch.records.append(record)
            if batch:
                yield batch
        if plan.failures:
            raise SendError(f"{path}: {plan.failures[0]}")
        if plan.unreadable:
            raise SendError(f"{path}: {plan.unreadable[0]}")


def _rows(connection: duckdb.DuckDBPyConnection, reading: Reading) -> Iterator[tuple[Any, ...]]:
    if reading.lines is not None:
        connection.register("lines", reading.lines(reading.files))
    said = {"filter": "coalesce(try_cast(filter AS JSON), to_json(filter))"}
    texts = ", ".join(f'"{name}" := {said.get(name, name)}' for name in FIELDS)
    result = connection.execute(_RECORDS.format(texts=texts, rows=reading.query(reading.files)))
    while rows := result.fetchmany(10_000):
        yield from rows


def _send(batch: _Batch, url: str, token: str, key: str) -> dict[str, Any]:
    request = urllib.request.Request(  # noqa: S310 (the command takes http and https only)
        f"{url.rstrip('/')}/v1/streams/{batch.stream}/{batch.operation}",
        gzip.compress("\n".join(batch.records).encode()),
        {
            "Authorization": f"Bearer {token}",
            "Idempotency-Key": key,
            "Content-Type": "application/x-ndjson",
            "Content-Encoding": "gzip",
        },
    )
    try:
        return Retrying(
            retry=retry_if_exception_type(_TryAgainError),
            wait=_wait,
            stop=stop_after_delay(SECONDS_TO_TRY),
            reraise=True,
        )(_once, request)
    except _TryAgainError as error:
        raise SendError(f"{url}: {error}; send the file again, what is stored counts once") from error


def _wait(state: RetryCallState) -> float:
    """As long as the server asks for, else longer each time."""
    error = state.outcome.exception() if state.outcome else None
    return max(_WAIT(state), error.seconds if isinstance(error, _TryAgainError) else 0)


def _once(request: urllib.request.Request) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            found: dict[str, Any] = json.load(answer)
            return found
    except urllib.error.HTTPError as error:
        said = error.read().decode("utf-8", "replace")
        if error.code in (429, 502, 503, 504):
            seconds = error.headers.get("Retry-After", "")
            raise _TryAgainError(f"{error.code} {said}", int(seconds) if seconds.isdigit() else 0) from error
        if error.code == 422:
            rejected: dict[str, Any] = json.loads(said)
            return rejected
        raise SendError(f"{request.full_url} answered {error.code}: {_error_of(said)}") from error
    except (OSError, HTTPException) as error:
        raise _TryAgainError(str(error)) from error


def _error_of(said: str) -> str:
    try:
        return str(json.loads(said)["error"])
    except (ValueError, KeyError, TypeError):
        return said[:300]
