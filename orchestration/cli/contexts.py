"""The commands for people who write contexts: check, compile, coverage, diff, explain.

What belongs here: options and words. What does not: the work, which each command imports only when it is
called, so that checking contexts need not wait for Dagster to load.
"""

from __future__ import annotations

import re
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from orchestration.cli.options import Contexts, Workspace, fail, settings_of, wide_console
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.compiler import Compilation

OVERLAPS_SHOWN = 10
_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def register_context_commands(app: typer.Typer) -> None:
    """Add the commands of this module to `cpc`."""
    for command in (check, compile, coverage, diff, explain):
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
    from orchestration.authoring.rule_tests import failed_tests

    failures = failed_tests(compilation)
    if failures:
        count = "1 test fails" if len(failures) == 1 else f"{len(failures)} tests fail"
        fail("\n".join([f"{count} in the contexts:", *map(str, failures)]))
    tests = sum(len(dimension.tests) for dimension in compilation.program.dimensions)
    print(f"No problems in {settings.contexts}; tests that hold: {tests}")
    if settings.warehouse_file.is_file():
        from orchestration.authoring.preview import settings_of_preview
        from orchestration.authoring.rule_findings import lines_of_findings
        from orchestration.outputs.databases import NotReadableError

        try:
            with settings_of_preview(settings, compilation, _say) as preview:
                for line in lines_of_findings(preview, compilation, overlaps):
                    print(line)
        except NotReadableError as error:
            print(f"What the rules do on the bill is not known: {error}")


def compile(  # noqa: A001
    workspace: Workspace = None,
    contexts: Contexts = None,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Only write what editors complete and check contexts by.")
    ] = False,
) -> None:
    """Write the dbt project that a run would use, contexts compiled, and say where it is.

    Examples:

    [bold]cpc compile --workspace workspace[/], then read workspace/dbt_project/models/context/

    [bold]cpc compile --contexts contexts --json-schema[/], into contexts/.schema/
    """
    from orchestration.authoring.editor_schemas import write_schemas
    from orchestration.warehouse.generate import ContextProblems, ContextsMissingError, assemble_project

    settings = settings_of(workspace, contexts)
    if json_schema:
        print("\n".join(map(str, write_schemas(settings.contexts))))
        return
    try:
        assembled = assemble_project(settings)
    except (ContextProblems, ContextsMissingError) as error:
        fail(str(error))
    for path in sorted(assembled.compilation.files):
        print(settings.dbt_project / path)


def coverage(
    workspace: Workspace = None,
    contexts: Contexts = None,
    top: Annotated[int, typer.Option(min=1, help="How many groups to list of each kind.")] = 3,
    suggestions: Annotated[int, typer.Option(min=0, help="How many rules to suggest per dimension.")] = 3,
) -> None:
    """Show how much of the bill the rules claim, the largest they do not, and rules that would.

    It looks at the charges of the last run through the contexts as they are written now: edit, and look
    again; no run is needed.

    Examples:

    [bold]cpc coverage --workspace my-bill[/]

    [bold]cpc coverage --workspace my-bill --top 20 --suggestions 10[/]
    """
    settings = settings_of(workspace, contexts)
    compilation = _compiled(settings)
    from orchestration.authoring.coverage_tables import show_coverage
    from orchestration.authoring.preview import settings_of_preview
    from orchestration.outputs.databases import NotReadableError
    from orchestration.warehouse.generate import read_contexts

    texts = read_contexts(settings.contexts)
    try:
        with settings_of_preview(settings, compilation, _say) as preview:
            show_coverage(preview, texts, compilation, wide_console(), top, suggestions)
    except NotReadableError as error:
        fail(str(error))


def diff(
    reference: Annotated[
        str, typer.Argument(metavar="REF", help="A branch, tag or commit of the contexts' repository.")
    ],
    workspace: Workspace = None,
    contexts: Contexts = None,
    month: Annotated[
        str | None, typer.Option(help="Only the days of this usage month, such as 2026-10.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many rows to list of each table.")] = 20,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="For a pull request.")] = False,
) -> None:
    """Show what the contexts as they are now do to the bill, compared with those of a commit.

    Both are worked out by the job's own models on the charges and usage of the last run, aside; readers and
    runs are not touched. Ends with 1 should the totals of both sides differ.

    Examples:

    [bold]cpc diff main[/]

    [bold]cpc diff HEAD~1 --month 2026-10 --markdown > difference.md[/]
    """
    if month is not None and not _MONTH.fullmatch(month):
        raise typer.BadParameter(f"{month!r} is no month, such as 2026-10")
    settings = settings_of(workspace, contexts)
    console = wide_console()
    from orchestration.authoring.diff import DifferenceError, difference_since
    from orchestration.authoring.diff_tables import markdown, show_difference

    try:
        with Console(stderr=True).status("Working out both sides") as status:
            difference = difference_since(settings, reference, month, status.update)
    except DifferenceError as error:
        fail(str(error))
    title = f"What the contexts do to the bill, compared with {reference}"
    title += f", usage of {month}" if month else ""
    if as_markdown:
        print(markdown(difference, title, top), end="")
    else:
        show_difference(difference, title, top, console)
    if not difference.is_exact:
        raise typer.Exit(1)


def explain(
    customer: Annotated[str | None, typer.Option(help="The customer's id or name.")] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The usage date, UTC.")] = None,
    feature: Annotated[str | None, typer.Option(help="Only the cost of this feature.")] = None,
    charges: Annotated[int, typer.Option(min=1, help="How many charges to list.")] = 10,
    charge: Annotated[
        str | None, typer.Option(help="Instead of a customer: the id of a charge, or of a resource.")
    ] = None,
    workspace: Workspace = None,
    contexts: Contexts = None,
) -> None:
    """Take a customer's cost of a day apart: pools, usage, shares, charges, and the rules with file:line.

    Or a charge: which rule claimed it, what was tried before, and the values that decided.

    Examples:

    [bold]cpc explain --customer cust-017 --day 2026-10-20[/]

    [bold]cpc explain --customer cust-017 --day 2026-10-20 --feature Search --workspace my-bill[/]

    [bold]cpc explain --charge i-0abc123 --day 2026-10-20[/]
    """
    from orchestration.authoring.explain_query import NothingToExplainError
    from orchestration.outputs.databases import NotReadableError

    settings, usage_date = settings_of(workspace, contexts), day.date() if day else None
    try:
        if charge is not None:
            from orchestration.authoring.charge_trace import show_charge
            from orchestration.authoring.preview import settings_of_preview

            compilation = _compiled(settings)
            with settings_of_preview(settings, compilation, _say) as preview:
                show_charge(preview, compilation, charge, usage_date, wide_console())
        elif customer is None or usage_date is None:
            raise typer.BadParameter("give --customer and --day, or --charge")
        else:
            from orchestration.authoring.explain_query import Question
            from orchestration.authoring.explain_tables import show_explanation

            question = Question(customer, usage_date, feature)
            if not show_explanation(settings, question, charges, wide_console()):
                raise typer.Exit(1)
    except (NothingToExplainError, NotReadableError) as error:
        fail(str(error))


def _say(text: str) -> None:
    print(f"{text} …", file=sys.stderr)


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
