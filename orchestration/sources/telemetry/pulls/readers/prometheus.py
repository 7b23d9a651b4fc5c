"""Prometheus and what speaks its API (Mimir, Thanos, VictoriaMetrics): `GET /api/v1/query_range`.

The query is evaluated at the end of each step, so `increase(requests_total[1h])` is the usage of the hour
before; the range has to be that of the stream's granularity. A connection may hold a user and password, or a
bearer token in the place of the user.
"""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Annotated

from pydantic import BaseModel, Field

from orchestration.compiler.language.pulls import Pull
from orchestration.sources.telemetry.pulls.readers.reader import (
    Access,
    PullError,
    Quantity,
    Window,
    customer_ids,
    readable,
)

_SECONDS = 120


class _Series(BaseModel):
    metric: dict[str, str]
    values: list[tuple[Annotated[float, Field(ge=0, le=1e11)], float]] = []
    histograms: list[object] = []


class _Data(BaseModel):
    resultType: str  # noqa: N815 (Prometheus' name)
    result: list[_Series]


class _Answer(BaseModel):
    data: _Data
    warnings: list[str] = []


def read(pull: Pull, window: Window, access: Access) -> Iterator[Quantity]:
    """One quantity per series and step."""
    first = window.start + window.step
    asked = {
        "query": pull.option("query"),
        "start": str(int(first.replace(tzinfo=UTC).timestamp())),
        "end": str(int(window.end.replace(tzinfo=UTC).timestamp())),
        "step": str(int(window.step.total_seconds())),
    }
    answer = _ask(access.address(pull), asked)
    access.remarks += answer.warnings
    if answer.data.resultType != "matrix":
        raise PullError(f"the query answers with a {answer.data.resultType}; a vector by time is needed")
    customer_id = customer_ids(pull)
    for series in answer.data.result:
        customer = customer_id(series.metric.get(pull.customer))
        if series.histograms:
            raise PullError("the query answers with native histograms; ask for histogram_sum or _count")
        for seconds, value in series.values:
            ended = datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
            yield Quantity(ended - window.step, customer, value)


def _ask(address: str, asked: dict[str, str]) -> _Answer:
    parts = urllib.parse.urlsplit(address)
    user, _, place = parts.netloc.rpartition("@")
    url = parts._replace(netloc=place, path=f"{parts.path.rstrip('/')}/api/v1/query_range").geturl()
    if parts.scheme not in ("http", "https"):
        raise PullError(f"{url} is not an address of Prometheus; write http://host:9090")
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if user:
        said = urllib.parse.unquote(user)
        basic = base64.b64encode(said.encode()).decode()
        headers["Authorization"] = f"Basic {basic}" if ":" in user else f"Bearer {said}"
    request = urllib.request.Request(url, urllib.parse.urlencode(asked).encode(), headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as found:  # noqa: S310
            body = found.read()
    except urllib.error.HTTPError as error:
        raise PullError(f"{url} answered {error.code}: {_why(error.read())}") from error
    except (OSError, HTTPException) as error:
        raise PullError(f"{url} does not answer: {error}") from error
    with readable(f"{url} (is it the address of Prometheus?)"):
        return _Answer.model_validate_json(body)


def _why(body: bytes) -> str:
    text = body.decode("utf-8", "replace")
    try:
        return str(json.loads(text)["error"])
    except (ValueError, KeyError, TypeError):
        return text[:300]
