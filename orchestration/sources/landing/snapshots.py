"""Land snapshots, from files and from APIs, as a history of versions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.sources.files.rows import (
    REJECTED_COLUMNS,
    Kind,
    Rule,
    find_files,
    judge,
    read_rows,
    reading_rows,
)
from orchestration.sources.landing.parquet import ensure_landed, no_rows
from orchestration.sources.landing.processed_files import (
    FILE_COLUMNS,
    new_files,
    remember_files,
    write_rejected,
)
from orchestration.sources.landing.versions import SNAPSHOT_COLUMNS, Changes, History, take_in
from orchestration.sources.locations import Location, StoredObject
from orchestration.sources.source import Landed, LandingRequest, Source, rejected_rows

_VERSION_COLUMNS = {"observed_at": "TIMESTAMP", "absent_at": "TIMESTAMP", "is_present": "BOOLEAN"}
"""`observed_at`: the first snapshot with this version (or, not `is_present`, without the thing); `absent_at`:
the last complete snapshot before a new thing, in which it was not there yet."""


@dataclass(frozen=True)
class Answer:
    """An API's answer for one scope, a mapping of key and content per thing; or (`failure`) why there is
    none.
    """

    scope: str
    rows: Sequence[Mapping[str, Any]]
    failure: str | None = None


@dataclass(frozen=True)
class SnapshotLanding:
    """What was landed: changes, failed scopes, and the number of rejected rows by reason."""

    path: Path
    changes: Changes
    scopes_asked: int
    failures: tuple[str, ...]
    files_read: tuple[str, ...]
    ignored: tuple[str, ...]
    rejected: dict[str, int]


@dataclass(frozen=True)
class Snapshots:
    """One kind of thing, with landed files in `folder`.

    `content` is what a snapshot says about a thing: a different value in any column is another version.
    `file_columns` are read from files; `parsed` is SQL of columns derived from them, including `moment`, the
    time of the snapshot; `rules` reject rows; `observed` is SQL of the content. `compared` is SQL of the
    columns from an API, in the form in which they are compared.
    """

    folder: str
    versions: str
    key: str
    content: Mapping[str, str]
    file_columns: Mapping[str, Kind]
    parsed: str
    rules: Sequence[Rule]
    observed: str
    compared: str = "*"

    def versions_file(self, landing: Path) -> Path:
        """One row per thing and change."""
        return landing / self.folder / f"{self.versions}.parquet"

    def snapshots_file(self, landing: Path) -> Path:
        """Snapshots read, and how complete they were."""
        return landing / self.folder / "snapshots.parquet"

    def rejected_file(self, landing: Path) -> Path:
        """Rejected rows of files."""
        return landing / self.folder / "rejected.parquet"

    def files_file(self, landing: Path) -> Path:
        """Files read."""
        return landing / self.folder / "files.parquet"

    def ensure_landing(self, landing: Path) -> None:
        """Create the files, without rows, if they are missing."""
        versions = {self.key: "VARCHAR", **self.content, **_VERSION_COLUMNS}
        ensure_landed(self.versions_file(landing), versions)
        ensure_landed(self.snapshots_file(landing), SNAPSHOT_COLUMNS)
        ensure_landed(self.rejected_file(landing), REJECTED_COLUMNS)
        ensure_landed(self.files_file(landing), FILE_COLUMNS)

    def land(
        self,
        location: Location,
        landing: Path,
        now: datetime,
        answers: Sequence[Answer] = (),
        failures: Sequence[str] = (),
    ) -> SnapshotLanding:
        """Read the new files and the answers of `now`: what is new, changed or gone is added.

        A scope that failed changes nothing. Raises `LocationError` if the location cannot be read.
        """
        self.ensure_landing(landing)
        files = find_files(location)
        fresh = new_files(location, files.rows, self.files_file(landing))
        history = History(
            self.key, tuple(self.content), self.versions_file(landing), self.snapshots_file(landing)
        )
        with reading_rows({**self.file_columns, "scope": "text"}) as (connection, folder):
            self._read(connection, location, fresh, folder)
            self._add(connection, answers, now)
            changes = take_in(connection, history)
            rejected = write_rejected(connection, location, files.rows, fresh, self.rejected_file(landing))
        remember_files(location, files.rows, self.files_file(landing))
        return SnapshotLanding(
            path=history.versions,
            changes=changes,
            scopes_asked=len(answers),
            failures=tuple(failures),
            files_read=tuple(location.describe(stored.key) for stored in fresh),
            ignored=tuple(location.describe(stored.key) for stored in files.ignored),
            rejected=rejected,
        )

    def _read(
        self,
        connection: duckdb.DuckDBPyConnection,
        location: Location,
        files: Iterable[StoredObject],
        folder: Path,
    ) -> None:
        """Create the tables `scopes` and `observed` from files; the files of one folder are one scope.

        A snapshot with a rejected row or an unreadable file is incomplete: it ends nothing.
        """
        for stored in files:
            read_rows(connection, location, stored, self.file_columns, folder)
            scope = f"file:{stored.key.rpartition('/')[0]}"
            connection.execute("UPDATE given SET scope = ? WHERE scope IS NULL", [scope])
        parsed = f"""
            SELECT
                *,
                CASE WHEN {self.key} IS NOT NULL AND moment IS NOT NULL THEN row_number() OVER (
                    PARTITION BY scope, moment, {self.key} ORDER BY location, file_row
                ) END AS place_in_snapshot
            FROM (SELECT *, {self.parsed} FROM given)
        """
        judge(connection, parsed, self.rules)
        connection.execute(
            f"""
            CREATE TABLE scopes AS
            SELECT
                moment AS snapshot_time,
                scope,
                min(spoilt.location) IS NULL AS is_complete,
                count({self.key}) AS row_count,
                'rows of ' || min(spoilt.location) || ' were rejected' AS detail
            FROM judged
            LEFT JOIN (SELECT DISTINCT location FROM rejected) AS spoilt USING (location)
            WHERE reason IS NULL
            GROUP BY moment, scope
            """
        )
        connection.execute(
            f"""
            CREATE TABLE observed AS
            SELECT moment AS snapshot_time, {self.key}, scope, {self.observed}
            FROM judged WHERE reason IS NULL AND {self.key} IS NOT NULL
            """
        )

    def _add(self, connection: duckdb.DuckDBPyConnection, answers: Sequence[Answer], now: datetime) -> None:
        """Add the answers to `scopes` and `observed`."""
        moment = {"moment": now.astimezone(UTC).replace(tzinfo=None, microsecond=0)}
        scopes = [
            {
                "scope": answer.scope,
                "is_complete": answer.failure is None,
                "row_count": len(answer.rows),
                "detail": answer.failure,
            }
            for answer in answers
        ]
        rows = [{**row, "scope": answer.scope} for answer in answers for row in answer.rows]
        asked = {name: kind for name, kind in SNAPSHOT_COLUMNS.items() if name != "snapshot_time"}
        _register(connection, "scopes_asked", asked, scopes)
        _register(connection, "things_found", {self.key: "VARCHAR", **self.content}, rows)
        connection.execute(
            "INSERT INTO scopes BY NAME SELECT $moment AS snapshot_time, * FROM scopes_asked", moment
        )
        # If several scopes have a resource, its own service knows more than the Tagging API.
        connection.execute(
            f"""
            INSERT INTO observed BY NAME
            SELECT $moment AS snapshot_time, {self.compared}
            FROM things_found
            QUALIFY row_number() OVER (
                PARTITION BY {self.key} ORDER BY ends_with(scope, '/tagged'), scope
            ) = 1
            """,
            moment,
        )


def _register(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    columns: Mapping[str, str],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    schema = connection.sql(no_rows(columns)).to_arrow_table().schema
    connection.register(name, pa.Table.from_pylist(rows, schema=schema))


def landed_snapshots(source: Source, landing: SnapshotLanding, request: LandingRequest) -> Iterator[Landed]:
    """Metadata of a landing's versions, snapshots and rejected rows, the three tables of the source.

    The check passes if every scope answered and no row was rejected.
    """
    versions, snapshots, rejected = (table.name for table in source.tables)
    changes = landing.changes
    failures = [*landing.failures, *(f"late: {snapshot}" for snapshot in changes.late)]
    for failure in failures:
        request.log.warning(failure)
    yield Landed(
        versions,
        {
            "present": changes.present,
            "new": changes.new,
            "changed": changes.changed,
            "gone": changes.gone,
            "path": landing.path,
        },
    )
    yield Landed(
        snapshots,
        {
            "scopes_asked": landing.scopes_asked,
            "failures": failures,
            "files_read": landing.files_read,
            "ignored": landing.ignored,
        },
        passed=not failures and not landing.rejected,
        check_metadata={"failures": failures},
    )
    yield rejected_rows(rejected, landing.rejected)
