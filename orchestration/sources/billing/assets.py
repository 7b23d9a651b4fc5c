"""Billing landing as Dagster sees it: three assets, landed by one step, with monthly partitions.

What belongs here: keys, partitions, and what a materialisation shows. What does not: how bills land.
"""

# Dagster looks at annotations when the asset is made, so they are not postponed here.
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.billing.landing import BillingError, BillingLanding, DeliveryResult, land_billing
from orchestration.sources.landing.results import listed
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3

CHARGES = {
    "aws_cur": dg.AssetKey(["landing", "aws_cur_charges"]),
    "focus": dg.AssetKey(["landing", "focus_charges"]),
}
DAYS = dg.AssetKey(["landing", "billing_days"])
BILLED_ONCE = dg.AssetCheckSpec(
    name="billed_once",
    asset=DAYS,
    description="No charges are held by two deliveries and count twice.",
)
_SHOWN_DAYS = 100


def build_billing_assets(
    settings: Settings, partitions: dg.MonthlyPartitionsDefinition
) -> dg.AssetsDefinition:
    """The billing landing assets, one partition per billing month, with resource `s3`.

    Files without manifest land with whichever month runs: only they know which months they are for.
    """

    @dg.multi_asset(
        name="land_billing",
        group_name="landing",
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        specs=[
            dg.AssetSpec(
                CHARGES["aws_cur"],
                description="One row per line of an AWS CUR (legacy or 2.0), as the file says it.",
                kinds={"python", "parquet", "s3"},
            ),
            dg.AssetSpec(
                CHARGES["focus"],
                description="One row per charge of a FOCUS export, as the file says it.",
                kinds={"python", "parquet", "s3"},
            ),
            dg.AssetSpec(
                DAYS,
                description="One row per delivery, billing month, currency and usage day: rows, billed cost "
                "summed from the source files, and a fingerprint that changes when a charge does.",
                kinds={"python", "parquet"},
            ),
        ],
        check_specs=[BILLED_ONCE],
    )
    def land_billing_months(
        context: dg.AssetExecutionContext, s3: S3
    ) -> Iterator[dg.MaterializeResult[None]]:
        """Land the bills of the chosen months from every configured export."""
        months = {key[:7] for key in context.partition_keys}
        try:
            landing = land_billing(
                settings.exports,
                lambda location: open_location(location, s3.get_client),
                settings.landing_folder,
                months=months,
                on_progress=lambda what, done, total: context.log.info(f"{done} of {total}: {what}"),
                threads=settings.duckdb_threads,
                memory_limit=settings.duckdb_memory_limit,
                overlaps=settings.billing_overlaps,
            )
        except BillingError as error:
            # Trying again reads the same files: only a person, or the next delivery, can mend them.
            raise dg.Failure(description=str(error), allow_retries=False) from error
        for note in (*landing.notes, *landing.overlaps):
            context.log.warning(note)
        for family, key in CHARGES.items():
            yield dg.MaterializeResult(asset_key=key, metadata=_charges_metadata(settings, landing, family))
        yield dg.MaterializeResult(
            asset_key=DAYS,
            metadata=_days_metadata(settings, landing),
            check_results=[
                dg.AssetCheckResult(
                    check_name=BILLED_ONCE.name,
                    passed=not landing.overlaps,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"overlaps": listed(landing.overlaps)},
                )
            ],
        )

    return land_billing_months


def _charges_metadata(
    settings: Settings, landing: BillingLanding, family: str
) -> dict[str, dg.MetadataValue[Any] | int]:
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
        "deliveries": dg.MetadataValue.md(_table(deliveries)),
        "path": dg.MetadataValue.path(str(settings.landing_folder / "billing" / family)),
        "new_columns": listed(new),
        "columns_not_read": listed(unused),
        "columns_of_one_name": listed(repeated),
        "digits_beyond_twelve": listed(cut),
    }


def _days_metadata(settings: Settings, landing: BillingLanding) -> dict[str, dg.MetadataValue[Any] | int]:
    changed = [day.isoformat() for day in landing.changed_days]
    shown = ", ".join(changed[:_SHOWN_DAYS]) + (" …" if len(changed) > _SHOWN_DAYS else "")
    return {
        "dagster/row_count": sum(result.day_count for result in landing.deliveries),
        "changed_day_count": len(changed),
        "changed_days": dg.MetadataValue.text(shown or "none"),
        "deliveries": dg.MetadataValue.md(_table(landing.deliveries)),
        "notes": listed(landing.notes),
        "path": dg.MetadataValue.path(str(settings.landing_folder / "billing" / "days")),
    }


def _table(deliveries: list[DeliveryResult] | tuple[DeliveryResult, ...]) -> str:
    if not deliveries:
        return "none"
    head = [
        "| export | delivery | status | months | rows | billed cost | changed days |",
        "| --- | --- | --- | --- | ---: | ---: | ---: |",
    ]
    rows = [
        f"| {result.source_name} | {result.delivery} | {result.status} | {', '.join(result.months)} "
        f"| {result.row_count:,} | {_amounts(result.billed_cost)} | {len(result.changed_days)} |"
        for result in deliveries
    ]
    return "\n".join([*head, *rows])


def _amounts(by_currency: dict[str, Decimal]) -> str:
    return ", ".join(f"{cost:,.2f} {currency}" for currency, cost in sorted(by_currency.items())) or "nothing"
