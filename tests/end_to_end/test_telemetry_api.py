"""`cpc api` as it is run: killed in the middle of clients that retry, and told to stop under requests."""

from __future__ import annotations

import gzip
import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import duckdb
import pytest

from orchestration.sources.locations import FolderLocation
from orchestration.sources.telemetry.batches import land_telemetry
from tests.end_to_end.running import Company
from tests.end_to_end.served_api import ServedApi

CLIENTS, REQUESTS, RECORDS = 3, 12, 5


def send(api: ServedApi, client: int, number: int) -> int:
    """One try of one request."""
    records = [
        {"timestamp": "2026-07-01T10:00:00Z", "customer_id": f"c{client}-{number}-{each}", "value": 1}
        for each in range(RECORDS)
    ]
    with closing(api.connect()) as connection:
        return api.send(connection, f"{client}-{number}", json.dumps({"records": records}).encode())


def landed(api: ServedApi, folder: Path) -> list[tuple[str, int]]:
    """Each customer in the landed records, and how often."""
    location = FolderLocation(api.workspace / "sources" / "telemetry")
    land_telemetry(location, folder, datetime.now(UTC))
    with duckdb.connect() as connection:
        return connection.execute(
            "SELECT customer_id, count(*) FROM "
            f"read_parquet('{folder}/telemetry/records/*/*.parquet') GROUP BY 1 ORDER BY 1"
        ).fetchall()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ServedApi]:
    served = ServedApi(tmp_path / "workspace", "searches", CPC_CONTEXTS=str(tmp_path / "contexts"))
    yield served
    if served.process.poll() is None:
        served.stop(signal.SIGKILL)


def test_killed_in_the_middle_of_retries_each_record_counts_once(company: Company) -> None:
    """From the client's retries to the usage that costs are divided by."""
    api = ServedApi(company.settings.workspace, "searches", CPC_CONTEXTS=str(company.settings.contexts))
    acknowledged: list[tuple[int, int]] = []

    def client(name: int) -> None:
        for number in range(REQUESTS):
            while True:
                try:
                    assert send(api, name, number) == 202
                    break
                except (OSError, HTTPException):
                    time.sleep(0.02)
            acknowledged.append((name, number))

    clients = [threading.Thread(target=client, args=(name,)) for name in range(CLIENTS)]
    for each in clients:
        each.start()
    for kills in (1, 2):
        while len(acknowledged) < kills * CLIENTS * REQUESTS // 4:
            time.sleep(0.005)
        assert api.stop(signal.SIGKILL) == -signal.SIGKILL
        api.start()
    for each in clients:
        each.join()
    assert len(acknowledged) == CLIENTS * REQUESTS
    assert send(api, 0, 0) == 202  # once more, long after
    api.stop(signal.SIGKILL)
    good, printed = company.run()
    assert good, printed
    with duckdb.connect(str(company.settings.warehouse_file), read_only=True) as warehouse:
        counted = warehouse.execute(
            "select customer_id, usage_quantity from usage.usage_by_period "
            "where stream = 'searches' and usage_date = '2026-07-01' order by customer_id"
        ).fetchall()
    assert counted == sorted(
        (f"c{name}-{number}-{each}", 1) for name, number in acknowledged for each in range(RECORDS)
    )


def test_told_to_stop_it_finishes_what_is_under_way(api: ServedApi, tmp_path: Path) -> None:
    acknowledged: list[int] = []

    def client(number: int) -> None:
        try:
            if send(api, 0, number) == 202:
                acknowledged.append(number)
        except (OSError, HTTPException):
            return  # refused: the server was gone, and stored nothing that it did not say

    clients = [threading.Thread(target=client, args=(number,)) for number in range(20)]
    for each in clients:
        each.start()
    while not acknowledged:
        time.sleep(0.005)
    api.stop(signal.SIGTERM)
    for each in clients:
        each.join()
    once = {customer for customer, times in landed(api, tmp_path / "landing") if times == 1}
    assert once >= {f"c0-{number}-{each}" for number in acknowledged for each in range(RECORDS)}


def memory_peak(api: ServedApi) -> int:
    """The most memory that the server has had, in bytes."""
    [line] = [
        line
        for line in Path(f"/proc/{api.process.pid}/status").read_text().splitlines()
        if line.startswith("VmHWM")
    ]
    return int(line.split()[1]) << 10


def test_idle_connections_and_bombs_stop_nobody(api: ServedApi, tmp_path: Path) -> None:
    head = f"POST /v1/streams/searches/sum HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {api.token}\r\n"
    head += "Content-Type: application/json\r\n"
    begun = f"{head}Content-Length: 100000\r\n\r\n{' ' * 50_000}"
    bomb = gzip.compress(b" " * (256 << 20), compresslevel=1)
    packed = f"{head}Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    assert send(api, 0, 0) == 202
    before = memory_peak(api)
    with ExitStack() as open_ones:
        for sent in ("", head, begun) * 100:
            idle = open_ones.enter_context(socket.create_connection(("127.0.0.1", api.port), timeout=30))
            idle.sendall(sent.encode())
        for number in range(1, 6):
            with socket.create_connection(("127.0.0.1", api.port), timeout=30) as bombing:
                bombing.sendall(packed + bomb)
                assert bombing.recv(100).startswith(b"HTTP/1.1 413 ")
            assert send(api, 0, number) == 202
        assert memory_peak(api) - before < 128 << 20
    assert sum(times for _, times in landed(api, tmp_path / "landing")) == 6 * RECORDS
