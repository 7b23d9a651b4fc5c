"""An S3 that does not answer is asked again; one that answers no is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import dagster as dg
import pytest

from orchestration.automation.workspace import prepare_workspace
from orchestration.settings import S3Settings, Settings
from orchestration.sources.customers import CUSTOMERS
from orchestration.sources.s3 import s3_resource
from tests.unit.sources.in_dagster import landed_in_dagster

_ATTEMPTS = 6  # of boto3 itself, before the step is tried again
_EMPTY = b"<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"
_ERROR = b"<Error><Code>%s</Code><Message>said the server</Message></Error>"


@contextmanager
def _s3(*answers: tuple[int, bytes]) -> Iterator[tuple[str, list[int]]]:
    """A server that gives these answers, then empty listings; its address, and what it answered so far."""
    given: list[int] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers[len(given)] if len(given) < len(answers) else (200, _EMPTY)
            given.append(status)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", given
    finally:
        server.shutdown()
        server.server_close()


def _land(tmp_path: Path, endpoint: str) -> dg.ExecuteInProcessResult:
    settings = Settings(
        workspace=tmp_path,
        customers_location="s3://acme/customers",
        s3=S3Settings(endpoint_url=endpoint, region_name="us-east-1"),
    )
    prepare_workspace(settings)
    return landed_in_dagster(CUSTOMERS, settings, s3_resource(settings))


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def test_a_busy_bucket_is_tried_again(tmp_path: Path) -> None:
    with _s3(*[(503, _ERROR % b"SlowDown")] * _ATTEMPTS) as (endpoint, given):
        landed = _land(tmp_path, endpoint)
    assert landed.success
    assert given[-1] == 200
    assert sum(event.is_step_up_for_retry for event in landed.all_events) == 1


def test_a_bucket_that_denies_access_is_not(tmp_path: Path) -> None:
    with (
        _s3((403, _ERROR % b"AccessDenied")) as (endpoint, given),
        pytest.raises(dg.Failure, match="s3:ListBucket"),
    ):
        _land(tmp_path, endpoint)
    assert given == [403]
