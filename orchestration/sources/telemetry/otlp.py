"""OpenTelemetry's requests as usage records, by the rules of `otlp` in `usage.yml`.

Counted are delta sums and delta histograms (their sum) of metrics, and numbers that spans have as attributes,
such as `gen_ai.usage.output_tokens`. A point counts at the start of its interval, a span at its end. Formats:
the OpenTelemetry Protocol (opentelemetry-proto); names of attributes: OpenTelemetry's semantic conventions.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_DELTA, Metric

from orchestration.compiler.language.pulls import Received

NOT_DELTA = (
    "is cumulative or a gauge, and usage is what was added: send deltas "
    "(OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=delta, or the collector's cumulativetodelta)"
)


@dataclass
class OtlpUsage:
    """Records (JSON texts) by stream, why points cannot count, and how many points no rule names."""

    records: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    rejected: list[str] = field(default_factory=list)
    ignored: int = 0

    def add(
        self, rule: Received, attributes: Mapping[str, Any], nanoseconds: int, value: float, id_: str
    ) -> None:
        """A record, if the attributes are those of the rule."""
        if any(str(attributes.get(name)) != text for name, text in rule.where.items()):
            return
        elements = {name: list(texts) for name, texts in rule.filter.items()}
        for dimension, name in rule.filter_from.items():
            if name in attributes:
                elements[dimension] = [str(attributes[name])]
        moment = datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
        customer = attributes.get(rule.customer)
        record: dict[str, Any] = {
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "customer_id": None if customer is None else str(customer),
            "value": value,
            # The same point in another request is the same usage.
            "record_id": sha256(
                f"{id_} {rule.stream} {rule.span or rule.metric} {rule.where}".encode()
            ).hexdigest(),
        }
        if elements:
            record["filter"] = elements
        self.records[rule.stream].append(json.dumps(record, ensure_ascii=False))


def usage_of_metrics(request: ExportMetricsServiceRequest, rules: Iterable[Received]) -> OtlpUsage:
    """Usage in a request to /v1/metrics."""
    usage = OtlpUsage()
    by_metric: defaultdict[str, list[Received]] = defaultdict(list)
    for rule in rules:
        if rule.metric:
            by_metric[rule.metric].append(rule)
    for resource in request.resource_metrics:
        of_resource = _attributes(resource.resource.attributes)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                points = list(_points(metric))
                if metric.name not in by_metric:
                    usage.ignored += len(points)
                    continue
                kind = getattr(metric, metric.WhichOneof("data") or "gauge")
                if getattr(kind, "aggregation_temporality", None) != AGGREGATION_TEMPORALITY_DELTA:
                    usage.rejected += [f"metric {metric.name} {NOT_DELTA}"] * len(points)
                    continue
                for point, value in points:
                    said = {**of_resource, **_attributes(point.attributes)}
                    # No value is no usage; a histogram without measurements has no sum.
                    if value:
                        for rule in by_metric[metric.name]:
                            id_ = f"{metric.name} {sorted(said.items())} {point.time_unix_nano}"
                            usage.add(
                                rule, said, point.start_time_unix_nano or point.time_unix_nano, value, id_
                            )
    return usage


def usage_of_spans(request: ExportTraceServiceRequest, rules: Iterable[Received]) -> OtlpUsage:
    """Usage in a request to /v1/traces."""
    usage = OtlpUsage()
    of_spans = [rule for rule in rules if rule.span]
    for resource in request.resource_spans:
        of_resource = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                own = _attributes(span.attributes)
                found = [rule for rule in of_spans if rule.span in own]
                usage.ignored += not found
                for rule in found:
                    id_ = f"{span.trace_id.hex()} {span.span_id.hex()}"
                    said = own[rule.span or ""]
                    if said != 0:
                        usage.add(rule, {**of_resource, **own}, span.end_time_unix_nano, said, id_)
    return usage


def _points(metric: Metric) -> Iterator[tuple[Any, float]]:
    """Data points with their value."""
    kind = metric.WhichOneof("data")
    for point in getattr(metric, kind).data_points if kind else ():
        if kind in ("sum", "gauge"):
            yield point, point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
        else:
            yield point, point.sum


def _attributes(pairs: Iterable[Any]) -> dict[str, Any]:
    """Attributes with a simple value: text, number or truth value."""
    found = {}
    for pair in pairs:
        kind = pair.value.WhichOneof("value")
        if kind in ("string_value", "int_value", "double_value", "bool_value"):
            found[pair.key] = getattr(pair.value, kind)
    return found


REQUESTS: Mapping[str, tuple[type[Message], Any]] = {
    "metrics": (ExportMetricsServiceRequest, usage_of_metrics),
    "traces": (ExportTraceServiceRequest, usage_of_spans),
}
"""By the signal in the address: its request, and how usage is read from it."""
