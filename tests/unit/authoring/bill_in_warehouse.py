"""A workspace whose working database holds staged charges, as a run leaves them, and a company's contexts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from orchestration.settings import Settings
from tests.compiler.charges_table import connection_with_charges


def workspace_with(
    folder: Path, contexts: Mapping[str, str], charges: Iterable[Mapping[str, Any]]
) -> Settings:
    """The settings of a new workspace in `folder`; columns that a charge leaves out are NULL."""
    for name, text in contexts.items():
        path = folder / "contexts" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    settings = Settings(workspace=folder, contexts=folder / "contexts")
    with closing(connection_with_charges(charges)) as made:
        made.execute(f"attach '{settings.warehouse_file}' as warehouse; create schema warehouse.staging")
        made.execute("create table warehouse.staging.charges as from charges")
        made.execute("create schema warehouse.usage")
        made.execute("create table warehouse.usage.split_shares as from split_shares")
    return settings
