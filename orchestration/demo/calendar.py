"""Hours of the sample, shared by its bill and usage, so that both are busy at the same time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from orchestration.demo import company


def make_calendar(connection: duckdb.DuckDBPyConnection, seed: int) -> None:
    """Create the table `hours` and the macros `activity`, `noise` and `swing`, deterministic per seed."""
    midnight = datetime.min.time()
    set_variables(
        connection,
        {
            "seed": seed,
            "first_hour": datetime.combine(company.MONTHS[0], midnight),
            "last_hour": datetime.combine(company.END, midnight) - timedelta(hours=1),
            "incident_start": company.INCIDENT.starts_at.replace(tzinfo=None),
            "incident_end": company.INCIDENT.ends_at.replace(tzinfo=None),
        },
    )
    connection.execute(Path(__file__).with_name("calendar.sql").read_text(encoding="utf-8"))


def set_variables(connection: duckdb.DuckDBPyConnection, variables: dict[str, Any]) -> None:
    """Set variables for the SQL scripts, which read them with `getvariable`."""
    for name, value in variables.items():
        connection.execute(f"set variable {name} = ?", [value])
