"""`cpc dbt` and `cpc docs`: dbt on the workspace's project, with the variables of a run.

What belongs here: calling dbt for a person. What does not: the runs of the job, which Dagster starts.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import typer
import yaml

from orchestration.cli.options import Contexts, Workspace, settings_of
from orchestration.cli.output_encoding import environment_of_terminal
from orchestration.settings import Settings

_DOCS = "docs.html"


def register_dbt(app: typer.Typer) -> None:
    """Add the commands to the app."""

    @app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
    def dbt(context: typer.Context, workspace: Workspace = None, contexts: Contexts = None) -> None:
        """Run any dbt command on the workspace's project, with the paths and variables of a run.

        Examples:

        [bold]cpc dbt show --select how_do_segments_compare --workspace my-bill[/]   answers a question

        [bold]cpc dbt ls --select +exposure:customer_cost_report[/]   what the report depends on
        """
        if not context.args:
            raise typer.BadParameter("give a dbt command, for example: cpc dbt show --select customers")
        raise typer.Exit(_call(settings_of(workspace, contexts), context.args))

    @app.command()
    def docs(workspace: Workspace = None, contexts: Contexts = None) -> None:
        """Write the docs site, every model and column with its description and lineage, as one HTML file.

        Example: [bold]cpc docs --workspace my-bill[/], then open my-bill/docs.html; it needs no network
        """
        settings = settings_of(workspace, contexts)
        target = settings.workspace / "dbt_docs"
        arguments = ["docs", "generate", "--static", "--quiet", "--target-path", str(target)]
        code = _call(settings, arguments)
        if code:
            raise typer.Exit(code)
        page = settings.workspace / _DOCS
        unfinished = page.with_name(f".{_DOCS}")
        shutil.copyfile(target / "static_index.html", unfinished)
        unfinished.replace(page)
        typer.echo(f"{page}")


def _variables_asked(arguments: list[str]) -> tuple[list[str], dict[str, Any]]:
    """The arguments without `--vars`, and what it says: dbt takes one, and a run's own are in it."""
    if "--vars" not in arguments:
        return arguments, {}
    place = arguments.index("--vars")
    said = yaml.safe_load(arguments[place + 1]) if place + 1 < len(arguments) else None
    return [*arguments[:place], *arguments[place + 2 :]], said if isinstance(said, dict) else {}


def _call(settings: Settings, arguments: list[str]) -> int:
    from orchestration.automation.workspace import prepare_workspace
    from orchestration.warehouse.generate import ContextProblems, ContextsMissingError
    from orchestration.warehouse.project import prepare_project

    try:
        prepare_workspace(settings)
        project = prepare_project(settings)
        asked, variables = _variables_asked(arguments)
    except yaml.YAMLError as error:
        typer.echo(f"--vars is no YAML: {error}", err=True)
        return 2
    except (ContextProblems, ContextsMissingError) as error:
        typer.echo(str(error), err=True)
        return 1
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
