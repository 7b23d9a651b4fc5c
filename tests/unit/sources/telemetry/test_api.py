"""Every answer of the telemetry API, by a real server on the loopback interface, and what it then stored."""

from __future__ import annotations

import gzip
import json
import re
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from orchestration.settings import Settings
from orchestration.sources.locations import FolderLocation
from orchestration.sources.telemetry.api import build_api
from orchestration.sources.telemetry.spool import FolderSpool
from orchestration.sources.telemetry.tokens import Tokens

GOOD = {"timestamp": "2026-07-01T10:00:00Z", "customer_id": "c1", "value": 1}
Answer = tuple[int, Any, Any]


class Server:
    """A served workspace, and a client of it."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.tokens = Tokens(folder / "api_tokens.yml")
        self.secret = self.tokens.create(["searches"], "searches only", datetime.now(UTC))
        api = build_api(settings, self.tokens, FolderSpool(folder / "source"))
        self.server = uvicorn.Server(uvicorn.Config(api, port=0, log_level="warning"))
        self.thread = threading.Thread(target=self.server.run)

    def start(self) -> None:
        self.thread.start()
        while not self.server.started:
            time.sleep(0.01)
        port = self.server.servers[0].sockets[0].getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join()

    def ask(self, path: str, body: bytes | None = None, **headers: str | None) -> Answer:
        given = {"authorization": f"Bearer {self.secret}", "content_type": "application/json"} | headers
        told = {name.replace("_", "-"): value for name, value in given.items() if value is not None}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.address + path, body, told)) as answer:
                return answer.status, answer.headers, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read().decode()

    def send(self, *records: Any, path: str = "/v1/streams/searches/sum", **headers: str | None) -> Answer:
        status, told, body = self.ask(path, json.dumps({"records": records}).encode(), **headers)
        return status, told, json.loads(body)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    started = []

    def start(**settings: Any) -> Server:
        server = Server(tmp_path, Settings(workspace=tmp_path, contexts=tmp_path / "contexts", **settings))
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def test_good_records_are_stored_where_the_batch_reader_looks(serve: Any, telemetry: Any) -> None:
    server = serve()
    status, _, answer = server.send(GOOD, {**GOOD, "value": 0.123456789}, {**GOOD, "value": -1}, 5)
    assert status == 202
    assert answer["accepted"] == 2
    assert [(each["index"], each["reason"]) for each in answer["rejected"]] == [
        (2, "value-not-positive"),
        (3, "not-an-object"),
    ]
    telemetry.land(FolderLocation(telemetry.source))
    rows = telemetry.records("stream, operation, customer_id, value::varchar, filter")
    assert rows == [
        ("searches", "sum", "c1", "1.000000000", None),
        ("searches", "sum", "c1", "0.123456789", None),
    ]
    assert telemetry.quarantine() == []


def test_equal_requests_count_each_and_a_retried_one_once(serve: Any, telemetry: Any) -> None:
    server = serve()
    first = server.send(GOOD, {}, idempotency_key="a")
    assert server.send(GOOD, {}, idempotency_key="a")[::2] == first[::2]
    assert server.send(GOOD, {}, idempotency_key="b")[0] == 202
    assert server.send(GOOD, {})[0] == 202
    assert server.send(GOOD, {})[0] == 202
    telemetry.land(FolderLocation(telemetry.source))
    assert len(telemetry.records()) == 4
    assert len(set(telemetry.records("record_id"))) == 4


def test_a_key_used_with_another_request_is_409(serve: Any) -> None:
    server = serve()
    assert server.send(GOOD, idempotency_key="a")[0] == 202
    assert server.send({**GOOD, "value": 2}, idempotency_key="a")[0] == 409
    assert server.send(GOOD, idempotency_key="a", path="/v1/streams/searches/replace")[0] == 409
    assert server.send(GOOD, idempotency_key="a" * 256)[0] == 400


def test_ndjson_and_gzip(serve: Any, telemetry: Any) -> None:
    server = serve()
    body = gzip.compress(b"\n".join([json.dumps(GOOD).encode()] * 3 + [b"\xff"]))
    status, _, answer = server.ask(
        "/v1/streams/searches/sum", body, content_type="application/x-ndjson", content_encoding="gzip"
    )
    assert status == 202
    assert json.loads(answer)["accepted"] == 3
    assert [each["reason"] for each in json.loads(answer)["rejected"]] == ["not-utf-8"]
    telemetry.land(FolderLocation(telemetry.source))
    assert len(telemetry.records()) == 3


def test_a_delete_needs_no_value_and_long_values_stay_exact(serve: Any, telemetry: Any) -> None:
    server = serve()
    record = b'{"timestamp": "2026-07-01", "customer_id": "c", "value": 12345678901234567.123456789}'
    body = b'{"records": [' + record + b"]}"
    assert server.ask("/v1/streams/searches/replace", body)[0] == 202
    deleted = {"timestamp": "2026-07-02", "customer_id": "c"}
    assert server.send(deleted, path="/v1/streams/searches/delete")[0] == 202
    telemetry.land(FolderLocation(telemetry.source))
    assert sorted(telemetry.records("operation, value::varchar"), key=str) == [
        ("delete", None),
        ("replace", "12345678901234567.123456789"),
    ]


def test_who_may_not_send_is_told(serve: Any) -> None:
    server = serve()
    for wrong in (None, "Bearer nonsense", f"Basic {server.secret}"):
        status, headers, _ = server.send(GOOD, authorization=wrong)
        assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert server.send(GOOD, path="/v1/streams/views/sum")[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"records": 1}',
        b'{"records": [], "more": 1}',
        b'{"records": [1], "records": [1, 2]}',
        b'{"records": [1, 2], "records": [1]}',
        b'{"records": ' + b"[" * 100_000,
    ],
)
def test_a_body_that_cannot_be_read_is_400(body: bytes, serve: Any) -> None:
    assert serve().ask("/v1/streams/searches/sum", body)[0] == 400


def test_other_wrong_requests(serve: Any, tmp_path: Path) -> None:
    server = serve(api_body_bytes=1000)
    path = "/v1/streams/searches/sum"
    assert server.send(GOOD, path="/v1/streams/searches/multiply")[0] == 404
    assert server.ask(path)[0] == 405
    assert server.ask("/nowhere")[0] == 404
    assert server.ask(path, b"{}", content_type="text/csv")[0] == 415
    assert server.ask(path, b"{}", content_encoding="br")[0] == 415
    assert server.ask(path, b"not gzip", content_encoding="gzip")[0] == 400
    assert server.ask(path, gzip.compress(b"{}" * 99)[:-3], content_encoding="gzip")[0] == 400
    assert server.ask(path, b" " * 1001)[0] == 413
    assert server.ask(path, gzip.compress(b" " * 10_000_000), content_encoding="gzip")[0] == 413
    assert server.send()[0] == 422
    assert server.send({})[0] == 422
    assert server.send({**GOOD, "stream": "views"})[2]["rejected"][0]["reason"] == "not-of-this-address"
    assert not (tmp_path / "source").exists()


STREAMS = "streams:\n  searches: {unit: search, granularity: hourly, description: Searches answered}\n"


def test_a_stream_that_the_contexts_do_not_have_is_refused_by_name(serve: Any, tmp_path: Path) -> None:
    server = serve()
    contexts = tmp_path / "contexts" / "streams.yml"
    contexts.parent.mkdir()
    contexts.write_text(STREAMS)
    server.secret = server.tokens.create(["*"], "all", datetime.now(UTC))
    status, _, answer = server.send(GOOD, path="/v1/streams/serches/sum")
    assert status == 404
    assert answer["error"] == 'no stream "serches" in streams.yml; did you mean "searches"?'
    assert server.send(GOOD)[0] == 202
    contexts.write_text(STREAMS.replace("searches:", "serches:"))
    assert server.send(GOOD, path="/v1/streams/serches/sum")[0] == 202
    # Contexts that do not compile say nothing: the run tells of an unknown stream.
    contexts.write_text("streams: [")
    assert server.send(GOOD)[0] == 202
    assert server.send(GOOD, path="/v1/streams/Searches/sum")[0] == 404


def raw(server: Server, sent: bytes) -> socket.socket:
    """A connection on which the head of a request, and `sent` of its body, stand."""
    connection = socket.create_connection(("127.0.0.1", int(server.address.rpartition(":")[2])), timeout=30)
    head = (
        "POST /v1/streams/searches/sum HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {server.secret}\r\nContent-Length: 1000000\r\n\r\n"
    )
    connection.sendall(head.encode() + sent)
    return connection


def test_a_body_announced_too_large_is_413_before_it_is_sent(serve: Any) -> None:
    with raw(serve(api_body_bytes=1000), b"") as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_goes_away_leaves_no_traceback(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    server = serve()
    raw(server, b'{"records": [').close()
    while 'cpc_api_requests_total{status="499"} 1.0' not in server.ask("/metrics")[2]:
        time.sleep(0.01)
    assert server.send(GOOD)[0] == 202
    assert not [record for record in caplog.records if record.exc_info or "Exception" in record.message]


@pytest.mark.parametrize(
    "record",
    [
        '{"timestamp": "2026-07-01", "customer_id": "c", "value": ' + "9" * 5000 + "}",
        '{"timestamp": "2026-07-01", "customer_id": "c", "value": 1e99999}',
        '{"timestamp": "2026-02-30", "customer_id": "c", "value": 1}',
        '{"timestamp": "2026-07-01", "customer_id": "\\ud800", "value": 1}',
        '{"timestamp": "2026-07-01", "customer_id": "c\\u0000", "value": 1}',
        '{"timestamp": "2026-07-01", "customer_id": "c", "value": 1, "record_id": "\\u001b[31m"}',
        '{"timestamp": "2026-07-01", "customer_id": "c", "value": 1, "filter": {"feature": ["\\u0000"]}}',
        '{"timestamp": "2026-07-01", "customer_id": "c", "value": 1, "filter": '
        + "[" * 500
        + "]" * 500
        + "}",
        '{"timestamp": {}, "customer_id": [], "value": NaN}',
        "null",
        '"text"',
    ],
)
def test_a_strange_record_is_refused_alone(record: str, serve: Any) -> None:
    body = '{"records": [' + record + "," + json.dumps(GOOD) + "]}"
    status, _, answer = serve().ask("/v1/streams/searches/sum", body.encode())
    assert status == 202
    assert [each["index"] for each in json.loads(answer)["rejected"]] == [0]


def test_a_file_of_tokens_that_cannot_be_read_is_503(serve: Any) -> None:
    server = serve()
    server.tokens.path.write_text("{")
    assert server.send(GOOD)[0] == 503


def test_too_many_requests_are_429_with_the_time_to_wait(serve: Any) -> None:
    server = serve(api_requests_per_second=0.01, api_request_burst=1)
    assert server.send(GOOD)[0] == 202
    status, headers, answer = server.send(GOOD)
    assert (status, headers["Retry-After"]) == (429, "100")
    assert "wait 100 s" in answer["error"]


def test_a_place_that_takes_nothing_is_503_and_not_acknowledged(serve: Any, tmp_path: Path) -> None:
    server = serve()
    (tmp_path / "source").write_text("a file where a folder must be")
    status, headers, _ = server.send(GOOD)
    assert (status, headers["Retry-After"]) == (503, "5")


def test_health_metrics_and_description(serve: Any) -> None:
    server = serve()
    server.send(GOOD, {})
    server.send(GOOD, authorization=None)
    assert server.ask("/healthz")[::2] == (200, "ok\n")
    metrics = server.ask("/metrics")[2].splitlines()
    assert 'cpc_api_requests_total{status="202"} 1.0' in metrics
    assert 'cpc_api_requests_total{status="401"} 1.0' in metrics
    assert 'cpc_api_records_total{fate="accepted"} 1.0' in metrics
    assert 'cpc_api_records_total{fate="rejected"} 1.0' in metrics
    assert "/v1/streams/{stream}/{operation}" in json.loads(server.ask("/openapi.json")[2])["paths"]
    page = server.ask("/docs")[2]
    assert "/openapi.json" in page
    # The page opens without a network: it names this server's own files only.
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(files) >= 2
    assert {server.ask(file)[0] for file in files} == {200}
