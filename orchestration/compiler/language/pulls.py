"""`usage.yml`: usage that other systems hold or send, and which streams it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from orchestration.compiler.problems import Place

LOG_FIELDS = ("host", "path", "client", "user_agent")


@dataclass(frozen=True)
class PullSource:
    """What a pull from one kind of system says besides the common keys.

    `customers` and `values`: what `customer` and `value` may be, the default first; empty: any text.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    customers: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


PULL_SOURCES: Mapping[str, PullSource] = {
    "prometheus": PullSource(("query",)),
    "sql": PullSource(("query",), ("time", "value")),
    "cloudwatch": PullSource(("namespace", "metric"), ("statistic", "dimensions", "role_arn")),
    "alb_logs": PullSource(
        optional=("value",),
        customers=(*LOG_FIELDS, "target_group"),
        values=("requests", "received_bytes", "sent_bytes"),
    ),
    "nginx_logs": PullSource(
        optional=("value",), customers=(*LOG_FIELDS, "user", "rest"), values=("requests", "sent_bytes")
    ),
    "s3_inventory": PullSource(optional=("value",), customers=("key",), values=("bytes", "objects")),
}
"""Each is read by the module of its name in `orchestration/sources/telemetry/pulls/readers`."""

STATISTICS = ("Sum", "SampleCount", "Average", "Minimum", "Maximum")
SQL_PARAMETERS = (":start", ":end")
LATE_DAYS = 1


@dataclass(frozen=True)
class Pull:
    """Usage of one stream, read from another system.

    `origin` is the address, location or region that it is read from, or the name of a connection in the
    settings. `customer` is the column, label or field with the customer; the first group of
    `customer_pattern` the id in it. `late_days` are whole days that every pull reads again.
    """

    name: str
    source: str
    origin: str
    stream: str
    customer: str
    customer_pattern: str | None
    since: date | None
    late_days: int
    filter: Mapping[str, tuple[str, ...]]
    options: Mapping[str, tuple[str, ...]]
    place: Place
    stream_place: Place
    filter_places: Mapping[str, Place] = field(default_factory=dict)

    def option(self, name: str, default: str = "") -> str:
        """A key of its source that is one text."""
        return self.options.get(name, (default,))[0]


@dataclass(frozen=True)
class Received:
    """Usage of one stream in what OpenTelemetry sends: a metric, or a number that spans have.

    `metric` is the metric's name, or None; `span` the spans' attribute, or None. `customer` is the attribute
    with the customer, of the point, the span or the resource. Only what has the attributes of `where` counts.
    `filter_from` names, by dimension, the attribute that holds the element.
    """

    metric: str | None
    span: str | None
    stream: str
    customer: str
    where: Mapping[str, str]
    filter: Mapping[str, tuple[str, ...]]
    filter_from: Mapping[str, str]
    place: Place
    stream_place: Place
    filter_places: Mapping[str, Place] = field(default_factory=dict)
