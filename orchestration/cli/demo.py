"""`cpc demo`: run the whole job on a sample company."""

from __future__ import annotations

import typer
from rich.console import Console

from orchestration.cli.options import Contexts, Workspace, settings_of


def demo(workspace: Workspace = None, contexts: Contexts = None) -> None:
    """Run the whole job on a made-up company's bill and usage, then show the result.

    Example: [bold]cpc demo[/]; run it again to see that nothing is done twice
    """
    settings = settings_of(workspace, contexts)
    from orchestration.demo.run import run_demo, with_example_contexts

    if not run_demo(with_example_contexts(settings), Console()):
        raise typer.Exit(1)
