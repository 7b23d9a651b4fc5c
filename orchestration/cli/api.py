"""`cpc api`: serve the telemetry API and create its tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from orchestration.cli.options import Workspace, fail, settings_of
from orchestration.settings import Settings

# Grace period for requests in flight at shutdown; slower clients have to retry.
SECONDS_TO_FINISH = 30

api = typer.Typer(rich_markup_mode="rich")


@api.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    workspace: Workspace = None,
    host: Annotated[str | None, typer.Option(help="[CPC_API_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="[CPC_API_PORT]")] = None,
) -> None:
    """Serve the telemetry API until stopped; requests in flight are finished first.

    Example: [bold]cpc api --workspace my-bill --port 8787[/], after [bold]cpc api token[/]
    """
    context.obj = workspace
    if context.invoked_subcommand is None:
        settings = settings_of(workspace)
        _serve(settings, host or settings.api_host, settings.api_port if port is None else port)


@api.command()
def token(
    context: typer.Context,
    stream: Annotated[list[str], typer.Option(help="A stream the token may send to; * for all. Repeatable.")],
    name: Annotated[str, typer.Option(help="Name of the token in the token file.")] = "default",
    workspace: Workspace = None,
) -> None:
    """Create a token and print it once; the workspace stores only its hash.

    Example: [bold]cpc api token --name search --stream search_queries --workspace my-bill[/]
    """
    from orchestration.sources.telemetry.tokens import TOKENS_FILE, Tokens

    tokens = Tokens(settings_of(workspace or context.obj).workspace / TOKENS_FILE)
    try:
        print(tokens.create(stream, name, datetime.now(UTC)))
    except ValueError as error:
        fail(str(error))


def _serve(settings: Settings, host: str, port: int) -> None:
    import uvicorn

    from orchestration.sources.locations import s3_client
    from orchestration.sources.telemetry.api import build_api
    from orchestration.sources.telemetry.spool import open_spool
    from orchestration.sources.telemetry.tokens import TOKENS_FILE, Tokens

    tokens = Tokens(settings.workspace / TOKENS_FILE)
    api = build_api(
        settings, tokens, open_spool(settings.location_of("telemetry"), lambda: s3_client(settings))
    )
    uvicorn.run(api, host=host, port=port, access_log=False, timeout_graceful_shutdown=SECONDS_TO_FINISH)
