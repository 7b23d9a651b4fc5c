"""`cpc compile`: assemble the dbt project of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, settings_of


def compile_(
    workspace: Workspace = None,
    contexts: Contexts = None,
    json_schema: Annotated[
        bool, typer.Option("--json-schema", help="Only write the JSON Schemas for editors.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option("--to", help="Copy the project here, for plain dbt and editors, paths filled in."),
    ] = None,
) -> None:
    """Write the dbt project of a run, with compiled contexts, and list its generated files.

    Examples:

    [bold]cpc compile --workspace workspace[/], then read workspace/dbt_project/models/context/

    [bold]cpc compile --to my-dbt[/], then cd my-dbt; dbt build

    [bold]cpc compile --contexts contexts --json-schema[/], into contexts/.schema/
    """
    from orchestration.authoring.editor_schemas import write_schemas
    from orchestration.warehouse.generate import assemble_project

    settings = settings_of(workspace, contexts)
    if json_schema:
        print("\n".join(map(str, write_schemas(settings.contexts))))
        return
    if to is not None:
        from orchestration.automation.workspace import prepare_workspace
        from orchestration.warehouse.project_copy import copy_project

        prepare_workspace(settings)
        copy_project(settings, to)
        print(to)
        return
    for path in sorted(assemble_project(settings).compilation.files):
        print(settings.dbt_project / path)
