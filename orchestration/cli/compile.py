"""`cpc compile`: the dbt project that a run would use."""

from __future__ import annotations

from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, settings_of


def compile_(
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
    from orchestration.warehouse.generate import assemble_project

    settings = settings_of(workspace, contexts)
    if json_schema:
        print("\n".join(map(str, write_schemas(settings.contexts))))
        return
    for path in sorted(assemble_project(settings).compilation.files):
        print(settings.dbt_project / path)
