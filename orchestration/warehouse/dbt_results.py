"""What dbt said, put for a person: the line of each model and test, and what failed and why.

What belongs here: reading dbt's log events and its `run_results.json`. What does not: starting dbt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dagster_dbt import DbtCliInvocation

_PROGRESS = {"LogModelResult", "LogTestResult", "LogSnapshotResult", "LogSeedResult", "LogNodeResult"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DOTS = re.compile(r" \.{2,}")


def is_progress(event: Mapping[str, Any]) -> bool:
    """Whether a dbt log event says that a model or a test has ended."""
    return event["info"]["name"] in _PROGRESS


def line(event: Mapping[str, Any]) -> str:
    """The event as dbt prints it, `12 of 160 OK created sql table model marts.… [OK in 0.11s]`."""
    return _DOTS.sub("", _COLOUR.sub("", str(event["info"]["msg"])))


def what_failed(invocation: DbtCliInvocation) -> str:
    """Every model and test that failed, with dbt's message; what was skipped because of them is only
    counted.
    """
    if not (invocation.target_path / "run_results.json").is_file():
        return _COLOUR.sub("", str(invocation.get_error() or "dbt ended without saying why"))
    results = invocation.get_artifact("run_results.json")["results"]
    failed = [result for result in results if result["status"] in {"error", "fail"}]
    skipped = sum(result["status"] == "skipped" for result in results)
    lines = [f"{len(failed)} of {len(results)} dbt models and tests failed, {skipped} were skipped:"]
    for result in failed:
        node = invocation.manifest["nodes"].get(result["unique_id"], {})
        name = node.get("name", result["unique_id"])
        lines.append(f"- {name} ({node.get('original_file_path', 'unknown file')}): {_message(result)}")
        if result["status"] == "fail" and node.get("compiled_path", None) is not None:
            lines.append(f"  the rows: {node['compiled_path']}")
    lines.append(f"Log and compiled SQL: {invocation.target_path}")
    return "\n".join(lines)


def _message(result: Mapping[str, Any]) -> str:
    text = _COLOUR.sub("", str(result.get("message") or result["status"])).strip()
    return "\n    ".join(part.strip() for part in text.splitlines() if part.strip())
