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
from collections.abc import AsyncIterator
from datetime import timedelta
from importlib.metadata import version
from typing import Annotated

from fastapi import FastAPI, Header, HTTPException, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException as AnyHTTPException
from starlette.requests import ClientDisconnect

from orchestration.settings import Settings
from orchestration.sources.telemetry.answers import ANSWERS, REQUEST_BODY, Bearer, Operation
from orchestration.sources.telemetry.batch_store import Sent
from orchestration.sources.telemetry.intake import records_of_json, records_of_ndjson
from orchestration.sources.telemetry.otlp_api import add_otlp
from orchestration.sources.telemetry.records import NAME
from orchestration.sources.telemetry.service import TelemetryService
from orchestration.sources.telemetry.spool import Spool
from orchestration.sources.telemetry.tokens import Tokens

LONGEST_KEY = 255
_READERS = {"application/json": records_of_json, "application/x-ndjson": records_of_ndjson}
# Nobody reads this answer; it is counted.
CLIENT_GONE = 499

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
    api = TelemetryService(settings, tokens, spool)
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

    @app.exception_handler(ClientDisconnect)
    async def count_the_client_gone(request: Request, error: ClientDisconnect) -> Response:  # noqa: ARG001
        api.answers.labels(CLIENT_GONE).inc()
        return Response(status_code=CLIENT_GONE)

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
        bearer: Bearer,
        idempotency_key: _Key = None,
    ) -> Response:
        """Send a request again under the same Idempotency-Key until it is answered: it counts once."""
        token = api.sender(bearer)
        api.check_stream(token, stream)
        kind = api.content_type(request, _READERS)
        body = await api.body(request)

        def store() -> Response:
            sent = Sent(token.name, stream, operation, idempotency_key, _READERS[kind](body))
            judged = api.store(sent)
            answer = {"accepted": judged.accepted, "rejected": judged.rejected}
            return JSONResponse(answer, 202 if judged.accepted else 422)

        answer = await api.stored(store)
        api.answers.labels(answer.status_code).inc()
        return answer

    add_otlp(app, api)

    @app.get("/healthz", summary="Is it up", response_class=PlainTextResponse)
    async def healthz() -> str:
        return "ok\n"

    @app.get("/metrics", summary="Counts since the start, for Prometheus", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(api.metrics), media_type=CONTENT_TYPE_LATEST)

    return app
