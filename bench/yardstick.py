"""Runs `yardstick.sql` on the bench's files, in a database of its own, with nothing of the project loaded.

`python -m bench.yardstick SOURCES DATABASE [--days-at-once N]` is a process of its own, so that its time and
memory are its own.
"""

from __future__ import annotations

import argparse
from datetime import date, timedelta
from pathlib import Path

import duckdb

from bench.generated import DAYS, FIRST_DAY, bill_files, usage_files

YARDSTICK = Path(__file__).with_name("yardstick.sql")
_COSTS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
_TABLE = f"""
create table customer_costs_daily (
    usage_date date, customer_id varchar, feature varchar, service_name varchar,
    {", ".join(f"{cost} decimal(38, 24)" for cost in _COSTS)}
)
"""


def make_customer_costs(sources: Path, target: Path, days_at_once: int = DAYS) -> None:
    """Make `customer_costs_daily` in the database file `target` out of the files below `sources`."""
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set preserve_insertion_order = false")
        connection.execute("set variable bill = ?", [[str(path) for path in bill_files(sources)]])
        connection.execute("set variable usage = ?", [[str(path) for path in usage_files(sources)]])
        connection.execute(_TABLE)
        for first, last in batches(days_at_once):
            connection.execute("set variable first_day = ?", [first])
            connection.execute("set variable last_day = ?", [last])
            connection.execute(YARDSTICK.read_text(encoding="utf-8"))


def batches(days_at_once: int) -> list[tuple[date, date]]:
    """The bench's month cut into pieces: first and last day of each."""
    return [
        (FIRST_DAY + timedelta(start), FIRST_DAY + timedelta(min(start + days_at_once, DAYS) - 1))
        for start in range(0, DAYS, days_at_once)
    ]


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(prog="python -m bench.yardstick", description=__doc__)
    parser.add_argument("sources", type=Path)
    parser.add_argument("database", type=Path)
    parser.add_argument("--days-at-once", type=int, default=DAYS)
    given = parser.parse_args()
    make_customer_costs(given.sources, given.database, given.days_at_once)


if __name__ == "__main__":
    main()
