"""The revenue landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.locations import open_location
from orchestration.sources.revenue.landing import land_revenue
from orchestration.sources.s3 import S3

REVENUE = dg.AssetKey(["landing", "revenue"])
QUARANTINE = dg.AssetKey(["landing", "revenue_quarantine"])


def build_revenue_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets `landing/revenue` and `landing/revenue_quarantine`; they need the resource `s3`."""

    @dg.multi_asset(
        name="revenue_landing",
        group_name="landing",
        specs=[
            dg.AssetSpec(
                REVENUE,
                kinds={"parquet"},
                description="One row per good row of the revenue files: customer, period, amount, currency.",
            ),
            dg.AssetSpec(
                QUARANTINE,
                kinds={"parquet"},
                description="One row per row of the revenue files that was set aside, and the reason.",
            ),
        ],
    )
    def revenue_landing(s3: S3) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_revenue(open_location(settings.revenue, s3.get_client), settings.landing_folder)
        yield dg.MaterializeResult(
            asset_key=REVENUE,
            metadata={
                "dagster/row_count": landing.rows,
                "path": dg.MetadataValue.path(landing.path),
                "changed": landing.changed,
                "files": list(landing.files),
                "repeated": list(landing.repeated),
                "ignored": list(landing.ignored),
            },
        )
        yield dg.MaterializeResult(
            asset_key=QUARANTINE,
            metadata={
                "dagster/row_count": landing.set_aside,
                "path": dg.MetadataValue.path(landing.path.with_name("quarantine.parquet")),
            },
        )

    return revenue_landing
