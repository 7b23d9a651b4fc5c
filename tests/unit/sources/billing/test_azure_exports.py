"""Azure Cost Management's exports: many runs of one month, of which the last one is the bill."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from bills import Store, csv_bytes, focus_row, gzip_bytes, land, query

from orchestration.sources.billing.errors import BillingError

DATES = "20260701-20260731"
ROOT = "exports/focus-daily"


def manifest(blobs: list[str], submitted: str, dataset: str = "FocusCost") -> bytes:
    """A manifest in Azure's shape; the container has one folder more above than the copy."""
    return json.dumps(
        {
            "manifestVersion": "2024-04-01",
            "blobCount": len(blobs),
            "exportConfig": {"exportName": "focus-daily", "type": dataset, "dataVersion": "1.0r2"},
            "deliveryConfig": {"partitionData": True, "dataOverwriteBehavior": "CreateNewReport"},
            "runInfo": {"runId": "0000", "submittedTime": submitted},
            "blobs": [{"blobName": f"team/{blob}", "byteCount": 1, "dataRowCount": 1} for blob in blobs],
        }
    ).encode()


def put_run(
    store: Store,
    run: str,
    submitted: str,
    files: Mapping[str, bytes],
    dates: str = DATES,
    dataset: str = "FocusCost",
) -> None:
    """Deliver a run: its files, then its manifest; `run` is '' where each run overwrites the last one."""
    folder = f"{ROOT}/{dates}/" + (f"{run}/" if run else "")
    for name, content in files.items():
        store.put(folder + name, content)
    store.put(f"{folder}manifest.json", manifest([folder + name for name in files], submitted, dataset))


def part(cost: str, **more: str) -> bytes:
    return csv_bytes([focus_row(BilledCost=cost, **more)])


def billed(landing: Path) -> Decimal:
    total: Decimal = query(landing, "select sum(billed_cost) from charges", family="focus")[0][0]
    return total


def test_the_run_submitted_last_is_the_bill(store: Store, landing: Path) -> None:
    """Whatever the order in which the runs were copied: only their manifests know when they were made."""
    put_run(
        store, "b", "2026-07-03T00:10:00.7Z", {"part_0_0001.csv": part("3"), "part_1_0001.csv": part("4")}
    )
    put_run(store, "c", "2026-07-01T00:10:00.7Z", {"part_0_0001.csv": part("1")})
    put_run(store, "a", "2026-07-02T00:10:00.7Z", {"part_0_0001.csv": part("2")})
    store.put(f"{ROOT}/{DATES}/d/part_0_0001.csv", part("9"))  # of a run that is not finished
    result = land(store, landing)
    assert [(found.delivery, found.months) for found in result.deliveries] == [
        (f"focus-daily.{DATES}", ("2026-07",))
    ]
    assert billed(landing) == 7

    put_run(store, "d", "2026-07-04T00:10:00.7Z", {"part_0_0001.csv": part("9")})
    assert [found.status for found in land(store, landing).deliveries] == ["landed"]
    assert billed(landing) == 9
    assert [found.status for found in land(store, landing).deliveries] == ["unchanged"]


def test_runs_that_overwrite_each_other(store: Store, landing: Path) -> None:
    put_run(store, "", "2026-07-01T00:10:00Z", {"part_0_0001.csv.gz": gzip_bytes(part("1"))})
    land(store, landing)
    put_run(store, "", "2026-07-02T00:10:00Z", {"part_0_0001.csv.gz": gzip_bytes(part("2.5"))})
    land(store, landing)
    assert billed(landing) == Decimal("2.5")


def test_a_location_inside_the_container_and_months_by_name(store: Store, landing: Path) -> None:
    put_run(store, "a", "2026-07-02T00:10:00Z", {"part_0_0001.csv": part("2")})
    put_run(store, "a", "2026-08-02T00:10:00Z", {"part_0_0001.csv": part("9")}, "20260801-20260831")
    result = land(store, landing, {"2026-07"}, prefix="exports")
    assert [found.months for found in result.deliveries] == [("2026-07",)]
    assert billed(landing) == 2


def test_dates_of_several_months_are_those_of_the_rows(store: Store, landing: Path) -> None:
    june = {"BillingPeriodStart": "2026-06-01T00:00Z", "BillingPeriodEnd": "2026-07-01T00:00Z"}
    june["ChargePeriodStart"] = "2026-06-30T00:00Z"
    files = {"part_0_0001.csv": part("2"), "part_1_0001.csv": part("3", **june)}
    put_run(store, "a", "2026-08-02T00:10:00Z", files, "20260601-20260731")
    assert land(store, landing).deliveries[0].months == ("2026-06", "2026-07")
    assert billed(landing) == 5


def test_an_export_of_another_kind_is_left_alone_and_said_so(store: Store, landing: Path) -> None:
    put_run(store, "a", "2026-07-02T00:10:00Z", {"part_0_0001.csv": part("2")}, dataset="ActualCost")
    result = land(store, landing)
    assert result.deliveries == ()
    assert len(result.notes) == 1
    assert "the export is of ActualCost" in result.notes[0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{", "not a manifest as Azure writes it"),
        (b'{"blobs": []}', "not a manifest as Azure writes it"),
        (manifest([f"{ROOT}/{DATES}/a/part.csv"], "7/2/2026 1:00 AM"), "submittedTime '7/2/2026 1:00 AM'"),
        (manifest([], "2026-07-02T00:00:00Z"), "names no data file"),
        (manifest([f"{ROOT}/{DATES}/a/gone.csv"], "2026-07-02T00:00:00Z"), "gone.csv, which does not exist"),
        (manifest([f"{ROOT}/{DATES}/../x.csv"], "2026-07-02T00:00:00Z"), "outside of the export"),
        (manifest(["exports/other/x.csv"], "2026-07-02T00:00:00Z"), "outside of the export"),
        (manifest([f"{ROOT}/{DATES}/a/part.csv"] * 2, "2026-07-02T00:00:00Z"), "the same file twice"),
    ],
)
def test_a_manifest_that_is_wrong_is_named(store: Store, landing: Path, text: bytes, complaint: str) -> None:
    store.put(f"{ROOT}/{DATES}/a/part.csv", part("2"))
    store.put(f"{ROOT}/{DATES}/a/manifest.json", text)
    with pytest.raises(BillingError, match=rf"{ROOT}/{DATES}/a/manifest\.json: .*") as raised:
        land(store, landing)
    assert complaint in str(raised.value)
