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
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from orchestration.settings import Settings
from orchestration.sources.telemetry.batch_store import BatchStore, KeyReusedError, Sent
from orchestration.sources.telemetry.intake import BodyError, records_of_json, records_of_ndjson
from orchestration.sources.telemetry.openapi import OPERATIONS, openapi_document
from orchestration.sources.telemetry.rate_limit import RateLimit
from orchestration.sources.telemetry.records import UsageLimits
from orchestration.sources.telemetry.spool import Spool, SpoolError
from orchestration.sources.telemetry.tokens import Token, Tokens, TokensFileError

_log = logging.getLogger("uvicorn.error")  # the server's log
STORING_AT_ONCE = 8
LONGEST_KEY = 255
_READERS = {"application/json": records_of_json, "application/x-ndjson": records_of_ndjson}
_PAGE = """<!doctype html><title>Telemetry API</title><h1>Telemetry API</h1>
<p>The whole description is <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).<pre id=all></pre>
<script>fetch("openapi.json").then(r => r.json()).then(d =>
document.getElementById("all").textContent = JSON.stringify(d, null, 2))</script>
"""


class TelemetryApi:
    """The API's endpoints. `Tokens` and `Spool` say who may send and where it is stored."""

    def __init__(self, settings: Settings, tokens: Tokens, spool: Spool) -> None:
        self.body_bytes = settings.api_body_bytes
        self.tokens = tokens
        self.limit = RateLimit(settings.api_requests_per_second, settings.api_request_burst)
        limits = UsageLimits(settings.usage_earliest_day, settings.usage_future_hours)
        self.reception = BatchStore(spool, limits)
        self.threads = ThreadPoolExecutor(STORING_AT_ONCE, "store")
        self.answers: Counter[int] = Counter()
        self.records: Counter[str] = Counter()

    async def send(self, request: Request) -> Response:
        """Accept a batch: 202 once it is stored."""
        token = self._sender(request)
        key = request.headers.get("idempotency-key")
        if key is not None and not 0 < len(key) <= LONGEST_KEY:
            raise HTTPException(400, f"an Idempotency-Key has 1 to {LONGEST_KEY} characters")
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in _READERS:
            raise HTTPException(415, f"Content-Type is {' or '.join(_READERS)}")
        body = await self._body(request)

        def store() -> Response:
            stream, operation = request.path_params["stream"], request.path_params["operation"]
            sent = Sent(token.name, stream, operation, key, _READERS[kind](body))
            judged = self.reception.receive(sent, datetime.now(UTC).replace(tzinfo=None))
            self.records["accepted"] += judged.accepted
            self.records["rejected"] += len(judged.rejected)
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

    def metrics(self) -> str:
        """Counters since start, in Prometheus format."""
        lines = ["# TYPE cpc_api_requests_total counter"]
        lines += [
            f'cpc_api_requests_total{{status="{status}"}} {n}' for status, n in sorted(self.answers.items())
        ]
        lines.append("# TYPE cpc_api_records_total counter")
        for fate in ("accepted", "rejected"):
            lines.append(f'cpc_api_records_total{{fate="{fate}"}} {self.records[fate]}')
        return "\n".join(lines) + "\n"

    def _sender(self, request: Request) -> Token:
        """The authenticated sender; raises if not allowed."""
        scheme, _, presented = request.headers.get("authorization", "").partition(" ")
        try:
            token = self.tokens.owner(presented.strip()) if scheme.lower() == "bearer" else None
        except TokensFileError as error:
            _log.error("%s", error)
            raise HTTPException(503, "the tokens of this server cannot be read; see its log") from error
        if token is None:
            challenge = {"WWW-Authenticate": "Bearer"}
            raise HTTPException(401, "send a known token: Authorization: Bearer <token>", challenge)
        if wait := self.limit.seconds_to_wait(token.name, time.monotonic()):
            text = f"too many requests of this token; wait {wait} s, or send more records in each"
            raise HTTPException(429, text, {"Retry-After": str(wait)})
        if not token.allows(request.path_params["stream"]):
            raise HTTPException(403, f"this token is not for the stream {request.path_params['stream']!r}")
        if request.path_params["operation"] not in OPERATIONS:
            raise HTTPException(404, f"the operation is one of {', '.join(OPERATIONS)}")
        return token

    async def _body(self, request: Request) -> bytes:
        """The uncompressed body, never holding more in memory than the limit."""
        packing = request.headers.get("content-encoding", "identity").strip().lower()
        if packing not in ("identity", "gzip"):
            raise HTTPException(415, "Content-Encoding is gzip, or none")
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
                text = f"a body has at most {self.body_bytes} bytes unpacked; send several"
                raise HTTPException(413, text)
            parts.append(part)
        if unpacker and (not unpacker.eof or unpacker.unused_data):
            raise HTTPException(400, "the gzip of the body is cut, or something follows it")
        return b"".join(parts)


def build_api(settings: Settings, tokens: Tokens, spool: Spool) -> Starlette:
    """The ASGI application."""
    api = TelemetryApi(settings, tokens, spool)
    document = openapi_document(version("cost-per-customer"))
    kept = timedelta(days=settings.api_keys_kept_days)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001
        forgetting = asyncio.create_task(api.forget_requests_daily(kept))
        yield
        forgetting.cancel()

    async def send(request: Request) -> Response:
        answer = await api.send(request)
        api.answers[answer.status_code] += 1
        return answer

    async def refuse(request: Request, error: Exception) -> Response:  # noqa: ARG001
        if not isinstance(error, HTTPException):
            raise error
        api.answers[error.status_code] += 1
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    async def healthz(request: Request) -> Response:  # noqa: ARG001
        return PlainTextResponse("ok\n")

    async def metrics(request: Request) -> Response:  # noqa: ARG001
        return PlainTextResponse(api.metrics(), media_type="text/plain; version=0.0.4")

    async def openapi(request: Request) -> Response:  # noqa: ARG001
        return JSONResponse(document)

    async def page(request: Request) -> Response:  # noqa: ARG001
        return HTMLResponse(_PAGE)

    return Starlette(
        routes=[
            Route("/v1/streams/{stream}/{operation}", send, methods=["POST"]),
            Route("/healthz", healthz),
            Route("/metrics", metrics),
            Route("/openapi.json", openapi),
            Route("/docs", page),
        ],
        exception_handlers={HTTPException: refuse},
        lifespan=lifespan,
    )
