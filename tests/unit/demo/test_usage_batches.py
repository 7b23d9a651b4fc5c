"""The sample's usage records, read from their files in plain Python."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from orchestration.demo import company, telemetry

Record = dict[str, Any]


def _records(path: Path) -> tuple[list[Record], int]:
    """Records of a batch and how many of its rows are none."""
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
        return [{**row, "timestamp": f"{row['timestamp']:%Y-%m-%dT%H:%M:%SZ}"} for row in rows], 0
    text = gzip.decompress(path.read_bytes()).decode()
    if path.name.endswith(".csv.gz"):
        return [{**row, "value": Decimal(row["value"])} for row in csv.DictReader(io.StringIO(text))], 0
    good: list[Record] = []
    bad = 0
    for line in text.splitlines():
        try:
            record = json.loads(line, parse_float=Decimal)
        except json.JSONDecodeError:
            bad += 1
            continue
        well_formed = (
            isinstance(record, dict)
            and {"stream", "timestamp", "customer_id"} <= record.keys()
            and record["timestamp"].startswith("2026-")
            and (record.get("operation") == "delete" or isinstance(record.get("value"), (int, Decimal)))
            and record.get("value", 1) > 0
        )
        if well_formed:
            good.append(record)
        else:
            bad += 1
    return good, bad


@pytest.fixture(scope="module")
def by_batch(delivered: Path) -> dict[str, tuple[list[Record], int]]:
    root = delivered / "telemetry"
    return {
        path.relative_to(root).as_posix(): _records(path)
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_every_day_has_its_batches_with_its_own_records(
    by_batch: dict[str, tuple[list[Record], int]],
) -> None:
    days = [company.MONTHS[0] + timedelta(days=n) for n in range((company.END - company.MONTHS[0]).days)]
    for day in days:
        mine = {key: records for key, (records, _) in by_batch.items() if key.startswith(day.isoformat())}
        assert {key.split("/")[1].split(".")[0] for key in mine} == {"product-usage", "exports"}
        for key, records in mine.items():
            assert {r["timestamp"][:10] for r in records} == {day.isoformat()}
            daily = {stream.name for stream in company.STREAMS if stream.granularity == "daily"}
            assert {r["stream"] for r in records} == (
                daily if "exports" in key else {stream.name for stream in company.STREAMS} - daily
            )


def test_one_batch_is_csv_and_one_is_parquet(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    other = [key for key in by_batch if not key.endswith(".jsonl.gz")]
    assert other == [
        f"{telemetry.CSV_DAY}/product-usage.csv.gz",
        f"{telemetry.PARQUET_DAY}/product-usage.parquet",
    ]
    assert all(len(by_batch[key][0]) > 4000 for key in other)


def test_malformed_rows_stand_among_good_ones(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    bad = {key: count for key, (_, count) in by_batch.items() if count}
    assert bad == {f"{telemetry.MALFORMED_DAY}/product-usage.jsonl.gz": len(telemetry.MALFORMED)}


def test_a_batch_is_sent_twice(delivered: Path) -> None:
    day = telemetry.REPEATED_DAY
    first = delivered / f"telemetry/{day}/product-usage.jsonl.gz"
    again = delivered / f"telemetry/retries/{day}-product-usage.jsonl.gz"
    assert first.read_bytes() == again.read_bytes()


def test_late_records_are_nowhere_else(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    (key,) = [key for key in by_batch if key.startswith("late/")]
    late, _ = by_batch[key]
    assert {r["timestamp"][:10] for r in late} == {day.isoformat() for day in telemetry.LATE_DAYS}
    assert {r["stream"] for r in late} == {telemetry.LATE_STREAM}
    identities = {(r["timestamp"], r["customer_id"]) for r in late}
    for day in telemetry.LATE_DAYS:
        on_time, _ = by_batch[f"{day}/product-usage.jsonl.gz"]
        assert not identities & {
            (r["timestamp"], r["customer_id"]) for r in on_time if r["stream"] == telemetry.LATE_STREAM
        }


def test_corrections_touch_records_that_exist(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    (key,) = [key for key in by_batch if key.startswith("corrections/")]
    before = {
        (r["stream"], r["timestamp"], r["customer_id"])
        for r in by_batch["2026-10-14/product-usage.jsonl.gz"][0]
    }
    corrections, _ = by_batch[key]
    assert Counter(r["operation"] for r in corrections) == {"replace": 3, "delete": 1}
    assert all((r["stream"], r["timestamp"], r["customer_id"]) in before for r in corrections)


def test_a_customer_hour_is_counted_once(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    counted = Counter(
        (r["stream"], r["timestamp"], r["customer_id"], str(r.get("filter")))
        for key, (records, _) in by_batch.items()
        if not key.startswith(("retries/", "corrections/"))
        for r in records
    )
    assert set(counted.values()) == {1}
    assert {customer for _, _, customer, _ in counted} == {c.customer_id for c in company.customers(7)}


def test_customers_come_and_go(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    days: dict[str, set[str]] = {}
    for records, _ in by_batch.values():
        for record in records:
            days.setdefault(record["customer_id"], set()).add(record["timestamp"][:10])
    assert max(days["cust-058"]) <= date(2026, 9, 20).isoformat()
    assert min(days["cust-079"]) >= date(2026, 10, 5).isoformat()


def test_one_customer_causes_the_incident(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    incident = company.INCIDENT
    searches: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    start, end = (f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (incident.starts_at, incident.ends_at))
    for key, (records, _) in by_batch.items():
        for r in records if not key.startswith(("retries/", "corrections/")) else ():
            if r["stream"] == incident.stream:
                searches[start <= r["timestamp"] < end][r["customer_id"]] += r["value"]
    during, else_ = searches[True], searches[False]
    assert during.most_common(1)[0][0] == incident.customer_id
    assert during[incident.customer_id] * 3 > during.total()
    assert else_[incident.customer_id] * 20 < else_.total()


def test_the_gateway_counts_by_feature_what_passes_it(by_batch: dict[str, tuple[list[Record], int]]) -> None:
    day = "2026-10-20"
    counted = Counter[tuple[str, str]]()
    for r in by_batch[f"{day}/product-usage.jsonl.gz"][0]:
        for feature, (stream, calls) in company.GATEWAY_CALLS.items():
            if r["stream"] == stream:
                counted[feature, r["customer_id"]] += r["value"] * calls
    records, _ = by_batch[f"gateway/{day}.jsonl.gz"]
    assert {r["stream"] for r in records} == {company.GATEWAY_STREAM}
    assert {(*r["filter"]["feature"], r["customer_id"]): r["value"] for r in records} == counted
