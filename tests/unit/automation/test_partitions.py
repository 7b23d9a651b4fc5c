from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from orchestration.automation.partitions import (
    MonthsError,
    billing_months,
    current_and_previous_month,
    month_range_tags,
)
from orchestration.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(workspace=tmp_path, first_billing_month="2020-11")


def test_months_run_from_the_first_to_the_current_one(settings: Settings) -> None:
    keys = billing_months(settings).get_partition_keys(current_time=datetime(2021, 2, 28, 23, tzinfo=UTC))
    assert keys == ["2020-11", "2020-12", "2021-01", "2021-02"]


def test_a_span_covers_its_first_and_last_month(settings: Settings) -> None:
    assert month_range_tags(settings, ["2021-03", "2020-12", "2021-01"]) == {
        "dagster/asset_partition_range_start": "2020-12",
        "dagster/asset_partition_range_end": "2021-03",
    }


@pytest.mark.parametrize("month", ["2020-10", "2999-01", "2021-1"])
def test_a_month_that_is_none_is_named_with_those_there_are(settings: Settings, month: str) -> None:
    with pytest.raises(MonthsError, match=rf"{month} are not among 2020-11 to "):
        month_range_tags(settings, ["2020-12", month])


@pytest.mark.parametrize(
    ("now", "months"),
    [
        (datetime(2026, 7, 1, tzinfo=UTC), ("2026-06", "2026-07")),
        (datetime(2026, 1, 31, tzinfo=UTC), ("2025-12", "2026-01")),
        # In UTC it is still June there.
        (datetime(2026, 7, 1, 1, tzinfo=timezone(timedelta(hours=2))), ("2026-05", "2026-06")),
    ],
)
def test_open_months(now: datetime, months: tuple[str, str]) -> None:
    assert current_and_previous_month(now) == months
