"""The command `cpc`: what it can do, its options and its exit codes.

    0  fine      1  problems found, or a run that did not succeed      2  wrong use

What belongs here: options and words. What does not: the work, which each command imports only when it is
called, so that checking contexts need not wait for Dagster to load.
"""

from __future__ import annotations

import os
import re
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from rich.console import Console

from orchestration.api_command import register_api
from orchestration.settings import PROJECT_ROOT, Settings

app = typer.Typer(
    name="cpc",
    help="Every cent of the cloud bill, for every customer, every day, with the reason why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)

Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", help="Folder of everything that is read and written. [CPC_WORKSPACE]"),
]
Contexts = Annotated[
    Path | None, typer.Option("--contexts", help="Folder with dimensions, streams and rules. [CPC_CONTEXTS]")
]
_SPAN = re.compile(r"(\d{4}-(?:0[1-9]|1[0-2]))(?:\.\.(\d{4}-(?:0[1-9]|1[0-2])))?")


@app.command()
def check(workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Check the contexts: every problem with file, line and column, then the tests of the dimension files.

    When the workspace holds a bill, also which rules claim nothing of it.

    Examples:

    [bold]cpc check --contexts contexts[/]

    [bold]cpc check --workspace my-bill[/]   also warns of rules that claim no charge
    """
    from orchestration.warehouse.generate import ContextProblems, ContextsMissingError, compile_project

    settings = _settings(workspace, contexts)
    try:
        compilation = compile_project(settings.contexts)
    except (ContextProblems, ContextsMissingError) as error:
        _fail(str(error))
    if compilation.problems:
        _fail(str(ContextProblems(compilation.problems)))
    from orchestration.warehouse.context_tests import failed_tests

    failures = failed_tests(compilation)
    if failures:
        count = "1 test fails" if len(failures) == 1 else f"{len(failures)} tests fail"
        _fail("\n".join([f"{count} in the contexts:", *map(str, failures)]))
    tests = sum(len(dimension.tests) for dimension in compilation.program.dimensions)
    print(f"No problems in {settings.contexts}; tests that hold: {tests}")
    if settings.warehouse_file.is_file():
        from orchestration.compiler.emit_tables import fingerprint
        from orchestration.reports.unused_rules import warnings_of_unused_rules
        from orchestration.warehouse.generate import read_contexts

        for warning in warnings_of_unused_rules(settings, fingerprint(read_contexts(settings.contexts))):
            print(warning)


@app.command()
def compile(workspace: Workspace = None, contexts: Contexts = None) -> None:  # noqa: A001
    """Write the dbt project that a run would use, contexts compiled, and say where it is.

    Example: [bold]cpc compile --workspace workspace[/], then read workspace/dbt_project/models/context/
    """
    from orchestration.warehouse.generate import ContextProblems, ContextsMissingError, assemble_project

    settings = _settings(workspace, contexts)
    try:
        assembled = assemble_project(settings)
    except (ContextProblems, ContextsMissingError) as error:
        _fail(str(error))
    for path in sorted(assembled.compilation.files):
        print(settings.dbt_project / path)


@app.command()
def run(
    workspace: Workspace = None,
    contexts: Contexts = None,
    months: Annotated[
        str | None, typer.Option(help="Billing months to look at, one or a span; by default all there are.")
    ] = None,
) -> None:
    """Run the whole job once: land, build, check, publish. What has not changed is not done again.

    Examples:

    [bold]cpc run --workspace my-bill[/]   with bills in my-bill/sources/billing/

    [bold]cpc run --months 2026-06..2026-07[/]
    """
    settings = _settings(workspace, contexts)
    wanted = _months(months)
    from orchestration.run import run_job

    if not run_job(settings, wanted, Console()):
        raise typer.Exit(1)


@app.command()
def coverage(
    workspace: Workspace = None,
    top: Annotated[int, typer.Option(min=1, help="How many groups to list per dimension.")] = 5,
) -> None:
    """Show how much of the bill the rules claim, per dimension and month, and the largest they do not.

    Examples:

    [bold]cpc coverage --workspace my-bill[/]

    [bold]cpc coverage --workspace my-bill --top 20[/]   to look for the next rule to write
    """
    from orchestration.reports.coverage import show_coverage
    from orchestration.reports.databases import NotReadableError

    try:
        show_coverage(_settings(workspace, None), _console(), top)
    except NotReadableError as error:
        _fail(str(error))


@app.command()
def explain(
    customer: Annotated[str, typer.Option(help="The customer's id or name.")],
    day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The usage date, UTC.")],
    feature: Annotated[str | None, typer.Option(help="Only the cost of this feature.")] = None,
    charges: Annotated[int, typer.Option(min=1, help="How many charges to list.")] = 10,
    workspace: Workspace = None,
) -> None:
    """Take a customer's cost of a day apart: pools, usage, shares, charges, and the rules with file:line.

    Examples:

    [bold]cpc explain --customer cust-017 --day 2026-10-20[/]

    [bold]cpc explain --customer cust-017 --day 2026-10-20 --feature Search --workspace my-bill[/]
    """
    from orchestration.reports.databases import NotReadableError
    from orchestration.reports.explanation import show_explanation
    from orchestration.reports.question import NothingToExplainError, Question

    question = Question(customer, day.date(), feature)
    try:
        exact = show_explanation(_settings(workspace, None), question, charges, _console())
    except (NothingToExplainError, NotReadableError) as error:
        _fail(str(error))
    if not exact:
        raise typer.Exit(1)


@app.command()
def demo(workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Run the whole job on a made-up company's bill and usage, then say where to look.

    Example: [bold]cpc demo[/], again later to see that nothing is done twice
    """
    settings = _settings(workspace, contexts)
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
    from orchestration.workspace import dagster_home, prepare_workspace

    settings = _settings(workspace, contexts)
    prepare_workspace(settings)
    environment = {
        **os.environ,
        "CPC_WORKSPACE": str(settings.workspace),
        "CPC_CONTEXTS": str(settings.contexts),
        "DAGSTER_HOME": str(dagster_home(settings)),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }
    dagster = str(Path(sys.executable).with_name("dagster"))
    arguments = [dagster, "dev", "--workspace", str(PROJECT_ROOT / "workspace.yaml"), "--port", str(port)]
    os.execve(dagster, arguments, environment)  # noqa: S606 (no shell wanted)


register_api(app, lambda workspace, contexts: _settings(workspace, contexts))


def main() -> None:
    """Entry point of the console script."""
    app()


def _settings(workspace: Path | None, contexts: Path | None) -> Settings:
    given: dict[str, Any] = {"workspace": workspace, "contexts": contexts}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        print("The settings are not right:", *lines, sep="\n  ", file=sys.stderr)
        raise typer.Exit(2) from error


def _console() -> Console:
    """Wide where nobody's window limits it, so that a file or a pipe gets whole lines."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def _months(text: str | None) -> list[str] | None:
    if text is None:
        return None
    span = _SPAN.fullmatch(text)
    if span is None or (span[2] and span[2] < span[1]):
        raise typer.BadParameter(f"{text!r} is no month (2026-07) or span of months (2026-06..2026-07)")
    return [span[1], span[2] or span[1]]


def _fail(text: str) -> None:
    print(text, file=sys.stderr)
    raise typer.Exit(1)
