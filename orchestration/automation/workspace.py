"""One workspace: the folders that a run reads and writes, and Dagster's own home in it.

What belongs here: making the workspace ready, the same for every way of starting (command, Dagster, tests).
What does not: what lies in the folders.
"""

from __future__ import annotations

import json
from pathlib import Path

from orchestration.settings import Settings
from orchestration.sources import SOURCES
from orchestration.sources.landing.notes import ensure_notes

# One run of a workspace at a time; the others wait in Dagster's queue. No statistics are sent to anybody.
_DAGSTER_YAML = """\
# Written by the project; put changes into another Dagster home and name it in DAGSTER_HOME.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
"""

# For runs that the command starts: what dbt prints goes to dbt's own log, not through a file to the terminal;
# the history, which `dagster dev` shows too, is written through connections that stay open.
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
    base_dir: {folder}
"""
)

COMMAND_CONFIG = "command.yaml"


def dagster_home(settings: Settings) -> Path:
    """Where Dagster keeps runs, events and its configuration."""
    return settings.workspace / "dagster_home"


def prepare_workspace(settings: Settings) -> None:
    """Make what is absent: folders for the default sources, empty landing files, Dagster's configuration."""
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
    history = json.dumps(str(home / "history" / "runs"))
    _write_if_other(home / COMMAND_CONFIG, _COMMAND_YAML.format(folder=history))


def _default_source_folders(settings: Settings) -> list[Path]:
    """Only the folders inside the workspace: one that somebody named and that is absent is a mistake to
    report.
    """
    named = [place for source in SOURCES for place in source.places(settings)]
    return [Path(place) for place in named if Path(place).is_relative_to(settings.sources)]


def _write_if_other(path: Path, text: str) -> None:
    if not path.is_file() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
