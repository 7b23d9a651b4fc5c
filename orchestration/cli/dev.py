"""`cpc dev`: Dagster's UI for the workspace."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, settings_of
from orchestration.cli.output_encoding import environment_of_terminal
from orchestration.settings import PROJECT_ROOT


def dev(
    workspace: Workspace = None,
    contexts: Contexts = None,
    port: Annotated[int, typer.Option(help="Port of the UI, on localhost.")] = 3000,
) -> None:
    """Start Dagster's UI and daemon for the workspace: assets, checks, runs, schedule and sensors.

    SIGTERM or Ctrl-C ends all of it. After editing a context file, press "Reload" in the UI to apply it.

    Example: [bold]cpc dev --workspace workspace --port 3001[/]
    """
    from orchestration.automation.workspace import dagster_home, prepare_workspace

    settings = settings_of(workspace, contexts)
    prepare_workspace(settings)
    environment = {
        **environment_of_terminal(),
        "CPC_WORKSPACE": str(settings.workspace),
        "CPC_CONTEXTS": str(settings.contexts),
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    dagster = str(Path(sys.executable).with_name("dagster"))
    arguments = [dagster, "dev", "--workspace", str(PROJECT_ROOT / "workspace.yaml"), "--port", str(port)]
    # Dagster ends on SIGTERM as on SIGINT, which a shell makes its background jobs ignore.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execve(dagster, arguments, environment)  # noqa: S606 (no shell wanted)
