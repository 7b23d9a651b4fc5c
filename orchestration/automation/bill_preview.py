"""The charges of a bill that no run has read yet: landed and staged in a folder of their own, for a look."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from orchestration.authoring.live_charges import LiveCharges, open_live_charges
from orchestration.automation.workspace import prepare_workspace
from orchestration.settings import ExpectedError, Settings
from orchestration.sources.billing import BILLING
from orchestration.sources.billing.landing import discover_months
from orchestration.sources.locations import open_of
from orchestration.sources.source import LandingRequest
from orchestration.warehouse import dbt_results
from orchestration.warehouse.project import prepare_project


class NoBillError(ExpectedError):
    """There is no bill to look at; the message says where it is looked for."""


@contextmanager
def charges_of_bill(settings: Settings, say: Callable[[str], None]) -> Iterator[LiveCharges]:
    """The charges of the last run; without one, those of the bills in the sources. Raises `NoBillError`."""
    if settings.warehouse_file.is_file():
        with open_live_charges(settings) as charges:
            yield charges
        return
    months = discover_months(settings.exports, open_of(settings), settings.landing_folder)
    if not months:
        places = ", ".join(export.location for export in settings.exports)
        raise NoBillError(f"No bill found in {places}. Put one there: CUR or FOCUS files.")
    say("Reading the bill")
    with tempfile.TemporaryDirectory(prefix=".look-", dir=settings.workspace) as folder:
        aside = Settings(
            **{
                **settings.model_dump(),
                "billing_exports": settings.exports,
                "workspace": Path(folder),
                **dict.fromkeys(("landing", "warehouse", "published")),
            }
        )
        prepare_workspace(aside)
        log = logging.getLogger(__name__)
        log.setLevel(logging.CRITICAL)
        for _ in BILLING.landing.land(LandingRequest(aside, open_of(aside), datetime.now(UTC), log, months)):
            pass
        project = prepare_project(aside)
        command = (
            "build",
            "--exclude-resource-type",
            "test",
            "unit_test",
            "--select",
            "changed_days +charges",
        )
        result = project.dbt(*command, folder=Path(folder) / "dbt_run")
        if not result.is_success:
            raise ExpectedError(dbt_results.what_failed(aside, result))
        with open_live_charges(aside) as charges:
            yield charges
