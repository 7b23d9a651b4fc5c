"""`cpc init`: the files of a new company."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import typer

from orchestration.cli.options import fail, say_aside, settings_of, wide_console


def init(
    folder: Annotated[Path, typer.Argument(help="The new workspace.")],
    bill: Annotated[
        Path | None,
        typer.Option(
            help="A CUR, FOCUS or plain file, or a folder of them, to copy and start from.", exists=True
        ),
    ] = None,
) -> None:
    """Make a workspace: contexts with comments, sample files and settings. Existing files are kept.

    With a bill, in DIR/sources/billing or given, it lists what the bill can be divided by, and proposes first
    dimensions from its tags.

    Examples:

    [bold]cpc init my-company[/]

    [bold]cpc init my-company --bill cur.csv.gz[/]
    """
    from orchestration.authoring.bill_tables import tags_table
    from orchestration.authoring.starter import starter_files
    from orchestration.automation.bill_preview import BillCosts, NoBillError, bill_costs
    from orchestration.automation.workspace import prepare_workspace

    folder = folder.expanduser().resolve()
    billing = folder / "sources" / "billing"
    if bill:
        billing.mkdir(parents=True, exist_ok=True)
        if bill.is_dir():
            shutil.copytree(bill, billing, dirs_exist_ok=True)
        else:
            shutil.copy2(bill, billing)
    written = _write(folder, starter_files([]))
    settings = settings_of(folder, folder / "contexts")
    prepare_workspace(settings)
    costs: BillCosts | None = None
    try:
        costs = bill_costs(settings, say_aside)
    except NoBillError:
        if bill:
            fail(f"{bill}: is not a readable bill; bills are CUR, FOCUS or plain files, as CSV or Parquet")
    if costs:
        written = sorted({*written, *_write(folder, starter_files(costs.costs), over=starter_files([]))})
        wide_console().print(tags_table(costs.title, costs.costs, top=3))
    for path in written:
        print(f"wrote {path}")
    print(_NEXT.format(folder=folder) if costs else _NO_BILL.format(billing=billing, folder=folder))


_NO_BILL = """
Next: put a bill (CUR, FOCUS or plain files) into {billing}, then
  cpc init {folder}                    proposes dimensions from the bill's tags
  cpc run --workspace {folder}"""
_NEXT = """
Next: read the proposed rules in {folder}/contexts, then
  cpc run --workspace {folder}         the whole job
  cpc coverage --workspace {folder}    what no rule matches yet, and rules for it"""


def _write(
    folder: Path, files: Mapping[str, str], over: Mapping[str, str] = MappingProxyType({})
) -> list[Path]:
    """Write the files that do not exist, or are still as in `over`; which they are."""
    written = []
    for name, text in files.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") == over.get(name) != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written
