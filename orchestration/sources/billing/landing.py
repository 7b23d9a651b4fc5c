"""Land bills: compare what the sources contain with what has landed, and land the difference.

A delivery (one report and month, or one file without a manifest) is replaced as a whole: first its charges,
then the days, which carry the version. A run killed in between lands it again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal

from orchestration.settings import BillingExport
from orchestration.sources.billing import landed
from orchestration.sources.billing.counting import count_once, is_still_a_copy
from orchestration.sources.billing.delivery import connect, land_delivery, open_files
from orchestration.sources.billing.discovery import FoundBills, OpenLocation, discover_months, find_bills
from orchestration.sources.billing.errors import BillingError, OtherDatasetError
from orchestration.sources.billing.landed import ensure_landing
from orchestration.sources.billing.manifest import DATA_FILE_ENDINGS, Delivery
from orchestration.sources.billing.source_totals import ColumnReport
from orchestration.sources.landing.notes import Note, Severity, write_notes
from orchestration.sources.locations import LocationError

__all__ = [
    "BillingError",
    "BillingLanding",
    "DeliveryResult",
    "FoundBills",
    "discover_months",
    "ensure_landing",
    "find_bills",
    "land_billing",
]

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class DeliveryResult:
    """Result of one delivery.

    `billed_cost` is the sum in the source files per billing currency; `changed_days` are the usage days whose
    charges changed; `unused_columns` are columns that are not read, with the number of values, and
    `new_columns` those missing from the provider's documentation; `new_column_spend` is the billed amount of
    rows with a value in a new column, per currency; `cut_digits` is what rounding to twelve digits took from
    `billed_cost`, per currency, and in how many rows.
    """

    source_name: str
    delivery: str
    status: Literal["landed", "unchanged", "removed"]
    family: str
    months: tuple[str, ...]
    row_count: int
    day_count: int
    billed_cost: dict[str, Decimal]
    version: str
    described_by: str
    changed_days: tuple[date, ...] = ()
    unused_columns: dict[str, int] = field(default_factory=dict)
    new_columns: dict[str, int] = field(default_factory=dict)
    new_column_spend: dict[str, dict[str, Decimal]] = field(default_factory=dict)
    repeated_columns: tuple[str, ...] = ()
    cut_digits: dict[str, tuple[Decimal, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class BillingLanding:
    """Result of landing bills. `overlaps` describe months of an account that several deliveries have, whose
    charges count twice, or may; `notes` describe what the locations contain but is not read.
    """

    deliveries: tuple[DeliveryResult, ...]
    overlaps: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def changed_days(self) -> tuple[date, ...]:
        """Usage days whose charges changed in any delivery."""
        return tuple(sorted({day for result in self.deliveries for day in result.changed_days}))


def land_billing(
    exports: Iterable[BillingExport],
    open_location: OpenLocation,
    landing: Path,
    months: set[str] | None = None,
    on_progress: Progress | None = None,
    threads: int = 0,
    memory_limit: str = "",
    overlaps: Literal["refuse", "count"] = "refuse",
) -> BillingLanding:
    """Land what has changed since the last time; not reentrant.

    `months` (YYYY-MM) restricts the reports, None means all; files without a manifest are always included.
    `on_progress` receives what is being landed, how many deliveries are done, and their total. `overlaps`
    says whether charges in two deliveries are rejected or count twice.

    Raises `BillingError` at the first bill that cannot be landed, and for charges that would count twice.
    Deliveries before it have landed completely; it and later ones stay as they were.
    """
    exports = list(exports)
    ensure_landing(landing)
    for folder_of_killed in (landing / "billing").glob(".work-*"):
        shutil.rmtree(folder_of_killed, ignore_errors=True)
    found = [find_bills(export, open_location) for export in exports]
    for bills in found:
        _require_not_empty(bills, landing)
    wanted = [
        (bills, delivery)
        for bills in found
        for delivery in bills.deliveries
        if months is None or delivery.month is None or delivery.month in months
    ]
    states = {bills.export.name: landed.landed_deliveries(landing, bills.export.name) for bills in found}
    left = [note for bills in found for note in bills.notes]
    results: list[DeliveryResult] = []
    for bills in found:
        results.extend(_remove_vanished(bills, states[bills.export.name], landing))
    # Copies last: whether they still are copies is known once the others have landed.
    copied = {(export, name) for export in states for name, state in states[export].items() if state.same_as}
    wanted.sort(key=lambda one: (one[0].export.name, one[1].name) in copied)
    for done, (bills, delivery) in enumerate(wanted):
        if on_progress:
            on_progress(f"{bills.export.name}: {delivery.name}", done, len(wanted))
        version = bills.version(delivery)
        state = states[bills.export.name].get(delivery.name)
        if state is not None and state.version == version and is_still_a_copy(landing, state.same_as):
            results.append(_result(landing, bills, delivery, "unchanged", state.family))
            continue
        before = landed.landed_days(landing, bills.export.name, delivery.name)
        with tempfile.TemporaryDirectory(prefix=".work-", dir=landing / "billing") as folder:
            try:
                report = _land(landing, bills, delivery, version, Path(folder), threads, memory_limit)
            except OtherDatasetError as error:
                left.append(str(error))
                continue
        results.append(_result(landing, bills, delivery, "landed", None, before, report))
    if on_progress:
        on_progress("billing", len(wanted), len(wanted))
    shown = {
        (bills.export.name, delivery.name): bills.location.describe(delivery.described_by)
        for bills in found
        for delivery in bills.deliveries
    }
    counted = count_once(landing, [export.name for export in exports], shown, overlaps)
    notes = [Note("bill-not-read", note, "note") for note in left]
    notes += [
        Note(
            "file-not-read",
            f"{place}: is not read; bills are CSV or Parquet, named {', '.join(DATA_FILE_ENDINGS)}; "
            "save it so, or name it in the export's ignore (settings.yml) if it is not a bill",
            subject=place,
            place=place,
        )
        for bills in found
        for place in bills.unknown
    ]
    notes += [Note("bill-counted-once", note, "note") for note in counted.notes]
    notes += [
        Note(
            "export-not-in-settings",
            f"{landing / 'billing'}: charges of the export {source} still count, though the settings do not "
            f"name it any more; take its folders source_name={source} away if they should not",
        )
        for source in sorted(landed.landed_sources(landing) - {export.name for export in exports})
    ]
    later = sorted(
        {
            delivery.month
            for bills in found
            for delivery in bills.deliveries
            if months is not None
            and delivery.month is not None
            and delivery.month not in months
            and delivery.name not in states[bills.export.name]
        }
    )
    if later:
        message = f"bills of {', '.join(later)} have not landed: no run was for these months"
        notes.append(Note("bill-not-landed", message, "note"))
    twice = [Note("billed-twice", overlap) for overlap in counted.overlaps]
    severity: Severity = "error" if overlaps == "refuse" else "warning"
    twice += [Note("bill-restated", overlap, severity) for overlap in counted.restated]
    write_notes(landing, "billing", [*notes, *twice], "landing")
    return BillingLanding(
        tuple(results), (*counted.overlaps, *counted.restated), tuple(note.message for note in notes)
    )


def _land(
    landing: Path,
    bills: FoundBills,
    delivery: Delivery,
    version: str,
    work: Path,
    threads: int,
    memory_limit: str,
) -> ColumnReport:
    with connect(work, threads, memory_limit) as connection:
        try:
            files = open_files(connection, bills.location, delivery, work)
            return land_delivery(
                connection,
                landing,
                bills.export,
                delivery,
                version,
                files,
                work,
                lambda: _require_unchanged(bills, delivery),
            )
        except LocationError as error:
            raise BillingError(f"billing export {bills.export.name}: {error}") from error


def _require_unchanged(bills: FoundBills, delivery: Delivery) -> None:
    """A report that AWS overwrites can change while it is read, which would mix two versions."""
    start = os.path.commonprefix([stored.key for stored in delivery.files])  # noqa: RUF071 (of the text)
    now = {stored.key: stored.version for stored in bills.location.list(start)}
    changed = [stored.key for stored in delivery.files if now.get(stored.key) != stored.version]
    if changed:
        raise BillingError(
            f"{bills.location.describe(changed[0])}: was delivered again while it was read"
            + (f" (and {len(changed) - 1} more)" if len(changed) > 1 else "")
            + "; nothing of this delivery was landed: run again when the new one is complete"
        )


def _require_not_empty(bills: FoundBills, landing: Path) -> None:
    """An emptied location is more likely a wrong setting than the end of all bills."""
    state = landed.landed_deliveries(landing, bills.export.name)
    if state and not bills.deliveries:
        raise BillingError(
            f"billing export {bills.export.name}: nothing found at {bills.location.describe()}, though "
            f"{len(state)} deliveries have landed from there; correct the location, or remove the export "
            "from the settings. Nothing was removed"
        )


def _remove_vanished(
    bills: FoundBills, state: dict[str, landed.LandedDelivery], landing: Path
) -> list[DeliveryResult]:
    """Remove what was landed from files without a manifest that no longer exist.

    Reports stay: buckets expire old months, which have not become free of charge.
    """
    present = {delivery.name for delivery in bills.deliveries}
    for delivery in landed.unfinished_deliveries(landing, bills.export.name) - present:
        landed.remove_delivery(landing, bills.export.name, delivery)
    removed: list[DeliveryResult] = []
    for delivery, known in state.items():
        if delivery not in bills.ignored and (known.kind != "file" or delivery in present):
            continue
        days = landed.landed_days(landing, bills.export.name, delivery)
        landed.remove_delivery(landing, bills.export.name, delivery)
        removed.append(
            DeliveryResult(
                source_name=bills.export.name,
                delivery=delivery,
                status="removed",
                family=known.family,
                months=known.months,
                row_count=0,
                day_count=0,
                billed_cost={},
                version=known.version,
                described_by=bills.location.describe(),
                changed_days=tuple(sorted({day.usage_date for day in days})),
            )
        )
    return removed


def _result(
    landing: Path,
    bills: FoundBills,
    delivery: Delivery,
    status: Literal["landed", "unchanged"],
    family: str | None,
    before: list[landed.Day] | None = None,
    report: ColumnReport | None = None,
) -> DeliveryResult:
    days = landed.landed_days(landing, bills.export.name, delivery.name)
    state = landed.landed_deliveries(landing, bills.export.name)[delivery.name] if family is None else None
    billed: dict[str, Decimal] = {}
    for day in days:
        billed[day.billing_currency] = billed.get(day.billing_currency, Decimal(0)) + (
            day.source_billed_cost or Decimal(0)
        )
    changed = set(before or ()) ^ set(days) if before is not None else set()
    report = report or ColumnReport()
    return DeliveryResult(
        source_name=bills.export.name,
        delivery=delivery.name,
        status=status,
        family=family or (state.family if state else ""),
        months=tuple(sorted({day.billing_period for day in days}))
        or ((delivery.month,) if delivery.month else ()),
        row_count=sum(day.row_count for day in days),
        day_count=len(days),
        billed_cost=billed,
        version=bills.version(delivery),
        described_by=bills.location.describe(delivery.described_by),
        changed_days=tuple(sorted({day.usage_date for day in changed})),
        unused_columns=report.unused,
        new_columns=report.new,
        new_column_spend=report.new_spend,
        repeated_columns=tuple(sorted(report.repeated)),
        cut_digits=report.cut,
    )
