"""`cpc docs`: write the docs site of the workspace's dbt project."""

from __future__ import annotations

import typer

from orchestration.cli.dbt import run_dbt
from orchestration.cli.options import Contexts, Workspace, settings_of
from orchestration.warehouse.files import write_file

_PAGE = "docs.html"


def docs(workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Write the dbt docs site, with every model, column and lineage, as one HTML file.

    Example: [bold]cpc docs --workspace my-bill[/], then open my-bill/docs.html; it works offline
    """
    settings = settings_of(workspace, contexts)
    target = settings.workspace / "dbt_docs"
    arguments = ["docs", "generate", "--static", "--quiet", "--target-path", str(target)]
    code = run_dbt(settings, arguments)
    if code:
        raise typer.Exit(code)
    page = settings.workspace / _PAGE
    write_file(page, (target / "static_index.html").read_bytes())
    typer.echo(f"{page}")
