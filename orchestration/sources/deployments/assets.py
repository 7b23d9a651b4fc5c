"""The deployments landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.deployments.landing import land_deployments
from orchestration.sources.landing.results import refused_rows, warning_check
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3

DEPLOYMENTS = dg.AssetKey(["landing", "deployments"])
REFUSED = dg.AssetKey(["landing", "deployments_refused"])


def build_deployments_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets `landing/deployments` and `landing/deployments_refused`; they need the resource `s3`."""

    @dg.multi_asset(
        name="deployments_landing",
        group_name="landing",
        specs=[
            dg.AssetSpec(
                DEPLOYMENTS, kinds={"parquet"}, description="One row per deployment; replaced whole."
            ),
            dg.AssetSpec(
                REFUSED, kinds={"parquet"}, description="One row per row of a report that was refused."
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "every_row_is_a_deployment",
                asset=REFUSED,
                description="No row of the reports was refused.",
            )
        ],
    )
    def deployments_landing(s3: S3) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_deployments(
            open_location(settings.deployments, s3.get_client), settings.landing_folder
        )
        yield dg.MaterializeResult(
            asset_key=DEPLOYMENTS,
            metadata={
                "dagster/row_count": landing.deployments,
                "changed": landing.changed,
                "files": list(landing.files),
                "ignored": list(landing.ignored),
                "path": dg.MetadataValue.path(landing.path),
            },
        )
        yield dg.MaterializeResult(
            asset_key=REFUSED,
            metadata=refused_rows(landing.refused),
            check_results=[warning_check("every_row_is_a_deployment", not landing.refused)],
        )

    return deployments_landing
