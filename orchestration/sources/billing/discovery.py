"""What the sources contain now: each export's deliveries and their months."""

from __future__ import annotations

import fnmatch
import hashlib
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from orchestration.settings import BillingExport
from orchestration.sources.billing import azure_export, landed
from orchestration.sources.billing.bare_files import bare_deliveries
from orchestration.sources.billing.delivery import connect, group_files, open_files
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats import complaints
from orchestration.sources.billing.formats.files import relation
from orchestration.sources.billing.manifest import Delivery, read_listing, read_manifest
from orchestration.sources.locations import Location, LocationError

# Increase when the same files would land differently; everything lands again then.
LANDING_VERSION = 9

OpenLocation = Callable[[str], Location]


@dataclass(frozen=True)
class FoundBills:
    """Content of one export's location: the current deliveries, and what is not read."""

    export: BillingExport
    location: Location
    deliveries: tuple[Delivery, ...]
    notes: tuple[str, ...]
    ignored: frozenset[str] = frozenset()  # reports ignored by the settings
    unknown: tuple[str, ...] = ()  # tables in a form that is not read

    def version(self, delivery: Delivery) -> str:
        """What a delivery's landing depends on: its files, the export's settings, this code."""
        parts = (
            delivery.version,
            self.export.format,
            self.export.billing_currency or "",
            str(LANDING_VERSION),
        )
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def find_bills(export: BillingExport, open_location: OpenLocation) -> FoundBills:
    """List one export's location and read its current manifests, but no data files.

    Raises `BillingError` if the location cannot be read or a manifest is invalid.
    """
    try:
        location = open_location(export.location)
        objects = {stored.key: stored for stored in location.list()}
        runs = azure_export.find_runs(objects.values())
        listing = read_listing(azure_export.without_runs(objects.values(), runs))
        deliveries, azure_notes = azure_export.current_deliveries(
            [(run, location.read(run.stored.key)) for run in runs], objects, location.describe
        )
        notes = [f"{location.describe()}: {note}" for note in listing.notes] + azure_notes
        for manifest in listing.manifests:
            text = location.read(manifest.stored.key)
            delivery = read_manifest(manifest, text, objects, location.bucket, location.prefix)
            if delivery is None:
                notes.append(f"{location.describe(manifest.stored.key)}: not read, the export is not a bill")
            else:
                deliveries.append(delivery)
                notes.extend(delivery.notes)
    except LocationError as error:
        raise BillingError(f"billing export {export.name}: {error}") from error
    by_name: dict[str, Delivery] = {}
    for delivery in deliveries:
        other = by_name.setdefault(delivery.name, delivery)
        if other is not delivery:
            raise BillingError(
                f"{location.describe(delivery.described_by)}: another report of the same name has its "
                f"manifest at {location.describe(other.described_by)}; give each its own billing export, "
                "with a location that holds only that report"
            )
    deliveries.extend(bare_deliveries(f for f in listing.bare_files if not _is_ignored(export, f.key)))
    ignored = {delivery.name for delivery in deliveries if _is_ignored(export, delivery.described_by)}
    counted = tuple(delivery for delivery in deliveries if delivery.name not in ignored)
    unknown = tuple(location.describe(key) for key in listing.unknown if not _is_ignored(export, key))
    return FoundBills(export, location, counted, tuple(notes), frozenset(ignored), unknown)


def _is_ignored(export: BillingExport, key: str) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in export.ignore)


def discover_months(
    exports: Iterable[BillingExport], open_location: OpenLocation, landing: Path
) -> list[str]:
    """The billing months (YYYY-MM) in the sources, sorted.

    Manifests name theirs; for a file without one they come from its landed days or, if it is new, from its
    billing period column.
    """
    months: set[str] = set()
    for export in exports:
        bills = find_bills(export, open_location)
        state = landed.landed_deliveries(landing, export.name)
        for delivery in bills.deliveries:
            known = state.get(delivery.name)
            if delivery.month:
                months.add(delivery.month)
            elif known is not None and known.version == bills.version(delivery):
                months.update(known.months)
            else:
                months.update(_months_of_file(bills, delivery))
    return sorted(months)


def _months_of_file(bills: FoundBills, delivery: Delivery) -> set[str]:
    with tempfile.TemporaryDirectory() as folder, connect(Path(folder)) as connection:
        try:
            files = open_files(connection, bills.location, delivery, Path(folder))
        except LocationError as error:
            raise BillingError(f"billing export {bills.export.name}: {error}") from error
        months: set[str] = set()
        for reading, group in group_files(connection, files, bills.export, delivery):
            months_of_rows = f"select distinct t_month from {reading.times.named(relation(group))}"
            query = f"select strftime(t_month, '%Y-%m') from ({months_of_rows})"
            try:
                found = connection.execute(query).fetchall()
            except duckdb.Error as error:
                raise complaints.explain(connection, [(reading, group)], error) from error
            months.update(month for (month,) in found if month)
    return months
