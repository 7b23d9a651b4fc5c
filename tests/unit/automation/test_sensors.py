"""What the sensor sees arrive, by place: a finished delivery of a bill, not the files before it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestration.automation.sensors import digests_of_arrivals
from orchestration.automation.workspace import prepare_workspace
from orchestration.settings import BillingExport, Settings
from orchestration.sources.locations import open_of


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    bills = tmp_path / "bills"
    bills.mkdir()
    settings = Settings(
        workspace=tmp_path / "workspace", billing_exports=(BillingExport(name="all", location=str(bills)),)
    )
    prepare_workspace(settings)
    return settings


def put(settings: Settings, key: str, content: str = "{}") -> None:
    path = Path(settings.exports[0].location) / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def places(settings: Settings) -> dict[str, str]:
    return digests_of_arrivals(settings, open_of(settings))


@pytest.mark.parametrize(
    ("first", "data", "last", "place"),
    [
        (
            "x/hourly/20260701-20260801/a",
            "h-1.csv.gz",
            "x/hourly/20260701-20260801/hourly-Manifest.json",
            "2026-07",
        ),
        (
            "e/data/BILLING_PERIOD=2026-07/a",
            "e-1.parquet",
            "e/metadata/BILLING_PERIOD=2026-07/e-Manifest.json",
            "2026-07",
        ),
        ("z/focus/20260701-20260731/a", "part_0.csv", "z/focus/20260701-20260731/a/manifest.json", "2026-07"),
        (
            "z/focus/20260601-20260731/a",
            "part_0.csv",
            "z/focus/20260601-20260731/a/manifest.json",
            "20260601-20260731",
        ),
    ],
)
def test_a_delivery_has_arrived_when_its_manifest_has(
    settings: Settings, first: str, data: str, last: str, place: str
) -> None:
    put(settings, last)
    put(settings, f"{first}/{data}")
    before = places(settings)
    assert set(before) == {f"bill all {place}"}
    put(settings, f"{first}/more-{data}")
    assert places(settings) == before
    put(settings, last, '{"again": true}')
    assert places(settings).keys() == before.keys()
    assert places(settings) != before


def test_files_without_manifest_are_a_place_of_their_own(settings: Settings) -> None:
    assert places(settings) == {}
    put(settings, "bill.csv")
    assert set(places(settings)) == {"bill all files"}
