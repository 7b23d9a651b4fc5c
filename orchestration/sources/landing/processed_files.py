"""Which versions of a location's files have been read, and which of their rows were rejected."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.sources.landing.notes import note_assumed_encodings
from orchestration.sources.landing.parquet import read_landed, write_landed
from orchestration.sources.locations import Location, StoredObject
from orchestration.warehouse.sql import literal

FILE_COLUMNS = {"location": "VARCHAR", "object_version": "VARCHAR"}


def new_files(location: Location, found: Iterable[StoredObject], files: Path) -> list[StoredObject]:
    """Files not yet read in their current version, by key."""
    known = {(row["location"], row["object_version"]) for row in read_landed(files).to_pylist()}
    return [stored for stored in found if (location.describe(stored.key), stored.version) not in known]


def remember_files(location: Location, found: Collection[StoredObject], files: Path) -> None:
    """Record the current files as read. The last step: until then, they are read again."""
    noted = pa.Table.from_pylist(
        [{"location": location.describe(stored.key), "object_version": stored.version} for stored in found],
        schema=pa.schema([(name, pa.string()) for name in FILE_COLUMNS]),
    )
    with duckdb.connect() as connection:
        connection.register("noted", noted)
        write_landed(connection, "SELECT location, object_version FROM noted ORDER BY ALL", files)


def write_rejected(
    connection: duckdb.DuckDBPyConnection,
    location: Location,
    found: Collection[StoredObject],
    read: Collection[StoredObject],
    rejected: Path,
) -> dict[str, int]:
    """Replace the rejected rows of the files read now by the table `rejected`, and note their encodings.

    Rejected rows of other files stay; those of files that no longer exist are removed. Returns the number of
    rows by reason.
    """
    connection.register("found_places", _places(location, found))
    connection.register("read_places", _places(location, read))
    write_landed(
        connection,
        f"""
        FROM rejected
        UNION ALL BY NAME
        FROM read_parquet({literal(rejected)})
        WHERE location IN (FROM found_places) AND location NOT IN (FROM read_places)
        ORDER BY ALL
        """,
        rejected,
    )
    assumed = connection.execute("FROM assumed_encodings").fetchall()
    note_assumed_encodings(
        rejected.parents[1],
        rejected.parent.name,
        read={location.describe(stored.key) for stored in read},
        assumed={place for (place,) in assumed},
    )
    return dict(
        connection.execute(
            f"SELECT reason, count(*) FROM read_parquet({literal(rejected)}) GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    )


def _places(location: Location, files: Iterable[StoredObject]) -> pa.Table:
    return pa.table({"place": pa.array([location.describe(stored.key) for stored in files], pa.string())})
