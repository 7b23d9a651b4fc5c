"""`cpc check`: what is wrong with the contexts, and what their rules do on the bill."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, compiled, fail, say_aside, settings_of


def check(
    workspace: Workspace = None,
    contexts: Contexts = None,
    overlaps: Annotated[
        int, typer.Option(min=0, help="How many overlaps to list, those of the most cost.")
    ] = 10,
) -> None:
    """Check the contexts: every problem with file, line and column, then the tests of the dimension files.

    When the workspace holds a bill, also what the rules do on it: which claim nothing, which come too late,
    which would have given something else than the rule before them.

    Examples:

    [bold]cpc check --contexts contexts[/]

    [bold]cpc check --workspace my-bill --overlaps 50[/]
    """
    settings = settings_of(workspace, contexts)
    compilation = compiled(settings)
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
            with settings_of_preview(settings, compilation, say_aside) as preview:
                for line in lines_of_findings(preview, compilation, overlaps):
                    print(line)
        except NotReadableError as error:
            print(f"What the rules do on the bill is not known: {error}")
