"""`cpc check`: problems in the contexts, and how their rules apply to the bill."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, compiled, fail, say_aside, settings_of


def check(
    workspace: Workspace = None,
    contexts: Contexts = None,
    overlaps: Annotated[int, typer.Option(min=0, help="How many overlaps to list, by cost.")] = 10,
) -> None:
    """Check the contexts: all problems with file, line and column, then the tests of the dimension files.

    If the workspace has a bill, also list rules that match nothing, come too late, or contradict an earlier
    rule.

    Examples:

    [bold]cpc check --contexts contexts[/]

    [bold]cpc check --workspace my-bill --overlaps 50[/]
    """
    settings = settings_of(workspace, contexts)
    compilation = compiled(settings)
    from orchestration.authoring.rule_tests import failed_tests

    failures = failed_tests(compilation)
    if failures:
        count = "1 test failed" if len(failures) == 1 else f"{len(failures)} tests failed"
        fail("\n".join([f"{count} in the contexts:", *map(str, failures)]))
    tests = sum(len(dimension.tests) for dimension in compilation.program.dimensions)
    print(f"No problems in {settings.contexts}; tests passed: {tests}")
    if settings.warehouse_file.is_file():
        from orchestration.authoring.preview import settings_of_preview
        from orchestration.authoring.rule_findings import lines_of_findings
        from orchestration.outputs.read_only import NotReadableError

        try:
            with settings_of_preview(settings, compilation, say_aside) as preview:
                for line in lines_of_findings(preview, compilation, overlaps):
                    print(line)
        except NotReadableError as error:
            print(f"Cannot check the rules against the bill: {error}")
