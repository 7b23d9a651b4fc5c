"""The marts as files by day: all of them, exact, only what changed, and never half an export."""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration.outputs.exports.files import export_marts
from orchestration.outputs.exports.marts import ExportError

DAYS = [date(2026, 1, 1) + timedelta(number) for number in range(200)]
TINY = Decimal("0.000000000001")


@pytest.fixture
def marts(tmp_path: Path) -> Path:
    """A published database of more days than DuckDB writes files at once."""
    path = tmp_path / "marts.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(
            "create table costs_daily (usage_date date, customer_id varchar, cost decimal(38, 12), "
            "labels map(varchar, varchar), seen_at timestamp)"
        )
        rows = [(day, name, TINY * 3, {"a": 'b"c'}, day) for day in DAYS for name in ('x,"y"', "z")]
        connection.executemany("insert into costs_daily values (?, ?, ?, ?, ?)", rows)
        connection.execute("create table customers as select 'x' as customer_id, null::varchar as plan")
        connection.execute("create table empty (usage_date date, cost decimal(38, 12))")
        connection.execute(
            'create table focus_customer_costs as select usage_date::timestamp as "ChargePeriodStart", '
            'cost as "BilledCost" from costs_daily'
        )
    return path


def exported(marts: Path, folder: Path, *formats: str, only: tuple[str, ...] = ()):
    with closing(duckdb.connect(str(marts), read_only=True)) as connection:
        return export_marts(connection, folder, formats or ("csv", "parquet"), only)


def change(marts: Path, sql: str) -> None:
    with closing(duckdb.connect(str(marts))) as connection:
        connection.execute(sql)


def test_every_mart_is_there_by_day_with_every_digit(marts: Path, tmp_path: Path) -> None:
    done = exported(marts, tmp_path / "exports")
    current = tmp_path / "exports" / "current"
    assert (done.written, done.kept) == ((200 + 200 + 1) * 2, 0)
    assert {path.name for path in current.iterdir()} == {
        "costs_daily", "customers", "focus_customer_costs", "export.json"
    }  # fmt: skip
    text = (current / "costs_daily/usage_date=2026-01-02/costs_daily.csv").read_text()
    assert text.splitlines()[0] == "usage_date,customer_id,cost,labels,seen_at"
    assert sorted(text.splitlines()[1:])[0] == (
        '2026-01-02,"x,""y""",0.000000000003,"{""a"":""b\\""c""}",2026-01-02T00:00:00Z'
    )
    # FOCUS files hold FOCUS columns only.
    focus = (current / "focus_customer_costs/usage_date=2026-01-02/focus_customer_costs.csv").read_text()
    assert focus.splitlines() == [
        "ChargePeriodStart,BilledCost",
        *["2026-01-02T00:00:00Z,0.000000000003"] * 2,
    ]
    with duckdb.connect() as connection:
        connection.execute(f"attach '{marts}' as marts (read_only)")
        for mart in ("costs_daily", "customers", "focus_customer_costs"):
            files = f"read_parquet('{current}/{mart}/**/*.parquet', hive_partitioning = false)"
            for difference in (
                f"from marts.{mart} except all from {files}",
                f"from {files} except all from marts.{mart}",
            ):
                assert connection.execute(difference).fetchall() == []


def test_only_days_that_changed_are_written(marts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    exported(marts, folder)
    first = (folder / "current").resolve()
    again = exported(marts, folder)
    assert (again.written, again.folder) == (0, first)

    change(
        marts, "update costs_daily set cost = cost * 2 where usage_date = '2026-01-03' and customer_id = 'z'"
    )
    change(marts, "delete from costs_daily where usage_date = '2026-01-04'")
    done = exported(marts, folder)
    assert done.changed_days == {"costs_daily": 1}
    assert (done.written, done.kept) == (2, (198 + 200 + 1) * 2)
    new = (folder / "current").resolve()
    assert new != first

    def inode(version: Path, day: str) -> int:
        return (version / f"costs_daily/usage_date={day}/costs_daily.csv").stat().st_ino

    assert inode(new, "2026-01-02") == inode(first, "2026-01-02")
    assert inode(new, "2026-01-03") != inode(first, "2026-01-03")
    assert not (new / "costs_daily/usage_date=2026-01-04").exists()
    # Whoever reads the former version goes on reading it.
    assert (first / "costs_daily/usage_date=2026-01-04/costs_daily.csv").is_file()

    change(marts, "update customers set plan = 'pro'")
    assert exported(marts, folder).changed_days == {"customers": 1}
    assert not first.exists()


def test_a_new_column_changes_every_day_and_other_formats_are_an_export_of_their_own(
    marts: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "exports"
    exported(marts, folder, "csv", only=("costs_daily",))
    change(marts, "alter table costs_daily rename cost to effective_cost")
    assert exported(marts, folder, "csv", only=("costs_daily",)).written == 200
    assert exported(marts, folder, "parquet", only=("costs_daily",)).written == 200
    assert list((folder / "current").glob("**/*.csv")) == []


def test_an_export_that_breaks_off_is_not_seen(marts: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    exported(marts, folder)
    first = (folder / "current").resolve()
    change(marts, "update customers set plan = 'pro'")
    # What a killed export leaves behind.
    broken_off = folder / "versions" / ".2-999"
    (broken_off / "customers").mkdir(parents=True)
    os.utime(broken_off, (0, 0))
    assert (folder / "current").resolve() == first
    assert exported(marts, folder).changed_days == {"customers": 1}
    assert json.loads((folder / "current" / "export.json").read_text())["formats"] == ["csv", "parquet"]
    assert [path.name for path in (folder / "versions").iterdir() if path.name.startswith(".")] == []


def test_a_mart_that_there_is_not_is_said(marts: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"Unknown mart costs\. Published marts: costs_daily, customers"):
        exported(marts, tmp_path / "exports", only=("costs",))
    assert not (tmp_path / "exports").exists()
