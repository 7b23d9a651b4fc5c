"""What the endpoints of the telemetry API share: senders, limits, bodies and durable storing."""

from __future__ import annotations

import asyncio
import logging
import time
import zlib
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from fastapi import HTTPException, Request, Response
from fastapi.security import HTTPAuthorizationCredentials
from prometheus_client import CollectorRegistry, Counter

from orchestration.compiler.problems import did_you_mean
from orchestration.settings import Settings
from orchestration.sources.telemetry.batch_store import BatchStore, KeyReusedError, Sent
from orchestration.sources.telemetry.intake import BodyError, IntakeResult
from orchestration.sources.telemetry.known_streams import KnownStreams
from orchestration.sources.telemetry.rate_limit import RateLimit
from orchestration.sources.telemetry.records import UsageLimits
from orchestration.sources.telemetry.spool import Spool, SpoolError
from orchestration.sources.telemetry.tokens import Token, Tokens, TokensFileError

_log = logging.getLogger("uvicorn.error")  # the server's log
STORING_AT_ONCE = 8


class TelemetryService:
    """Receives requests. `Tokens` and `Spool` say who may send and where it is stored."""

    def __init__(self, settings: Settings, tokens: Tokens, spool: Spool) -> None:
        self.body_bytes = settings.api_body_bytes
        self.tokens = tokens
        self.limit = RateLimit(settings.api_requests_per_second, settings.api_request_burst)
        limits = UsageLimits(settings.usage_earliest_day, settings.usage_future_hours)
        self.reception = BatchStore(spool, limits)
        self.streams = KnownStreams(settings.contexts)
        self.threads = ThreadPoolExecutor(STORING_AT_ONCE, "store")
        self.metrics = CollectorRegistry()
        self.answers = Counter("cpc_api_requests", "Answers", ["status"], registry=self.metrics)
        self.records = Counter("cpc_api_records", "Records received", ["fate"], registry=self.metrics)

    def store(self, sent: Sent) -> IntakeResult:
        """Judge a batch and store it; what is accepted is durable on return."""
        judged = self.reception.receive(sent, datetime.now(UTC).replace(tzinfo=None))
        self.records.labels("accepted").inc(judged.accepted)
        self.records.labels("rejected").inc(len(judged.rejected))
        return judged

    async def stored(self, store: Callable[[], Response]) -> Response:
        """The answer of `store`, which reads a body and stores it, run beside the server's loop."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, store)
        except BodyError as error:
            raise HTTPException(400, str(error)) from error
        except KeyReusedError as error:
            raise HTTPException(409, str(error)) from error
        except SpoolError as error:
            _log.error("%s", error)
            raise HTTPException(503, "not stored now; send it again", {"Retry-After": "5"}) from error

    def sender(self, presented: HTTPAuthorizationCredentials | None) -> Token:
        """The authenticated sender; raises if there is none, or too many of its requests."""
        try:
            token = self.tokens.owner(presented.credentials.strip()) if presented else None
        except TokensFileError as error:
            _log.error("%s", error)
            raise HTTPException(503, "the tokens of this server cannot be read; see its log") from error
        if token is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "send a known token: Authorization: Bearer <token>", challenge)
        if wait := self.limit.seconds_to_wait(token.name, time.monotonic()):
            text = f"too many requests of this token; wait {wait} s, or send more records in each"
            raise HTTPException(429, text, {"Retry-After": str(wait)})
        return token

    def check_stream(self, token: Token, stream: str) -> None:
        """Raise if the sender may not send to the stream, or there is none of it."""
        if not token.allows(stream):
            raise HTTPException(403, f"this token is not for the stream {stream!r}")
        known = self.streams.names()
        if known is not None and stream not in known:
            raise HTTPException(404, f'no stream "{stream}" in streams.yml{did_you_mean(stream, known)}')

    def content_type(self, request: Request, known: Collection[str]) -> str:
        """The body's type, one of the known."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in known:
            raise HTTPException(415, f"Content-Type is {' or '.join(known)}")
        return kind

    async def forget_requests_daily(self, kept: timedelta) -> None:
        """Once a day, starting now, forget keys older than `kept`."""
        loop = asyncio.get_running_loop()
        while True:
            before = datetime.now(UTC) - kept
            try:
                await loop.run_in_executor(self.threads, self.reception.forget_requests, before)
            except OSError as error:
                _log.error("old Idempotency-Keys stay for now: %s", error)
            await asyncio.sleep(24 * 3600)

    async def body(self, request: Request) -> bytes:
        """The uncompressed body, never holding more in memory than the limit."""
        packing = request.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip"):
            raise HTTPException(415, "Content-Encoding is gzip, or none")
        announced = request.headers.get("content-length", "")
        if announced.isdigit() and (len(announced) > 18 or int(announced) > self.body_bytes):
            raise self._too_large()
        unpacker = zlib.decompressobj(wbits=31) if packing == "gzip" else None
        parts: list[bytes] = []
        left = self.body_bytes
        async for chunk in request.stream():
            try:
                part = unpacker.decompress(chunk, left + 1) if unpacker else chunk
            except zlib.error as error:
                raise HTTPException(400, f"the gzip of the body is broken: {error}") from error
            left -= len(part)
            if left < 0:
                raise self._too_large()
            parts.append(part)
        if unpacker and (not unpacker.eof or unpacker.unused_data):
            raise HTTPException(400, "the gzip of the body is cut, or something follows it")
        return b"".join(parts)

    def _too_large(self) -> HTTPException:
        return HTTPException(413, f"a body has at most {self.body_bytes} bytes unpacked; send several")
