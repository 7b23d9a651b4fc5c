"""A workspace with published anomalies, and receivers that listen on the loopback interface."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.settings import Settings

NOW = datetime(2026, 11, 2, 8, 0)
COLUMNS = {
    "anomaly_id": "varchar",
    "impact_rank": "integer",
    "series_kind": "varchar",
    "customer_id": "varchar",
    "customer_name": "varchar",
    "element": "varchar",
    "service_name": "varchar",
    "sub_account_id": "varchar",
    "billing_currency": "varchar",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "cost_impact": "decimal(38, 12)",
    "same_cause_as": "varchar",
    "is_material": "boolean",
    "verdict": "varchar",
    "granularity": "varchar",
    "is_ongoing": "boolean",
    "expected_cost": "decimal(38, 12)",
    "actual_cost": "decimal(38, 12)",
    "usage_ratio": "decimal(38, 9)",
    "usage_effect": "decimal(38, 12)",
    "rate_effect": "decimal(38, 12)",
}


def anomaly(**given: Any) -> dict[str, Any]:
    """A row of cost_anomalies; the first of the sample unless told otherwise."""
    usual = {
        "anomaly_id": "a1",
        "impact_rank": 1,
        "series_kind": "customer_feature",
        "customer_id": "cust-017",
        "customer_name": "<b>Contoso & Sons",
        "element": "Search",
        "billing_currency": "USD",
        "started_at": datetime(2026, 10, 30, 14),
        "ended_at": datetime(2026, 10, 31, 20),
        "cost_impact": Decimal("476.490000000001"),
        "is_material": True,
        "granularity": "hourly",
        "is_ongoing": False,
        "expected_cost": Decimal("23.5"),
        "actual_cost": Decimal("499.990000000001"),
    }
    return {**dict.fromkeys(COLUMNS), **usual, **given}


@dataclass
class Receiver:
    """A web server that takes posts, and answers with the next of `answers` (200 when there is none)."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[str, Any]] = field(default_factory=list)
    before_answer: Callable[[], None] = lambda: None


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    here = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.got.append((self.headers["Idempotency-Key"], json.loads(body)))
            here.before_answer()
            self.send_response(here.answers.pop(0) if here.answers else 200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    here.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield here
    server.shutdown()
    server.server_close()


@pytest.fixture
def publish(tmp_path: Path) -> Callable[..., None]:
    """Publish these anomalies, as a run would, with the last day of cost on 2026-10-31."""

    def publish(*anomalies: dict[str, Any]) -> None:
        folder = tmp_path / "published"
        folder.mkdir(exist_ok=True)
        path = folder / "current.duckdb"
        path.unlink(missing_ok=True)
        with duckdb.connect(str(path)) as marts:
            columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
            marts.execute(f"create table cost_anomalies ({columns})")
            marts.execute(
                "create table cost_anomaly_drivers (anomaly_id varchar, driver_kind varchar, driver varchar, "
                "cost_impact decimal(38, 12), detail varchar, happened_at timestamp)"
            )
            marts.execute("create table customer_totals_daily as select date '2026-10-31' as usage_date")
            for row in anomalies:
                values = [row[name] for name in COLUMNS]
                marts.execute(f"insert into cost_anomalies values ({', '.join('?' * len(values))})", values)
                marts.execute(
                    "insert into cost_anomaly_drivers values (?, 'deployment', 'search-api 2.14', null, "
                    "'production', timestamp '2026-10-30 13:48:00')",
                    [row["anomaly_id"]],
                )

    return publish


@pytest.fixture
def settings_with(tmp_path: Path) -> Callable[..., Settings]:
    return lambda **given: Settings(workspace=tmp_path, **given)


def minutes(count: int) -> datetime:
    return NOW + timedelta(minutes=count)
