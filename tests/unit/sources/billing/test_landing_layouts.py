"""Every layout that AWS delivers a bill in, from a folder and from S3: only the current delivery counts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import bills
import pyarrow as pa
import pytest
from bills import Store, billed, csv_bytes, gzip_bytes, land, legacy_row, query, zip_bytes

from orchestration.sources.billing.landing import BillingError


def cur_2_rows(*costs: str) -> list[bills.Row]:
    return [
        {
            "bill_payer_account_id": "011254002932",
            "bill_billing_period_start_date": "2026-07-01T00:00:00.000Z",
            "line_item_usage_account_id": "000000000042",
            "line_item_line_item_type": "Usage",
            "line_item_usage_start_date": "2026-07-03T00:00:00.000Z",
            "line_item_currency_code": "USD",
            "line_item_unblended_cost": cost,
            "resource_tags": '{"user_cost_center": "11"}',
            "product": "{}",
        }
        for cost in costs
    ]


def test_legacy_create_new_reads_the_delivery_that_the_date_folder_points_to(
    store: Store, landing: Path
) -> None:
    bills.put_legacy(store, {"hourly-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, "a1")
    both = {
        "hourly-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("2.5")])),
        "hourly-2.csv.gz": gzip_bytes(csv_bytes([legacy_row("0.25")])),
    }
    bills.put_legacy(store, both, "a0")  # newer, though its name sorts before
    result = land(store, landing)
    assert [(r.delivery, r.status, r.row_count, r.billed_cost) for r in result.deliveries] == [
        ("hourly.2026-07", "landed", 2, {"USD": Decimal("2.75")})
    ]
    assert billed(landing) == Decimal("2.75")
    assert result.notes == ()
    assert result.overlaps == ()


def test_legacy_overwrite(store: Store, landing: Path) -> None:
    root = "hourly"  # no prefix at all
    for name, cost in (("hourly-1.csv.zip", "1.5"), ("hourly-2.csv.zip", "2"), ("hourly-9.csv.zip", "1000")):
        store.put(f"{root}/20260701-20260801/{name}", zip_bytes(csv_bytes([legacy_row(cost)])))
    keys = [f"{root}/20260701-20260801/hourly-{n}.csv.zip" for n in (1, 2)]
    store.put(
        f"{root}/20260701-20260801/hourly-Manifest.json", bills.legacy_manifest(store.bucket, keys, "a1")
    )
    assert [r.delivery for r in land(store, landing).deliveries] == ["hourly.2026-07"]
    assert billed(landing) == Decimal("3.5")  # the third file is of a delivery that is gone


def test_legacy_athena(store: Store, landing: Path) -> None:
    root = "p/q/hourly"
    start = pa.array([datetime(2026, 7, 1, tzinfo=UTC)], pa.timestamp("ms"))
    content = bills.parquet_bytes(
        {
            "bill_billing_period_start_date": start,
            "line_item_usage_start_date": start,
            "line_item_currency_code": pa.array(["USD"]),
            "line_item_unblended_cost": pa.array([0.1]),
            "resource_tags_user_cost_center": pa.array(["11"]),
        }
    )
    key = f"{root}/hourly/year=2026/month=7/hourly-00001.snappy.parquet"
    store.put(key, content)
    store.put(f"{root}/hourly/cost_and_usage_data_status/cost_and_usage_data_status.parquet", content)
    store.put(
        f"{root}/20260701-20260801/hourly-Manifest.json", bills.legacy_manifest(store.bucket, [key], "a1")
    )
    land(store, landing)
    assert billed(landing) == Decimal("0.1")
    assert query(landing, "select resource_tags from charges") == [({"user_cost_center": "11"},)]


@pytest.mark.parametrize("partition", ["BILLING_PERIOD", "billing_period"])
def test_export_overwrite(store: Store, landing: Path, partition: str) -> None:
    files = {"hourly-00001.csv.gz": gzip_bytes(csv_bytes(cur_2_rows("1.25", "2")))}
    bills.put_export(store, files, "e1", partition=partition, columns=["line_item_unblended_cost"])
    store.put(f"exports/hourly/data/{partition}=2026-07/left-over.csv.gz", files["hourly-00001.csv.gz"])
    assert [r.delivery for r in land(store, landing).deliveries] == ["hourly.2026-07"]
    assert billed(landing) == Decimal("3.25")
    assert query(landing, "select distinct resource_tags, product from charges") == [
        ({"user_cost_center": "11"}, {})
    ]


def test_export_create_new_reads_the_newest_delivery(store: Store, landing: Path) -> None:
    old, new = "2026-07-09T23:00:00.000Z-ffffffff-0000", "2026-07-10T01:00:00.000Z-00000000-0000"
    for version, cost in ((new, "2"), (old, "1")):  # the older one is copied later
        bills.put_export(
            store,
            {"hourly-1.csv.gz": gzip_bytes(csv_bytes(cur_2_rows(cost)))},
            version[-13:],
            version=version,
        )
    land(store, landing)
    assert billed(landing) == Decimal(2)


def test_several_reports_and_months_in_one_location(store: Store, landing: Path) -> None:
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, root="x")
    june = [legacy_row("2", "2026-06-30", "2026-06")]
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes(june))}, month="2026-06", root="x")
    bills.put_export(store, {"y.csv.gz": gzip_bytes(csv_bytes(cur_2_rows("4")))}, "e", root="deep/down/y")
    store.put("bare/march.csv", csv_bytes([legacy_row("8", "2026-03-01", "2026-03")]))
    assert next(r.delivery for r in land(store, landing, {"2026-06"}).deliveries) == "x.2026-06"
    assert billed(landing) == Decimal(10)
    result = land(store, landing)
    assert {r.delivery: r.status for r in result.deliveries if r.delivery[0] in "xy"} == {
        "x.2026-06": "unchanged",
        "x.2026-07": "landed",
        "y.2026-07": "landed",
    }
    assert billed(landing) == Decimal(15)
    assert result.overlaps == ()  # both bill one account for July, but other charges


def test_a_location_below_a_report_prefix(store: Store, landing: Path) -> None:
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, root="a/b/x")
    for prefix in ("a", "a/b", "a/b/x"):
        land(store, landing / prefix.replace("/", "-"), prefix=prefix)
        assert billed(landing / prefix.replace("/", "-")) == Decimal(1)


def test_months_are_told_without_landing(store: Store, landing: Path) -> None:
    from orchestration.settings import BillingExport
    from orchestration.sources.billing.landing import discover_months
    from orchestration.sources.locations import open_location

    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, root="x")
    store.put("bare/march.csv.gz", gzip_bytes(csv_bytes([legacy_row("8", "2026-03-01", "2026-03")])))
    exports = [BillingExport(name="test", location=store.location)]
    found = discover_months(exports, lambda place: open_location(place, store.client), landing)
    assert found == ["2026-03", "2026-07"]
    land(store, landing)
    assert discover_months(exports, lambda place: open_location(place, store.client), landing) == found


def test_a_month_without_pointer_is_not_read_and_said_so(store: Store, landing: Path) -> None:
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, root="x")
    store.remove("x/20260701-20260801/x-Manifest.json")
    result = land(store, landing)
    assert result.deliveries == ()
    assert "x of 2026-07 is not read" in result.notes[0]


def test_a_table_in_another_form_is_told(store: Store, landing: Path) -> None:
    bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, root="x")
    for name in ("more.tsv", "old/BOOK.XLSX", "rows.json", "_draft.txt", ".DS_Store", "x/my-manifest.json"):
        store.put(name, b"anything")
    land(store, landing)
    told = query(
        landing,
        f"select severity, message from read_parquet('{landing}/notes/billing/*.parquet') "
        "where code = 'file-not-read' order by subject",
    )
    assert [severity for severity, _ in told] == ["warning"] * 3
    names = ("more.tsv", "old/BOOK.XLSX", "rows.json")
    assert all(f"{name}: is not read" in message for name, (_, message) in zip(names, told, strict=True))


def test_two_reports_of_one_name_are_refused(store: Store, landing: Path) -> None:
    for root in ("a/x", "b/x"):
        bills.put_legacy(store, {"x-1.csv.gz": gzip_bytes(csv_bytes([legacy_row("1")]))}, root=root)
    with pytest.raises(BillingError, match="give each its own billing export"):
        land(store, landing)
