"""Full disks and damaged files: readers keep a whole snapshot, the message names the folder or file, and the
next run ends as if nothing had been."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orchestration.automation.repair import UnrepairableError, find_damage, repair
from orchestration.automation.workspace import dagster_home
from tests.end_to_end.running import Company
from tests.examples import LONG

_ROOM = 64 << 20
NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)


@contextmanager
def little_space(place: Path, free: int) -> Iterator[None]:
    """A disk of its own for a folder, with only so many bytes free."""
    before = place.with_name(f"{place.name}.before")
    place.rename(before)
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={_ROOM}", "tmpfs", str(place)], capture_output=True, text=True
    )
    try:
        if mounted.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
        shutil.copytree(before, place, symlinks=True, dirs_exist_ok=True)
        space = os.statvfs(place)
        (place / ".filler").write_bytes(b"\1" * (space.f_bavail * space.f_frsize - free))
        yield
    finally:
        if not mounted.returncode:
            (place / ".filler").unlink(missing_ok=True)
            try:
                shutil.rmtree(before)
                shutil.copytree(place, before, symlinks=True)
            finally:
                subprocess.run(["umount", str(place)], check=True)
        place.rmdir()
        before.rename(place)


# Where space is missing, how much is left, and how far a run gets: the long form tries more amounts.
FULL = [
    ("landing", 1_000, "✗ land bills"),
    ("days", 20_000, "✗ dbt models and tests, publish"),
    ("published", 100_000, "✗ dbt models and tests, publish"),
    *([("dagster_home", 20_000, "")] if LONG > 1 else []),
    *([("days", free, "") for free in (0, 200_000, 1_000_000)] if LONG > 1 else []),
    *([("published", free, "") for free in (0, 1_000_000, 3_000_000)] if LONG > 1 else []),
]


def test_a_full_disk_is_named_and_the_run_after_it_is_whole(
    restated: Company, built_restated: Company
) -> None:
    company = restated
    before = company.marts()
    for name, free, reached in FULL:
        place = company.settings.workspace / name
        with little_space(place, free):
            good, printed = company.run()
            assert company.marts() == before
        if good:
            pytest.fail(f"{free:,} bytes in {name} were enough")
        assert reached in printed
        assert "✗ A disk is full" in printed
        assert f"{place} has " in printed
        assert "Traceback" not in printed
        assert "run again" in printed
    good, printed = company.run()
    assert good, printed
    assert company.marts() == built_restated.marts()


def test_two_runs_at_once_in_another_time_zone_are_one_after_the_other(
    restated: Company, built_restated: Company
) -> None:
    runs = [restated.start(TZ="Pacific/Apia"), restated.start(TZ="America/New_York")]
    assert [run.wait() for run in runs] == [0, 0]
    assert restated.marts() == built_restated.marts()


def first(folder: Path, pattern: str) -> Path:
    return min(folder.glob(pattern))


KEPT: dict[str, Callable[[Company], Path]] = {
    "warehouse": lambda company: company.settings.warehouse_file,
    "charges": lambda company: first(company.settings.landing_folder, "billing/aws_cur/*/*2026-03/*.parquet"),
    "days of a bill": lambda company: first(company.settings.landing_folder, "billing/days/*/*04/*.parquet"),
    "usage": lambda company: first(company.settings.landing_folder, "telemetry/records/*2026-03-01/*"),
    "ledger": lambda company: company.settings.landing_folder / "telemetry" / "batches.parquet",
    "customers": lambda company: company.settings.landing_folder / "customers" / "customers.parquet",
    "notes": lambda company: first(company.settings.landing_folder, "notes/billing/columns*.parquet"),
    "no rows": lambda company: first(company.settings.landing_folder, "billing/focus/*/*/*.parquet"),
    "day file": lambda company: first(company.settings.days_folder, "customer_costs_daily/*2026-03-02/*"),
    "snapshot": lambda company: company.snapshot() / "marts.duckdb",
    "history": lambda company: dagster_home(company.settings) / "history" / "runs.db",
}


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def damage(path: Path, how: Callable[[bytes], bytes]) -> None:
    """Write over a file, also where it is a hard link of a snapshot's."""
    path.chmod(0o644)
    path.write_bytes(how(path.read_bytes()))


ONE_BY_ONE = [[name] for name in KEPT] if LONG > 1 else []


@pytest.mark.parametrize("kept", [list(KEPT), *ONE_BY_ONE], ids=" and ".join)
def test_damaged_files_are_found_and_made_again_by_one_command(company: Company, kept: list[str]) -> None:
    expected, snapshot = company.marts(), company.snapshot()
    damaged = [KEPT[name](company) for name in kept]
    for path in damaged:
        damage(path, cut)
    assert {each.path for each in find_damage(company.settings)} >= set(damaged)

    good, printed = company.run(repair=True)

    assert good, printed
    for path in damaged:
        assert f"{path} is damaged: " in printed
    assert company.marts() == expected
    assert find_damage(company.settings) == []
    if "snapshot" in kept:
        assert company.snapshot() != snapshot
    assert (company.settings.workspace / "damaged").is_dir()


def test_a_run_that_meets_a_damaged_file_names_it_and_the_command(company: Company) -> None:
    """What is read first, so that the run ends early."""
    path = KEPT["days of a bill"](company)
    damage(path, cut)
    before = company.marts()
    good, printed = company.run()
    assert not good
    assert f"✗ {path} is damaged: " in printed
    assert "`cpc run --repair`" in printed
    assert company.marts() == before


def test_what_cannot_be_made_again_is_not_moved(company: Company) -> None:
    settings = company.settings
    for name, original in (
        ("usage", settings.sources / "telemetry" / "searches-2026-04.jsonl"),
        ("charges", settings.sources / "billing" / "bill" / "20260301-20260401" / "bill-Manifest.json"),
    ):
        path = KEPT[name](company)
        whole = path.read_bytes()
        damage(path, cut)
        moved = original.rename(settings.workspace / "moved")
        with pytest.raises(UnrepairableError, match=r"restore the (file|folder) from a backup"):
            repair(settings, NOW, lambda _: None)
        assert path.is_file()
        moved.rename(original)
        path.write_bytes(whole)
