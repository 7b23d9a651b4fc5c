"""What a failed run says when its sums are too large."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.automation.causes import cause_of, texts_of
from orchestration.settings import Settings


def test_costs_of_ten_to_the_fourteen_are_said_to_be_too_large(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path)
    with pytest.raises(duckdb.Error) as caught:
        duckdb.execute("select sum(99999999999999::decimal(38, 24)) from range(2)").fetchall()
    told = cause_of(settings, texts_of(caught.value))
    assert told is not None
    assert told.startswith("The costs of one currency add up to 10^14 or more")
    assert "DuckDB says: Out of Range Error: Overflow in" in told
    with pytest.raises(duckdb.Error) as caught:
        duckdb.execute("select error('another error')").fetchall()
    assert cause_of(settings, texts_of(caught.value)) is None
