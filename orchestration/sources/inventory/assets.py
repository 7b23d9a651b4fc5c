"""The inventory landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster_aws.s3 import S3Resource

from orchestration.settings import Settings
from orchestration.sources.inventory.landing import land_inventory
from orchestration.sources.locations import open_location

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
    def inventory_landing(
        context: dg.AssetExecutionContext, s3: S3Resource
    ) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_inventory(
            open_location(settings.inventory, s3.get_client),
            settings.inventory_accounts,
            settings.landing_folder,
            datetime.now(UTC),
            settings.aws_endpoint_url,
        )
        changes = landing.changes
        set_aside = [*landing.failures, *(f"late: {snapshot}" for snapshot in changes.late)]
        for failure in set_aside:
            context.log.warning(failure)
        yield dg.MaterializeResult(
            asset_key=VERSIONS,
            metadata={
                "resources": changes.present,
                "new": changes.new,
                "changed": changes.changed,
                "gone": changes.gone,
                "path": dg.MetadataValue.path(landing.path),
            },
        )
        yield dg.MaterializeResult(
            asset_key=SNAPSHOTS,
            metadata={
                "scopes_asked": landing.scopes_asked,
                "set_aside": dg.MetadataValue.md(_listed(set_aside)),
                "files_read": list(landing.files_read),
                "ignored": list(landing.ignored),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="every_scope_was_answered",
                    passed=not set_aside and not landing.refused,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"set_aside": dg.MetadataValue.md(_listed(set_aside))},
                )
            ],
        )
        reasons = [f"{count} rows: {reason}" for reason, count in landing.refused.items()]
        yield dg.MaterializeResult(
            asset_key=REFUSED,
            metadata={
                "refused": sum(landing.refused.values()),
                "reasons": dg.MetadataValue.md(_listed(reasons)),
            },
        )

    return inventory_landing


def _listed(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items) or "none"
