"""Land revenue files in two Parquet files, replaced as a whole: accepted and rejected rows."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from orchestration.settings import ExpectedError
from orchestration.sources.files import number_formats
from orchestration.sources.files.lists import find_lists
from orchestration.sources.landing.notes import Note, assumed_encoding, write_notes
from orchestration.sources.landing.parquet import write_landed
from orchestration.sources.locations import Location
from orchestration.sources.revenue import rows
from orchestration.sources.revenue.files import ENDINGS, FIELDS, UnreadableFileError, read_file
from orchestration.sources.source import Landed, LandingRequest

_TABLES = f"""
    CREATE TABLE given (file VARCHAR, file_row BIGINT, {", ".join(f"{field} VARCHAR" for field in FIELDS)});
    CREATE TABLE broken (file VARCHAR, file_row BIGINT, row_text VARCHAR, reason VARCHAR);
"""


class RevenueError(ExpectedError):
    """The revenue cannot be landed; names the file. The previous landing stays."""


@dataclass(frozen=True)
class RevenueLanding:
    """What was landed. `repeated` files have the content of another one and count once; `ignored` are not
    revenue files; `changed`: whether any landed file was written.
    """

    path: Path
    rows: int
    rejected: int
    files: tuple[str, ...]
    repeated: tuple[str, ...]
    ignored: tuple[str, ...]
    changed: bool


def land_revenue(location: Location, landing: Path) -> RevenueLanding:
    """Land all files of the location as `revenue/revenue.parquet` and `revenue/quarantine.parquet`.

    Files are CSV (with a header; `,`, `;` or tab) or Parquet, plain or .gz; `columns.SPELLINGS` lists the
    column names. Invalid rows are rejected with file, row and reason. A location without objects gives no
    rows, unless revenue had landed before. Raises `RevenueError` for a file that is not a table of revenue,
    `LocationError` if the location cannot be read.
    """
    target = landing / "revenue" / "revenue.parquet"
    chosen, ignored = find_lists(location, ENDINGS, target, "revenue", RevenueError)
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_TABLES)
        notes: list[Note] = []
        repeated = _read_all(connection, location, chosen, Path(folder), notes)
        changed = _write(connection, landing)
        notes += _counted_twice(connection, location)
        write_notes(landing, "revenue", notes)
    return RevenueLanding(
        path=target,
        rows=pq.read_metadata(target).num_rows,
        rejected=pq.read_metadata(target.with_name("quarantine.parquet")).num_rows,
        files=tuple(location.describe(key) for key in chosen if key not in repeated),
        repeated=tuple(location.describe(key) for key in repeated),
        ignored=tuple(location.describe(key) for key in ignored),
        changed=changed,
    )


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the files in the revenue's location."""
    settings = request.settings
    landing = land_revenue(request.open_location(settings.location_of("revenue")), settings.landing_folder)
    yield Landed(
        "revenue",
        {
            "dagster/row_count": landing.rows,
            "path": landing.path,
            "changed": landing.changed,
            "files": landing.files,
            "repeated": landing.repeated,
            "ignored": landing.ignored,
        },
    )
    yield Landed(
        "revenue_quarantine",
        {"dagster/row_count": landing.rejected, "path": landing.path.with_name("quarantine.parquet")},
    )


def ensure_landing(landing: Path) -> None:
    """Create the landed files, without rows, if there are none yet."""
    if not all((landing / "revenue" / name).exists() for name in ("revenue.parquet", "quarantine.parquet")):
        with duckdb.connect() as connection:
            connection.execute(_TABLES)
            _write(connection, landing)


def _read_all(
    connection: duckdb.DuckDBPyConnection,
    location: Location,
    keys: list[str],
    folder: Path,
    notes: list[Note],
) -> list[str]:
    """Fill the tables and notes; returns the keys of files that repeat another file's content."""
    contents: dict[str, str] = {}
    repeated = []
    for key in keys:
        path = location.fetch(key, folder)
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        if contents.setdefault(digest, key) != key:
            repeated.append(key)
            continue
        try:
            file = read_file(path, key)
        except UnreadableFileError as error:
            raise RevenueError(f"{location.describe(key)} {error}") from error
        connection.register("file_rows", file.rows)
        # DuckDB converts typed Parquet columns to text: decimals with all digits, days as YYYY-MM-DD.
        connection.execute("INSERT INTO given BY NAME SELECT $key AS file, * FROM file_rows", {"key": key})
        connection.unregister("file_rows")
        _make_amounts_plain(connection, location.describe(key), key, file.point_is_usual)
        if file.encoding == "windows-1252":
            notes.append(assumed_encoding(location.describe(key)))
        if file.broken:
            connection.executemany(
                "INSERT INTO broken VALUES (?, ?, ?, ?)", [(key, *broken) for broken in file.broken]
            )
    return repeated


def _counted_twice(connection: duckdb.DuckDBPyConnection, location: Location) -> list[Note]:
    """Notes on files that have the same rows, such as a month and its final version."""
    found = connection.execute(rows.IN_TWO_FILES).fetchall()
    return [
        Note(
            "revenue-twice",
            f"{location.describe(first)} has {count:,} of the rows of this file too (the same customer, "
            "period, amount and product): both count; remove them from one, if they are the same revenue",
            subject=location.describe(second),
            place=f"{location.describe(second)} row {row}",
            row_count=count,
            billing_currency=currency,
            effective_cost=amount,
        )
        for first, second, currency, count, amount, row in found
    ]


def _make_amounts_plain(
    connection: duckdb.DuckDBPyConnection, shown: str, key: str, point_is_usual: bool
) -> None:
    """Rewrite a file's amounts with a decimal point, using the one format that fits all of its rows."""
    value = "trim(amount)"
    connection.execute(
        f"UPDATE given SET amount = {number_formats.signed(value)} WHERE file = $key", {"key": key}
    )
    query = number_formats.format_of(value, str(point_is_usual).lower())
    ((found,),) = connection.execute(f"SELECT {query} FROM given WHERE file = $key", {"key": key}).fetchall()
    if found in (number_formats.MIXED, number_formats.UNKNOWN):
        raise RevenueError(_unclear_amounts(connection, shown, key, found))
    connection.execute(
        f"UPDATE given SET amount = {number_formats.plain(value, repr(found))} WHERE file = $key",
        {"key": key},
    )


def _unclear_amounts(connection: duckdb.DuckDBPyConnection, shown: str, key: str, found: str) -> str:
    point, comma = number_formats.fits_point("trim(amount)"), number_formats.fits_comma("trim(amount)")

    def first(condition: str) -> tuple[int, str]:
        ((row, text),) = connection.execute(
            f"SELECT file_row, amount FROM given WHERE file = $key AND {condition} ORDER BY file_row LIMIT 1",
            {"key": key},
        ).fetchall()
        return row, text

    if found == number_formats.MIXED:
        (row, text), (other_row, other) = first(f"{point} AND NOT {comma}"), first(f"{comma} AND NOT {point}")
        return (
            f"{shown} row {row}: the amount '{text}' has a decimal point, and '{other}' in row {other_row} a "
            "decimal comma; write all amounts of a file in one format"
        )
    row, text = first(f"{point} AND {comma} AND regexp_matches(amount, '[.,]')")
    return (
        f"{shown} row {row}: the amount '{text}' has either a decimal sign or thousands, and no row of the "
        "file tells which; write amounts with two decimals (1500.00 or 1500,00), or without thousands' signs"
    )


def _write(connection: duckdb.DuckDBPyConnection, landing: Path) -> bool:
    connection.execute(rows.READ)
    folder = landing / "revenue"
    # Rejected rows first, so a crash in between cannot lose a row from both files.
    written = [
        write_landed(connection, rows.REJECTED, folder / "quarantine.parquet"),
        write_landed(connection, rows.GOOD, folder / "revenue.parquet"),
    ]
    return any(written)
