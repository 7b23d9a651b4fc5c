"""The OTLP/HTTP endpoints of the telemetry API: `/v1/metrics` and `/v1/traces`, protobuf or JSON.

An exporter is set up as for any OTLP backend:

    OTEL_EXPORTER_OTLP_ENDPOINT=https://usage.example.com
    OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer <token>"
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta

200 means that all usage in the request is durably stored. The same request sent again counts once.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Literal

from fastapi import FastAPI, HTTPException, Request, Response
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from orchestration.compiler.reading.program import USAGE_FILE
from orchestration.sources.telemetry.answers import REFUSALS, Bearer
from orchestration.sources.telemetry.batch_store import Sent
from orchestration.sources.telemetry.intake import BodyError
from orchestration.sources.telemetry.otlp import REQUESTS, OtlpUsage
from orchestration.sources.telemetry.service import TelemetryService
from orchestration.sources.telemetry.tokens import Token

_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
_REASONS_SHOWN = 3


def add_otlp(app: FastAPI, service: TelemetryService) -> None:
    """Add the endpoints to the API."""

    @app.post(
        "/v1/{signal}",
        summary="Send OpenTelemetry metrics or spans",
        responses=REFUSALS,
        openapi_extra={"requestBody": {"required": True, "content": {_PROTOBUF: {}, _JSON: {}}}},
    )
    async def send_otlp(request: Request, signal: Literal["metrics", "traces"], bearer: Bearer) -> Response:
        """OTLP/HTTP: what usage.yml names under otlp becomes usage, the rest is ignored."""
        token = service.sender(bearer)
        kind = service.content_type(request, (_PROTOBUF, _JSON))
        body = await service.body(request)
        answer = await service.stored(lambda: _store(service, token, signal, kind, body))
        service.answers.labels(answer.status_code).inc()
        return answer


def _store(service: TelemetryService, token: Token, signal: str, kind: str, body: bytes) -> Response:
    rules = service.streams.received()
    if not rules:
        raise HTTPException(404, f"{USAGE_FILE} of this server names no usage under otlp, or has problems")
    request_type, read = REQUESTS[signal]
    usage: OtlpUsage = read(_parsed(request_type(), kind, body), rules)
    key = sha256(body).hexdigest()
    rejected = list(usage.rejected)
    for stream, records in usage.records.items():
        if not token.allows(stream):
            rejected += [f"this token is not for the stream {stream!r}"] * len(records)
            continue
        # Exporters drop what is rejected, so the batch keeps it: the run shows it in quarantine.
        judged = service.store(
            Sent(token.name, stream, "sum", f"otlp-{key}-{stream}", records, keep_rejected=True)
        )
        rejected += [each["message"] for each in judged.rejected]
    service.records.labels("ignored").inc(usage.ignored)
    return Response(_answer(signal, kind, rejected), media_type=kind)


def _parsed(message: Message, kind: str, body: bytes) -> Message:
    try:
        if kind == _PROTOBUF:
            message.ParseFromString(body)
        else:
            json_format.Parse(body, message, ignore_unknown_fields=True)
    except (DecodeError, json_format.ParseError, UnicodeDecodeError) as error:
        raise BodyError(f"the body is not an OTLP request: {error}") from error
    return message


def _answer(signal: str, kind: str, rejected: list[str]) -> bytes:
    """The response; with a partial success if something is rejected."""
    answer: Any = ExportMetricsServiceResponse() if signal == "metrics" else ExportTraceServiceResponse()
    if rejected:
        count = "rejected_data_points" if signal == "metrics" else "rejected_spans"
        setattr(answer.partial_success, count, len(rejected))
        answer.partial_success.error_message = "; ".join(list(dict.fromkeys(rejected))[:_REASONS_SHOWN])
    encoded: bytes = (
        answer.SerializeToString() if kind == _PROTOBUF else json_format.MessageToJson(answer).encode()
    )
    return encoded
