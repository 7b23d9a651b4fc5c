"""The command `cpc`: one module for each of its commands, put together in `app`."""


def main() -> None:
    """Entry point of the console script."""
    from orchestration.cli.app import app
    from orchestration.cli.output_encoding import make_output_safe

    make_output_safe()
    app()
