"""`cpc explain`: why a customer cost that much on a day, or how a charge was classified."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from orchestration.cli.options import Contexts, Workspace, compiled, say_aside, settings_of, wide_console


def explain(
    customer: Annotated[str | None, typer.Option(help="The customer's id or name.")] = None,
    day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The usage date, UTC.")] = None,
    feature: Annotated[str | None, typer.Option(help="Only the cost of this feature.")] = None,
    charges: Annotated[int, typer.Option(min=1, help="How many charges to list.")] = 10,
    charge: Annotated[
        str | None, typer.Option(help="Id of a charge or resource, instead of a customer.")
    ] = None,
    workspace: Workspace = None,
    contexts: Contexts = None,
) -> None:
    """Break down a customer's cost on a day: pools, usage, shares, charges, and the rules with file:line.

    Or explain a charge: the rule that matched, the rules tried before it, and the values that decided.

    Examples:

    [bold]cpc explain --customer cust-017 --day 2026-10-20[/]

    [bold]cpc explain --customer cust-017 --day 2026-10-20 --feature Search --workspace my-bill[/]

    [bold]cpc explain --charge i-0abc123 --day 2026-10-20[/]
    """
    settings, usage_date = settings_of(workspace, contexts), day.date() if day else None
    if charge is not None:
        from orchestration.authoring.charge_trace import show_charge
        from orchestration.authoring.preview import settings_of_preview

        compilation = compiled(settings)
        with settings_of_preview(settings, compilation, say_aside) as preview:
            show_charge(preview, compilation, charge, usage_date, wide_console())
        return
    if customer is None or usage_date is None:
        raise typer.BadParameter("give --customer and --day, or --charge")
    from orchestration.authoring.explain_query import Question
    from orchestration.authoring.explain_tables import show_explanation

    if not show_explanation(settings, Question(customer, usage_date, feature), charges, wide_console()):
        raise typer.Exit(1)
