"""`python -m bench.telemetry_api`: records a second that `cpc api` acknowledges, killed in the middle.

Clients send over loopback and try again until they are answered; half way the server is killed and started
again. Then the job runs, and the usage in the warehouse has to be what was acknowledged, once each.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import statistics
import sys
import tempfile
import threading
import time
from contextlib import closing
from http.client import HTTPException
from pathlib import Path

import duckdb
from rich.console import Console

from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company
from tests.end_to_end.served_api import ServedApi

STREAM = "searches"
CLIENTS = 4
DAY = "2026-07-01"
# The limit of a token, which protects a server from one client's mistake, is not what is measured.
UNLIMITED = {"CPC_API_REQUESTS_PER_SECOND": "1000000", "CPC_API_REQUEST_BURST": "1000000"}
# Each record says a usage of 1: the usage is how many records counted.
COUNTED = f"""
    select sum(usage_quantity)
    from usage.usage_by_period
    where stream = '{STREAM}' and usage_date = '{DAY}'
"""


def main() -> None:
    """Send, kill, send on, run the job, count."""
    parser = argparse.ArgumentParser(prog="python -m bench.telemetry_api", description=__doc__)
    parser.add_argument("--requests", type=int, default=600, help="in all")
    parser.add_argument("--records", type=int, default=1_000, help="in each request")
    given = parser.parse_args()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="cpc-bench-"))
    try:
        company = new_company(folder)
        with console.status("Sending"):
            seconds, latencies = send_all(company, given.requests, given.records)
        sent = len(latencies) * given.records
        slowest = statistics.quantiles(latencies, n=100)[-1]
        console.print(
            f"  {sent:,} records acknowledged, {sent / seconds:,.0f} a second, {given.records:,} a request, "
            f"by {CLIENTS} clients on {os.cpu_count()} cores; "
            f"99 of 100 requests within {slowest * 1000:,.0f} ms"
        )
        with console.status("Running the job"):
            good, printed = company.run()
        if not good:
            sys.exit(printed)
        with closing(duckdb.connect(str(company.settings.warehouse_file), read_only=True)) as warehouse:
            [(counted,)] = warehouse.execute(COUNTED).fetchall()
        console.print(f"  {counted:,} in the warehouse, after a SIGKILL half way")
        if counted != sent:
            sys.exit("That is not what was acknowledged, once each.")
    finally:
        shutil.rmtree(folder)


def send_all(company: Company, requests: int, records: int) -> tuple[float, list[float]]:
    """How long it took, the dead time of the server apart, and the seconds of each answered try."""
    api = ServedApi(
        company.settings.workspace, STREAM, CPC_CONTEXTS=str(company.settings.contexts), **UNLIMITED
    )
    body = json.dumps(
        {
            "records": [
                {"timestamp": f"{DAY}T10:00:00Z", "customer_id": f"customer-{number}", "value": 1}
                for number in range(records)
            ]
        }
    ).encode()
    latencies: list[float] = []

    def client(name: int) -> None:
        connection = api.connect()
        for number in range(name, requests, CLIENTS):
            while True:
                started = time.perf_counter()
                try:
                    status = api.send(connection, str(number), body)
                except (OSError, HTTPException):
                    connection.close()
                    time.sleep(0.02)
                    continue
                if status == 202:
                    latencies.append(time.perf_counter() - started)
                    break
                raise AssertionError(f"answered {status}")
        connection.close()

    clients = [threading.Thread(target=client, args=(name,)) for name in range(CLIENTS)]
    started = time.perf_counter()
    for each in clients:
        each.start()
    while len(latencies) < requests // 2:
        time.sleep(0.005)
    killed = time.perf_counter()
    api.stop(signal.SIGKILL)
    api.start()
    dead = time.perf_counter() - killed
    for each in clients:
        each.join()
    seconds = time.perf_counter() - started - dead
    api.stop(signal.SIGTERM)
    return seconds, latencies


if __name__ == "__main__":
    main()
