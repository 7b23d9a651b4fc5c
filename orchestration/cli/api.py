"""`cpc api`: serve the telemetry API; create, list and revoke its tokens."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestration.cli.options import Workspace, settings_of
from orchestration.settings import Settings

if TYPE_CHECKING:
    from orchestration.sources.telemetry.tokens import Tokens

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
    print(_tokens(workspace or context.obj).create(stream, name, datetime.now(UTC)))


@api.command()
def tokens(context: typer.Context, workspace: Workspace = None) -> None:
    """List the tokens: name, streams, and when each was made.

    Example: [bold]cpc api tokens --workspace my-bill[/]
    """
    for each in _tokens(workspace or context.obj).listed():
        print(f"{each.name}\t{', '.join(each.streams)}\t{each.created_at:%Y-%m-%d %H:%M} UTC")


@api.command()
def revoke(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="As cpc api tokens shows it.")],
    workspace: Workspace = None,
) -> None:
    """Revoke a token; a running server refuses it from its next request on.

    Example: [bold]cpc api revoke search --workspace my-bill[/]
    """
    _tokens(workspace or context.obj).revoke(name)
    print(f"Revoked {name}.")


def _tokens(workspace: Path | None) -> Tokens:
    from orchestration.sources.telemetry.tokens import TOKENS_FILE, Tokens

    return Tokens(settings_of(workspace).workspace / TOKENS_FILE)


def _serve(settings: Settings, host: str, port: int) -> None:
    import uvicorn

    from orchestration.sources.locations import s3_client
    from orchestration.sources.telemetry.api import build_api
    from orchestration.sources.telemetry.spool import open_spool

    spool = open_spool(settings.location_of("telemetry"), lambda: s3_client(settings))
    app = build_api(settings, _tokens(settings.workspace), spool)
    uvicorn.run(app, host=host, port=port, access_log=False, timeout_graceful_shutdown=SECONDS_TO_FINISH)
