"""The tags, accounts and services of a bill; before its first run, as landed in a folder of their own."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from orchestration.authoring.bill_overview import CostOf, costs_of_bill
from orchestration.authoring.live_charges import open_live_charges
from orchestration.settings import ExpectedError, Settings
from orchestration.sources.billing import BILLING
from orchestration.sources.billing.landing import discover_months
from orchestration.sources.landing.notes import ensure_notes
from orchestration.sources.locations import open_of
from orchestration.sources.source import LandingRequest

# Amortised cost needs the models of a run; billed cost is a column of the landed files.
_LANDED = """
create view charges as
select
    coalesce(product_product_name, product['product_name'], line_item_product_code) as service_name,
    line_item_usage_account_id as sub_account_id,
    line_item_usage_account_name as sub_account_name,
    line_item_currency_code as billing_currency,
    coalesce(line_item_unblended_cost, 0) as billed_cost,
    spelled_tags as tags
from read_parquet('{landing}/billing/aws_cur/*/*/*.parquet', union_by_name = true)
union all
select service_name, sub_account_id, sub_account_name, billing_currency,
    coalesce(billed_cost, effective_cost, 0) as billed_cost, spelled_tags as tags
from read_parquet('{landing}/billing/focus/*/*/*.parquet', union_by_name = true)
"""


class NoBillError(ExpectedError):
    """There is no bill to look at; the message says where it is looked for."""


@dataclass(frozen=True)
class BillCosts:
    """The costs of a bill's tags, accounts and services, and which cost that is."""

    title: str
    costs: list[CostOf]


def bill_costs(settings: Settings, say: Callable[[str], None]) -> BillCosts:
    """Effective cost of the last run's charges; without one, billed cost. Raises `NoBillError`."""
    if settings.warehouse_file.is_file():
        with open_live_charges(settings) as charges:
            return BillCosts(
                "Effective cost, as of the last run", costs_of_bill(charges.warehouse, charges.table)
            )
    months = discover_months(settings.exports, open_of(settings), settings.landing_folder)
    if not months:
        places = ", ".join(export.location for export in settings.exports)
        raise NoBillError(f"No bill found in {places}. Put one there: CUR, FOCUS or plain files.")
    say("Reading the bill")
    with tempfile.TemporaryDirectory(prefix=".look-", dir=settings.workspace) as folder:
        aside = Settings(
            **{**settings.model_dump(), "landing": Path(folder), "billing_exports": settings.exports}
        )
        BILLING.landing.ensure_landing(aside.landing_folder)
        ensure_notes(aside.landing_folder)
        log = logging.getLogger(__name__)
        log.setLevel(logging.CRITICAL)
        for _ in BILLING.landing.land(LandingRequest(aside, open_of(aside), datetime.now(UTC), log, months)):
            pass
        with closing(duckdb.connect()) as connection:
            connection.execute(_LANDED.replace("{landing}", folder.replace("'", "''")))
            return BillCosts(
                "Billed cost (after a run: effective cost)",
                costs_of_bill(connection, "charges", "billed_cost"),
            )
