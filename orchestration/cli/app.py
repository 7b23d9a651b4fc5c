"""The `cpc` app with all commands, and its exit codes.

    0  success      1  problems found, or a failed run      2  wrong usage

Each command imports its dependencies only when called, so checking contexts does not wait for Dagster.
"""

from __future__ import annotations

from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from orchestration.cli.api import api
from orchestration.cli.check import check
from orchestration.cli.compile import compile_
from orchestration.cli.coverage import coverage
from orchestration.cli.dbt import dbt
from orchestration.cli.demo import demo
from orchestration.cli.dev import dev
from orchestration.cli.diff import diff
from orchestration.cli.docs import docs
from orchestration.cli.doctor import doctor
from orchestration.cli.explain import explain
from orchestration.cli.export import export
from orchestration.cli.init import init
from orchestration.cli.options import fail
from orchestration.cli.pull import pull
from orchestration.cli.report import report
from orchestration.cli.run import run
from orchestration.cli.send import send
from orchestration.cli.tags import tags
from orchestration.settings import ExpectedError


class Commands(TyperGroup):
    """Exits with 1 and only the message for errors that the user can fix."""

    def invoke(self, ctx: Any) -> Any:
        """Call the command."""
        try:
            return super().invoke(ctx)
        except ExpectedError as error:
            fail(str(error))


app = typer.Typer(
    name="cpc",
    cls=Commands,
    help="Every cent of the cloud bill, for every customer, every day, with the reason why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
for command in (
    init,
    run,
    report,
    demo,
    dev,
    check,
    tags,
    coverage,
    diff,
    explain,
    export,
    docs,
    send,
    pull,
    doctor,
):
    app.command()(command)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", is_eager=True, help="Print the version.")] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        print(f"cpc {installed('cost-per-customer')}")
        raise typer.Exit


app.command("compile")(compile_)
app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(dbt)
app.add_typer(api, name="api")
