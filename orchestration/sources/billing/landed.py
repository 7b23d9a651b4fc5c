"""Landed bills: file names, state, and atomic changes."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb

from orchestration.settings import Settings
from orchestration.sources.billing.empty_columns import part_of
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats.columns import DAYS, Family, charges_schema
from orchestration.sources.billing.formats.reading import empty_charges
from orchestration.sources.landing.notes import write_notes
from orchestration.sources.landing.parquet import file_notes, read_landed
from orchestration.warehouse.files import commit, make_folder, replacing, sync
from orchestration.warehouse.sql import literal, quoted

FAMILIES: tuple[Family, ...] = ("aws_cur", "focus")
_NONE = "none"


@dataclass(frozen=True)
class LandedDelivery:
    """A delivery in the landing folder."""

    family: str
    version: str
    kind: str  # 'manifest' or 'file'
    months: tuple[str, ...]
    same_as: str | None = None  # export/delivery/version with the same content, which counts instead


@dataclass(frozen=True)
class Day:
    """One row of `days.parquet` without its version."""

    billing_period: str
    billing_currency: str
    usage_date: date
    row_count: int
    fingerprint: str
    source_billed_cost: Decimal | None


def charges_folder(landing: Path, family: str, source: str, delivery: str) -> Path:
    """Folder of the Parquet files of a delivery's charges."""
    return landing / "billing" / family / f"source_name={source}" / f"delivery={delivery}"


def days_file(landing: Path, source: str, delivery: str) -> Path:
    """File of a delivery's days; written last, so it marks the charges as complete."""
    return landing / "billing" / "days" / f"source_name={source}" / f"delivery={delivery}" / "days.parquet"


def ensure_landing(landing: Path) -> None:
    """Write files without rows, so that readers find every column before any bill has landed."""
    with duckdb.connect() as connection:
        for family in FAMILIES:
            path = charges_folder(landing, family, _NONE, _NONE) / "charges.parquet"
            _ensure(connection, path, empty_charges(family), set(charges_schema(family)))
        columns = ", ".join(f"null::{kind} as {quoted(name)}" for name, kind in DAYS.items())
        _ensure(connection, days_file(landing, _NONE, _NONE), f"select {columns} where false", set(DAYS))


def _ensure(connection: duckdb.DuckDBPyConnection, path: Path, query: str, columns: set[str]) -> None:
    if path.exists():
        rows = connection.execute("select name from parquet_schema(?)", [str(path)]).fetchall()
        if columns <= {name for (name,) in rows}:
            return
    with replacing(path) as temporary:
        connection.execute(f"copy ({query}) to {literal(temporary)} (format parquet)").fetchall()


def landed_deliveries(landing: Path, source: str) -> dict[str, LandedDelivery]:
    """The committed deliveries of one export, by name."""
    folder = days_file(landing, source, "*").parent.parent
    found = {
        path.parent.name.removeprefix("delivery="): path for path in folder.glob("delivery=*/days.parquet")
    }
    return {
        delivery: LandedDelivery(
            family=note["family"],
            version=note["version"],
            kind=note["kind"],
            months=tuple(note["months"].split()),
            same_as=note.get("same_as"),
        )
        for delivery, path in sorted(found.items())
        if {"family", "version", "kind", "months"} <= (note := file_notes(path)).keys()
    }


def unfinished_deliveries(landing: Path, source: str) -> set[str]:
    """Deliveries with charges but no days: a run was killed in between."""
    return {
        path.parent.name.removeprefix("delivery=")
        for family in FAMILIES
        for path in charges_folder(landing, family, source, "*").parent.glob("delivery=*/*.parquet")
        if not days_file(landing, source, path.parent.name.removeprefix("delivery=")).exists()
    }


def made_by(landing: Path, source: str, delivery: str) -> str | None:
    """What the charges of a committed delivery were made by (`RawFiles.sql`), if it is known."""
    path = days_file(landing, source, delivery)
    return file_notes(path).get("made_by") if path.exists() else None


def replace_delivery(
    charges: Path, days: Path, kept: Collection[str], new_charges: Mapping[str, Path], new_days: Path
) -> None:
    """Replace the files in the folder `charges` that are not kept, and the days.

    The days are gone meanwhile: after a kill the delivery counts as not landed, and lands again.
    """
    old = {path.name for path in charges.glob("*.parquet")}
    if old and (kept or len(old | new_charges.keys()) > 1):
        days.unlink(missing_ok=True)
        sync(days.parent)
    make_folder(charges)
    for name, path in new_charges.items():
        commit(path, charges / name)
    for name in old - new_charges.keys() - set(kept):
        (charges / name).unlink()
    sync(charges)
    commit(new_days, days)
    sync(days.parent)


def landed_sources(landing: Path) -> set[str]:
    """Exports that have landed data."""
    found = (landing / "billing" / "days").glob("source_name=*/delivery=*/days.parquet")
    return {path.parent.parent.name.removeprefix("source_name=") for path in found} - {_NONE}


def require_bills(settings: Settings) -> None:
    """Raise `BillingError` before the first bill has landed: there is nothing to compute."""
    if not landed_sources(settings.landing_folder):
        places = ", ".join(export.location for export in settings.exports)
        raise BillingError(
            f"No bill has landed yet. Materialize landing/billing_days for the months to read from {places}, "
            "or everything (cpc run, or Materialize all)."
        )


def landed_days(landing: Path, source: str, delivery: str) -> list[Day]:
    """Days of a committed delivery; none if it has not landed."""
    path = days_file(landing, source, delivery)
    if not path.exists():
        return []
    columns = [field.name for field in fields(Day)]
    rows = read_landed(path, columns).to_pylist()
    return [Day(**row) for row in sorted(rows, key=lambda row: [str(row[name]) for name in columns[:3]])]


def mark_copy(landing: Path, copy: tuple[str, str], same_as: tuple[str, str]) -> None:
    """Stop counting a delivery whose content another one has: it is kept without rows."""
    path = days_file(landing, *copy)
    known = landed_deliveries(landing, copy[0])[copy[1]]
    notes = {
        "family": known.family,
        "version": known.version,
        "kind": known.kind,
        "months": " ".join(known.months),
        "same_as": "/".join((*same_as, landed_deliveries(landing, same_as[0])[same_as[1]].version)),
    }
    shown = ", ".join(f"{key}: {literal(value)}" for key, value in notes.items())
    with replacing(path) as temporary, duckdb.connect() as connection:
        connection.execute(
            f"copy (select * from read_parquet({literal(path)}, hive_partitioning = false) where false) "
            f"to {literal(temporary)} (format parquet, kv_metadata {{{shown}}})"
        ).fetchall()
    shutil.rmtree(charges_folder(landing, known.family, *copy), ignore_errors=True)


def remove_delivery(landing: Path, source: str, delivery: str) -> None:
    """Remove a delivery; the days go last, so a killed removal is detected and completed."""
    write_notes(landing, "billing", [], part_of(source, delivery))
    for family in FAMILIES:
        shutil.rmtree(charges_folder(landing, family, source, delivery), ignore_errors=True)
    shutil.rmtree(days_file(landing, source, delivery).parent, ignore_errors=True)
