"""Land exchange rates in one Parquet file, replaced as a whole.

Files are JSONL, CSV or Parquet with date, from, to and rate (one unit of `from` costs `rate` units of `to`,
decimal text), or the ECB's files of reference rates.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.sources.exchange_rates import ecb
from orchestration.sources.files.rows import (
    ENDINGS,
    READ_ERROR,
    REJECTED_COLUMNS,
    Kind,
    find_files,
    judge,
    read_rows,
    reading_rows,
)
from orchestration.sources.files.text import EncodingError, unpacked
from orchestration.sources.landing.parquet import ensure_landed, row_count, write_landed
from orchestration.sources.landing.processed_files import write_rejected
from orchestration.sources.locations import Location, StoredObject
from orchestration.sources.source import Landed, LandingRequest, rejected_rows

_LANDED = {
    "rate_date": "DATE",
    "from_currency": "VARCHAR",
    "to_currency": "VARCHAR",
    "exchange_rate": "DECIMAL(24, 12)",
}
_READ: dict[str, Kind] = dict.fromkeys(("date", "from", "to", "rate"), "text")
_PARSED = """
    SELECT *, first_value(exact_rate) OVER pair AS first_rate, first_value(place) OVER pair AS first_place
    FROM (
        SELECT
            * REPLACE (upper("from") AS "from", upper("to") AS "to"),
            location || coalesce(' row ' || file_row, '') AS place,
            CASE WHEN regexp_full_match(date, '\\d{4}-\\d{2}-\\d{2}') THEN try_cast(date AS DATE) END AS day,
            CASE
                WHEN regexp_full_match(rate, '\\d{1,12}(\\.\\d{1,12}0*)?')
                THEN try_cast(rate AS DECIMAL(24, 12))
            END AS exact_rate
        FROM given
    )
    WINDOW pair AS (PARTITION BY day, "from", "to" ORDER BY exact_rate IS NULL, location, file_row)
"""
_UNREADABLE = (OSError, EOFError, zlib.error, EncodingError, zipfile.BadZipFile, csv.Error)
_RULES = (
    READ_ERROR,
    ("date-format", "day IS NULL", "'date ''' || coalesce(date, '') || ''' is not a day such as 2026-07-31'"),
    *(
        (
            f"{column}-not-a-currency",
            f"NOT coalesce(regexp_full_match(\"{column}\", '[A-Z]{{3}}'), false)",
            f"'{column} ''' || coalesce(\"{column}\", '') || ''' is not a code of three letters such as USD'",
        )
        for column in ("from", "to")
    ),
    ("same-currency", '"from" = "to"', "'from and to are the same currency'"),
    (
        "rate-format",
        "NOT coalesce(exact_rate > 0, false)",
        "'rate ''' || coalesce(rate, '') || ''' is not a decimal number above 0 such as 1.0843, with at most "
        "12 digits before and after the point'",
    ),
    (
        "rate-differs",
        "exact_rate <> first_rate",
        "'the rate of this day and pair is ' || first_rate || ' in ' || first_place",
    ),
)


def rates_file(landing: Path) -> Path:
    """One row per day and pair of currencies."""
    return landing / "exchange_rates" / "exchange_rates.parquet"


def rejected_file(landing: Path) -> Path:
    """Rejected rows."""
    return landing / "exchange_rates" / "rejected.parquet"


def ensure_landing(landing: Path) -> None:
    """Create the files, without rows, if they are missing."""
    ensure_landed(rates_file(landing), _LANDED)
    ensure_landed(rejected_file(landing), REJECTED_COLUMNS)


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the files in the location of exchange rates; malformed rows are rejected."""
    landing = request.settings.landing_folder
    location = request.open_location(request.settings.location_of("exchange_rates"))
    ensure_landing(landing)
    path = rates_file(landing)
    files = find_files(location, (*ENDINGS, ".xml", ".zip"))
    with reading_rows(_READ) as (connection, folder):
        for stored in files.rows:
            _read(connection, location, stored, folder)
        judge(connection, _PARSED, _RULES)
        changed = write_landed(
            connection,
            'SELECT DISTINCT day AS rate_date, "from" AS from_currency, "to" AS to_currency, '
            "exact_rate AS exchange_rate FROM judged WHERE reason IS NULL ORDER BY ALL",
            path,
        )
        rejected = write_rejected(connection, location, files.rows, files.rows, rejected_file(landing))
    yield Landed(
        "exchange_rates",
        {
            "dagster/row_count": row_count(path),
            "changed": changed,
            "files": [location.describe(stored.key) for stored in files.rows],
            "ignored": [location.describe(stored.key) for stored in files.ignored],
            "path": path,
        },
    )
    yield rejected_rows("exchange_rates_rejected", rejected, passed=not rejected)


def _read(
    connection: duckdb.DuckDBPyConnection, location: Location, stored: StoredObject, folder: Path
) -> None:
    """Add the rows of one file to the table `given`."""
    ending = Path(stored.key.lower().removesuffix(".gz")).suffix
    rates: list[ecb.Rate] | None = None
    error: tuple[str | None, str | None] = (None, None)
    if ending in (".csv", ".xml", ".zip"):
        try:
            rates = ecb.rates_of(unpacked(location.fetch(stored.key, folder), stored.key), ending)
        except _UNREADABLE as unreadable:
            rates, error = [(None, "", "", "")], ("unreadable", f"the file cannot be read: {unreadable}")
    if rates is None:
        read_rows(connection, location, stored, _READ, folder)
        return
    rows = pa.Table.from_pylist(
        [{"file_row": row, "date": day, "to": to, "rate": rate} for row, day, to, rate in rates],
        pa.schema([("file_row", pa.int64()), *((name, pa.string()) for name in ("date", "to", "rate"))]),
    )
    connection.register("ecb_rows", rows)
    connection.execute(
        'INSERT INTO given BY NAME SELECT $place AS location, $base AS "from", $error AS read_error, '
        "$detail AS detail, * FROM ecb_rows",
        {"place": location.describe(stored.key), "base": ecb.BASE, "error": error[0], "detail": error[1]},
    )
    connection.unregister("ecb_rows")
