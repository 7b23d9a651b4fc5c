"""Bills that cannot be landed: the error says where, and what had landed before stays."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import bills
import pyarrow as pa
import pytest
from bills import Store, billed, csv_bytes, focus_row, gzip_bytes, land, legacy_row, parquet_bytes, zip_bytes

from orchestration.settings import BillingExport
from orchestration.sources.billing.landing import BillingError, discover_months
from orchestration.sources.locations import open_location

GOOD = gzip_bytes(csv_bytes([legacy_row("7")]))
POINTER = "x/20260701-20260801/x-Manifest.json"
MANY = csv_bytes([legacy_row(str(n)) for n in range(20_000)])
START = pa.array(["2026-07-01T00:00:00Z"] * 2)


def damaged(content: bytes) -> bytes:
    """The same bytes with a wrong checksum at the end of the gzip stream."""
    return content[:-8] + bytes(byte ^ 255 for byte in content[-8:-4]) + content[-4:]


def parquet(costs: pa.Array, **more: pa.Array) -> bytes:
    return parquet_bytes(
        {
            "bill_billing_period_start_date": START,
            "line_item_usage_start_date": START,
            "line_item_currency_code": pa.array(["USD", "USD"]),
            "line_item_unblended_cost": costs,
        }
        | more
    )


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("x-1.csv.gz", gzip_bytes(MANY)[:-2000], r"a2/x-1\.csv\.gz: broken gzip"),
        ("x-1.csv.gz", damaged(GOOD), r"a2/x-1\.csv\.gz: broken gzip .*CRC"),
        ("x-1.csv.gz", csv_bytes([legacy_row("1")]), r"a2/x-1\.csv\.gz: broken gzip"),
        ("x-1.csv.zip", zip_bytes(MANY)[:-2000], r"a2/x-1\.csv\.zip: broken zip"),
        ("x-1.csv.zip", zip_bytes(MANY, "readme.txt"), r"should hold one CSV file, holds 0"),
        ("x-1.csv", b"", r"a2/x-1\.csv: is empty"),
        ("x-1.csv", b"\xff\xfe\x00", r"a2/x-1\.csv: begins as UTF-16 and is cut or broken"),
        (
            "x-1.csv",
            b"a,M\xfcller\n\xc3\xbc",
            r"a2/x-1\.csv: is UTF-8 in one part and not in another \(line 1\)",
        ),
        (
            "x-1.csv",
            b"a,b\n1,2\n",
            r"a2/x-1\.csv: its header is neither that of a FOCUS file .* nor that of an AWS CUR",
        ),
        (
            "x-1.csv",
            b"lineItem/UnblendedCost,b\n1,2\n",
            r"a2/x-1\.csv: read as cur_legacy, it lacks the columns line_item_usage_start_date",
        ),
        (
            "x-1.csv",
            csv_bytes([legacy_row("1")]) + b"a,b\r\n",
            r"a2/x-1\.csv: line 3 is broken: Expected Number of Columns: 12 Found: 2",
        ),
        (
            "x-1.csv",
            csv_bytes([legacy_row("1"), legacy_row("2"), legacy_row("12,5")]),
            r"a2/x-1\.csv: data row 3, column lineItem/UnblendedCost: '12,5' is not a number; write "
            "amounts with a decimal point",
        ),
        (
            "x-1.csv",
            csv_bytes([legacy_row("1"), legacy_row("1", **{"lineItem/UsageStartDate": "yesterday"})]),
            r"a2/x-1\.csv: data row 2, column lineItem/UsageStartDate: 'yesterday' is not a time",
        ),
        (
            "x-1.parquet",
            parquet(pa.array([1.0, 2.0]))[:-100],
            r"a2/x-1\.parquet: is not a whole Parquet file",
        ),
        ("x-1.parquet", b"", r"a2/x-1\.parquet: is not a whole Parquet file"),
        (
            "x-1.parquet",
            parquet(pa.array(["1", "free"])),
            r"a2/x-1\.parquet: data row 2, column line_item_unblended_cost: 'free' is not a number",
        ),
        (
            "x-1.parquet",
            parquet(pa.array([1.0, float("nan")])),
            r"a2/x-1\.parquet: data row 2, column line_item_unblended_cost: 'nan' is not a number",
        ),
        (
            "x-1.parquet",
            parquet(pa.array([1.0, 1e30])),
            r"a2/x-1\.parquet: data row 2, column line_item_unblended_cost: '1e\+30' is not a number",
        ),
    ],
)
def test_what_is_broken_is_named_and_the_old_bill_stays(
    store: Store, landing: Path, name: str, content: bytes, message: str
) -> None:
    bills.put_legacy(store, {"x-1.csv.gz": GOOD}, root="x")
    land(store, landing)
    before = {path: path.read_bytes() for path in landing.rglob("*.parquet")}
    bills.put_legacy(store, {"x-0.csv.gz": GOOD, name: content}, "a2", root="x")
    with pytest.raises(BillingError, match=message) as error:
        land(store, landing)
    assert store.location in str(error.value)
    assert {path: path.read_bytes() for path in landing.rglob("*") if path.is_file()} == before
    # Delivered again, whole, it lands.
    bills.put_legacy(store, {"x-0.csv.gz": GOOD, "x-1.csv.gz": GOOD}, "a3", root="x")
    land(store, landing)
    assert billed(landing) == Decimal(14)


def test_tags_that_are_no_json_object(store: Store, landing: Path) -> None:
    row = {
        "bill_billing_period_start_date": "2026-07-01T00:00:00.000Z",
        "line_item_usage_start_date": "2026-07-03T00:00:00.000Z",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": "1",
    }
    store.put("b.csv", csv_bytes([row | {"resource_tags": '{"a": "b"}'}, row | {"resource_tags": "[1]"}]))
    with pytest.raises(
        BillingError, match=r"b\.csv: data row 2, column resource_tags: '\[1\]' is not a JSON object"
    ):
        land(store, landing)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["x/20260701-20260801/a1/gone.csv.gz"], r"names .*gone\.csv\.gz, which does not exist"),
        (["x/20260701-20260801/../../secret/x-1.csv.gz"], r"secret/x-1\.csv\.gz, which leaves the report"),
        (["other/20260701-20260801/a1/x-1.csv.gz"], r"names .*other/.* outside of the report"),
        (["/etc/passwd"], r"names .*/etc/passwd, which is outside of the report"),
        (["x/20260701-20260801/a1/x-1.csv.gz"] * 2, r"names the same file twice"),
        ([], r"names no data file"),
    ],
)
def test_a_manifest_that_names_what_it_must_not(
    store: Store, landing: Path, keys: list[str], message: str
) -> None:
    bills.put_legacy(store, {"x-1.csv.gz": GOOD}, root="x")
    for key in ("secret/x-1.csv.gz", "other/20260701-20260801/a1/x-1.csv.gz"):
        store.put(key, GOOD)
    store.put(POINTER, bills.legacy_manifest(store.bucket, keys, "a1", report="x"))
    with pytest.raises(BillingError, match=message) as error:
        land(store, landing)
    assert POINTER in str(error.value)


@pytest.mark.parametrize(
    "uri",
    [
        "s3://{bucket}/exports/hourly/data/BILLING_PERIOD=2026-07/../../../secret.csv.gz",
        "s3://{bucket}/exports/other/data/BILLING_PERIOD=2026-07/x.csv.gz",
        "https://example.com/x.csv.gz",
        "exports/hourly/data/BILLING_PERIOD=2026-07/x.csv.gz",
    ],
)
def test_an_export_that_leaves_its_prefix(store: Store, landing: Path, uri: str) -> None:
    bills.put_export(store, {"x.csv.gz": GOOD}, "e1")
    manifest = json.loads(bills.export_manifest(store.bucket, [], "e2"))
    manifest["dataFiles"] = [uri.format(bucket=store.bucket)]
    key = "exports/hourly/metadata/BILLING_PERIOD=2026-07/hourly-Manifest.json"
    store.put(key, json.dumps(manifest).encode())
    with pytest.raises(BillingError, match=r"hourly-Manifest\.json: .*(leaves|outside|not an s3)"):
        land(store, landing)


def test_an_export_of_a_replicated_bucket(s3_client: object, bucket: str, landing: Path) -> None:
    """The manifest names the original's bucket: its keys are read here, where all of them are."""
    store = bills.S3Store(s3_client, bucket)
    bills.put_export(store, {"x.csv.gz": GOOD, "y.csv.gz": GOOD}, "e1")
    keys = [f"exports/hourly/data/BILLING_PERIOD=2026-07/{name}.csv.gz" for name in "xy"]
    store.put(
        "exports/hourly/metadata/BILLING_PERIOD=2026-07/hourly-Manifest.json",
        bills.export_manifest("elsewhere", keys, "e2"),
    )
    result = land(store, landing)
    assert (
        f"names files of the bucket elsewhere; those of the same keys in {bucket} were read"
        in result.notes[0]
    )
    assert billed(landing) == 2 * Decimal(7)
    store.remove(keys[1])
    with pytest.raises(
        BillingError, match=rf"{keys[1]} does not exist in the bucket {bucket} .* s3://elsewhere"
    ):
        land(store, landing)
    assert billed(landing) == 2 * Decimal(7)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b'{"assemblyId": "a"}', b'{"assemblyId":"a","reportKeys":5}']
)
def test_a_manifest_that_is_none(store: Store, landing: Path, text: bytes) -> None:
    store.put(POINTER, text)
    with pytest.raises(BillingError, match="this is not a manifest as AWS writes it"):
        land(store, landing)


def test_an_export_that_is_no_bill_is_left_alone(store: Store, landing: Path) -> None:
    bills.put_export(store, {"x.csv.gz": GOOD}, "e1", columns=["account_id", "recommendation"])
    result = land(store, landing)
    assert result.deliveries == ()
    assert "the export is not a bill" in result.notes[0]


BAD_FILES = {
    "short row": (csv_bytes([legacy_row("1")]) + b"a,b\r\n", r"line 3 is broken: Expected Number of Columns"),
    "US date": (
        csv_bytes([legacy_row("1", **{"lineItem/UsageStartDate": "10/05/2026"})]),
        r"data row 1, column lineItem/UsageStartDate: '10/05/2026' is not a time",
    ),
    "Excel's number for a date": (
        csv_bytes([focus_row(ChargePeriodStart="46204.5")]),
        r"data row 1, column ChargePeriodStart: '46204\.5' is not a time",
    ),
    "bad billing period": (
        csv_bytes([legacy_row("1"), legacy_row("1", **{"bill/BillingPeriodStartDate": "July"})]),
        r"data row 2, column bill/BillingPeriodStartDate: 'July' is not a time",
    ),
    "foreign file": (
        b"Name,Amount,BilledCost\nx,1,2\n",
        r"neither that of a FOCUS file .*|read as focus, it lacks the columns charge_period_start",
    ),
    "foreign columns": (
        b"Name,Amount\nx,1\n",
        r"lacks BilledCost, ChargePeriodStart, BillingPeriodStart.* AWS CUR \(it lacks "
        r"line_item_usage_start_date.* its columns are Name, Amount\. Take the file away",
    ),
    **{
        f"{'date' if column.startswith('Charge') else 'period'} of {year}": (
            csv_bytes([row, row | {column: f"{year}-10-05T00:00:00Z"}]),
            rf"data row 2 has the time {shown}-10-05 00:00:00, which is not within 1990 to 2099; correct",
        )
        for year, shown, row, column in (
            ("0001", "0001", focus_row(), "ChargePeriodStart"),
            ("9999", "9999", focus_row(), "ChargePeriodEnd"),
            ("1066", "1066", focus_row(), "BillingPeriodStart"),
            ("9998", "9998", legacy_row("1"), "bill/BillingPeriodEndDate"),
        )
    },
    "last line without an end": (
        csv_bytes([legacy_row("1")]) + b"0" * (20 << 20),
        r"line 3 is broken: it is longer than 16 MiB; deliver the file again",
    ),
    "semicolons": (b"BilledCost;ChargePeriodStart\n1;2\n", r"its columns are to be separated by commas"),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_named_with_what_is_wrong_before_and_while_it_lands(
    tmp_path: Path, landing: Path, kind: str
) -> None:
    content, message = BAD_FILES[kind]
    store = bills.FolderStore(tmp_path / "store")
    store.put("good.csv", csv_bytes([legacy_row("7")]))
    store.put("folder/bad.csv", content)
    exports = [BillingExport(name="test", location=store.location)]
    if "date" not in kind:  # the day of a charge does not matter for its month
        with pytest.raises(BillingError, match=rf"folder/bad\.csv: .*({message})"):
            discover_months(exports, lambda place: open_location(place, store.client), landing)
    with pytest.raises(BillingError, match=rf"folder/bad\.csv: .*({message})"):
        land(store, landing)
