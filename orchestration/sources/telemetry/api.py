"""The telemetry API: applications send usage with one HTTP call, and are told once it is safe.

    curl -X POST localhost:8787/v1/streams/search_queries/sum -H "Authorization: Bearer $TOKEN" \\
        -H "Idempotency-Key: $(uuidgen)" -H "Content-Type: application/json" -d '{"records":
        [{"timestamp": "2026-10-20T14:05:00Z", "customer_id": "cust-017", "value": 1250}]}'

    request = urllib.request.Request(url, json.dumps({"records": records}).encode(), headers={
        "Authorization": f"Bearer {token}", "Idempotency-Key": str(uuid.uuid4()),
        "Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        print(json.load(answer))

202 means that every accepted record is durably stored. Send a request again under the same Idempotency-Key
until it is answered: it counts once. Keys are remembered for 30 days (api_keys_kept_days). Without a key each
request counts, a retry too.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
import zlib
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect

from orchestration.compiler.problems import did_you_mean
from orchestration.settings import Settings
from orchestration.sources.telemetry.answers import ANSWERS, REQUEST_BODY, Operation
from orchestration.sources.telemetry.batch_store import BatchStore, KeyReusedError, Sent
from orchestration.sources.telemetry.intake import BodyError, records_of_json, records_of_ndjson
from orchestration.sources.telemetry.known_streams import KnownStreams
from orchestration.sources.telemetry.rate_limit import RateLimit
from orchestration.sources.telemetry.records import NAME, UsageLimits
from orchestration.sources.telemetry.spool import Spool, SpoolError
from orchestration.sources.telemetry.tokens import Token, Tokens, TokensFileError

_log = logging.getLogger("uvicorn.error")  # the server's log
STORING_AT_ONCE = 8
LONGEST_KEY = 255
_READERS = {"application/json": records_of_json, "application/x-ndjson": records_of_ndjson}
# Nobody reads this answer; it is counted.
CLIENT_GONE = 499


class TelemetryApi:
    """The API's endpoints. `Tokens` and `Spool` say who may send and where it is stored."""

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

    async def send(
        self, request: Request, presented: str | None, stream: str, operation: Operation, key: str | None
    ) -> Response:
        """Accept a batch: 202 once it is stored."""
        token = self._sender(presented, stream)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _READERS:
            raise HTTPException(415, f"Content-Type is {' or '.join(_READERS)}")
        body = await self._body(request)

        def store() -> Response:
            sent = Sent(token.name, stream, operation, key, _READERS[kind](body))
            judged = self.reception.receive(sent, datetime.now(UTC).replace(tzinfo=None))
            self.records.labels("accepted").inc(judged.accepted)
            self.records.labels("rejected").inc(len(judged.rejected))
            answer = {"accepted": judged.accepted, "rejected": judged.rejected}
            return JSONResponse(answer, 202 if judged.accepted else 422)

        try:
            return await asyncio.get_running_loop().run_in_executor(self.threads, store)
        except BodyError as error:
            raise HTTPException(400, str(error)) from error
        except KeyReusedError as error:
            raise HTTPException(409, str(error)) from error
        except SpoolError as error:
            _log.error("%s", error)
            raise HTTPException(503, "not stored now; send it again", {"Retry-After": "5"}) from error

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

    def _sender(self, presented: str | None, stream: str) -> Token:
        """The authenticated sender; raises if not allowed."""
        try:
            token = self.tokens.owner(presented.strip()) if presented else None
        except TokensFileError as error:
            _log.error("%s", error)
            raise HTTPException(503, "the tokens of this server cannot be read; see its log") from error
        if token is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "send a known token: Authorization: Bearer <token>", challenge)
        if wait := self.limit.seconds_to_wait(token.name, time.monotonic()):
            text = f"too many requests of this token; wait {wait} s, or send more records in each"
            raise HTTPException(429, text, {"Retry-After": str(wait)})
        if not token.allows(stream):
            raise HTTPException(403, f"this token is not for the stream {stream!r}")
        known = self.streams.names()
        if known is not None and stream not in known:
            raise HTTPException(404, f'no stream "{stream}" in streams.yml{did_you_mean(stream, known)}')
        return token

    async def _body(self, request: Request) -> bytes:
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


_Bearer = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]
_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=LONGEST_KEY,
        description="The same key and body again is stored once and answered the same",
    ),
]


def build_api(settings: Settings, tokens: Tokens, spool: Spool) -> FastAPI:
    """The ASGI application."""
    api = TelemetryApi(settings, tokens, spool)
    kept = timedelta(days=settings.api_keys_kept_days)

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:  # noqa: ARG001
        forgetting = asyncio.create_task(api.forget_requests_daily(kept))
        yield
        forgetting.cancel()

    app = FastAPIOffline(
        title="Cost per customer: telemetry",
        version=version("cost-per-customer"),
        redoc_url=None,
        lifespan=lifespan,
    )

    @app.exception_handler(AnyHTTPException)
    async def refuse(request: Request, error: AnyHTTPException) -> Response:  # noqa: ARG001
        api.answers.labels(error.status_code).inc()
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    @app.exception_handler(RequestValidationError)
    async def reject_invalid_request(request: Request, error: RequestValidationError) -> Response:
        wrong = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
        status = 404 if any(each["loc"][0] == "path" for each in error.errors()) else 400
        return await refuse(request, HTTPException(status, "; ".join(wrong)))

    @app.post(
        "/v1/streams/{stream}/{operation}",
        summary="Send usage records",
        status_code=202,
        response_class=JSONResponse,
        responses=ANSWERS,
        openapi_extra={"requestBody": REQUEST_BODY},
    )
    async def send(
        request: Request,
        stream: Annotated[str, Path(pattern=f"^{NAME}$")],
        operation: Operation,
        bearer: _Bearer,
        idempotency_key: _Key = None,
    ) -> Response:
        """Send a request again under the same Idempotency-Key until it is answered: it counts once."""
        presented = bearer.credentials if bearer else None
        try:
            answer = await api.send(request, presented, stream, operation, idempotency_key)
        except ClientDisconnect:
            answer = Response(status_code=CLIENT_GONE)
        api.answers.labels(answer.status_code).inc()
        return answer

    @app.get("/healthz", summary="Is it up", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok\n"

    @app.get("/metrics", summary="Counts since the start, for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(api.metrics), media_type=CONTENT_TYPE_LATEST)

    return app
