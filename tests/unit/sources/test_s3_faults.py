"""An S3 that fails while it is read: nothing half-read lands, the message names the object, and the next
landing is the one of an S3 that never failed. A real HTTP proxy stands before a real S3 API."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import boto3
import duckdb
import pytest
from botocore.config import Config

from orchestration.settings import BillingExport, ExpectedError
from orchestration.sources.billing.landing import land_billing
from orchestration.sources.locations import open_location
from orchestration.sources.telemetry.batches import land_telemetry
from tests.end_to_end import small_company
from tests.examples import LONG
from tests.fuzzed_files import NOW

READ_SECONDS = 2
BILL, USAGE = "bill-1.csv.gz", "searches-2026-04.jsonl"


class Proxy:
    """Forwards requests to the S3 API; `fault` may break the answer to one."""

    def __init__(self, endpoint: str) -> None:
        self.host = urlsplit(endpoint).netloc
        self.fault: Callable[[BaseHTTPRequestHandler], str | None] = lambda _: None
        self.faults = 0

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        fault = self.fault(handler)
        self.faults += fault is not None
        if fault == "error":
            handler.send_error(500)
            return
        if fault == "silence":
            time.sleep(READ_SECONDS * 2)
            return
        upstream = http.client.HTTPConnection(self.host)
        upstream.request(handler.command, handler.path, headers=dict(handler.headers))
        response = upstream.getresponse()
        body = response.read()
        handler.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                handler.send_header(name, value)
        length = response.getheader("Content-Length") if handler.command == "HEAD" else str(len(body))
        handler.send_header("Content-Length", length or "0")
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body[: len(body) // 2] if fault == "cut" else body)
        handler.close_connection = True


@contextmanager
def proxied(endpoint: str) -> Iterator[tuple[Proxy, str]]:
    proxy = Proxy(endpoint)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            proxy.answer(self)

        def do_HEAD(self) -> None:
            proxy.answer(self)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield proxy, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Company:
    """Bills and usage in a bucket, read through the proxy; written past it."""

    def __init__(self, client: Any, bucket: str, address: str, folder: Path) -> None:
        self.client, self.bucket, self.folder = client, bucket, folder
        config = Config(read_timeout=READ_SECONDS, retries={"max_attempts": 2, "mode": "standard"})
        self.reader = boto3.client(
            "s3",
            endpoint_url=address,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=config,
        )

    def deliver(self, month: str, search: Decimal = small_company.SEARCH) -> None:
        made = small_company.write_bill(self.folder / "made", month, search)
        for path in made.iterdir():
            content = path.read_bytes().replace(b'"bills"', f'"{self.bucket}"'.encode())
            self.put(f"bill/{made.name}/{path.name}", content)
        small_company.write_usage(self.folder / "usage", month)
        for path in (self.folder / "usage").iterdir():
            self.put(f"usage/{path.name}", path.read_bytes())

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def land(self, landing: Path) -> None:
        def opened(place: str) -> Any:
            return open_location(place, lambda: self.reader)

        land_billing([BillingExport(name="aws", location=f"s3://{self.bucket}/bill")], opened, landing)
        land_telemetry(opened(f"s3://{self.bucket}/usage"), landing, NOW)


def landed(landing: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that a run would read."""
    patterns = {
        "charges": "billing/*/*/*/charges*.parquet",
        "days": "billing/days/*/*/*.parquet",
        "records": "telemetry/records/*/*.parquet",
    }
    but = "columns(lambda name: name <> 'load_id')"  # how many landings it took
    with duckdb.connect() as connection:
        return {
            name: connection.execute(
                f"select {but} from read_parquet('{landing}/{pattern}', union_by_name = true, "
                "hive_partitioning = false) order by all"
            ).fetchall()
            for name, pattern in patterns.items()
        }


@pytest.fixture
def company(s3_endpoint: str, s3_client: Any, bucket: str, tmp_path: Path) -> Iterator[tuple[Company, Proxy]]:
    with proxied(s3_endpoint) as (proxy, address):
        company = Company(s3_client, bucket, address, tmp_path)
        company.deliver("2026-03")
        yield company, proxy


CASES = [("error", BILL), ("silence", BILL), ("cut", BILL), ("cut", "bill-Manifest.json"), ("cut", USAGE)]
ALL_CASES = list(product(["error", "silence", "cut"], [BILL, "bill-Manifest.json", USAGE, "list-type=2"]))


@pytest.mark.parametrize(("kind", "name"), ALL_CASES if LONG > 1 else CASES)
def test_an_s3_that_fails_is_named_and_read_again(
    company: tuple[Company, Proxy], name: str, kind: str, tmp_path: Path
) -> None:
    here, proxy = company
    landing = tmp_path / "landing"
    here.land(landing)
    before = landed(landing)
    here.deliver("2026-04")
    proxy.fault = lambda request: kind if name in request.path and "2026-03" not in request.path else None
    with pytest.raises(ExpectedError, match=f"s3://{here.bucket}") as failed:
        here.land(landing)
    assert proxy.faults > 1, "it is tried once more"
    if name != "list-type=2":
        assert name in str(failed.value)
    if name != USAGE:  # bills land before
        assert landed(landing) == before

    proxy.fault = lambda _: None
    here.land(landing)
    here.land(tmp_path / "unbroken")
    assert landed(landing) == landed(tmp_path / "unbroken") != before


def test_a_fault_that_passes_is_not_noticed(company: tuple[Company, Proxy], tmp_path: Path) -> None:
    here, proxy = company
    here.deliver("2026-04")
    seen: set[str] = set()

    def once(request: BaseHTTPRequestHandler) -> str | None:
        if request.path in seen:
            return None
        seen.add(request.path)
        return "error"

    proxy.fault = once
    here.land(tmp_path / "landing")
    assert proxy.faults == len(seen) > 6
    proxy.fault = lambda _: None
    here.land(tmp_path / "unbroken")
    assert landed(tmp_path / "landing") == landed(tmp_path / "unbroken")


@pytest.mark.parametrize("what", ["the file vanishes", "the month is delivered again"])
def test_a_bill_that_changes_while_it_is_read_does_not_land_in_part(
    company: tuple[Company, Proxy], what: str, tmp_path: Path
) -> None:
    here, proxy = company
    landing = tmp_path / "landing"
    here.land(landing)
    before = landed(landing)
    here.deliver("2026-04")
    changed: list[str] = []

    def change(request: BaseHTTPRequestHandler) -> None:
        if BILL in request.path and request.command == "GET" and "20260401" in request.path and not changed:
            changed.append(request.path)
            if what == "the file vanishes":
                here.client.delete_object(Bucket=here.bucket, Key=f"bill/20260401-20260501/{BILL}")
            else:
                here.deliver("2026-04", Decimal("20000.00"))

    proxy.fault = change
    with pytest.raises(ExpectedError, match=BILL):
        here.land(landing)
    assert changed
    assert landed(landing)["charges"] == before["charges"]

    here.deliver("2026-04", Decimal("20000.00"))
    here.land(landing)
    here.land(tmp_path / "unbroken")
    assert landed(landing) == landed(tmp_path / "unbroken")
    assert any(Decimal("20000.00") in row for row in landed(landing)["charges"])
