"""The command `cpc`: what it can do, its options and its exit codes.

    0  fine      1  problems found, or a run that did not succeed      2  wrong use

What belongs here: options and words. What does not: the work, which each command imports only when it is
called, so that checking contexts need not wait for Dagster to load.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestration.cli.api import register_api
from orchestration.cli.contexts import register_context_commands
from orchestration.cli.dbt import register_dbt
from orchestration.cli.export import register_export
from orchestration.cli.options import Contexts, Workspace, fail, settings_of
from orchestration.cli.output_encoding import environment_of_terminal, make_output_safe
from orchestration.settings import PROJECT_ROOT

app = typer.Typer(
    name="cpc",
    help="Every cent of the cloud bill, for every customer, every day, with the reason why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

_SPAN = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:\.\.(\d{4}-(?:0[1-9]|1[0-2])))?")


@app.command()
def run(
    workspace: Workspace = None,
    contexts: Contexts = None,
    months: Annotated[
        str | None, typer.Option(help="Billing months to look at, one or a span; by default all there are.")
    ] = None,
    check_all: Annotated[
        bool, typer.Option("--check-all", help="Check all days, not only those that this run makes.")
    ] = False,
) -> None:
    """Run the whole job once: land, build, check, publish. What has not changed is not done again.

    Examples:

    [bold]cpc run --workspace my-bill[/]   with bills in my-bill/sources/billing/

    [bold]cpc run --months 2026-06..2026-07[/]

    [bold]cpc run --check-all[/]   also checks the days that earlier runs made
    """
    settings = settings_of(workspace, contexts)
    wanted = _months(months)
    from orchestration.automation.run import run_job

    if not run_job(settings, wanted, Console(), check_all=check_all):
        raise typer.Exit(1)


@app.command()
def report(
    workspace: Workspace = None,
    open_it: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Make the report of the published marts, unless it is there, and print its path: one HTML file.

    Examples:

    [bold]cpc report --workspace my-bill[/]

    [bold]cpc report --workspace my-bill --open[/]
    """
    from orchestration.outputs.databases import NotReadableError
    from orchestration.outputs.report.report import make_report

    try:
        made = make_report(settings_of(workspace, None))
    except NotReadableError as error:
        fail(str(error))
    print(made.path)
    if open_it:
        typer.launch(made.path.as_uri())


@app.command()
def demo(workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Run the whole job on a made-up company's bill and usage, then say where to look.

    Example: [bold]cpc demo[/], again later to see that nothing is done twice
    """
    settings = settings_of(workspace, contexts)
    from orchestration.demo.run import run_demo

    if not run_demo(settings, Console()):
        raise typer.Exit(1)


@app.command()
def dev(
    workspace: Workspace = None,
    contexts: Contexts = None,
    port: Annotated[int, typer.Option(help="Port of the web page, on this machine only.")] = 3000,
) -> None:
    """Open Dagster on the workspace: the asset graph, its checks, runs, schedule and sensor.

    Edit a YAML in the contexts, press "Reload" there, and it is in effect.

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
    os.execve(dagster, arguments, environment)  # noqa: S606 (no shell wanted)


register_context_commands(app)
register_api(app, settings_of)
register_export(app)
register_dbt(app)


def main() -> None:
    """Entry point of the console script."""
    make_output_safe()
    app()


def _months(text: str | None) -> list[str] | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span is None or (span[2] and span[2] < span[1]):
        raise typer.BadParameter(f"{text!r} is no month (2026-07) or span of months (2026-06..2026-07)")
    return [span[1], span[2] or span[1]]
