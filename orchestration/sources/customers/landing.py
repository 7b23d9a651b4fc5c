"""Land the customer list in one Parquet file, replaced as a whole."""

from __future__ import annotations

import csv
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.settings import ExpectedError
from orchestration.sources.customers import aliases
from orchestration.sources.files.lists import find_lists
from orchestration.sources.files.text import EncodingError, cleaned, read_delimited, unpacked
from orchestration.sources.landing.notes import Note, assumed_encoding, write_notes
from orchestration.sources.landing.parquet import write_landed
from orchestration.sources.locations import Location
from orchestration.sources.source import Landed, LandingRequest
from orchestration.warehouse.sql import literal

ENDINGS = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".ndjson", ".ndjson.gz", ".parquet")
TEXT_COLUMNS = ("customer_id", "customer_name", "segment", "plan")
PROBLEMS_SHOWN = 20

_GIVEN = f"""
    CREATE TABLE given (
        file VARCHAR, file_row BIGINT, customer_id VARCHAR, customer_name VARCHAR, segment VARCHAR,
        plan VARCHAR, aliases {aliases.TYPE}
    )
"""
_CUSTOMERS = f"""
    SELECT customer_id, customer_name, segment, plan, {aliases.LANDED} AS aliases
    FROM given
    ORDER BY customer_id
"""


class CustomersError(ExpectedError):
    """The customer list cannot be landed; names file and row. The previous landing stays."""


@dataclass(frozen=True)
class CustomersLanding:
    """What was landed: `changed`: whether the file was written; `ignored`: objects that are not lists."""

    path: Path
    customers: int
    files: tuple[str, ...]
    ignored: tuple[str, ...]
    changed: bool


def land_customers(location: Location, landing: Path) -> CustomersLanding:
    """Land all lists of the location as `customers/customers.parquet`: one row per customer.

    Files are CSV (with a header), JSONL or Parquet with customer_id and optionally customer_name, segment,
    plan and aliases (formats: `aliases.py`). A location without objects gives no rows, unless customers had
    landed before. Raises `CustomersError` for an invalid list, `LocationError` if the location cannot be
    read.
    """
    target = _target(landing)
    lists, ignored = find_lists(location, ENDINGS, target, "customers", CustomersError)
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(_GIVEN)
        notes: list[Note] = []
        for number, key in enumerate(lists):
            _read(connection, location, key, number, Path(folder), notes)
        problems = [problem for problem, *_ in connection.execute(aliases.PROBLEMS).fetchall()]
        if problems:
            raise CustomersError("\n".join([*problems[:PROBLEMS_SHOWN], *_more(len(problems))]))
        changed = write_landed(connection, _CUSTOMERS, target)
    write_notes(landing, "customers", notes)
    return CustomersLanding(
        path=target,
        customers=pq.read_metadata(target).num_rows,
        files=tuple(location.describe(key) for key in lists),
        ignored=tuple(location.describe(key) for key in ignored),
        changed=changed,
    )


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the lists in the customers' location."""
    settings = request.settings
    landing = land_customers(
        request.open_location(settings.location_of("customers")), settings.landing_folder
    )
    yield Landed(
        "customers",
        {
            "dagster/row_count": landing.customers,
            "path": landing.path,
            "changed": landing.changed,
            "files": landing.files,
            "ignored": landing.ignored,
        },
    )


def ensure_landing(landing: Path) -> None:
    """Create an empty landed list if there is none yet."""
    target = _target(landing)
    if not target.exists():
        with duckdb.connect() as connection:
            connection.execute(_GIVEN)
            write_landed(connection, _CUSTOMERS, target)


def _target(landing: Path) -> Path:
    return landing / "customers" / "customers.parquet"


def _more(problems: int) -> list[str]:
    hidden = problems - PROBLEMS_SHOWN
    return [f"... and {hidden} more"] if hidden > 0 else []


def _read(
    connection: duckdb.DuckDBPyConnection,
    location: Location,
    key: str,
    number: int,
    folder: Path,
    notes: list[Note],
) -> None:
    # Under a plain name, because DuckDB treats `*`, `?` and `[` in paths as patterns.
    ending = next(ending for ending in ENDINGS if key.lower().endswith(ending))
    path = folder / f"{number}{ending}"
    path.symlink_to(location.fetch(key, folder / "downloads").resolve())
    place = location.describe(key)
    delimiter = ","
    if ".csv" in path.suffixes:
        path, delimiter, encoding = _as_utf_8(path, place)
        if encoding == "windows-1252":
            notes.append(assumed_encoding(place))
    columns = _columns(path, place, delimiter)
    if "customer_id" not in columns:
        raise CustomersError(f"{place} has no column customer_id; its columns are {', '.join(columns)}")
    chosen = ", ".join(
        f"{cleaned(f'{name}::VARCHAR')} AS {name}" if name in columns else f"NULL AS {name}"
        for name in TEXT_COLUMNS
    )
    try:
        connection.execute(
            f"INSERT INTO given BY NAME SELECT $place AS file, file_row, {chosen}, "
            f"{aliases.given_aliases(columns.get('aliases'))} AS aliases "
            f"FROM ({_rows(path, columns, delimiter)})",
            {"place": place},
        )
    except duckdb.Error as error:
        raise _unreadable(place, str(error).replace(str(path), place)) from error


def _unreadable(place: str, why: object) -> CustomersError:
    reason = str(why).partition("Possible fixes:")[0].strip()  # DuckDB's hints address SQL authors
    return CustomersError(f"{place} cannot be read: {reason}")


def _as_utf_8(path: Path, place: str) -> tuple[Path, str, str]:
    """A CSV list converted to UTF-8, its delimiter and its original encoding."""
    try:
        given = read_delimited(unpacked(path, path.name))
    except (OSError, EOFError, zlib.error, EncodingError) as error:
        raise _unreadable(place, error) from error
    plain = path.with_name(f"plain-{path.name.removesuffix('.gz')}")
    plain.write_text(given.text, encoding="utf-8")
    return plain, given.delimiter, given.encoding


def _columns(path: Path, place: str, delimiter: str) -> dict[str, str]:
    """Columns of a list and their types, as far as known before reading it."""
    try:
        if path.suffix == ".parquet":
            return {column.name: str(column.type) for column in pq.read_schema(path)}
        if ".csv" not in path.suffixes:
            return {**dict.fromkeys(TEXT_COLUMNS, "VARCHAR"), "aliases": "JSON"}
        with path.open(encoding="utf-8", newline="") as text:
            header = [name.strip() for name in next(csv.reader(text, delimiter=delimiter), [])]
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException) as error:
        raise _unreadable(place, error) from error
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise CustomersError(f"{place} names a column more than once: {', '.join(repeated)}")
    return dict.fromkeys(header, "VARCHAR")


def _rows(path: Path, columns: dict[str, str], delimiter: str) -> str:
    file = literal(path)
    if path.suffix == ".parquet":
        return f"SELECT *, file_row_number + 1 AS file_row FROM read_parquet({file}, file_row_number = true)"
    kinds = ", ".join(f"{literal(name)}: '{kind}'" for name, kind in columns.items())
    if ".csv" in path.suffixes:
        reader = (
            f"read_csv({file}, columns = {{{kinds}}}, auto_detect = false, header = true, "
            f"delim = {literal(delimiter)}, quote = '\"', escape = '\"')"
        )
        # Skip rows of empty cells, which spreadsheets leave below a table.
        numbered = f"SELECT *, row_number() OVER () AS file_row FROM {reader}"
        return f"SELECT * FROM ({numbered}) WHERE concat(*COLUMNS(* EXCLUDE file_row)) <> ''"
    reader = f"read_json({file}, columns = {{{kinds}}}, format = 'newline_delimited')"
    return f"SELECT *, row_number() OVER () AS file_row FROM {reader}"
