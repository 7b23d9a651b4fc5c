"""dbt's results as text: one line per model and test, and what failed and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from orchestration.settings import Settings
from orchestration.warehouse import tables
from orchestration.warehouse.dbt import DbtResult, Event

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult

_PROGRESS = {"LogModelResult", "LogTestResult", "LogSnapshotResult", "LogSeedResult", "LogNodeResult"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_DOTS = re.compile(r" \.{2,}")


def is_progress(event: Event) -> bool:
    """Whether a dbt event reports the end of a model or test."""
    return event["info"]["name"] in _PROGRESS


def line(event: Event) -> str:
    """The event as dbt prints it: `12 of 160 OK created sql table model marts.… [OK in 0.11s]`."""
    return _DOTS.sub("", _COLOUR.sub("", str(event["info"]["msg"])))


def failures_of(settings: Settings, result: DbtResult) -> str:
    """Every failed model and test with dbt's message, for tests also the first rows; skipped ones are only
    counted.
    """
    if not result.nodes:
        return _COLOUR.sub("", result.error or "dbt ended without saying why")
    failed = [each for each in result.nodes if each.status in {"error", "fail"}]
    skipped = sum(each.status == "skipped" for each in result.nodes)
    lines = [f"{len(failed)} of {len(result.nodes)} dbt models and tests failed, {skipped} were skipped:"]
    for each in failed:
        node: Any = each.node
        lines.append(f"- {node.name} ({node.original_file_path}): {_message(each)}")
        if each.status == "fail":
            lines += [f"    {row}" for row in tables.first_rows(settings, node.compiled_code)]
            lines.append(f"  the rows: {node.compiled_path}")
    lines.append(f"Log and compiled SQL: {result.folder}")
    return "\n".join(lines)


def _message(result: RunResult) -> str:
    text = _COLOUR.sub("", str(result.message or result.status)).strip()
    return "\n    ".join(part.strip() for part in text.splitlines() if part.strip())
