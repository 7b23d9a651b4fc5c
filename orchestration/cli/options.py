"""Options shared by the `cpc` commands, and how a command fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console

from orchestration.automation.settings_problems import InvalidSettings, read_settings, unknown_variables
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.compiler import Compilation

Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", help="Folder with sources, warehouse and results. [CPC_WORKSPACE]"),
]
Contexts = Annotated[
    Path | None,
    typer.Option("--contexts", help="Folder with dimensions, streams and allocation rules. [CPC_CONTEXTS]"),
]


def settings_of(workspace: Path | None, contexts: Path | None = None) -> Settings:
    """Settings with the given options; invalid settings are listed and end the command with 2."""
    given: dict[str, Any] = {"workspace": workspace, "contexts": contexts}
    for line in unknown_variables():
        print(line, file=sys.stderr)
    try:
        return read_settings(**{name: value for name, value in given.items() if value is not None})
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error


def wide_console() -> Console:
    """A console that is wide unless it is a terminal, so files and pipes get whole lines."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def fail(text: str) -> NoReturn:
    """Print an error and exit with 1."""
    print(text, file=sys.stderr)
    raise typer.Exit(1)


def say_aside(text: str) -> None:
    """Report progress on standard error, keeping standard output for the result."""
    print(f"{text} …", file=sys.stderr)


def compiled(settings: Settings) -> Compilation:
    """Compile the current contexts. Raises `ContextProblems` with all problems."""
    from orchestration.warehouse.generate import ContextProblems, compile_project

    compilation = compile_project(settings.contexts)
    if compilation.problems:
        raise ContextProblems(compilation.problems)
    return compilation
