"""CloudWatch metrics: `GetMetricData` for each metric of a name that has the customer as a dimension.

`from` is the region. `dimensions` are all the names that a metric has (default: the customer's alone), so
that the same usage under other sets of dimensions is not counted again. ListMetrics knows metrics with data
in the last two weeks; a backfill misses customers that were silent since. Permissions:
cloudwatch:ListMetrics and cloudwatch:GetMetricData.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

from orchestration.compiler.language.pulls import Pull
from orchestration.settings import AwsAccess
from orchestration.sources.aws_access import AWS_ERRORS, AwsAccessError, client, open_session, what_failed
from orchestration.sources.telemetry.pulls.readers.reader import (
    Access,
    PullError,
    Quantity,
    Window,
    customer_ids,
)

_METRICS_A_REQUEST = 500


def read(pull: Pull, window: Window, access: Access) -> Iterator[Quantity]:
    """One quantity per metric and step."""
    endpoint = access.settings.aws_endpoint_url
    try:
        session = open_session(AwsAccess(role_arn=pull.option("role_arn") or None), endpoint, pull.origin)
        cloudwatch = client(session, "cloudwatch", endpoint, pull.origin)
        metrics = _metrics(cloudwatch, pull)
        for first in range(0, len(metrics), _METRICS_A_REQUEST):
            yield from _values(cloudwatch, pull, window, metrics[first : first + _METRICS_A_REQUEST])
    except AwsAccessError as error:
        raise PullError(str(error)) from error
    except AWS_ERRORS as error:
        raise PullError(f"CloudWatch in {pull.origin}: {what_failed(error, 'cloudwatch')}") from error


def _metrics(cloudwatch: Any, pull: Pull) -> list[dict[str, Any]]:
    """Metrics with exactly the wanted dimensions, each once."""
    found = {}
    wanted = sorted({*pull.options.get("dimensions", ()), pull.customer})
    asked = {"Namespace": pull.option("namespace"), "MetricName": pull.option("metric")}
    for page in cloudwatch.get_paginator("list_metrics").paginate(
        **asked, Dimensions=[{"Name": name} for name in wanted]
    ):
        for metric in page["Metrics"]:
            if sorted(each["Name"] for each in metric["Dimensions"]) == wanted:
                values = tuple(sorted((each["Name"], each["Value"]) for each in metric["Dimensions"]))
                found[values] = {key: metric[key] for key in ("Namespace", "MetricName", "Dimensions")}
    return list(found.values())


def _values(cloudwatch: Any, pull: Pull, window: Window, metrics: list[dict[str, Any]]) -> Iterator[Quantity]:
    names = [{each["Name"]: each["Value"] for each in metric["Dimensions"]} for metric in metrics]
    customer_id = customer_ids(pull)
    stat = {"Period": int(window.step.total_seconds()), "Stat": pull.option("statistic", "Sum")}
    queries = [
        {"Id": f"m{number}", "MetricStat": {"Metric": metric, **stat}}
        for number, metric in enumerate(metrics)
    ]
    pages = cloudwatch.get_paginator("get_metric_data").paginate(
        MetricDataQueries=queries,
        StartTime=window.start.replace(tzinfo=UTC),
        EndTime=window.end.replace(tzinfo=UTC),
        ScanBy="TimestampAscending",
    )
    for page in pages:
        for result in page["MetricDataResults"]:
            customer = customer_id(names[int(result["Id"][1:])][pull.customer])
            for when, value in zip(result["Timestamps"], result["Values"], strict=True):
                yield Quantity(when.astimezone(UTC).replace(tzinfo=None), customer, value)
