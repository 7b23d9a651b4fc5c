"""Snapshots of resources that come as files, for accounts that nobody may ask by API.

A file is JSONL, Parquet or CSV, a resource a row, with `snapshot_time`; the files of one folder are one
scope: what a newer snapshot of the folder no longer has, is gone. docs/signals.md describes the format.

What belongs here: which rows are resources, and which snapshot they belong to. What does not: what a newer
snapshot changes (`sources/landing/versions.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from orchestration.sources.files.rows import Kind, create_rows_table, read_rows, texts_of
from orchestration.sources.inventory.landed import RELATIONSHIPS
from orchestration.sources.locations import Location, StoredObject

COLUMNS: dict[str, Kind] = {
    "snapshot_time": "text",
    "resource_id": "text",
    "resource_arn": "text",
    "resource_type": "text",
    "account_id": "text",
    "region_id": "text",
    "resource_name": "text",
    "created_at": "text",
    "tags": "json",
    "attributes": "json",
    "relationships": "json",
}

# A row that says nothing but its snapshot's time says that there was a snapshot, even of nothing.
_IS_EMPTY = "resource_id IS NULL AND resource_arn IS NULL AND resource_type IS NULL"
_RULES = (
    ("misread", "misread IS NOT NULL", "detail"),
    ("snapshot-time-missing", "snapshot_time IS NULL", "'snapshot_time is missing'"),
    (
        "snapshot-time-format",
        "moment IS NULL",
        "'snapshot_time ''' || snapshot_time || ''' is not an ISO 8601 time such as 2026-07-31T14:00:00Z'",
    ),
    ("resource-id-missing", f"resource_id IS NULL AND NOT ({_IS_EMPTY})", "'resource_id is missing'"),
    ("resource-type-missing", f"resource_type IS NULL AND NOT ({_IS_EMPTY})", "'resource_type is missing'"),
    (
        "created-at-format",
        "created_at IS NOT NULL AND created IS NULL",
        "'created_at ''' || created_at || ''' is not an ISO 8601 time such as 2026-07-31T14:00:00Z'",
    ),
    (
        "tags-not-an-object",
        "tags IS NOT NULL AND tag_map IS NULL",
        "'tags ' || tags || ' is not a JSON object of texts'",
    ),
    (
        "attributes-not-an-object",
        "attributes IS NOT NULL AND attribute_map IS NULL",
        "'attributes ' || attributes || ' is not a JSON object of texts'",
    ),
    (
        "relationships-format",
        "relationships IS NOT NULL AND related IS NULL",
        "'relationships ' || relationships || ' is not a list of objects with relationship and "
        "related_resource_id'",
    ),
    (
        "resource-twice",
        "place_in_snapshot > 1",
        "'resource ' || resource_id || ' stands in this snapshot already; the first row counts'",
    ),
)


def read_snapshots(
    connection: duckdb.DuckDBPyConnection, location: Location, files: Iterable[StoredObject], folder: Path
) -> None:
    """Read files into the tables `scopes`, `observed` and `refused` (see `landing/versions.py`).

    A snapshot of which a row was refused, or a file could not be read, is not complete: it ends nothing.
    """
    create_rows_table(connection, {**COLUMNS, "scope": "text"})
    for stored in files:
        scope = f"file:{stored.key.rpartition('/')[0]}"
        read_rows(connection, location, stored, COLUMNS, folder)
        connection.execute("UPDATE given SET scope = ? WHERE scope IS NULL", [scope])
    _judge(connection)
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
            count(resource_id) AS row_count,
            'rows of ' || min(spoilt.location) || ' were refused' AS detail
        FROM judged
        LEFT JOIN (SELECT DISTINCT location FROM refused) AS spoilt USING (location)
        WHERE reason IS NULL
        GROUP BY moment, scope
        """
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE observed AS
        SELECT
            moment AS snapshot_time, resource_id, scope, account_id, region_id, resource_type, resource_arn,
            coalesce(resource_name, tag_map['Name']) AS resource_name,
            coalesce(tag_map, MAP([], []))::MAP(VARCHAR, VARCHAR) AS tags,
            coalesce(attribute_map, MAP([], []))::MAP(VARCHAR, VARCHAR) AS attributes,
            list_sort(coalesce(related, []))::{RELATIONSHIPS} AS relationships,
            created AS created_at
        FROM judged WHERE reason IS NULL AND resource_id IS NOT NULL
        """
    )


def _judge(connection: duckdb.DuckDBPyConnection) -> None:
    reasons = " ".join(f"WHEN {refused} THEN '{code}'" for code, refused, _ in _RULES)
    details = " ".join(f"WHEN '{code}' THEN {why}" for code, _, why in _RULES)
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE judged AS
        WITH parsed AS (
            SELECT
                *,
                try_cast(snapshot_time AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS moment,
                try_cast(created_at AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS created,
                {texts_of("tags")} AS tag_map,
                {texts_of("attributes")} AS attribute_map,
                {_related()} AS related
            FROM given
        ),
        placed AS (
            SELECT
                *,
                CASE WHEN resource_id IS NOT NULL AND moment IS NOT NULL THEN row_number() OVER (
                    PARTITION BY scope, moment, resource_id ORDER BY location, file_row
                ) END AS place_in_snapshot
            FROM parsed
        ),
        reasoned AS (SELECT *, CASE {reasons} END AS reason FROM placed)
        SELECT *, CASE reason {details} END AS why FROM reasoned
        """
    )


def _related() -> str:
    form = '[{"relationship": "VARCHAR", "related_resource_id": "VARCHAR", "since": "VARCHAR"}]'
    typed = (
        "list_transform(listed, lambda one: {'relationship': one.relationship, "
        "'related_resource_id': one.related_resource_id, "
        "'since': try_cast(one.since AS TIMESTAMPTZ) AT TIME ZONE 'UTC'})"
    ).replace("listed", f"from_json(relationships, '{form}')")
    return f"""
        CASE
            WHEN json_valid(relationships) AND json_type(relationships) = 'ARRAY'
                AND len(list_filter(
                    from_json(relationships, '["JSON"]'),
                    lambda one: json_type(one) <> 'OBJECT' OR one ->> 'relationship' IS NULL
                        OR one ->> 'related_resource_id' IS NULL
                )) = 0
                THEN {typed}
        END
    """
