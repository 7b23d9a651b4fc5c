"""Billing months as Dagster partitions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import dagster as dg

from orchestration.settings import ExpectedError, Settings

MONTH_FORMAT = "%Y-%m"
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


class MonthsError(ExpectedError):
    """A range of months that cannot be run; the message says which months can."""


def billing_months(settings: Settings) -> dg.MonthlyPartitionsDefinition:
    """Months `YYYY-MM`, from the first billing month up to and including the current one (UTC)."""
    return dg.MonthlyPartitionsDefinition(
        start_date=settings.first_billing_month, fmt=MONTH_FORMAT, timezone="UTC", end_offset=1
    )


def month_range_tags(settings: Settings, months: Iterable[str]) -> dict[str, str]:
    """Run tags for one run over the months from the first to the last of `months`.

    Raises `MonthsError` if `months` is empty or outside the partitions.
    """
    wanted = sorted(set(months))
    known = billing_months(settings).get_partition_keys()
    if not wanted:
        raise MonthsError("No billing month to run")
    outside = [month for month in wanted if month not in known]
    if outside:
        raise MonthsError(
            f"Billing months {', '.join(outside)} are not among {known[0]} to {known[-1]}; "
            "set CPC_FIRST_BILLING_MONTH to an earlier month, or correct the month (YYYY-MM)."
        )
    return {_RANGE_START: wanted[0], _RANGE_END: wanted[-1]}


def current_and_previous_month(now: datetime) -> tuple[str, str]:
    """The months that providers still change: the current and the previous one, in UTC."""
    today = now.astimezone(UTC)
    year, month = (today.year, today.month - 1) if today.month > 1 else (today.year - 1, 12)
    return f"{year:04d}-{month:02d}", f"{today:{MONTH_FORMAT}}"
