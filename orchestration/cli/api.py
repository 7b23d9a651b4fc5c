"""`cpc api`: serve the telemetry API, and make tokens for it.

What belongs here: the options, and the server's start and stop. What does not: the API itself, in
`orchestration/sources/telemetry/api.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from orchestration.settings import Settings

# What is under way is finished before the server stops; a client that is slower than this sends again.
SECONDS_TO_FINISH = 30
Workspace = Annotated[Path | None, typer.Option("--workspace", help="The workspace. [CPC_WORKSPACE]")]


def register_api(app: typer.Typer, settings_of: Callable[[Path | None, Path | None], Settings]) -> None:
    """Add `api` and `api token` to the command; `settings_of(workspace, contexts)` gives the settings."""
    api = typer.Typer(rich_markup_mode="rich")
    app.add_typer(api, name="api")

    @api.callback(invoke_without_command=True)
    def serve(
        context: typer.Context,
        workspace: Workspace = None,
        host: Annotated[str | None, typer.Option(help="[CPC_API_HOST]")] = None,
        port: Annotated[int | None, typer.Option(help="[CPC_API_PORT]")] = None,
    ) -> None:
        """Serve the telemetry API until it is told to stop; what is under way is finished first.

        Example: [bold]cpc api --workspace my-bill --port 8787[/], after [bold]cpc api token[/]
        """
        context.obj = workspace
        if context.invoked_subcommand is None:
            settings = settings_of(workspace, None)
            _serve(settings, host or settings.api_host, settings.api_port if port is None else port)

    @api.command()
    def token(
        context: typer.Context,
        stream: Annotated[list[str], typer.Option(help="A stream it may send to; * is all. Repeatable.")],
        name: Annotated[str, typer.Option(help="What it is called in the file of tokens.")] = "default",
        workspace: Workspace = None,
    ) -> None:
        """Make a token and print it, this once; the workspace keeps only its hash.

        Example: [bold]cpc api token --name search --stream search_queries --workspace my-bill[/]
        """
        from orchestration.sources.telemetry.tokens import TOKENS_FILE, Tokens, TokensFileError

        try:
            made = Tokens(settings_of(workspace or context.obj, None).workspace / TOKENS_FILE).create(
                stream, name, datetime.now(UTC)
            )
        except (TokensFileError, ValueError) as error:
            print(error, file=sys.stderr)
            raise typer.Exit(1) from error
        print(made)


def _serve(settings: Settings, host: str, port: int) -> None:
    import uvicorn

    from orchestration.sources.telemetry.api import build_api
    from orchestration.sources.telemetry.spool import open_spool
    from orchestration.sources.telemetry.tokens import TOKENS_FILE, Tokens

    def s3_client() -> Any:
        import boto3

        return boto3.client("s3", endpoint_url=settings.s3.endpoint_url, region_name=settings.s3.region_name)

    tokens = Tokens(settings.workspace / TOKENS_FILE)
    api = build_api(settings, tokens, open_spool(settings.telemetry, s3_client))
    uvicorn.run(api, host=host, port=port, access_log=False, timeout_graceful_shutdown=SECONDS_TO_FINISH)
