"""`cpc tags`: the tags, accounts and services of the bill, with their cost."""

from __future__ import annotations

import csv
import sys
from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, say_aside, settings_of, wide_console


def tags(
    workspace: Workspace = None,
    contexts: Contexts = None,
    key: Annotated[str | None, typer.Option(help="Only this tag's key, with all of its values.")] = None,
    top: Annotated[int, typer.Option(min=1, help="How many values of each key to list.")] = 5,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print every value, as CSV.")] = False,
) -> None:
    """List the tags, accounts and services of the bill with their cost: what rules refer to.

    Effective cost of the last run's charges; before the first run, billed cost of the bills in the sources.

    Examples:

    [bold]cpc tags --workspace my-bill[/]

    [bold]cpc tags --key team[/]
    """
    settings = settings_of(workspace, contexts)
    from orchestration.authoring.bill_tables import tags_table
    from orchestration.automation.bill_preview import bill_costs

    bill = bill_costs(settings, say_aside)
    costs = [cost for cost in bill.costs if key is None or cost.key == key]
    if key is not None and not costs:
        raise typer.BadParameter(
            f"the bill has no tag {key!r}; cpc tags lists those it has", param_hint="--key"
        )
    if as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(("kind", "key", "value", "billing_currency", "cost"))
        writer.writerows((c.kind, c.key, c.value, c.billing_currency, f"{c.cost:f}") for c in costs)
        return
    wide_console().print(tags_table(bill.title, costs, len(costs) if key else top))
