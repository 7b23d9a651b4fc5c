"""The commands for people who write contexts: check, compile, coverage, explain.

What belongs here: options and words. What does not: the work, which each command imports only when it is
called, so that checking contexts need not wait for Dagster to load.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.command_options import Contexts, Workspace, fail, settings_of, wide_console
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.compiler import Compilation

OVERLAPS_SHOWN = 10


def register_context_commands(app: typer.Typer) -> None:
    """Add the commands of this module to `cpc`."""
    for command in (check, compile, coverage, explain):
        app.command()(command)


def check(
    workspace: Workspace = None,
    contexts: Contexts = None,
    overlaps: Annotated[
        int, typer.Option(min=0, help="How many overlaps to list, those of the most cost.")
    ] = OVERLAPS_SHOWN,
) -> None:
    """Check the contexts: every problem with file, line and column, then the tests of the dimension files.

    When the workspace holds a bill, also what the rules do on it: which claim nothing, which come too late,
    which would have given something else than the rule before them.

    Examples:

    [bold]cpc check --contexts contexts[/]

    [bold]cpc check --workspace my-bill --overlaps 50[/]
    """
    settings = settings_of(workspace, contexts)
    compilation = _compiled(settings)
    from orchestration.warehouse.context_tests import failed_tests

    failures = failed_tests(compilation)
    if failures:
        count = "1 test fails" if len(failures) == 1 else f"{len(failures)} tests fail"
        fail("\n".join([f"{count} in the contexts:", *map(str, failures)]))
    tests = sum(len(dimension.tests) for dimension in compilation.program.dimensions)
    print(f"No problems in {settings.contexts}; tests that hold: {tests}")
    if settings.warehouse_file.is_file():
        from orchestration.reports.rule_findings import lines_of_findings

        for line in lines_of_findings(settings, compilation, overlaps):
            print(line)


def compile(workspace: Workspace = None, contexts: Contexts = None) -> None:  # noqa: A001
    """Write the dbt project that a run would use, contexts compiled, and say where it is.

    Example: [bold]cpc compile --workspace workspace[/], then read workspace/dbt_project/models/context/
    """
    from orchestration.warehouse.generate import ContextProblems, ContextsMissingError, assemble_project

    settings = settings_of(workspace, contexts)
    try:
        assembled = assemble_project(settings)
    except (ContextProblems, ContextsMissingError) as error:
        fail(str(error))
    for path in sorted(assembled.compilation.files):
        print(settings.dbt_project / path)


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
        show_coverage(settings_of(workspace), wide_console(), top)
    except NotReadableError as error:
        fail(str(error))


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
        exact = show_explanation(settings_of(workspace), question, charges, wide_console())
    except (NothingToExplainError, NotReadableError) as error:
        fail(str(error))
    if not exact:
        raise typer.Exit(1)


def _compiled(settings: Settings) -> Compilation:
    """The contexts as they are written now; with problems, they are listed and the command ends with 1."""
    from orchestration.warehouse.generate import ContextProblems, ContextsMissingError, compile_project

    try:
        compilation = compile_project(settings.contexts)
    except (ContextProblems, ContextsMissingError) as error:
        fail(str(error))
    if compilation.problems:
        fail(str(ContextProblems(compilation.problems)))
    return compilation
