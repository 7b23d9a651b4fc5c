"""`cpc dbt`: run any dbt command on the workspace's project, with the variables of a run."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer
import yaml

from orchestration.cli.options import Contexts, Workspace, settings_of
from orchestration.cli.output_encoding import environment_of_terminal
from orchestration.settings import Settings


def dbt(context: typer.Context, workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Run any dbt command on the workspace's project, with the paths and variables of a run.

    Examples:

    [bold]cpc dbt show --select how_do_segments_compare --workspace my-bill[/]   answer a business question

    [bold]cpc dbt ls --select +exposure:customer_cost_report[/]   list what the report depends on
    """
    if not context.args:
        raise typer.BadParameter("give a dbt command, for example: cpc dbt show --select customers")
    raise typer.Exit(run_dbt(settings_of(workspace, contexts), context.args))


def run_dbt(settings: Settings, arguments: list[str]) -> int:
    """Run dbt on the workspace's project with the paths and variables of a run; return its exit code."""
    from orchestration.automation.workspace import prepare_workspace
    from orchestration.warehouse.project import prepare_project

    prepare_workspace(settings)
    project = prepare_project(settings)
    try:
        asked, variables = _variables_asked(arguments)
    except yaml.YAMLError as error:
        raise typer.BadParameter(f"--vars is not valid YAML: {error}") from error
    folder = str(project.assembled.folder)
    variables = {**project.variables, **variables}
    command = [
        str(Path(sys.executable).with_name("dbt")),
        *asked,
        "--vars",
        json.dumps(variables, sort_keys=True),
    ]
    done = subprocess.run(
        [*command, "--project-dir", folder, "--profiles-dir", folder],
        env=environment_of_terminal(),
        check=False,
    )
    return done.returncode


def _variables_asked(arguments: list[str]) -> tuple[list[str], dict[str, Any]]:
    """The arguments without `--vars`, and its value: dbt accepts it once, and the run itself sets it."""
    if "--vars" not in arguments:
        return arguments, {}
    place = arguments.index("--vars")
    said = yaml.safe_load(arguments[place + 1]) if place + 1 < len(arguments) else None
    return [*arguments[:place], *arguments[place + 2 :]], said if isinstance(said, dict) else {}
