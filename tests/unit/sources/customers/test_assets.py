"""The customers landing through Dagster."""

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.customers.assets import build_customers_asset
from orchestration.sources.s3 import S3


def test_the_asset_shows_how_many_customers_there_are(tmp_path):
    settings = Settings(workspace=tmp_path)
    folder = tmp_path / "sources" / "customers"
    folder.mkdir(parents=True)
    (folder / "list.csv").write_text("customer_id\na\nb\n")

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([build_customers_asset(settings)], instance=instance, resources={"s3": S3()})

    [event] = result.get_asset_materialization_events()
    assert event.materialization.asset_key == dg.AssetKey(["landing", "customers"])
    assert event.materialization.metadata["dagster/row_count"].value == 2
