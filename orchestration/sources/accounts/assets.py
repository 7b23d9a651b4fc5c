"""The accounts landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg
from dagster_aws.s3 import S3Resource

from orchestration.settings import Settings
from orchestration.sources.accounts.landing import land_accounts
from orchestration.sources.locations import open_location

VERSIONS = dg.AssetKey(["landing", "account_versions"])
SNAPSHOTS = dg.AssetKey(["landing", "account_snapshots"])
REFUSED = dg.AssetKey(["landing", "accounts_refused"])


def build_accounts_assets(settings: Settings) -> dg.AssetsDefinition:
    """The assets `landing/account_versions`, `account_snapshots` and `accounts_refused`; they need `s3`."""

    @dg.multi_asset(
        name="accounts_landing",
        group_name="landing",
        specs=[
            dg.AssetSpec(
                VERSIONS,
                kinds={"parquet"},
                description="One row per account of the organization and change of it.",
            ),
            dg.AssetSpec(
                SNAPSHOTS,
                kinds={"parquet"},
                description="One row per snapshot and scope (the organization, or a folder).",
            ),
            dg.AssetSpec(
                REFUSED, kinds={"parquet"}, description="One row per row of a file that was refused."
            ),
        ],
        check_specs=[
            dg.AssetCheckSpec(
                "the_organization_answered",
                asset=SNAPSHOTS,
                description="The organization answered; every file was whole and in order.",
            )
        ],
    )
    def accounts_landing(
        context: dg.AssetExecutionContext, s3: S3Resource
    ) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_accounts(
            open_location(settings.accounts, s3.get_client),
            settings.organization,
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
                "accounts": changes.present,
                "new": changes.new,
                "changed": changes.changed,
                "gone": changes.gone,
                "path": dg.MetadataValue.path(landing.path),
            },
        )
        yield dg.MaterializeResult(
            asset_key=SNAPSHOTS,
            metadata={
                "set_aside": dg.MetadataValue.md(_listed(set_aside)),
                "files_read": list(landing.files_read),
                "ignored": list(landing.ignored),
            },
            check_results=[
                dg.AssetCheckResult(
                    check_name="the_organization_answered",
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

    return accounts_landing


def _listed(items: list[str]) -> str:
    return "\n".join(f"- {item}" for item in items) or "none"
