"""Dagster's own web page and daemon, as `cpc dev` starts them, asked as the page asks its server."""

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
from pathlib import Path
from typing import Any

from orchestration.automation.workspace import dagster_home, prepare_workspace
from orchestration.settings import PROJECT_ROOT, Settings

REPOSITORY = {"repositoryName": "__repository__", "repositoryLocationName": "cost_per_customer"}
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
_RUN_STATE = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


class Page:
    """Dagster's page, asked as it asks its own server."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"

    def ask(self, query: str, **variables: Any) -> Any:
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"{self.address}/graphql", body, {"Content-Type": "application/json"}
        )
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

    def run(self, assets: list[Any], tags: dict[str, str]) -> str:
        """Run the assets to a good end; gives the run's id."""
        asked = {
            "selector": {**REPOSITORY, "pipelineName": "__ASSET_JOB", "assetSelection": assets},
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
        return str(launched["run"]["runId"])


@contextmanager
def web_page(settings: Settings) -> Iterator[Page]:
    """`cpc dev` on a workspace; gives what asks its page."""
    prepare_workspace(settings)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--workspace", str(settings.workspace), "--contexts", str(settings.contexts)]
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("cpc")), "dev", *options, "--port", str(port)],
        cwd=PROJECT_ROOT,
        env={
            **os.environ,
            "DAGSTER_HOME": str(dagster_home(settings)),
            "PYTHONPATH": str(Path(__file__).with_name("hurried")),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as a shell's background job has it
    )

    page = Page(port)
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
