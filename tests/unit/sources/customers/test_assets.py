"""The customers landing through Dagster."""

import dagster as dg

from orchestration.settings import Settings
from orchestration.sources.customers import CUSTOMERS
from tests.unit.sources.in_dagster import landed_in_dagster


def test_the_asset_shows_how_many_customers_there_are(tmp_path):
    settings = Settings(workspace=tmp_path)
    folder = tmp_path / "sources" / "customers"
    folder.mkdir(parents=True)
    (folder / "list.csv").write_text("customer_id\na\nb\n")

    result = landed_in_dagster(CUSTOMERS, settings)

    [event] = result.get_asset_materialization_events()
    assert event.materialization.asset_key == dg.AssetKey(["landing", "customers"])
    assert event.materialization.metadata["dagster/row_count"].value == 2
