"""`cpc api` as it is run: killed in the middle of clients that retry, and told to stop under requests."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path

import duckdb
import pytest

from orchestration.sources.locations import FolderLocation
from orchestration.sources.telemetry.batches import land_telemetry
from tests.end_to_end.running import Company

CPC = [sys.executable, "-c", "from orchestration.cli import main; main()", "api"]
CLIENTS, REQUESTS, RECORDS = 3, 12, 5


class Api:
    """The server as a process, that can be killed and started again at the same address."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        token = [*CPC, "token", "--stream", "searches", "--workspace", str(workspace)]
        self.token = subprocess.run(token, capture_output=True, text=True, check=True).stdout.strip()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()

    def start(self) -> None:
        serve = [*CPC, "--workspace", str(self.workspace), "--port", str(self.port)]
        self.process = subprocess.Popen(serve, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz").close()
                return
            except urllib.error.URLError:
                assert self.process.poll() is None
                time.sleep(0.05)

    def stop(self, how: signal.Signals) -> int:
        os.kill(self.process.pid, how)
        return self.process.wait()

    def send(self, client: int, number: int) -> int:
        """One try of one request."""
        records = [
            {"timestamp": "2026-07-01T10:00:00Z", "customer_id": f"c{client}-{number}-{each}", "value": 1}
            for each in range(RECORDS)
        ]
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/streams/searches/sum",
            json.dumps({"records": records}).encode(),
            {
                "Authorization": f"Bearer {self.token}",
                "Idempotency-Key": f"{client}-{number}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request) as answer:
            status: int = answer.status
            return status

    def landed(self, folder: Path) -> list[tuple[str, int]]:
        """Each customer in the landed records, and how often."""
        location = FolderLocation(self.workspace / "sources" / "telemetry")
        land_telemetry(location, folder, datetime.now(UTC))
        with duckdb.connect() as connection:
            return connection.execute(
                "SELECT customer_id, count(*) FROM "
                f"read_parquet('{folder}/telemetry/records/*/*.parquet') GROUP BY 1 ORDER BY 1"
            ).fetchall()


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    served = Api(tmp_path / "workspace")
    yield served
    if served.process.poll() is None:
        served.stop(signal.SIGKILL)


def test_killed_in_the_middle_of_retries_each_record_counts_once(company: Company) -> None:
    """From the client's retries to the usage that costs are divided by."""
    api = Api(company.settings.workspace)
    acknowledged: list[tuple[int, int]] = []

    def client(name: int) -> None:
        for number in range(REQUESTS):
            while True:
                try:
                    assert api.send(name, number) == 202
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
    assert api.send(0, 0) == 202  # once more, long after
    api.stop(signal.SIGKILL)
    good, printed = company.run()
    assert good, printed
    with duckdb.connect(str(company.settings.warehouse_file), read_only=True) as warehouse:
        counted = warehouse.execute(
            "select customer_id, usage_quantity, record_count from usage.usage_by_period "
            "where stream = 'searches' and usage_date = '2026-07-01' order by customer_id"
        ).fetchall()
    assert counted == sorted(
        (f"c{name}-{number}-{each}", 1, 1) for name, number in acknowledged for each in range(RECORDS)
    )


def test_told_to_stop_it_finishes_what_is_under_way(api: Api, tmp_path: Path) -> None:
    acknowledged: list[int] = []

    def client(number: int) -> None:
        try:
            if api.send(0, number) == 202:
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
    landed = {customer for customer, times in api.landed(tmp_path / "landing") if times == 1}
    assert landed >= {f"c0-{number}-{each}" for number in acknowledged for each in range(RECORDS)}
