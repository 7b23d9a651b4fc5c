"""The telemetry landing through Dagster, from an S3 API."""

from orchestration.settings import Settings
from orchestration.sources.s3 import S3
from orchestration.sources.telemetry import TELEMETRY
from tests.unit.sources.in_dagster import landed_in_dagster


def test_the_assets_show_what_was_landed(tmp_path, line, s3_client, s3_endpoint, bucket, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    s3_client.put_object(Bucket=bucket, Key="usage/a.jsonl", Body=line() + line(value=0) + "oops\n")
    s3_client.put_object(Bucket=bucket, Key="usage/b.jsonl", Body=line() + line(value=0) + "oops\n")
    settings = Settings(workspace=tmp_path, telemetry_location=f"s3://{bucket}/usage")
    s3 = S3(
        endpoint_url=s3_endpoint,
        region_name="us-east-1",
    )

    result = landed_in_dagster(TELEMETRY, settings, s3)

    shown = {
        event.materialization.asset_key.to_user_string(): {
            name: said.value for name, said in event.materialization.metadata.items()
        }
        for event in result.get_asset_materialization_events()
    }
    assert set(shown) == {
        "landing/telemetry_pulls",
        "landing/telemetry_records",
        "landing/telemetry_batches",
        "landing/telemetry_quarantine",
    }
    assert shown["landing/telemetry_records"]["records_loaded"] == 1
    assert shown["landing/telemetry_records"]["touched_days"] == "- 2026-07-01"
    assert "| loaded | 1 |\n| repeated | 1 |" in shown["landing/telemetry_batches"]["batches"]
    assert "| not-json | 1 |\n| value-not-positive | 1 |" in shown["landing/telemetry_quarantine"]["reasons"]
