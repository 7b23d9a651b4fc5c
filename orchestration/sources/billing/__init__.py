"""Bills: find the files that form the current bill, and land them as charges in fixed columns."""

from __future__ import annotations

from orchestration.settings import Settings
from orchestration.sources.billing.azure_export import find_runs, without_runs
from orchestration.sources.billing.manifest import read_listing
from orchestration.sources.locations import StoredObject
from orchestration.sources.source import Check, OpenLocation, Source, Table, listing_digest


def _arrivals(settings: Settings, open_location: OpenLocation) -> dict[str, str]:
    """A delivery arrives with its manifest: `bill <export> <month>`; without one: `bill <export> files`."""
    arrived = {}
    for export in settings.exports:
        objects = list(open_location(export.location).list())
        runs = find_runs(objects)
        listing = read_listing(without_runs(objects, runs))
        manifests: dict[str, list[StoredObject]] = {}
        for manifest in listing.manifests:
            manifests.setdefault(manifest.month, []).append(manifest.stored)
        for run in runs:
            manifests.setdefault(run.month or run.dates, []).append(run.stored)
        for period, stored in manifests.items():
            arrived[f"bill {export.name} {period}"] = listing_digest(stored)
        if listing.bare_files:
            arrived[f"bill {export.name} files"] = listing_digest(listing.bare_files)
    return arrived


BILLING = Source(
    name="billing",
    label="bills",
    module="orchestration.sources.billing.summary",
    tables=(
        Table("aws_cur_charges", "One row per line of an AWS CUR (legacy or 2.0), as the file says it."),
        Table("focus_charges", "One row per charge of a FOCUS export, as the file says it."),
        Table(
            "billing_days",
            "One row per delivery, billing month, currency and usage day: rows, billed cost summed from the "
            "source files, and a fingerprint that changes when a charge does.",
        ),
    ),
    check=Check(
        "billed_once",
        table="billing_days",
        description="No charges are held by two deliveries and count twice.",
    ),
    locations=lambda settings: tuple(export.location for export in settings.exports),
    arrivals=_arrivals,
    by_month=True,
)
