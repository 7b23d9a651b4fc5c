"""Billing months as Dagster partitions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from orchestration.settings import MONTH, ExpectedError, Settings
from orchestration.sources.billing import BILLING
from orchestration.sources.billing.landed import landed_deliveries
from orchestration.sources.locations import LocationError, open_of
from orchestration.warehouse.files import write_file

MONTH_FORMAT = "%Y-%m"
# In the workspace, written by whatever lists the sources: loading the definitions should not list them.
_NOTED = "first_billing_month"
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


class MonthsError(ExpectedError):
    """A range of months that cannot be run; the message says which months can."""


def billing_months(settings: Settings) -> dg.MonthlyPartitionsDefinition:
    """Months `YYYY-MM`, from the first one with a bill, or the settings' one, to the current one (UTC)."""
    return dg.MonthlyPartitionsDefinition(
        start_date=_first_month(settings), fmt=MONTH_FORMAT, timezone="UTC", end_offset=1
    )


def note_months(settings: Settings, months: Iterable[str]) -> None:
    """Remember the first of all months that have a bill; partitions begin with it when next loaded."""
    noted = settings.workspace / _NOTED
    first = min([*months, *_read(noted)], default="")
    if first and [first] != _read(noted):
        write_file(noted, f"{first}\n")


def months_of(arrivals: Iterable[str]) -> set[str]:
    """Billing months that arrivals such as `bill <export> <month>` name; other files name none."""
    found = {arrival.rsplit(" ", 1)[-1] for arrival in arrivals}
    return {month for month in found if re.fullmatch(MONTH, month)}


def month_range_tags(known: dg.MonthlyPartitionsDefinition, months: Iterable[str]) -> dict[str, str]:
    """Run tags for one run over the months from the first to the last of `months`.

    Raises `MonthsError` if `months` is empty or not among the `known` partitions.
    """
    wanted = sorted(set(months))
    keys = known.get_partition_keys()
    if not wanted:
        raise MonthsError("No billing month to run")
    outside = [month for month in wanted if month not in keys]
    if outside:
        raise MonthsError(
            f"Billing months {', '.join(outside)} are not among {keys[0]} to {keys[-1]}; correct the month "
            "(YYYY-MM). The first is the one with the first bill, or CPC_FIRST_BILLING_MONTH."
        )
    return {_RANGE_START: wanted[0], _RANGE_END: wanted[-1]}


def open_months(known: dg.MonthlyPartitionsDefinition, now: datetime) -> list[str]:
    """The months that providers still change, of those that are `known`: the previous and the current one."""
    today = now.astimezone(UTC)
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    first = f"{known.start:{MONTH_FORMAT}}"
    return [month for month in (f"{year:04d}-{month:02d}", f"{today:{MONTH_FORMAT}}") if month >= first]


def _first_month(settings: Settings) -> str:
    if settings.first_billing_month:
        return settings.first_billing_month
    noted = settings.workspace / _NOTED
    if not noted.is_file():
        note_months(settings, _landed_months(settings) | _listed_months(settings))
    return next(iter(_read(noted)), f"{datetime.now(UTC):{MONTH_FORMAT}}")


def _read(noted: Path) -> list[str]:
    found = noted.read_text(encoding="utf-8").split() if noted.is_file() else []
    return [month for month in found if re.fullmatch(MONTH, month)]


def _landed_months(settings: Settings) -> set[str]:
    return {
        month
        for export in settings.exports
        for delivery in landed_deliveries(settings.landing_folder, export.name).values()
        for month in delivery.months
    }


def _listed_months(settings: Settings) -> set[str]:
    try:
        return months_of(BILLING.arrived(settings, open_of(settings)))
    except LocationError:
        return set()  # a run says so; the definitions can be loaded without
