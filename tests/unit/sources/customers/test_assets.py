"""The customers landing through Dagster."""

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.assets import build_landing_assets
from orchestration.sources.customers import CUSTOMERS
from orchestration.sources.s3 import S3


def test_the_asset_shows_how_many_customers_there_are(tmp_path):
    settings = Settings(workspace=tmp_path)
    folder = tmp_path / "sources" / "customers"
    folder.mkdir(parents=True)
    (folder / "list.csv").write_text("customer_id\na\nb\n")

    with dg.DagsterInstance.ephemeral() as instance:
        assets = build_landing_assets(CUSTOMERS, settings)
        result = dg.materialize([assets], instance=instance, resources={"s3": S3()})

    [event] = result.get_asset_materialization_events()
    assert event.materialization.asset_key == dg.AssetKey(["landing", "customers"])
    assert event.materialization.metadata["dagster/row_count"].value == 2
