"""Land bills for a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from orchestration.settings import Settings
from orchestration.sources.billing.landing import BillingLanding, DeliveryResult, ensure_landing, land_billing
from orchestration.sources.source import Landed, LandingRequest, Markdown, Metadata, markdown_table

__all__ = ["ensure_landing", "land"]

_CHARGES = {"aws_cur": "aws_cur_charges", "focus": "focus_charges"}
_SHOWN_DAYS = 100


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the bills of the wanted months from every export.

    Files without a manifest land in every run, because only they know their months.
    """
    settings = request.settings
    landing = land_billing(
        settings.exports,
        request.open_location,
        settings.landing_folder,
        months=set(request.months),
        on_progress=lambda what, done, total: request.log.info(f"{done} of {total}: {what}"),
        threads=settings.duckdb_threads,
        memory_limit=settings.duckdb_memory_limit,
        overlaps=settings.billing_overlaps,
    )
    for note in (*landing.notes, *landing.overlaps):
        request.log.warning(note)
    for family, table in _CHARGES.items():
        yield Landed(table, _charges_metadata(settings, landing, family))
    yield Landed(
        "billing_days",
        _days_metadata(settings, landing),
        passed=not landing.overlaps,
        check_metadata={"overlaps": landing.overlaps},
    )


def _charges_metadata(settings: Settings, landing: BillingLanding, family: str) -> Metadata:
    deliveries = [result for result in landing.deliveries if result.family == family]
    new = [
        f"{result.source_name}/{result.delivery}: {name} ({count} values, on rows that bill "
        f"{_amounts(result.new_column_spend.get(name, {}))})"
        for result in deliveries
        for name, count in result.new_columns.items()
    ]
    repeated = [
        f"{result.source_name}/{result.delivery}: {', '.join(result.repeated_columns)}"
        for result in deliveries
        if result.repeated_columns
    ]
    cut = [
        f"{result.source_name}/{result.delivery}: {amount:.24f} {currency} in {rows} rows"
        for result in deliveries
        for currency, (amount, rows) in result.cut_digits.items()
    ]
    unused = [
        f"{result.source_name}/{result.delivery}: "
        + ", ".join(f"{name} ({count})" for name, count in result.unused_columns.items() if count)
        for result in deliveries
        if any(result.unused_columns.values())
    ]
    return {
        "dagster/row_count": sum(result.row_count for result in deliveries),
        "deliveries": _table(deliveries),
        "path": settings.landing_folder / "billing" / family,
        "new_columns": new,
        "columns_not_read": unused,
        "columns_of_one_name": repeated,
        "digits_beyond_twelve": cut,
    }


def _days_metadata(settings: Settings, landing: BillingLanding) -> Metadata:
    changed = [day.isoformat() for day in landing.changed_days]
    shown = ", ".join(changed[:_SHOWN_DAYS]) + (" …" if len(changed) > _SHOWN_DAYS else "")
    return {
        "dagster/row_count": sum(result.day_count for result in landing.deliveries),
        "changed_day_count": len(changed),
        "changed_days": shown or "none",
        "deliveries": _table(landing.deliveries),
        "notes": landing.notes,
        "path": settings.landing_folder / "billing" / "days",
    }


def _table(deliveries: Sequence[DeliveryResult]) -> Markdown:
    head = ("export", "delivery", "status", "months", "rows", "billed cost", "changed days")
    rows = (
        (
            result.source_name,
            result.delivery,
            result.status,
            ", ".join(result.months),
            f"{result.row_count:,}",
            _amounts(result.billed_cost),
            str(len(result.changed_days)),
        )
        for result in deliveries
    )
    return markdown_table(head, rows, numbers=3)


def _amounts(by_currency: dict[str, Decimal]) -> str:
    return ", ".join(f"{cost:,.2f} {currency}" for currency, cost in sorted(by_currency.items())) or "nothing"
