"""Where the sample's files lie, and that they are written once and only over its own."""

from __future__ import annotations

import csv
import hashlib
import json
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.demo import company
from orchestration.demo.delivery import BUCKET, MARKER, ForeignFilesError, deliver


def _content(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def test_another_seed_makes_another_company(delivered: Path) -> None:
    assert company.customers(8) != company.customers(7)
    assert [c.customer_id for c in company.customers(8)] == [c.customer_id for c in company.customers(7)]


def test_nothing_is_written_twice(delivered: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in delivered.rglob("*")}
    assert not deliver(delivered, 7)
    assert {path: path.stat().st_mtime_ns for path in delivered.rglob("*")} == before


def test_an_interrupted_delivery_is_finished_with_the_same_bytes(delivered: Path, tmp_path: Path) -> None:
    root = tmp_path / "interrupted"
    (root / "telemetry").mkdir(parents=True)
    (root / "telemetry" / "half.jsonl.gz").write_bytes(b"half")
    marker = {
        "seed": 7,
        "made_by": "an older version",
        "complete": False,
        "files": ["telemetry/half.jsonl.gz"],
    }
    (root / MARKER).write_text(json.dumps(marker))
    assert deliver(root, 7)
    assert _content(root) == _content(delivered)


def test_files_of_others_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "billing").mkdir()
    (tmp_path / "billing" / "our-own-bill.csv").write_text("lineItem/UnblendedCost\n1\n")
    with pytest.raises(ForeignFilesError, match=r"billing/our-own-bill\.csv.*--workspace"):
        deliver(tmp_path, 7)
    assert list(_content(tmp_path)) == ["billing/our-own-bill.csv"]


def test_manifests_name_exactly_the_files_of_their_delivery(delivered: Path) -> None:
    manifests = sorted(delivered.glob("billing/nw-cur2/metadata/*/*/nw-cur2-Manifest.json"))
    assert len(manifests) == 3
    named = []
    for path in manifests:
        manifest = json.loads(path.read_text())
        folder = Path(path.parent.as_posix().replace("/metadata/", "/data/"))
        assert folder.name.endswith(f"Z-{manifest['executionId']}")
        files = [
            f"s3://{BUCKET}/{file.relative_to(delivered).as_posix()}" for file in sorted(folder.iterdir())
        ]
        assert manifest["dataFiles"] == files
        named += files
        schema = pq.read_schema(next(folder.iterdir()))
        assert [column["name"] for column in manifest["columns"]] == schema.names
    assert len(named) == len(set(named)) == len(list(delivered.glob("billing/**/*.parquet")))


def test_customers_and_revenue_agree(delivered: Path) -> None:
    with (delivered / "customers/customers.csv").open() as file:
        customers = {row["customer_id"]: row for row in csv.DictReader(file)}
    segments = [row["segment"] for row in customers.values()]
    assert (segments.count("enterprise"), segments.count("mid-market"), segments.count("startup")) == (
        12,
        28,
        40,
    )
    assert len({row["customer_name"] for row in customers.values()}) == 80
    with (delivered / "revenue/revenue.csv").open() as file:
        revenue = list(csv.DictReader(file))
    assert {row["customer_id"] for row in revenue} == set(customers)
    assert all(Decimal(row["revenue"]) > 0 for row in revenue)
    gone, new = (
        [r["revenue_month"] for r in revenue if r["customer_id"] == c] for c in ("cust-058", "cust-079")
    )
    assert (gone, new) == (["2026-09"], ["2026-10"])


def test_the_cause_of_the_incident_is_among_the_deployments(delivered: Path) -> None:
    deployments = [
        json.loads(line) for line in (delivered / "deployments/deployments.jsonl").read_text().splitlines()
    ]
    assert [d["service"] for d in deployments if d["deployed_at"] == "2026-10-20T13:55:00Z"] == [
        "search-indexer"
    ]


def test_the_inventory_knows_what_the_bill_does_not_say(delivered: Path) -> None:
    days = [
        {row["resource_name"]: row for row in map(json.loads, path.read_text().splitlines())}
        for path in sorted((delivered / "inventory").glob("*.jsonl"))
    ]
    assert len(days) == 2
    for resources in days:
        names = {row["resource_id"]: name for name, row in resources.items()}
        related = {
            (name, one["relationship"], names[one["related_resource_id"]])
            for name, row in resources.items()
            for one in row.get("relationships", [])
        }
        # Everything that is related to is in the inventory, and nothing is left out.
        assert ("nw-search-data-2", "attached_to", "nw-search-indexer-2") in related
        assert ("nw-prod-node-root-4", "attached_to", "nw-prod-node-4") in related
        assert ("nw-prod-node-4", "member_of", "nw-prod") in related
        assert ("nw-data-nat-bytes", "routes_for", "nw-data") in related
        assert ("nw-ingest-lb", "runs_in", "nw-data") in related
        assert ("nw-dashboards-prod-2", "member_of", "nw-dashboards-prod") in related
        assert sum(name.startswith("nw-nat-") for name, *_ in related) == 4
    workers = [resources["nw-ingest-workers-legacy-1"]["tags"] for resources in days]
    assert [tags.get("app") for tags in workers] == [None, "ingest-workers"]
    accounts = (delivered / "accounts" / "accounts.jsonl").read_text().splitlines()
    assert {json.loads(line)["account_name"] for line in accounts} == {a.name for a in company.ACCOUNTS}
