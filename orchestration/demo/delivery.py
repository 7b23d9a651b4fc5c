"""The sample company's files, laid out as in real deliveries: bill, telemetry, customers and more.

billing/nw-cur2/data/BILLING_PERIOD=2026-09/<time>-<execution id>/nw-cur2-00001.snappy.parquet
billing/nw-cur2/metadata/BILLING_PERIOD=2026-09/<time>-<execution id>/nw-cur2-Manifest.json
telemetry/2026-09-01/product-usage.jsonl.gz
customers/customers.csv   deployments/deployments.jsonl   revenue/revenue.csv
inventory/2026-09-01.jsonl   accounts/accounts.jsonl
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.demo import company
from orchestration.demo.billing import make_bill
from orchestration.demo.inventory import inventory_files
from orchestration.demo.telemetry import batches, make_usage
from orchestration.settings import ExpectedError

BUCKET = "northwind-analytics"
EXPORT = "nw-cur2"
_EXPORT_ARN = (
    f"arn:aws:bcm-data-exports:{company.REGION}:{company.PAYER.account_id}:"
    f"export/{EXPORT}-5a1f6c0e-2f53-4a51-9d1c-7b1e8a0c4d10"
)
_MANIFEST_TYPES = {"VARCHAR": "string", "DOUBLE": "double", "TIMESTAMP": "timestamp", "MAP": "map"}
# Record of what was written here, so it is neither written again nor over other files.
MARKER = ".sample-company.json"


@dataclass(frozen=True)
class Delivery:
    """One delivery of one month of the bill. The second delivery of a month restates it."""

    month: str
    delivered_at: str
    restated: bool


DELIVERIES = (
    Delivery("2026-09", "2026-10-03T02:14:07.000Z", restated=False),
    Delivery("2026-09", "2026-10-12T02:11:43.000Z", restated=True),
    Delivery("2026-10", "2026-11-03T02:12:55.000Z", restated=True),
)


class ForeignFilesError(ExpectedError):
    """The folder contains files that are not the sample's; says which and what to do."""


@dataclass(frozen=True)
class DeliveryRecord:
    """What a sample folder contains: its seed, the code that wrote it, and whether it is complete."""

    seed: int
    made_by: str
    complete: bool
    files: tuple[str, ...]

    @classmethod
    def read(cls, root: Path) -> DeliveryRecord | None:
        """The record in `root`, or None if nothing was delivered."""
        marker = root / MARKER
        if not marker.exists():
            return None
        said = json.loads(marker.read_text(encoding="utf-8"))
        return cls(said["seed"], said["made_by"], said["complete"], tuple(said["files"]))

    def write(self, root: Path) -> None:
        """Write the record into `root`."""
        (root / MARKER).write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def deliver(root: Path, seed: int, progress: Callable[[str], None] = lambda _: None) -> bool:
    """Write every file of the sample company below `root`; False if they already exist.

    The same seed always writes the same bytes. `progress` receives the current step. Raises
    `ForeignFilesError` if `root` has files but no record of a delivery.
    """
    before = DeliveryRecord.read(root)
    made_by = _fingerprint()
    if before is None:
        _refuse_foreign_files(root)
        before = DeliveryRecord(seed, made_by, complete=False, files=())
    elif before.complete and (before.seed, before.made_by) == (seed, made_by):
        return False

    root.mkdir(parents=True, exist_ok=True)
    DeliveryRecord(seed, made_by, complete=False, files=before.files).write(root)
    with duckdb.connect() as connection:
        # DuckDB's progress bar would overwrite the demo's.
        connection.execute("set enable_progress_bar = false")
        progress("Making two months of the bill")
        make_bill(connection, seed)
        files = [_write(root, key, content) for key, content in _billing(connection)]
        files += [_write(root, key, content) for key, content in inventory_files(connection)]
        progress("Making two months of usage records")
        make_usage(connection, seed)
        files += [_write(root, f"telemetry/{key}", content) for key, content in batches(connection)]
    progress("Making customers, revenue and deployments")
    files += [_write(root, key, content) for key, content in _business(seed)]
    for stale in set(before.files) - set(files):
        (root / stale).unlink(missing_ok=True)
    # Usage is ordered by file time, then name. The bucket receives the files by name; all files here get one
    # time, so that the folder gives the same order as the bucket.
    delivered_at = time.time()
    for key in files:
        os.utime(root / key, (delivered_at, delivered_at))
    DeliveryRecord(seed, made_by, complete=True, files=tuple(sorted(files))).write(root)
    return True


def _fingerprint() -> str:
    """Changes whenever the output may change: with this package, or the tools that write Parquet."""
    digest = hashlib.sha256(f"{duckdb.__version__} {pa.__version__}".encode())
    for source in sorted(Path(__file__).parent.iterdir()):
        if source.suffix in {".py", ".sql", ".csv"}:
            digest.update(source.read_bytes())
    return digest.hexdigest()


def _refuse_foreign_files(root: Path) -> None:
    for path in sorted(root.rglob("*")) if root.exists() else ():
        if path.is_file() and not path.name.startswith("."):
            raise ForeignFilesError(
                f"{root} holds files that are not the sample company's, such as {path.relative_to(root)}. "
                "Nothing was written. Choose another workspace for the sample (cpc demo --workspace DIR), "
                "or run the job on your own files (cpc run)."
            )


def _write(root: Path, key: str, content: bytes) -> str:
    path = root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return key


def _billing(connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[str, bytes]]:
    columns = connection.execute(
        "select column_name, column_type from (describe cur_2) where column_name <> 'restated'"
    )
    described = [
        {"name": name, "type": _MANIFEST_TYPES[data_type.split("(")[0]]}
        for name, data_type in columns.fetchall()
    ]
    for number, delivery in enumerate(DELIVERIES, start=1):
        execution_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{_EXPORT_ARN}/{number}"))
        folder = f"BILLING_PERIOD={delivery.month}/{delivery.delivered_at}-{execution_id}"
        names = []
        for part, days in enumerate(("<= 15", "> 15"), start=1):
            key = f"billing/{EXPORT}/data/{folder}/{EXPORT}-{part:05d}.snappy.parquet"
            names.append(f"s3://{BUCKET}/{key}")
            yield key, _charges(connection, delivery, days)
        manifest = {
            "executionId": execution_id,
            "exportArn": _EXPORT_ARN,
            "columns": described,
            "dataFiles": names,
        }
        # As in AWS, the manifest comes after all files it names.
        yield f"billing/{EXPORT}/metadata/{folder}/{EXPORT}-Manifest.json", _json(manifest)


def _charges(connection: duckdb.DuckDBPyConnection, delivery: Delivery, days: str) -> bytes:
    lines = connection.sql(
        f"""select * exclude (restated)
            from cur_2
            where strftime(bill_billing_period_start_date, '%Y-%m') = ?
                and day(line_item_usage_start_date) {days}
                and (? or not restated)
            order by line_item_usage_start_date, identity_line_item_id""",
        params=[delivery.month, delivery.restated],
    )
    target = io.BytesIO()
    pq.write_table(lines.to_arrow_table(), target, compression="snappy", row_group_size=50_000)
    return target.getvalue()


def _business(seed: int) -> Iterator[tuple[str, bytes]]:
    customers = company.customers(seed)
    yield (
        "customers/customers.csv",
        _csv(
            ("customer_id", "customer_name", "segment", "plan"),
            ((c.customer_id, c.name, c.segment, c.plan) for c in customers),
        ),
    )
    yield (
        "revenue/revenue.csv",
        _csv(
            ("customer_id", "revenue_month", "currency", "revenue", "product"),
            (
                (c.customer_id, f"{month:%Y-%m}", "USD", str(revenue), product)
                for month in company.MONTHS
                for c in customers
                if c.is_active_in(month)
                for product, revenue in c.revenue_by_product.items()
            ),
        ),
    )
    yield "deployments/deployments.jsonl", b"".join(_json(deployment) for deployment in company.DEPLOYMENTS)


def _csv(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> bytes:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return target.getvalue().encode()


def _json(value: object) -> bytes:
    return (json.dumps(value) + "\n").encode()
