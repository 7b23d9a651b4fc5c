"""Where a machine's clock is, and whether it changes to summer time, changes no landed row."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import fuzzed_files

_LAND = """
import sys
from pathlib import Path
import duckdb
from tests.fuzzed_files import land
folder = Path(sys.argv[1])
for source, pattern in (("billing", "aws_cur/source_name=billing/*/*"), ("telemetry", "records/*/*")):
    land(source, folder)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = f"from read_parquet('{folder}/landing/{source}/{pattern}', hive_partitioning = true)"
        columns = "columns(lambda c: c not in ('load_id', 'batch_location'))"
        for row in connection.execute(f"select {columns} {rows} order by all").fetchall():
            print(row)
"""
# Clocks change at 01:00 UTC in Europe, at 07:00 in New York three weeks earlier.
MOMENTS = ("2026-03-08T06:30:00", "2026-03-08T07:30:00", "2026-03-29T00:30:00", "2026-03-29T01:30:00")


def landed(folder: Path, zone: str) -> str:
    bill = folder / "sources" / "billing" / "bill.csv"
    usage = folder / "sources" / "telemetry" / "usage.csv"
    for path, rows in (
        (
            bill,
            [
                fuzzed_files.ROWS["billing"][0]
                | {
                    "lineItem/UsageStartDate": f"{moment[:13]}:00:00Z",
                    "lineItem/UsageEndDate": f"{moment[:11]}{int(moment[11:13]) + 1:02d}:00:00Z",
                    "bill/BillingPeriodStartDate": "2026-03-01T00:00:00Z",
                    "bill/BillingPeriodEndDate": "2026-04-01T00:00:00Z",
                }
                for moment in MOMENTS
            ],
        ),
        (
            usage,
            [
                {"stream": "searches", "timestamp": moment + offset, "customer_id": "ada", "value": "1"}
                for moment in MOMENTS
                for offset in ("Z", "", "+01:00", "-05:00")
            ],
        ),
    ):
        path.parent.mkdir(parents=True)
        path.write_bytes(fuzzed_files._csv(rows)[1])
    return subprocess.run(
        [sys.executable, "-c", _LAND, str(folder)],
        env={**os.environ, "TZ": zone, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_landed_rows_do_not_depend_on_the_time_zone(tmp_path: Path) -> None:
    expected = landed(tmp_path / "utc", "UTC")
    assert expected.count("'searches'") == len(MOMENTS) * 4
    assert expected.count("'AmazonEC2'") == len(MOMENTS)
    # 01:30 in Berlin's winter is 00:30 UTC; after the change the same text with Z is itself.
    assert "datetime.datetime(2026, 3, 29, 0, 30)" in expected
    for zone in ("Europe/Berlin", "America/New_York"):
        assert landed(tmp_path / zone.replace("/", "-"), zone) == expected
