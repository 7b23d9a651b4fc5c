"""Small bills as AWS delivers them, and a store to put them in: a folder or a bucket on a real S3 API."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.settings import BillingExport
from orchestration.sources.billing.landing import BillingLanding, land_billing
from orchestration.sources.locations import open_location

LEGACY_HEADER = [
    "identity/LineItemId",
    "identity/TimeInterval",
    "bill/PayerAccountId",
    "bill/BillingPeriodStartDate",
    "bill/BillingPeriodEndDate",
    "lineItem/UsageAccountId",
    "lineItem/LineItemType",
    "lineItem/UsageStartDate",
    "lineItem/UsageEndDate",
    "lineItem/ProductCode",
    "lineItem/CurrencyCode",
    "lineItem/UnblendedCost",
]

Row = dict[str, Any]


class Store(Protocol):
    """Where a test puts a bill, and how it is landed from there."""

    bucket: str
    location: str

    def put(self, key: str, content: bytes) -> None: ...
    def remove(self, key: str) -> None: ...
    def client(self) -> Any: ...


class FolderStore:
    """A copy of a bucket in a folder."""

    bucket = "a-bucket"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.location = str(root)
        self.clock = 1_700_000_000_000_000_000
        root.mkdir(parents=True, exist_ok=True)

    def put(self, key: str, content: bytes) -> None:
        path = self.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.clock += 1_000_000_000  # files written within one tick of the clock are still told apart
        os.utime(path, ns=(self.clock, self.clock))

    def remove(self, key: str) -> None:
        (self.root / key).unlink()

    def client(self) -> Any:
        raise AssertionError("a folder needs no S3 client")


class S3Store:
    """A bucket."""

    def __init__(self, s3_client: Any, bucket: str) -> None:
        self.bucket = bucket
        self.location = f"s3://{bucket}"
        self.s3_client = s3_client

    def put(self, key: str, content: bytes) -> None:
        self.s3_client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def remove(self, key: str) -> None:
        self.s3_client.delete_object(Bucket=self.bucket, Key=key)

    def client(self) -> Any:
        return self.s3_client


def legacy_row(cost: str, day: str = "2026-07-03", month: str = "2026-07", **more: str) -> Row:
    """A line of a legacy CUR in CSV."""
    year, number = month.split("-")
    following = f"{int(year) + int(number) // 12}-{int(number) % 12 + 1:02d}"
    return {
        "identity/LineItemId": "abc",
        "identity/TimeInterval": f"{day}T00:00:00Z/{day}T01:00:00Z",
        "bill/PayerAccountId": "011254002932",
        "bill/BillingPeriodStartDate": f"{month}-01T00:00:00Z",
        "bill/BillingPeriodEndDate": f"{following}-01T00:00:00Z",
        "lineItem/UsageAccountId": "000000000042",
        "lineItem/LineItemType": "Usage",
        "lineItem/UsageStartDate": f"{day}T00:00:00Z",
        "lineItem/UsageEndDate": f"{day}T01:00:00Z",
        "lineItem/ProductCode": "AmazonEC2",
        "lineItem/CurrencyCode": "USD",
        "lineItem/UnblendedCost": cost,
    } | more


def focus_row(**more: Any) -> Row:
    """A charge of a FOCUS file in CSV."""
    return {
        "BillingPeriodStart": "2026-07-01T00:00:00Z",
        "BillingPeriodEnd": "2026-08-01T00:00:00Z",
        "ChargePeriodStart": "2026-07-03T10:00:00Z",
        "ChargePeriodEnd": "2026-07-03T11:00:00Z",
        "BillingCurrency": "USD",
        "BilledCost": "1.5",
        "EffectiveCost": "1.25",
        "ListCost": "2",
        "ContractedCost": "1.75",
        "ChargeCategory": "Usage",
        "BillingAccountId": "011254002932",
        "Tags": "{}",
    } | more


def csv_bytes(rows: Sequence[Mapping[str, Any]], header: Sequence[str] | None = None) -> bytes:
    """Rows as CSV in UTF-8."""
    header = header or list(dict.fromkeys(name for row in rows for name in row)) or LEGACY_HEADER
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return text.getvalue().encode()


def gzip_bytes(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def zip_bytes(content: bytes, name: str = "report-1.csv") -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def parquet_bytes(columns: Mapping[str, pa.Array]) -> bytes:
    packed = io.BytesIO()
    pq.write_table(pa.table(dict(columns)), packed)
    return packed.getvalue()


def legacy_manifest(
    bucket: str, keys: Sequence[str], assembly: str, month: str = "2026-07", report: str = "hourly"
) -> bytes:
    """A legacy CUR's manifest."""
    return json.dumps(
        {
            "assemblyId": assembly,
            "account": "011254002932",
            "columns": [{"category": "lineItem", "name": "UnblendedCost"}],
            "charset": "UTF-8",
            "compression": "GZIP",
            "contentType": "text/csv",
            "reportId": "id",
            "reportName": report,
            "billingPeriod": {"start": f"{month.replace('-', '')}01T000000.000Z", "end": "later"},
            "bucket": bucket,
            "reportKeys": list(keys),
        }
    ).encode()


def export_manifest(bucket: str, keys: Sequence[str], execution: str, columns: Sequence[str] = ()) -> bytes:
    """A Data Exports' manifest."""
    return json.dumps(
        {
            "executionId": execution,
            "exportArn": "arn:aws:bcm-data-exports:us-east-1:011254002932:export/hourly",
            "columns": [{"name": name, "type": "string"} for name in columns],
            "dataFiles": [f"s3://{bucket}/{key}" for key in keys],
        }
    ).encode()


def put_legacy(
    store: Store,
    files: Mapping[str, bytes],
    assembly: str = "a1",
    month: str = "2026-07",
    root: str = "reports/hourly",
) -> None:
    """Deliver a legacy report in the create-new layout: `files` by name, then both manifests."""
    report = root.rpartition("/")[2]
    start = month.replace("-", "") + "01"
    following = int(start[:4]) * 12 + int(start[4:6])
    dates = f"{start}-{following // 12}{following % 12 + 1:02d}01"
    keys = [f"{root}/{dates}/{assembly}/{name}" for name in files]
    for key, content in zip(keys, files.values(), strict=True):
        store.put(key, content)
    text = legacy_manifest(store.bucket, keys, assembly, month, report)
    store.put(f"{root}/{dates}/{assembly}/{report}-Manifest.json", text)
    store.put(f"{root}/{dates}/{report}-Manifest.json", text)


def put_export(
    store: Store,
    files: Mapping[str, bytes],
    execution: str,
    month: str = "2026-07",
    root: str = "exports/hourly",
    version: str = "",
    partition: str = "BILLING_PERIOD",
    columns: Sequence[str] = (),
) -> None:
    """Deliver a Data Export: `version` is the folder of the create-new layout, '' for overwrite."""
    folder = f"{partition}={month}/" + (f"{version}/" if version else "")
    keys = [f"{root}/data/{folder}{name}" for name in files]
    for key, content in zip(keys, files.values(), strict=True):
        store.put(key, content)
    text = export_manifest(store.bucket, keys, execution, columns)
    store.put(f"{root}/metadata/{folder}{root.rpartition('/')[2]}-Manifest.json", text)


def land(
    store: Store, landing: Path, months: set[str] | None = None, prefix: str = "", **export: Any
) -> BillingLanding:
    """Land everything that a store holds, as the export `test`."""
    location = store.location + (f"/{prefix}" if prefix else "")
    exports = [BillingExport(name="test", location=location, **export)]
    return land_billing(exports, lambda place: open_location(place, store.client), landing, months)


def query(landing: Path, sql: str, family: str = "aws_cur") -> list[tuple[Any, ...]]:
    """Ask the landed charges (`charges`) and days (`days`) something."""
    with duckdb.connect() as connection:
        for name, pattern in (("charges", f"{family}/*/*/*"), ("days", "days/*/*/days")):
            connection.execute(
                f"create view {name} as select * from read_parquet('{landing}/billing/{pattern}.parquet', "
                "hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
            ).fetchall()
        return connection.execute(sql).fetchall()


def billed(landing: Path) -> Decimal | None:
    """The sum of all landed unblended costs."""
    total: Decimal | None = query(landing, "select sum(line_item_unblended_cost) from charges")[0][0]
    return total
