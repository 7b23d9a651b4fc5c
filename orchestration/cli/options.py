"""What the commands of `cpc` share: the options that say where things are, and how a command fails."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from pydantic import ValidationError
from rich.console import Console

from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.compiler import Compilation

Workspace = Annotated[
    Path | None,
    typer.Option("--workspace", help="Folder of everything that is read and written. [CPC_WORKSPACE]"),
]
Contexts = Annotated[
    Path | None, typer.Option("--contexts", help="Folder with dimensions, streams and rules. [CPC_CONTEXTS]")
]


def settings_of(workspace: Path | None, contexts: Path | None = None) -> Settings:
    """The settings with what the options say; wrong ones are named, and the command ends with 2."""
    given: dict[str, Any] = {"workspace": workspace, "contexts": contexts}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        lines = [f"{'.'.join(str(part) for part in each['loc'])}: {each['msg']}" for each in error.errors()]
        print("The settings are not right:", *lines, sep="\n  ", file=sys.stderr)
        raise typer.Exit(2) from error


def wide_console() -> Console:
    """Wide where nobody's window limits it, so that a file or a pipe gets whole lines."""
    console = Console()
    return console if console.is_terminal else Console(width=240)


def fail(text: str) -> NoReturn:
    """Say what is wrong and end with 1."""
    print(text, file=sys.stderr)
    raise typer.Exit(1)


def say_aside(text: str) -> None:
    """Say what is being done, beside the result that goes to standard output."""
    print(f"{text} …", file=sys.stderr)


def compiled(settings: Settings) -> Compilation:
    """The contexts as they are written now. Raises `ContextProblems`, which lists all of them."""
    from orchestration.warehouse.generate import ContextProblems, compile_project

    compilation = compile_project(settings.contexts)
    if compilation.problems:
        raise ContextProblems(compilation.problems)
    return compilation
