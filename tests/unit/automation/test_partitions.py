from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from orchestration.automation.partitions import (
    MonthsError,
    billing_months,
    month_range_tags,
    months_of,
    note_months,
    open_months,
)
from orchestration.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path, first_billing_month="2020-11")


def test_months_run_from_the_first_to_the_current_one(settings: Settings) -> None:
    keys = billing_months(settings).get_partition_keys(current_time=datetime(2021, 2, 28, 23, tzinfo=UTC))
    assert keys == ["2020-11", "2020-12", "2021-01", "2021-02"]


def test_months_begin_with_the_first_that_has_a_bill(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path / "workspace")
    this_month = f"{datetime.now(UTC):%Y-%m}"
    assert billing_months(settings).get_first_partition_key() == this_month
    report = settings.sources / "billing" / "bill"
    for folder in ("20260401-20260501", "20260301-20260401"):
        (report / folder).mkdir(parents=True)
        (report / folder / "bill-Manifest.json").write_text("{}")
    assert billing_months(settings).get_first_partition_key() == "2026-03"
    # Known from now on without looking; a run or a sensor that finds an older bill notes it.
    shutil.rmtree(settings.sources)
    note_months(settings, ["2026-02", "2026-09"])
    note_months(settings, ["2026-07"])
    assert billing_months(settings).get_first_partition_key() == "2026-02"
    # An earlier version could note something that is not a month.
    (settings.workspace / "first_billing_month").write_text("-44-03\n")
    assert billing_months(settings).get_first_partition_key() == this_month


def test_earlier_months_leave_what_is_materialized(tmp_path: Path) -> None:
    """Dagster keeps what it knows of a partition by its key, so partitions may begin earlier later."""

    def bills(first: str) -> dg.AssetsDefinition:
        settings = Settings(workspace=tmp_path, first_billing_month=first)

        @dg.asset(partitions_def=billing_months(settings))
        def bills() -> None: ...

        return bills

    def materialized(first: str) -> list[str]:
        months = bills(first).partitions_def
        status = get_and_update_asset_status_cache_value(instance, bills(first).key, months)
        assert status is not None
        return sorted(status.deserialize_materialized_partition_subsets(months).get_partition_keys())

    with dg.DagsterInstance.local_temp(str(tmp_path)) as instance:
        dg.materialize([bills("2026-03")], instance=instance, partition_key="2026-04")
        assert materialized("2026-03") == ["2026-04"]
        assert materialized("2025-11") == ["2026-04"]


def test_a_span_covers_its_first_and_last_month(settings: Settings) -> None:
    assert month_range_tags(billing_months(settings), ["2021-03", "2020-12", "2021-01"]) == {
        "dagster/asset_partition_range_start": "2020-12",
        "dagster/asset_partition_range_end": "2021-03",
    }


@pytest.mark.parametrize("month", ["2020-10", "2999-01", "2021-1"])
def test_a_month_that_is_none_is_named_with_those_there_are(settings: Settings, month: str) -> None:
    with pytest.raises(MonthsError, match=rf"{month} are not among 2020-11 to "):
        month_range_tags(billing_months(settings), ["2020-12", month])


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2026, 7, 1, tzinfo=UTC), ("2026-06", "2026-07")),
        (datetime(2026, 1, 31, tzinfo=UTC), ("2025-12", "2026-01")),
        # In UTC it is still June there.
        (datetime(2026, 7, 1, 1, tzinfo=timezone(timedelta(hours=2))), ("2026-05", "2026-06")),
    ],
)
def test_open_months(settings: Settings, now: datetime, months: tuple[str, str]) -> None:
    assert open_months(billing_months(settings), now) == [*months]
    first = Settings(workspace=settings.workspace, first_billing_month=months[1])
    assert open_months(billing_months(first), now) == [months[1]]


def test_arrivals_name_their_months() -> None:
    arrivals = ["bill aws 2026-03", "bill aws files", "bill azure 20260601-20260731", "telemetry"]
    assert months_of(arrivals) == {"2026-03"}
