"""Reports of deployments -> one landed Parquet file, replaced whole.

What belongs here: which rows are deployments. What does not: what a deployment did to any cost.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.sources.deployments import landed
from orchestration.sources.files.rows import Kind, create_rows_table, find_files, read_rows
from orchestration.sources.landing.parquet import row_count, write_landed
from orchestration.sources.landing.processed_files import write_refused
from orchestration.sources.locations import Location

COLUMNS: dict[str, Kind] = {
    "deployed_at": "text",
    "time": "text",
    "service": "text",
    "version": "text",
    "environment": "text",
    "link": "text",
    "description": "text",
}

_RULES = (
    ("misread", "misread IS NOT NULL", "detail"),
    ("deployed-at-missing", "told_at IS NULL", "'deployed_at is missing'"),
    (
        "deployed-at-format",
        "moment IS NULL",
        "'deployed_at ''' || told_at || ''' is not an ISO 8601 time such as 2026-07-31T14:00:00Z'",
    ),
    ("service-missing", "service IS NULL", "'service is missing'"),
    (
        "link-not-http",
        "NOT regexp_matches(link, '^https?:[/][/][^ ]+$')",
        "'link ''' || link || ''' is not an address that begins with http:// or https://'",
    ),
    (
        "reported-twice",
        "place_among_alike > 1",
        "'the deployment of ' || service || ' at ' || told_at || ' is reported already, in ' || first_place",
    ),
)


@dataclass(frozen=True)
class DeploymentsLanding:
    """What was landed: `changed`: whether the file was written; `refused`: rows set aside, by reason."""

    path: Path
    deployments: int
    changed: bool
    files: tuple[str, ...]
    ignored: tuple[str, ...]
    refused: dict[str, int]


def land_deployments(location: Location, landing: Path) -> DeploymentsLanding:
    """Land all deployments that the location reports, one row each.

    Files are JSONL, CSV or Parquet with deployed_at (or time) and service, and as far as they are known
    version, environment, link and description. Rows that are no deployments are set aside with the reason.
    Raises `LocationError` when the location refuses.
    """
    landed.ensure_landing(landing)
    path = landed.deployments_file(landing)
    files = find_files(location)
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        create_rows_table(connection, COLUMNS)
        for stored in files.rows:
            read_rows(connection, location, stored, COLUMNS, Path(folder))
        _judge(connection)
        changed = write_landed(
            connection,
            "SELECT moment AS deployed_at, service, version, environment, link, description FROM judged "
            "WHERE reason IS NULL ORDER BY ALL",
            path,
        )
        refused = write_refused(connection, location, files.rows, files.rows, landed.refused_file(landing))
    return DeploymentsLanding(
        path=path,
        deployments=row_count(path),
        changed=changed,
        files=tuple(location.describe(stored.key) for stored in files.rows),
        ignored=tuple(location.describe(stored.key) for stored in files.ignored),
        refused=refused,
    )


def _judge(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the tables `judged` (every row, with the reason where it is none) and `refused`."""
    reasons = " ".join(f"WHEN {refused} THEN '{code}'" for code, refused, _ in _RULES)
    details = " ".join(f"WHEN '{code}' THEN {why}" for code, _, why in _RULES)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE judged AS
        WITH told AS (SELECT *, coalesce(deployed_at, time) AS told_at FROM given),
        parsed AS (
            SELECT
                * EXCLUDE (deployed_at, time),
                try_cast(told_at AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS moment
            FROM told
        ),
        placed AS (
            SELECT
                *,
                row_number() OVER alike AS place_among_alike,
                first_value(location || ' row ' || file_row) OVER alike AS first_place
            FROM parsed
            WINDOW alike AS (
                PARTITION BY moment, service, version, environment ORDER BY location, file_row
            )
        ),
        reasoned AS (SELECT *, CASE {reasons} END AS reason FROM placed)
        SELECT *, CASE reason {details} END AS why FROM reasoned
        """
    )
    connection.execute(
        """
        CREATE OR REPLACE TABLE refused AS
        SELECT location, file_row, coalesce(misread, reason) AS reason, why AS detail, raw AS record
        FROM judged WHERE reason IS NOT NULL
        """
    )
