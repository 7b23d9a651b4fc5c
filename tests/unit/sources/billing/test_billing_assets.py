"""The billing assets in a real Dagster run: partitions, what a materialisation shows, how a failure reads."""

from __future__ import annotations

from pathlib import Path

import bills
import dagster as dg
import pytest
from bills import Store, billed, csv_bytes, gzip_bytes, legacy_row

from orchestration.settings import BillingExport, Settings
from orchestration.sources.assets import build_landing_assets
from orchestration.sources.billing import BILLING
from orchestration.sources.s3 import S3
from orchestration.warehouse.writer import SingleWriter

PARTITIONS = dg.MonthlyPartitionsDefinition(start_date="2026-01-01", end_date="2027-01-01")


def settings_for(store: Store, workspace: Path) -> Settings:
    return Settings(
        workspace=workspace, billing_exports=(BillingExport(name="aws", location=store.location),)
    )


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


def s3_for(store: Store) -> S3:
    endpoint = store.client().meta.endpoint_url if isinstance(store, bills.S3Store) else None
    return S3(
        endpoint_url=endpoint,
        region_name="us-east-1",
    )


def run(store: Store, workspace: Path, *months: str, raises: bool = True) -> dg.ExecuteInProcessResult:
    settings = settings_for(store, workspace)
    assets = build_landing_assets(BILLING, settings, PARTITIONS)
    with dg.DagsterInstance.ephemeral() as instance:
        return dg.materialize(
            [assets],
            instance=instance,
            resources={"s3": s3_for(store), "writer": SingleWriter.of(settings)},
            tags={
                "dagster/asset_partition_range_start": f"{months[0]}-01",
                "dagster/asset_partition_range_end": f"{months[-1]}-01",
            },
            raise_on_error=raises,
        )


def test_a_range_of_months_lands_in_one_run(store: Store, tmp_path: Path) -> None:
    for month, cost in (("2026-05", "1"), ("2026-06", "2"), ("2026-07", "4")):
        rows = [
            legacy_row(f"{cost}.0000000000004", f"{month}-02", month, **{"lineItem/Novelty": "x"}),
            legacy_row(
                "0.5", f"{month}-02", month, **{"lineItem/Novelty": "y", "lineItem/CurrencyCode": "EUR"}
            ),
            legacy_row("100", f"{month}-02", month),
        ]
        bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes(rows))}, month=month, root="x")
    result = run(store, tmp_path / "w", "2026-06", "2026-07")
    assert billed(tmp_path / "w" / "landing") == 207
    shown = {
        event.asset_key.to_user_string(): event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key
    }
    assert shown.keys() == {"landing/aws_cur_charges", "landing/focus_charges", "landing/billing_days"}
    charges = shown["landing/aws_cur_charges"]
    assert charges["dagster/row_count"].value == 6
    assert "| aws | x.2026-07 | landed | 2026-07 | 3 | 0.50 EUR, 104.00 USD | 1 |" in str(
        charges["deliveries"].value
    )
    novelty = "aws/x.2026-07: lineItem/Novelty (2 values, on rows that bill 0.50 EUR, 4.00 USD)"
    assert novelty in str(charges["new_columns"].value)
    cut = "aws/x.2026-07: 0.000000000000400000000000 USD in 1 rows"
    assert cut in str(charges["digits_beyond_twelve"].value)
    assert shown["landing/billing_days"]["changed_days"].value == "2026-06-02, 2026-07-02"
    assert all(check.passed for check in result.get_asset_check_evaluations())


def test_an_account_billed_twice_fails(store: Store, tmp_path: Path) -> None:
    for name in ("x.csv", "y.csv"):
        store.put(name, csv_bytes([legacy_row("1"), *([legacy_row("2", "2026-07-05")] * (name == "y.csv"))]))
    with pytest.raises(dg.Failure, match=r"2026-07-03: 1\.00 USD is both in"):
        run(store, tmp_path / "w", "2026-07")


def test_a_broken_bill_fails_with_its_place(store: Store, tmp_path: Path) -> None:
    rows = [legacy_row("1"), legacy_row("one")]
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes(rows))}, root="x")
    with pytest.raises(dg.Failure) as failure:
        run(store, tmp_path / "w", "2026-07")
    assert (
        "x/20260701-20260801/a1/x-1.csv.gz: data row 2, column lineItem/UnblendedCost: 'one' is not a "
        in str(failure.value.description)
    )
