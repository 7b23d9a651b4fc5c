"""Prepare a workspace: the folders that a run reads and writes, and Dagster's home."""

from __future__ import annotations

import json
from pathlib import Path

from orchestration.settings import Settings
from orchestration.sources import SOURCES
from orchestration.sources.landing.notes import ensure_notes

# Runs that write wait for each other in Dagster's queue (the pool `writer`). Granularity `run`: a slot of a
# step would outlive a killed process. No usage statistics are sent.
_DAGSTER_YAML = """\
# Generated; to change it, use your own Dagster home and set DAGSTER_HOME.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  pools:
    granularity: run
    default_limit: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
"""

# For runs started by the command: dbt's output goes to its own log, not through a file to the terminal; the
# run history, which `dagster dev` shows too, is written through connections that stay open, as runs of the
# code location that it serves.
_COMMAND_YAML = (
    _DAGSTER_YAML
    + """\
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
event_log_storage:
  module: orchestration.automation.run_history
  class: OpenEventLog
  config:
    base_dir: {events}
run_storage:
  module: orchestration.automation.run_history
  class: LocatedRuns
  config:
    base_dir: {runs}
"""
)

COMMAND_CONFIG = "command.yaml"


def dagster_home(settings: Settings) -> Path:
    """Folder of Dagster's runs, events and configuration."""
    return settings.workspace / "dagster_home"


def prepare_workspace(settings: Settings) -> None:
    """Create what is missing: default source folders, empty landing files, Dagster's configuration."""
    for folder in _default_source_folders(settings):
        folder.mkdir(parents=True, exist_ok=True)
    for folder in (settings.landing_folder, settings.warehouse_file.parent, settings.published_folder):
        folder.mkdir(parents=True, exist_ok=True)
    for source in SOURCES:
        source.landing.ensure_landing(settings.landing_folder)
    ensure_notes(settings.landing_folder)
    home = dagster_home(settings)
    home.mkdir(parents=True, exist_ok=True)
    _write_if_other(home / "dagster.yaml", _DAGSTER_YAML)
    history = home / "history"
    events, runs = (json.dumps(str(folder)) for folder in (history / "runs", history))
    _write_if_other(home / COMMAND_CONFIG, _COMMAND_YAML.format(events=events, runs=runs))


def _default_source_folders(settings: Settings) -> list[Path]:
    """Source folders inside the workspace; a missing folder that was configured explicitly is an error."""
    named = [place for source in SOURCES for place in source.places(settings)]
    return [Path(place) for place in named if Path(place).is_relative_to(settings.sources)]


def _write_if_other(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
