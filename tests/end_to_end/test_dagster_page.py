"""Dagster's own web page and daemon: whatever a person materializes there ends with what readers see."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orchestration.automation.jobs import DAILY_COSTS
from orchestration.automation.run_history import record_unchanged_run
from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home, prepare_workspace
from orchestration.settings import PROJECT_ROOT
from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company
from tests.end_to_end.small_company import MONTHS, expected_costs, write_bill

_REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "cost_per_customer"}
_MART = ["marts", "average_customer_cost"]
_ASSETS = "{assetNodes{assetKey{path} isExecutable groupName}}"
_ALSO_NEEDED = "query($of:[AssetKeyInput!]!){assetNodeAdditionalRequiredKeys(assetKeys:$of){path}}"
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
_RUN = """
mutation($asked: ExecutionParams!) {
  launchPipelineExecution(executionParams: $asked) {
    ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } } ... on InvalidSubsetError { message }
  }
}
"""
_RANGE = {"dagster/asset_partition_range_start": MONTHS[1], "dagster/asset_partition_range_end": MONTHS[2]}
_RUN_STATE = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
_TIMELINE = """
query($of: RunsFilter!) {
  runsOrError(filter: $of) {
    ... on Runs { results { pipelineName repositoryOrigin { repositoryName repositoryLocationName } } }
  }
}
"""
_PARTITIONS = """
query($of: AssetKeyInput!) {
  assetNodeOrError(assetKey: $of) {
    ... on AssetNode {
      partitionKeys
      assetPartitionStatuses {
        ... on TimePartitionStatuses { ranges { status startKey endKey } }
      }
    }
  }
}
"""


@pytest.mark.timeout(1200)  # mostly waiting: Dagster looks at backfills every 30 seconds
def test_whatever_is_selected_in_the_page_ends_with_what_readers_see(tmp_path: Path) -> None:
    """The calls are those that the page makes for "Materialize all" and "Materialize selected"."""
    company = new_company(tmp_path / "company")
    with _web_page(company) as page:
        nodes = page.ask(_ASSETS)["assetNodes"]
        everything = [node["assetKey"] for node in nodes if node["isExecutable"]]

        # All assets over all partitions. Dagster's daemon makes of it what runs it likes: one for the landing
        # of bills, one for what else lands, one for everything behind.
        page.backfill(everything, allPartitions=True)
        assert _costs(company) == expected_costs()
        assert (company.settings.published_folder / "report.html").is_file()
        bills = page.ask(_PARTITIONS, of={"path": ["landing", "billing_days"]})["assetNodeOrError"]
        assert bills["partitionKeys"][0] == MONTHS[0]
        [landed] = bills["assetPartitionStatuses"]["ranges"]
        assert landed["status"] == "MATERIALIZED"

        # Everything for one month: one run.
        billing = company.settings.sources / "billing"
        write_bill(billing, MONTHS[1], Decimal("20000.00"))
        page.run(everything, {"dagster/partition": MONTHS[1]})
        assert _costs(company)[MONTHS[1], "ada"] == expected_costs()[MONTHS[1], "ada"] + 300

        # A group for some months in one run, then a single mart: the page says first what comes with it.
        write_bill(billing, MONTHS[1])
        write_bill(billing, MONTHS[2], Decimal("20000.00"))
        in_landing = [node["assetKey"] for node in nodes if node["groupName"] == "landing"]
        page.run([key for key in in_landing if key in everything], _RANGE)
        needed = page.ask(_ALSO_NEEDED, of=[{"path": _MART}])["assetNodeAdditionalRequiredKeys"]
        assert {"path": ["published", "snapshot"]} in needed
        assert {"path": ["staging", "charges"]} in needed
        page.run([{"path": _MART}, *needed], {})
        after = _costs(company)
        assert after[MONTHS[1], "ada"] == expected_costs()[MONTHS[1], "ada"]
        assert after[MONTHS[2], "ada"] == expected_costs()[MONTHS[2], "ada"] + 300

        # The timeline shows runs of the command too: all whose origin is a job that the page knows.
        record_unchanged_run(dagster_home(company.settings), COMMAND_CONFIG, "an earlier run", "its snapshot")
        by_command = {"key": "cpc/started_by", "value": "cpc run"}
        [shown] = page.ask(_TIMELINE, of={"tags": [by_command]})["runsOrError"]["results"]
        assert shown == {"pipelineName": DAILY_COSTS, "repositoryOrigin": _REPOSITORY}


def _costs(company: Company) -> dict[tuple[str, str], Decimal]:
    costs = company.read(
        "select strftime(usage_date, '%Y-%m'), customer_id, sum(effective_cost) from customer_costs_daily "
        "group by all"
    )
    return {(month, customer): cost for month, customer, cost in costs}


class _Page:
    """Dagster's page, asked as it asks its own server."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/graphql"

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=600) as answer:
            said = json.load(answer)
        assert "errors" not in said, said
        return said["data"]

    def backfill(self, assets: list[Any], **partitions: Any) -> None:
        asked = {"assetSelection": assets, **partitions, "tags": []}
        launched = self.ask(_BACKFILL, asked=asked)["launchPartitionBackfill"]
        assert "backfillId" in launched, launched
        state: dict[str, Any] = {"status": "REQUESTED"}
        while state["status"] == "REQUESTED":
            time.sleep(1)
            state = self.ask(_STATE, id=launched["backfillId"])["partitionBackfillOrError"]
        assert state["status"] == "COMPLETED_SUCCESS", state

    def run(self, assets: list[Any], tags: dict[str, str]) -> None:
        asked = {
            "selector": {**_REPOSITORY, "pipelineName": "__ASSET_JOB", "assetSelection": assets},
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }
        launched = self.ask(_RUN, asked=asked)["launchPipelineExecution"]
        assert "run" in launched, launched
        status = "QUEUED"
        while status in {"QUEUED", "NOT_STARTED", "STARTING", "STARTED"}:
            time.sleep(1)
            status = self.ask(_RUN_STATE, id=launched["run"]["runId"])["runOrError"]["status"]
        assert status == "SUCCESS"


@contextmanager
def _web_page(company: Company) -> Iterator[_Page]:
    """`cpc dev` on the company; gives what asks its page."""
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
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as a shell's background job has it
    )

    page = _Page(port)
    try:
        while process.poll() is None:
            with suppress(OSError):
                page.ask("{version}")
                break
            time.sleep(0.5)
        assert process.poll() is None, "the page did not start"
        yield page
    finally:
        process.terminate()
        process.wait()
        with suppress(ProcessLookupError):  # none of its children is left
            while True:
                os.killpg(process.pid, 0)
                time.sleep(0.5)
