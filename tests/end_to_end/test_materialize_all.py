"""Dagster's own web page and daemon: whatever a person materializes there ends with what readers see."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg

from orchestration.automation.deployment import build_definitions
from orchestration.automation.workspace import dagster_home, prepare_workspace
from orchestration.settings import PROJECT_ROOT
from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company
from tests.end_to_end.small_company import expected_costs

_MARTS = dg.AssetKey(["marts", "average_customer_cost"])
_ASSETS = "{assetNodes{assetKey{path} isExecutable}}"
_MORE = "query($of:[AssetKeyInput!]!){assetNodeAdditionalRequiredKeys(assetKeys:$of){path}}"
_BACKFILL = """
mutation($asked: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $asked) {
    ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
  }
}
"""
_STATE = """
query($id: String!) {
  partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status runs(limit: 50) { status } } }
}
"""


def test_materialize_all_over_all_partitions_publishes(tmp_path: Path) -> None:
    """The button above the asset graph asks for all partitions; Dagster's daemon makes of it what runs it
    likes: one for the landing of bills, one for what else lands, one for everything behind.
    """
    company = new_company(tmp_path / "company")
    with _web_page(company) as ask:
        keys = [node["assetKey"] for node in ask(_ASSETS)["assetNodes"] if node["isExecutable"]]
        more = ask(_MORE, of=[{"path": list(_MARTS.path)}])["assetNodeAdditionalRequiredKeys"]
        asked = {"assetSelection": keys, "allPartitions": True, "tags": []}
        backfill = ask(_BACKFILL, asked=asked)["launchPartitionBackfill"]["backfillId"]
        state: dict[str, Any] = {"status": "REQUESTED"}
        while state["status"] == "REQUESTED":
            time.sleep(1)
            state = ask(_STATE, id=backfill)["partitionBackfillOrError"]
    assert state["status"] == "COMPLETED_SUCCESS", state
    costs = company.read(
        "select strftime(usage_date, '%Y-%m'), customer_id, sum(effective_cost) from customer_costs_daily "
        "group by all"
    )
    assert {(month, customer): cost for month, customer, cost in costs} == expected_costs()
    assert (company.settings.published_folder / "report.html").is_file()
    # Of a single mart, the page says before it starts what else comes with it: all models and the snapshot.
    assert {"path": ["published", "snapshot"]} in more
    assert {"path": ["staging", "charges"]} in more


def test_models_and_snapshot_are_made_together_or_not_at_all(tmp_path: Path) -> None:
    company = new_company(tmp_path / "company")
    graph = build_definitions(company.settings).resolve_asset_graph()
    together = graph.get(_MARTS).execution_set_asset_keys
    behind_landing = {key for key in graph.executable_asset_keys if key.path[0] not in ("landing", "reports")}
    assert together == behind_landing
    assert dg.AssetKey(["published", "snapshot"]) in together


@contextmanager
def _web_page(company: Company) -> Iterator[Any]:
    """`cpc dev` on the company; gives what asks the page's own interface."""
    prepare_workspace(company.settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--workspace", str(company.settings.workspace), "--contexts", str(company.settings.contexts)]
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("cpc")), "dev", *options, "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={**os.environ, "DAGSTER_HOME": str(dagster_home(company.settings))},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def ask(query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=600) as answer:
            said = json.load(answer)
        assert "errors" not in said, said
        return said["data"]

    try:
        while process.poll() is None:
            with suppress(OSError):
                ask("{version}")
                break
            time.sleep(0.5)
        assert process.poll() is None, "the page did not start"
        yield ask
    finally:
        process.terminate()
        process.wait()
