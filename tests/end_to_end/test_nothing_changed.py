"""A run that has nothing to do says so before dbt is started, and only then."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from orchestration.automation.unchanged import find_unchanged
from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home
from orchestration.settings import Settings
from orchestration.warehouse import audit
from tests.end_to_end import small_company
from tests.end_to_end.conftest import new_company
from tests.end_to_end.running import Company

USAGE = {"stream": "searches", "timestamp": "2026-03-01T00:00:00Z", "customer_id": "ada", "value": 1}
REVENUE = "customer_id,period_start,period_end,amount,currency\nada,2026-03-01,2026-03-31,500.00,USD\n"
INVENTORY = [
    {"snapshot_time": "2026-03-01T06:00:00Z", "resource_id": "i-search-api", "resource_type": "ec2:instance"}
]


def states(folder: Path) -> dict[Path, tuple[int, int]]:
    """The inode and the time of the last change of every file."""
    return {
        path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    }


def dbt_runs(company: Company) -> set[Path]:
    return set((company.settings.workspace / "dbt_runs").iterdir())


def recorded_runs(company: Company) -> list[tuple[dg.DagsterRunStatus, bool]]:
    """The status of each run that Dagster knows, the newest first, and whether it had nothing to do."""
    with dg.DagsterInstance.from_config(str(dagster_home(company.settings)), COMMAND_CONFIG) as instance:
        return [(run.status, "nothing_changed_since_run" in run.tags) for run in instance.get_runs()]


def test_nothing_is_started_when_nothing_changed(company: Company) -> None:
    published, landed = states(company.settings.published_folder), states(company.settings.landing_folder)
    database, invocations = company.settings.warehouse_file.stat(), dbt_runs(company)
    recorded = len(recorded_runs(company))

    good, printed = company.run()

    assert good, printed
    assert f"Nothing changed; readers keep snapshot {company.snapshot().name}" in printed
    assert "land bills" not in printed
    assert states(company.settings.published_folder) == published
    assert states(company.settings.landing_folder) == landed
    assert company.settings.warehouse_file.stat().st_mtime_ns == database.st_mtime_ns
    assert dbt_runs(company) == invocations
    first, *earlier = recorded_runs(company)
    assert first == (dg.DagsterRunStatus.SUCCESS, True)
    assert len(earlier) == recorded


def test_files_that_say_the_same_end_before_dbt(company: Company) -> None:
    published, invocations = states(company.settings.published_folder), dbt_runs(company)
    (company.settings.sources / "customers" / "customers.csv").touch()

    good, printed = company.run()

    assert good, printed
    assert "land customers" in printed
    assert f"Nothing changed; readers keep snapshot {company.snapshot().name}" in printed
    assert states(company.settings.published_folder) == published
    assert dbt_runs(company) == invocations
    assert recorded_runs(company)[0] == (dg.DagsterRunStatus.SUCCESS, False)
    assert find_unchanged(company.settings) is not None


@dataclass(frozen=True)
class Edit:
    """A change of one thing that a run depends on."""

    what: str
    make: Callable[[Company], object]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def append(path: Path, text: str) -> None:
    write(path, path.read_text() + text)


DELIVERED = [
    Edit("a bill", lambda c: small_company.write_bill(c.settings.sources / "billing", "2026-04", Decimal(7))),
    Edit("a batch", lambda c: write(c.settings.sources / "telemetry" / "late.jsonl", json.dumps(USAGE))),
    Edit("customers", lambda c: small_company.write_customers(c.settings.sources / "customers", "dan")),
    Edit("revenue", lambda c: write(c.settings.sources / "revenue" / "invoices.csv", REVENUE)),
    Edit(
        "inventory",
        lambda c: write(c.settings.sources / "inventory" / "snapshot.json", json.dumps(INVENTORY)),
    ),
    Edit("contexts", lambda c: append(c.settings.contexts / "dimensions" / "feature.yml", "# edited\n")),
    Edit("settings", lambda c: write(c.settings.workspace / "settings.yml", "explanations_days: 2\n")),
]
DAMAGED = [
    Edit("a landed file", lambda c: next(c.settings.landing_folder.rglob("charges-*.parquet")).unlink()),
    Edit("the working database", lambda c: c.settings.warehouse_file.write_bytes(b"")),
    Edit("a run that was killed while it wrote", lambda c: audit.begin_writing(c.settings)),
    Edit("a mart of the snapshot", lambda c: (c.snapshot() / "customers.parquet").unlink()),
    Edit("the database of the snapshot", lambda c: (c.snapshot() / "marts.duckdb").unlink()),
    Edit("the snapshot's name", lambda c: (c.settings.published_folder / "current").unlink()),
    Edit("the report", lambda c: (c.settings.published_folder / "report.html").unlink()),
]


@pytest.mark.parametrize("edit", [*DELIVERED, *DAMAGED], ids=lambda edit: edit.what)
def test_what_a_run_depends_on_is_never_taken_for_unchanged(company: Company, edit: Edit) -> None:
    assert find_unchanged(company.settings) is not None
    edit.make(company)
    assert find_unchanged(company.settings) is None


def test_what_nothing_depends_on_is_unchanged(company: Company) -> None:
    write(company.settings.workspace / "settings.yml", "alert_webhook_url: https://example.com/hook\n")
    assert find_unchanged(company.settings) is not None


def test_where_aws_is_asked_only_a_run_can_tell(built: Company) -> None:
    asked = {"inventory_accounts": [{"regions": ["eu-west-1"]}]}
    assert find_unchanged(Settings(**{**built.settings.model_dump(), **asked})) is None


def test_what_changed_is_made_as_a_fresh_build_makes_it(company: Company, tmp_path: Path) -> None:
    fresh = new_company(tmp_path / "company")
    for each in (company, fresh):
        for edit in DELIVERED:
            edit.make(each)
    # Of the last run, as if it had been killed once readers had its result: the report was not made.
    shutil.rmtree(company.snapshot())
    for each in (company, fresh):
        good, printed = each.run()
        assert good, printed
        assert "Published snapshot" in printed
    assert company.marts() == fresh.marts()
    invocations = dbt_runs(company)

    # A report that is missing is made, though all else is as it was; then there is nothing left to do.
    (company.settings.published_folder / "report.html").unlink()
    good, printed = company.run()
    assert good, printed
    assert (company.settings.published_folder / "report.html").is_file()
    assert dbt_runs(company) != invocations
    assert find_unchanged(company.settings) is not None
