"""OpenTelemetry's exporters against a real server, and what then counts."""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.unit.sources.telemetry.conftest import Telemetry
from tests.unit.sources.telemetry.test_api import Server, serve  # noqa: F401 (a fixture)

USAGE = """
otlp:
  - {metric: jobs, customer: tenant.id, stream: jobs}
  - metric: gen_ai.client.token.usage
    where: {gen_ai.token.type: output}
    customer: tenant.id
    stream: tokens
  - span: gen_ai.usage.input_tokens
    customer: tenant.id
    stream: input_tokens
    filter: {feature: Assistant}
    filter_from: {model: gen_ai.response.model}
  - {metric: secret, customer: tenant.id, stream: others}
"""
MORNING = int(datetime(2026, 7, 1, 10, 59, 30, tzinfo=UTC).timestamp()) * 10**9
MINUTE = 60 * 10**9


def attributes(**said: Any) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", bool: "boolValue", float: "doubleValue"}
    return [
        {"key": name.replace("__", "."), "value": {kinds[type(value)]: value}} for name, value in said.items()
    ]


def metrics(*found: dict[str, Any]) -> dict[str, Any]:
    resource = {"attributes": attributes(service__name="api", tenant__id="of the resource")}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": list(found)}]}]}


def delta(
    name: str, *points: tuple[dict[str, Any], float], kind: str = "sum", temporality: int = 1
) -> dict[str, Any]:
    value = {"sum": lambda said: {"asInt": said} if isinstance(said, int) else {"asDouble": said}}.get(
        kind, lambda said: {"sum": said, "count": 2}
    )
    data = [
        {
            "attributes": attributes(**said),
            "startTimeUnixNano": MORNING,
            "timeUnixNano": MORNING + MINUTE,
            **value(number),
        }
        for said, number in points
    ]
    return {
        "name": name,
        kind: {"aggregationTemporality": temporality, "dataPoints": data},
    }


class Exporter:
    """Sends as OpenTelemetry's exporters do."""

    def __init__(self, server: Server) -> None:
        self.server = server
        secret = server.tokens.create(["jobs", "tokens", "input_tokens"], "otlp", datetime.now(UTC))
        self.headers = {"Authorization": f"Bearer {secret}"}

    def post(
        self, path: str, body: bytes, kind: str = "application/x-protobuf", **headers: str
    ) -> tuple[int, bytes]:
        request = urllib.request.Request(
            f"{self.server.address}{path}", body, {**self.headers, "Content-Type": kind, **headers}
        )
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def metrics(self, said: dict[str, Any], **headers: str) -> Any:
        body = json_format.ParseDict(said, ExportMetricsServiceRequest()).SerializeToString()
        if headers.get("Content-Encoding") == "gzip":
            body = gzip.compress(body)
        status, answer = self.post("/v1/metrics", body, **headers)
        assert status == 200, answer
        return ExportMetricsServiceResponse.FromString(answer).partial_success


@pytest.fixture
def exporter(serve: Any, tmp_path: Path) -> Exporter:  # noqa: F811
    (tmp_path / "contexts").mkdir()
    (tmp_path / "contexts" / "usage.yml").write_text(USAGE)
    return Exporter(serve())


def landed(telemetry: Telemetry) -> list[tuple[Any, ...]]:
    """Records as landed, those of one record_id once, as they count."""
    telemetry.land()
    columns = "record_id, stream, strftime(usage_timestamp, '%H:%M:%S'), customer_id, value, filter"
    return sorted(row[1:] for row in set(telemetry.records(columns)))


def test_metrics_count_once_however_often_they_are_exported(exporter: Exporter, telemetry: Telemetry) -> None:
    said = metrics(
        delta(
            "jobs",
            ({"tenant__id": "ada"}, 5),
            ({"tenant__id": "ada", "queue": "x"}, 0.25),
            ({"queue": "y"}, 1),
        ),
        delta(
            "gen_ai.client.token.usage",
            ({"tenant__id": "ada", "gen_ai__token__type": "output"}, 700.0),
            ({"tenant__id": "ada", "gen_ai__token__type": "input"}, 9000.0),
            kind="histogram",
        ),
        delta("something.else", ({}, 1)),
        delta("jobs", ({"tenant__id": "bob"}, 0)),
    )
    assert exporter.metrics(said).rejected_data_points == 0
    assert exporter.metrics(said, **{"Content-Encoding": "gzip"}).rejected_data_points == 0
    # The same points in another request are the same usage.
    assert (
        exporter.metrics(metrics(*said["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][:1])) is not None
    )
    assert landed(telemetry) == [
        ("jobs", "10:59:30", "ada", Decimal("0.25"), None),
        ("jobs", "10:59:30", "ada", Decimal(5), None),
        ("jobs", "10:59:30", "of the resource", Decimal(1), None),
        ("tokens", "10:59:30", "ada", Decimal(700), None),
    ]
    assert telemetry.quarantine() == []


def test_what_cannot_count_is_answered_and_kept(exporter: Exporter, telemetry: Telemetry) -> None:
    without = metrics(delta("jobs", ({}, 3), ({"tenant__id": "ada"}, -2)))
    without["resourceMetrics"][0]["resource"] = {}
    answer = exporter.metrics(without)
    assert (answer.rejected_data_points, answer.error_message.split(";")[0]) == (2, "customer_id is missing")
    cumulative = metrics(delta("jobs", ({"tenant__id": "ada"}, 3), temporality=2), delta("secret", ({}, 1)))
    answer = exporter.metrics(cumulative)
    assert answer.rejected_data_points == 2
    assert "send deltas (OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta" in answer.error_message
    assert "this token is not for the stream 'others'" in answer.error_message
    telemetry.land()
    assert telemetry.records() == []
    assert telemetry.quarantine("reason") == [("customer-id-missing",), ("value-not-positive",)]


def test_spans_of_generative_ai_become_tokens_by_model(exporter: Exporter, telemetry: Telemetry) -> None:
    spans = [
        {
            "traceId": f"{trace:032x}",
            "spanId": f"{number:016x}",
            "name": "chat",
            "endTimeUnixNano": str(MORNING + number * MINUTE),
            "attributes": attributes(
                gen_ai__operation__name="chat",
                gen_ai__provider__name="openai",
                gen_ai__response__model=model,
                gen_ai__usage__input_tokens=tokens,
                gen_ai__usage__output_tokens=7,
            ),
        }
        for trace, number, model, tokens in ((1, 0, "large", 100), (1, 1, "small", 40), (2, 2, "large", 0))
    ]
    spans.append({"traceId": "00", "name": "GET /", "attributes": []})
    resource = {"attributes": attributes(tenant__id="ada")}
    said = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}], "later": 1}
    status, answer = exporter.post("/v1/traces", json.dumps(said).encode(), "application/json")
    assert (status, json.loads(answer)) == (200, {})
    # Sent again in another request, by protobuf: spans are known by their ids.
    del spans[1:], said["later"]
    again = json_format.ParseDict(said, ExportTraceServiceRequest()).SerializeToString()
    status, answer = exporter.post("/v1/traces", again)
    assert (status, ExportTraceServiceResponse.FromString(answer)) == (200, ExportTraceServiceResponse())
    assert landed(telemetry) == [
        ("input_tokens", "10:59:30", "ada", Decimal(100), '{"feature":["Assistant"],"model":["large"]}'),
        ("input_tokens", "11:00:30", "ada", Decimal(40), '{"feature":["Assistant"],"model":["small"]}'),
    ]


def test_limits_and_refusals_of_the_api_hold(exporter: Exporter, serve: Any, tmp_path: Path) -> None:  # noqa: F811
    assert exporter.post("/v1/logs", b"")[0] == 404
    assert exporter.post("/v1/metrics", b"", "text/plain")[0] == 415
    status, answer = exporter.post("/v1/metrics", b"\xff\xff\xff")
    assert (status, b"not an OTLP request" in answer) == (400, True)
    assert exporter.post("/v1/traces", b"{", "application/json")[0] == 400
    assert (
        exporter.post("/v1/metrics", gzip.compress(b"x" * (17 << 20)), **{"Content-Encoding": "gzip"})[0]
        == 413
    )
    assert exporter.post("/v1/metrics", b"", Authorization="Bearer nobody")[0] == 401
    (tmp_path / "source" / "api").parent.mkdir(exist_ok=True)
    (tmp_path / "source" / "api").write_text("in the way")
    body = json_format.ParseDict(metrics(delta("jobs", ({}, 1))), ExportMetricsServiceRequest())
    assert exporter.post("/v1/metrics", body.SerializeToString())[0] == 503
    (tmp_path / "contexts" / "usage.yml").write_text("otlp: [{metric: jobs}]")
    status, answer = exporter.post("/v1/metrics", body.SerializeToString())
    assert (status, json.loads(answer)["error"]) == (
        404,
        "usage.yml of this server names no usage under otlp, or has problems",
    )
