"""Lists of accounts that come as files, for who has no access to the organization.

A file is CSV, JSONL or Parquet, an account a row. Without `snapshot_time` a file says what is so since it was
put there. docs/signals.md describes the format.

What belongs here: which rows are accounts, and which snapshot they belong to. What does not: what a newer
snapshot changes (`sources/landing/versions.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from orchestration.sources.files.rows import Kind, create_rows_table, read_rows, texts_of
from orchestration.sources.locations import Location, StoredObject

COLUMNS: dict[str, Kind] = {
    "snapshot_time": "text",
    "account_id": "text",
    "account_name": "text",
    "organizational_unit_path": "text",
    "tags": "json",
}

_RULES = (
    ("misread", "misread IS NOT NULL", "detail"),
    ("account-id-missing", "account_id IS NULL", "'account_id is missing'"),
    (
        "snapshot-time-format",
        "snapshot_time IS NOT NULL AND moment IS NULL",
        "'snapshot_time ''' || snapshot_time || ''' is not an ISO 8601 time such as 2026-07-31T14:00:00Z'",
    ),
    (
        "tags-not-an-object",
        "tags IS NOT NULL AND tag_map IS NULL",
        "'tags ' || tags || ' is not a JSON object of texts'",
    ),
    (
        "account-twice",
        "place_in_snapshot > 1",
        "'account ' || account_id || ' stands in this snapshot already; the first row counts'",
    ),
)


def read_account_lists(
    connection: duckdb.DuckDBPyConnection, location: Location, files: Iterable[StoredObject], folder: Path
) -> None:
    """Read files into the tables `scopes`, `observed` and `refused` (see `landing/versions.py`).

    A snapshot of which a row was refused, or a file could not be read, is not complete: it ends nothing.
    """
    create_rows_table(connection, {**COLUMNS, "scope": "text"})
    for stored in files:
        read_rows(connection, location, stored, COLUMNS, folder)
        scope = f"file:{stored.key.rpartition('/')[0]}"
        connection.execute("UPDATE given SET scope = ? WHERE scope IS NULL", [scope])
    reasons = " ".join(f"WHEN {refused} THEN '{code}'" for code, refused, _ in _RULES)
    details = " ".join(f"WHEN '{code}' THEN {why}" for code, _, why in _RULES)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE judged AS
        WITH parsed AS (
            SELECT
                *,
                CASE
                    WHEN snapshot_time IS NULL THEN date_trunc('second', modified)
                    ELSE try_cast(snapshot_time AS TIMESTAMPTZ) AT TIME ZONE 'UTC'
                END AS moment,
                {texts_of("tags")} AS tag_map
            FROM given
        ),
        placed AS (
            SELECT
                *,
                row_number() OVER (
                    PARTITION BY scope, moment, account_id ORDER BY location, file_row
                ) AS place_in_snapshot
            FROM parsed
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
    connection.execute(
        """
        CREATE OR REPLACE TABLE scopes AS
        SELECT
            moment AS snapshot_time,
            scope,
            min(spoilt.location) IS NULL AS is_complete,
            count(*) AS row_count,
            'rows of ' || min(spoilt.location) || ' were refused' AS detail
        FROM judged
        LEFT JOIN (SELECT DISTINCT location FROM refused) AS spoilt USING (location)
        WHERE reason IS NULL
        GROUP BY moment, scope
        """
    )
    connection.execute(
        """
        CREATE OR REPLACE TABLE observed AS
        SELECT
            moment AS snapshot_time, account_id, scope, account_name, organizational_unit_path,
            coalesce(tag_map, MAP([], []))::MAP(VARCHAR, VARCHAR) AS tags
        FROM judged WHERE reason IS NULL
        """
    )
