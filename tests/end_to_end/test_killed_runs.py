"""A run killed at any instant: readers keep a whole snapshot, the next run ends as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.automation.workspace import dagster_home
from tests.end_to_end.running import Company, kill_when


def landed_bills(company: Company) -> dict[Path, int]:
    """The landed deliveries by the moment they were written; `days.parquet` is written last."""
    folder = company.settings.landing_folder / "billing" / "days" / "source_name=billing"
    return {path: path.stat().st_mtime_ns for path in folder.glob("*/days.parquet")}


def a_bill_has_landed(company: Company) -> Callable[[], bool]:
    before = landed_bills(company)
    return lambda: landed_bills(company) != before


def a_model_is_built(company: Company) -> Callable[[], bool]:
    logs = company.settings.workspace / "dbt_runs"
    before = set(logs.glob("*/dbt.log"))

    def reached() -> bool:
        new = set(logs.glob("*/dbt.log")) - before
        return any("OK created sql by_day model allocation.cost_pools" in log.read_text() for log in new)

    return reached


def a_snapshot_is_begun(company: Company) -> Callable[[], bool]:
    snapshots = company.settings.published_folder / "snapshots"
    return lambda: any(not (path / "snapshot.json").is_file() for path in snapshots.iterdir())


def the_snapshot_is_swapped(company: Company) -> Callable[[], bool]:
    before = company.snapshot()
    return lambda: company.snapshot() != before


def files_of_days(company: Company) -> set[str]:
    return {str(path) for path in company.settings.days_folder.glob("*/*/*")}


def counted_files(company: Company) -> set[str]:
    with closing(duckdb.connect(str(company.settings.warehouse_file), read_only=True)) as warehouse:
        counted = warehouse.execute("select file from built.day_files where file is not null").fetchall()
    return {file for (file,) in counted}


@pytest.mark.parametrize(
    "kills",
    [
        [
            (a_bill_has_landed, True),
            (a_model_is_built, True),
            (a_model_is_built, False),
            (a_snapshot_is_begun, True),
        ],
        [(the_snapshot_is_swapped, True)],
    ],
    ids=["on its way, again and again", "when readers have the result"],
)
def test_a_killed_run_leaves_no_trace(
    restated: Company,
    built_restated: Company,
    kills: list[tuple[Callable[[Company], Callable[[], bool]], bool]],
) -> None:
    company = restated
    before, after = company.marts(), built_restated.marts()
    assert before != after
    for instant, with_children in kills:
        killed = kill_when(company.start(), instant(company), with_children)
        assert killed, f"the run ended before it could be killed: {instant.__name__}"
        # Once the new snapshot may have been swapped in, readers have the old or the new one, always whole.
        swapped = instant in (a_snapshot_is_begun, the_snapshot_is_swapped)
        assert company.marts() in ([before, after] if swapped else [before])

    good, printed = company.run()
    assert good, printed
    assert company.marts() == after
    assert all((path / "snapshot.json").is_file() for path in company.snapshot().parent.iterdir())
    assert files_of_days(company) == counted_files(company)
    with dg.DagsterInstance.from_config(str(dagster_home(company.settings))) as instance:
        # A killed run counts as failed: were it still in progress, Dagster's queue would wait for it.
        first, *of_kills, last = (run.status for run in instance.get_runs())
    assert (first, last) == (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.SUCCESS)
    assert of_kills == [dg.DagsterRunStatus.FAILURE] * len(kills)
