"""The inventory landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.inventory.landing import land_inventory
from orchestration.sources.landing.results import results_of_snapshots
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3

VERSIONS = dg.AssetKey(["landing", "resource_versions"])
SNAPSHOTS = dg.AssetKey(["landing", "inventory_snapshots"])
REFUSED = dg.AssetKey(["landing", "inventory_refused"])


def build_inventory_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets `landing/resource_versions`, `inventory_snapshots` and `inventory_refused`; need `s3`."""

    @dg.multi_asset(
        name="inventory_landing",
        group_name="landing",
        specs=[
            dg.AssetSpec(
                VERSIONS,
                kinds={"parquet"},
                description="One row per resource of the cloud accounts and change of it.",
            ),
            dg.AssetSpec(
                SNAPSHOTS,
                kinds={"parquet"},
                description="One row per snapshot and scope (account, region, service; or folder).",
            ),
            dg.AssetSpec(
                REFUSED, kinds={"parquet"}, description="One row per row of a file that was refused."
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "every_scope_was_answered",
                asset=SNAPSHOTS,
                description="Every account, region and service answered; every file was whole and in order.",
            )
        ],
    )
    def inventory_landing(context: dg.AssetExecutionContext, s3: S3) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_inventory(
            open_location(settings.inventory, s3.get_client),
            settings.inventory_accounts,
            settings.landing_folder,
            datetime.now(UTC),
            settings.aws_endpoint_url,
        )
        yield from results_of_snapshots(
            landing,
            (VERSIONS, SNAPSHOTS, REFUSED),
            "every_scope_was_answered",
            "resources",
            context.log,
            scopes_asked=landing.scopes_asked,
        )

    return inventory_landing
