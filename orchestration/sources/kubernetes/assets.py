"""The landing of OpenCost's allocations as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.kubernetes.landing import land_allocations
from orchestration.sources.landing.results import refused_rows, warning_check
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3

ALLOCATIONS = dg.AssetKey(["landing", "opencost_allocations"])
REFUSED = dg.AssetKey(["landing", "opencost_refused"])


def build_kubernetes_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets `landing/opencost_allocations` and `landing/opencost_refused`; they need `s3`."""

    @dg.multi_asset(
        name="opencost_landing",
        group_name="landing",
        specs=[
            dg.AssetSpec(
                ALLOCATIONS,
                kinds={"parquet"},
                description="One row per allocation of a node that OpenCost exported.",
            ),
            dg.AssetSpec(
                REFUSED, kinds={"parquet"}, description="One row per row of an export that was refused."
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "every_row_is_of_a_node", asset=REFUSED, description="No row of the exports was refused."
            )
        ],
    )
    def opencost_landing(s3: S3) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_allocations(open_location(settings.opencost, s3.get_client), settings.landing_folder)
        yield dg.MaterializeResult(
            asset_key=ALLOCATIONS,
            metadata={
                "dagster/row_count": landing.allocations,
                "files_read": list(landing.files_read),
                "files_gone": landing.files_gone,
                "ignored": list(landing.ignored),
                "path": dg.MetadataValue.path(landing.path),
            },
        )
        yield dg.MaterializeResult(
            asset_key=REFUSED,
            metadata=refused_rows(landing.refused),
            check_results=[warning_check("every_row_is_of_a_node", not landing.refused)],
        )

    return opencost_landing
