"""History from snapshots: a row for every change of a thing, none while it is unchanged.

A snapshot says what exists in a scope (an account's instances in one region, the files of a folder) at a
moment. Adding it adds a version of everything new or changed and, if the snapshot is complete, a record that
a thing is gone. So the landed history grows with changes, however often a scope is queried, and SQL derives
each version's validity from it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from orchestration.sources.landing.parquet import write_landed
from orchestration.warehouse.sql import literal

SNAPSHOT_COLUMNS = {
    "snapshot_time": "TIMESTAMP",
    "scope": "VARCHAR",
    "is_complete": "BOOLEAN",
    "row_count": "BIGINT",
    "detail": "VARCHAR",
}
"""One row per snapshot and scope. One that is not complete ends nothing; `detail` says why it is not."""

LATE = "older than a snapshot of the same scope that was taken in before; history is not rewritten"


@dataclass(frozen=True)
class History:
    """Location and columns of a history: its key column and content columns.

    The content includes the column `scope`. Maps and lists are compared as they are: sort them.
    """

    key: str
    content: tuple[str, ...]
    versions: Path
    snapshots: Path


@dataclass(frozen=True)
class Changes:
    """What snapshots changed in a history: how many things exist, and how many came, changed or went."""

    present: int
    new: int
    changed: int
    gone: int
    late: tuple[str, ...]

    @property
    def any(self) -> bool:
        """Whether the history has changed."""
        return bool(self.new or self.changed or self.gone)


def take_in(
    connection: duckdb.DuckDBPyConnection, history: History, kept_scopes: Collection[str] = ()
) -> Changes:
    """Add the snapshots in the tables `scopes` (`SNAPSHOT_COLUMNS`) and `observed`.

    `observed` has snapshot_time, the key and the content, each key once per snapshot time; scopes without
    rows in it are empty. The oldest snapshot is added first; one older than what its scope already has is
    recorded and changes nothing. For scopes that are queried repeatedly, only the last snapshot and those
    that changed something are remembered; `kept_scopes` names scopes to remember completely.
    """
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE versions AS FROM read_parquet({literal(history.versions)})"
    )
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE taken AS FROM read_parquet({literal(history.snapshots)})"
    )
    _mark_late(connection)
    counts = [0, 0, 0]
    times = connection.execute("SELECT DISTINCT snapshot_time FROM scopes ORDER BY ALL").fetchall()
    for (moment,) in times:
        for place, number in enumerate(_take_one(connection, history, moment)):
            counts[place] += number
    late = connection.execute(
        "SELECT strftime(snapshot_time, '%Y-%m-%dT%H:%M:%SZ') || ' ' || scope FROM scopes "
        f"WHERE detail = {literal(LATE)} ORDER BY ALL"
    ).fetchall()
    present = _write(connection, history, kept_scopes)
    new, changed, gone = counts
    return Changes(present, new, changed, gone, tuple(text for (text,) in late))


def _mark_late(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute(
        f"""
        UPDATE scopes SET is_complete = false, detail = {literal(LATE)}
        WHERE EXISTS (
            SELECT 1 FROM taken
            WHERE taken.scope = scopes.scope AND taken.snapshot_time > scopes.snapshot_time AND is_complete
        )
        """
    )
    connection.execute(
        f"""
        DELETE FROM observed WHERE (snapshot_time, scope) IN (
            SELECT (snapshot_time, scope) FROM scopes WHERE detail = {literal(LATE)}
        )
        """
    )


def _take_one(
    connection: duckdb.DuckDBPyConnection, history: History, moment: datetime
) -> tuple[int, int, int]:
    """Find what one snapshot changes (new, changed, gone) and add it to `versions`."""
    key, content = history.key, ", ".join(history.content)
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE changes AS
        WITH looked_at AS (SELECT scope, is_complete FROM scopes WHERE snapshot_time = $moment),
        present AS (SELECT * FROM observed WHERE snapshot_time = $moment),
        -- The version before this instant: one of the very same instant is replaced.
        known AS (
            SELECT * FROM versions WHERE observed_at < $moment
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY observed_at DESC) = 1
        ),
        later AS (SELECT {key} FROM versions WHERE observed_at > $moment),
        last_complete AS (
            SELECT scope, max(snapshot_time) AS absent_at FROM taken
            WHERE is_complete AND snapshot_time < $moment GROUP BY scope
        ),
        come AS (
            SELECT
                present.* EXCLUDE (snapshot_time),
                $moment AS observed_at,
                CASE WHEN NOT coalesce(known.is_present, false) THEN last_complete.absent_at END AS absent_at,
                true AS is_present,
                CASE WHEN coalesce(known.is_present, false) THEN 'changed' ELSE 'new' END AS change
            FROM present
            LEFT JOIN known USING ({key})
            LEFT JOIN last_complete ON last_complete.scope = present.scope
            WHERE
                present.{key} NOT IN (FROM later)
                AND (
                    NOT coalesce(known.is_present, false)
                    OR row({_of("present", history)}) IS DISTINCT FROM row({_of("known", history)})
                )
                -- Another scope's scant view does not replace what its own scope could not look at this time.
                AND (
                    known.scope IS NOT DISTINCT FROM present.scope
                    OR NOT coalesce(known.is_present, false)
                    OR known.scope NOT IN (SELECT scope FROM looked_at WHERE NOT is_complete)
                )
        ),
        gone AS (
            SELECT known.{key}, known.scope, $moment AS observed_at, false AS is_present, 'gone' AS change
            FROM known
            WHERE
                known.is_present
                AND known.scope IN (SELECT scope FROM looked_at WHERE is_complete)
                AND known.{key} NOT IN (SELECT {key} FROM present)
                AND known.{key} NOT IN (FROM later)
        )
        SELECT {key}, {content}, observed_at, absent_at, is_present, change FROM come
        UNION ALL BY NAME SELECT * FROM gone
        """,
        {"moment": moment},
    )
    connection.execute(
        f"""
        DELETE FROM versions WHERE observed_at = $moment AND (
            scope IN (SELECT scope FROM scopes WHERE snapshot_time = $moment AND is_complete)
            OR {key} IN (SELECT {key} FROM changes)
        )
        """,
        {"moment": moment},
    )
    connection.execute("INSERT INTO versions BY NAME SELECT * EXCLUDE (change) FROM changes")
    connection.execute(
        "DELETE FROM taken WHERE (snapshot_time, scope) IN "
        f"(SELECT (snapshot_time, scope) FROM scopes WHERE detail IS DISTINCT FROM {literal(LATE)}) "
        "AND snapshot_time = $moment",
        {"moment": moment},
    )
    connection.execute(
        "INSERT INTO taken BY NAME SELECT * FROM scopes WHERE snapshot_time = $moment "
        "AND (snapshot_time, scope) NOT IN (SELECT (snapshot_time, scope) FROM taken)",
        {"moment": moment},
    )
    counted = dict(connection.execute("SELECT change, count(*) FROM changes GROUP BY ALL").fetchall())
    return counted.get("new", 0), counted.get("changed", 0), counted.get("gone", 0)


def _of(table: str, history: History) -> str:
    return ", ".join(f"{table}.{column}" for column in history.content)


def _write(connection: duckdb.DuckDBPyConnection, history: History, kept_scopes: Collection[str]) -> int:
    key = history.key
    write_landed(
        connection,
        f"SELECT {key}, {', '.join(history.content)}, observed_at, absent_at, is_present FROM versions "
        f"ORDER BY {key}, observed_at",
        history.versions,
    )
    connection.execute("CREATE OR REPLACE TEMP TABLE kept_scopes (scope VARCHAR)")
    if kept_scopes:
        connection.executemany("INSERT INTO kept_scopes VALUES (?)", [[scope] for scope in kept_scopes])
    write_landed(
        connection,
        """
        SELECT snapshot_time, scope, is_complete, row_count, detail FROM taken
        WHERE
            scope IN (FROM kept_scopes)
            OR (snapshot_time, scope) IN (SELECT (observed_at, scope) FROM versions)
            OR (snapshot_time, scope) IN (
                SELECT (max(snapshot_time), scope) FROM taken GROUP BY scope, is_complete
            )
        ORDER BY scope, snapshot_time
        """,
        history.snapshots,
    )
    counted: tuple[int] = connection.execute(
        f"""
        SELECT count(*) FROM (
            SELECT is_present FROM versions
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY observed_at DESC) = 1
        ) WHERE is_present
        """
    ).fetchall()[0]
    return counted[0]
