"""The customers landing as a Dagster asset: when it runs and what is shown of it."""

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.customers.landing import land_customers
from orchestration.sources.locations import open_location
from orchestration.sources.s3 import S3


def build_customers_asset(settings: Settings) -> dg.AssetsDefinition:
    """The asset `landing/customers`; needs the resource `s3`."""

    @dg.asset(
        key=["landing", "customers"],
        group_name="landing",
        kinds={"parquet"},
        description="One row per customer, as the list of customers says; replaced whole.",
    )
    def customers(s3: S3) -> dg.MaterializeResult[None]:
        landing = land_customers(open_location(settings.customers, s3.get_client), settings.landing_folder)
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": landing.customers,
                "path": dg.MetadataValue.path(landing.path),
                "changed": landing.changed,
                "files": list(landing.files),
                "ignored": list(landing.ignored),
            }
        )

    return customers
