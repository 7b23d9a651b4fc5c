"""The accounts landing as Dagster assets: when it runs and what is shown of it."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.accounts.landing import land_accounts
from orchestration.sources.landing.results import results_of_snapshots
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3

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
    def accounts_landing(context: dg.AssetExecutionContext, s3: S3) -> Iterator[dg.MaterializeResult[None]]:
        landing = land_accounts(
            open_location(settings.accounts, s3.get_client),
            settings.organization,
            settings.landing_folder,
            datetime.now(UTC),
            settings.aws_endpoint_url,
        )
        yield from results_of_snapshots(
            landing,
            (VERSIONS, SNAPSHOTS, REFUSED),
            "the_organization_answered",
            "accounts",
            context.log,
        )

    return accounts_landing
