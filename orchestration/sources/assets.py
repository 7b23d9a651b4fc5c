"""Sources as Dagster assets: one step per source, which lands its tables."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

# No postponed annotations: Dagster evaluates them when decorating.
import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3, S3_KEY
from orchestration.sources.source import Landed, LandingRequest, Markdown, Metadata, Source
from orchestration.warehouse.failures import expected_errors
from orchestration.warehouse.writer import WRITER

# After boto3's own retries of a request. What another try does not change says so (`expected_errors`).
_S3_RETRIES = dg.RetryPolicy(max_retries=3, delay=5, backoff=dg.Backoff.EXPONENTIAL)


def landing_key(table: str) -> dg.AssetKey:
    """Asset key of a landed table."""
    return dg.AssetKey(["landing", table])


def landing_step(source: Source) -> str:
    """Name of the step that lands a source."""
    return f"{source.name}_landing"


def build_notes(sources: Iterable[Source]) -> dg.AssetSpec:
    """The notes that landings write about their files (`landing/notes.py`); shown in the mart `warnings`."""
    return dg.AssetSpec(
        landing_key("notes"),
        group_name="landing",
        kinds={"parquet"},
        description="One row per note of a landing on its files.",
        deps=[landing_key(table.name) for source in sources for table in source.tables],
    )


def build_landing_assets(
    source: Source, settings: Settings, months: dg.MonthlyPartitionsDefinition | None = None
) -> dg.AssetsDefinition:
    """The assets of a source, `landing/<table>`; `months` are the billing months."""
    check = source.check

    @dg.multi_asset(
        name=landing_step(source),
        required_resource_keys={S3_KEY, WRITER},
        pool=WRITER,
        retry_policy=_S3_RETRIES if any("://" in place for place in source.places(settings)) else None,
        group_name="landing",
        partitions_def=months if source.by_month else None,
        backfill_policy=dg.BackfillPolicy.single_run() if source.by_month else None,
        specs=[
            dg.AssetSpec(
                landing_key(table.name),
                kinds={"parquet"},
                tags={"source": source.name},
                description=table.description,
            )
            for table in source.tables
        ],
        check_specs=[
            dg.AssetCheckSpec(check.name, asset=landing_key(check.table), description=check.description)
        ]
        if check
        else [],
    )
    def landing(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
        s3: S3 = getattr(context.resources, S3_KEY)
        if source.by_month and not (context.has_partition_key or context.has_partition_key_range):
            raise dg.Failure("Choose the billing months (partitions) to land bills of.", allow_retries=False)
        request = LandingRequest(
            settings,
            lambda place: open_location(place, s3.get_client),
            datetime.now(UTC),
            context.log,
            {key[:7] for key in context.partition_keys} if source.by_month else (),
        )
        with expected_errors():
            for landed in source.landing.land(request):
                yield _result(source, landed)

    return landing


def _result(source: Source, landed: Landed) -> dg.MaterializeResult[None]:
    check = source.check
    return dg.MaterializeResult(
        asset_key=landing_key(landed.table),
        metadata=_shown(landed.metadata),
        check_results=[
            dg.AssetCheckResult(
                check_name=check.name,
                passed=landed.passed,
                severity=dg.AssetCheckSeverity.WARN,
                metadata=_shown(landed.check_metadata),
            )
        ]
        if check and check.table == landed.table
        else [],
    )


def _shown(metadata: Metadata) -> Mapping[str, Any]:
    return {name: _value(value) for name, value in metadata.items()}


def _value(value: Any) -> Any:
    match value:
        case Markdown():
            return dg.MetadataValue.md(value)
        case Path():
            return dg.MetadataValue.path(value)
        case str() | int():
            return value
        case _:
            return dg.MetadataValue.md("\n".join(f"- {item}" for item in value) or "none")
