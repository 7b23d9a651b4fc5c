"""Land one delivery of a bill: read its files, convert them and write landed Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb

from orchestration.settings import BillingExport
from orchestration.sources.billing import landed
from orchestration.sources.billing.charge_files import (
    choose_files,
    landed_charges,
    read_raw_files,
    write_charges,
)
from orchestration.sources.billing.chunks import copied_files, restated_files
from orchestration.sources.billing.days import make_days, write_days
from orchestration.sources.billing.empty_columns import empty_column_notes, part_of
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import CURRENCY, Family
from orchestration.sources.billing.formats.detection import read_as
from orchestration.sources.billing.formats.files import (
    DataFile,
    known_columns,
    open_data_file,
)
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.manifest import Delivery
from orchestration.sources.billing.required_costs import reject_missing_costs
from orchestration.sources.billing.source_totals import ColumnReport, left_out
from orchestration.sources.billing.unclear_texts import reject_control_characters
from orchestration.sources.landing.notes import Note, assumed_encoding, write_notes
from orchestration.sources.locations import Location
from orchestration.warehouse.files import replacing
from orchestration.warehouse.sql import literal


def connect(work: Path, threads: int = 0, memory_limit: str = "") -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB in UTC that may spill into `work`."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "temp_directory": str(work)})
    connection.execute("SET enable_progress_bar = false")  # it would overwrite the run's own progress bar
    connection.execute("set TimeZone = 'UTC'")
    if threads:
        connection.execute(f"set threads = {int(threads)}")
    if memory_limit:
        connection.execute(f"set memory_limit = {literal(memory_limit)}")
    return connection


def open_files(
    connection: duckdb.DuckDBPyConnection, location: Location, delivery: Delivery, work: Path
) -> list[DataFile]:
    """Fetch a delivery's files and read their headers."""
    return [
        open_data_file(
            connection, stored.key, location.describe(stored.key), location.fetch(stored.key, work), work
        )
        for stored in delivery.files
    ]


def group_files(
    connection: duckdb.DuckDBPyConnection, files: list[DataFile], export: BillingExport, delivery: Delivery
) -> list[tuple[Reading, list[DataFile]]]:
    """Files with the same columns, grouped, each group with how to read it."""
    groups: dict[object, list[DataFile]] = {}
    for file in files:
        groups.setdefault((file.kind, file.columns), []).append(file)
    readings = [
        (
            read_as(
                replace(group[0], columns=known_columns(connection, group)),
                export.format,
                delivery.legacy,
                delivery.month,
                export.billing_currency,
            ),
            group,
        )
        for group in groups.values()
    ]
    families = {reading.family for reading, _ in readings}
    if len(families) > 1:
        raise BillingError(
            f"{files[0].shown}: the files of one delivery are in different formats: {families}"
        )
    return readings


def land_delivery(
    connection: duckdb.DuckDBPyConnection,
    landing: Path,
    export: BillingExport,
    delivery: Delivery,
    version: str,
    files: list[DataFile],
    work: Path,
    require_unchanged: Callable[[], None],
) -> ColumnReport:
    """Replace a landed delivery, but for the files of charges whose days are unchanged.

    `work` is an empty folder on the same disk. `require_unchanged` is called after reading and raises if the
    delivery has changed meanwhile. Raises `BillingError` for unreadable content; nothing is replaced then.
    """
    groups = group_files(connection, files, export, delivery)
    raw = read_raw_files(connection, groups)
    family = groups[0][0].family
    folder = landed.charges_folder(landing, family, export.name, delivery.name)
    days = landed.days_file(landing, export.name, delivery.name)
    may_be_copies = delivery.kind == "file" and len(files) > 1
    is_comparable = not may_be_copies and landed.made_by(landing, export.name, delivery.name) == raw.sql
    chosen = choose_files(connection, folder, days if is_comparable else None)
    shown = {file.key: file.shown for file in files}
    copies: dict[str, str] = {}
    restated: list[Note] = []
    written = write_charges(connection, raw, chosen, work / "charges")
    if may_be_copies:
        copies = copied_files(connection, landed_charges(written.values(), family), family, files)
        restated = restated_files(connection, files, copies)
    if copies:
        files = [file for file in files if file.key not in copies]
        groups = group_files(connection, files, export, delivery)
        raw = read_raw_files(connection, groups)
        chosen = choose_files(connection, folder, None)
        written = write_charges(connection, raw, chosen, work / "charges_once")
    with replacing(days) as new_days:
        new = landed_charges(written.values(), family)
        every = landed_charges([*written.values(), *(folder / name for name in chosen.kept)], family)
        known = days if chosen.kept else None
        make_days(connection, new, every, known, chosen, family)
        write_days(connection, new_days, family, version, delivery, raw.sql)
        _reject_gaps(connection, new, new_days, family, files, export)
        present = frozenset[str]().union(*(reading.present for reading, _ in groups))
        reject_missing_costs(connection, every, family, present, files)
        reject_control_characters(connection, new, family, raw.report.unchecked_maps, files)
        require_unchanged()
        notes = empty_column_notes(connection, family, export.name, delivery.name)
        notes += [*raw.report.notes, *restated, *left_out(raw.report, f"{export.name}/{delivery.name}")]
        notes += [assumed_encoding(file.shown) for file in files if file.encoding == "windows-1252"]
        notes += [
            Note(
                "bill-counted-once",
                f"{shown[copy]}: has the content of {shown[first]}, which counts once",
                "note",
            )
            for copy, first in copies.items()
        ]
        write_notes(landing, "billing", notes, part_of(export.name, delivery.name))
        landed.replace_delivery(folder, days, chosen.kept, written, new_days)
    for other in landed.FAMILIES:
        if other != family:
            shutil.rmtree(
                landed.charges_folder(landing, other, export.name, delivery.name), ignore_errors=True
            )
    return raw.report


def _reject_gaps(
    connection: duckdb.DuckDBPyConnection,
    charges: str,
    new_days: Path,
    family: Family,
    files: list[DataFile],
    export: BillingExport,
) -> None:
    """Reject charges without month, day or currency code, and rows lost during conversion."""
    needed = {
        "billing_period": "billing month; the file must give the start of the billing period",
        "usage_date": "usage day; the file must give the start of the charge",
        CURRENCY[family]: f"currency; set billing_currency of the export {export.name}",
    }
    for name, advice in needed.items():
        rows = connection.execute(
            f"select landed_file, landed_row from {charges} where {name} is null order by all limit 1"
        ).fetchall()
        if rows:
            shown = next(file.shown for file in files if file.key == rows[0][0])
            raise BillingError(f"{shown}: data row {rows[0][1]} has no {advice}")
    odd = connection.execute(
        f"select landed_file, landed_row, {CURRENCY[family]} from {charges} "
        f"where not regexp_full_match({CURRENCY[family]}, '[A-Z]{{3}}') order by all limit 1"
    ).fetchall()
    if odd:
        shown = next(file.shown for file in files if file.key == odd[0][0])
        raise BillingError(
            f"{shown}: data row {odd[0][1]}: the billing currency {odd[0][2]!r} is not a code of three "
            "letters such as USD, and would be a currency of its own; correct the file and deliver it again"
        )
    lost = connection.execute(
        f"select usage_date from read_parquet({literal(new_days)}) where fingerprint is null limit 1"
    ).fetchall()
    if lost:
        raise BillingError(
            f"{files[0].shown}: the rows of {lost[0][0]} that were landed are not those of the file; "
            "it changed while it was read: run again"
        )
