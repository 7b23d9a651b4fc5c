"""The commands of docs/pulls.md, from a Prometheus server with two weeks of data to cost per customer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.settings import PROJECT_ROOT
from tests.servers import prometheus

RATES = {"acme": 10, "bolt": 20, "crux": 70}  # requests in five minutes
FIVE = timedelta(minutes=5)


def counters(start: datetime, end: datetime) -> str:
    """Each tenant's counter, every five minutes."""
    lines = ["# TYPE http_requests counter"]
    times = [start + number * FIVE for number in range((end - start) // FIVE + 1)]
    for tenant, rate in RATES.items():
        name = f'http_requests_total{{tenant="{tenant}"}}'
        lines += [f"{name} {rate * number} {int(at.timestamp())}" for number, at in enumerate(times)]
    return "\n".join([*lines, "# EOF", ""])


def commands(server: str) -> str:
    """The page's commands as a script, with this server."""
    page = (PROJECT_ROOT / "docs" / "pulls.md").read_text(encoding="utf-8")
    [block] = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    script = re.sub(r"^\$ ", "", block, flags=re.MULTILINE).replace("http://localhost:9090", server)
    day = datetime.now(UTC).date() - timedelta(days=3)
    return f"set -e\n{re.sub('20[0-9]{2}-[0-9]{2}-[0-9]{2}', str(day), script)}"


def test_the_commands_of_the_page_lead_to_cost_per_customer(tmp_path: Path) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    today = now.date()
    days: list[date] = [today - timedelta(days=number) for number in range(1, 14)]
    (tmp_path / "bill.csv").write_text(
        "date,service,amount,currency\n" + "".join(f"{day},Compute,33.33,USD\n" for day in days)
    )
    (tmp_path / "server").mkdir()
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    with prometheus(tmp_path / "server", counters(now - timedelta(days=15), now)) as server:
        done = subprocess.run(
            ["bash", "-c", commands(server)],
            cwd=tmp_path,
            env={**os.environ, "PATH": path, "COLUMNS": "200"},
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    hours = (now - datetime.combine(today, datetime.min.time(), UTC)) // timedelta(hours=1) + 14 * 24
    assert f"{hours * 12 * 100:,} gateway_requests" in done.stdout
    assert "3.333 USD = 3.333 USD in customer_costs_daily" in done.stdout
    published = str(tmp_path / "shop" / "published" / "current.duckdb")
    with closing(duckdb.connect(published, read_only=True)) as marts:
        costs = marts.execute(
            "select customer_id, sum(effective_cost) from customer_costs_daily group by all"
        ).fetchall()
    assert dict(costs) == {
        tenant: len(days) * Decimal("33.33") * rate / 100 for tenant, rate in RATES.items()
    }
