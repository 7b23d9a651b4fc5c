"""The yardstick: `handwritten.sql` on the bench's files, in a database of its own.

What belongs here: running that SQL, with nothing of the project loaded. What does not: comparing the results.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

HANDWRITTEN = Path(__file__).with_name("handwritten.sql")


def make_customer_costs(sources: Path, target: Path) -> None:
    """Make `customer_costs_daily` in the database file `target` out of the files below `sources`."""
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute("set variable bill = ?", [str(sources / "billing" / "charges.parquet")])
        connection.execute("set variable usage = ?", [str(sources / "telemetry" / "*" / "*.parquet")])
        connection.execute(HANDWRITTEN.read_text(encoding="utf-8"))
