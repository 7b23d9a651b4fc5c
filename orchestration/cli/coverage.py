"""`cpc coverage`: how much of the bill the rules match."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, compiled, say_aside, settings_of, wide_console


def coverage(
    workspace: Workspace = None,
    contexts: Contexts = None,
    top: Annotated[int, typer.Option(min=1, help="How many groups of each kind to list.")] = 3,
    suggestions: Annotated[int, typer.Option(min=0, help="How many rules to suggest per dimension.")] = 3,
) -> None:
    """Show how much of the bill the rules match, the largest unmatched costs, and rules to match them.

    Applies the current contexts to the charges of the last run: edit and look again, no run needed.

    Examples:

    [bold]cpc coverage --workspace my-bill[/]

    [bold]cpc coverage --workspace my-bill --top 20 --suggestions 10[/]
    """
    settings = settings_of(workspace, contexts)
    compilation = compiled(settings)
    from orchestration.authoring.coverage_tables import show_coverage
    from orchestration.authoring.preview import settings_of_preview
    from orchestration.warehouse.generate import read_contexts

    texts = read_contexts(settings.contexts)
    with settings_of_preview(settings, compilation, say_aside) as preview:
        show_coverage(preview, texts, compilation, wide_console(), top, suggestions)
