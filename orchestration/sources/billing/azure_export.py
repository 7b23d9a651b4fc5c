"""Which run of an Azure Cost Management export is the bill now: pure functions, as `manifest` is for AWS.

Each run writes the whole month to date, into its own folder or over the last one, and finally a
`manifest.json` that names its files: `<folder>/<export>/YYYYMMDD-YYYYMMDD/[<run>/]manifest.json`. The latest
run of a range of dates is the bill of these dates; reading every run would count the month many times.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.manifest import Delivery, content_version, safe_name
from orchestration.sources.locations import StoredObject

_RUN = re.compile(
    r"(?P<root>(?:.*/)?(?P<name>[^/]+)/)(?P<dates>\d{8}-\d{8})/(?:.+/)?manifest\.json", re.IGNORECASE
)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")  # sorts like the times
_DATES = re.compile(r"\d{8}-\d{8}/.+")


@dataclass(frozen=True)
class Run:
    """One run of an export, identified by its manifest in a listing; `root` ends in `/`."""

    root: str
    name: str
    dates: str  # YYYYMMDD-YYYYMMDD, inclusive
    stored: StoredObject

    @property
    def month(self) -> str | None:
        """The month (YYYY-MM) that contains the dates; None if they span several."""
        first, last = self.dates[:6], self.dates[9:15]
        return f"{first[:4]}-{first[4:]}" if first == last else None


def find_runs(objects: Iterable[StoredObject]) -> list[Run]:
    """Runs of every export that have a manifest."""
    found = ((stored, _RUN.fullmatch(stored.key)) for stored in objects)
    return [Run(match["root"], match["name"], match["dates"], stored) for stored, match in found if match]


def without_runs(objects: Iterable[StoredObject], runs: Iterable[Run]) -> list[StoredObject]:
    """Objects that belong to no export run, finished or not."""
    roots = {run.root for run in runs}
    return [
        stored
        for stored in objects
        if not any(
            stored.key.startswith(root) and _DATES.fullmatch(stored.key.removeprefix(root)) for root in roots
        )
    ]


def current_deliveries(
    runs: Iterable[tuple[Run, bytes]],
    objects: Mapping[str, StoredObject],
    describe: Callable[[str], str],
) -> tuple[list[Delivery], list[str]]:
    """The delivery of each export and date range, from its last run, and notes on what is not read.

    `runs` have their manifests' text, `objects` is the listing by key, `describe` gives a key's full name.
    Raises `BillingError` for an unreadable manifest, and if the last run names a file that does not exist or
    is not its own.
    """
    latest: dict[tuple[str, str], tuple[str, Run, dict[str, Any]]] = {}
    for run, text in runs:
        content = _content(text, describe(run.stored.key))
        # In a copied container, file times are those of the copy, so use the manifest's own time.
        submitted = str(content["runInfo"]["submittedTime"])
        known = latest.get((run.root, run.dates))
        if known is None or known[0] < submitted:
            latest[run.root, run.dates] = submitted, run, content
    deliveries: list[Delivery] = []
    notes: list[str] = []
    for submitted, run, content in latest.values():
        where = describe(run.stored.key)
        dataset = content["exportConfig"]["type"]
        if dataset != "FocusCost":
            notes.append(
                f"{where}: not read, the export is of {dataset}; the bill in FOCUS is an export of FocusCost"
            )
            continue
        files = tuple(_file(run, blob, objects, where) for blob in content["blobs"])
        if not files:
            raise BillingError(f"{where}: names no data file; run the export again")
        if len(set(files)) < len(files):
            raise BillingError(f"{where}: names the same file twice; its charges would count twice")
        parts = (submitted, run.stored.version, *(f"{file.key}:{file.version}" for file in files))
        deliveries.append(
            Delivery(
                name=f"{safe_name(run.name)}.{run.dates}",
                kind="manifest",
                month=run.month,
                files=files,
                version=content_version(*parts),
                described_by=run.stored.key,
            )
        )
    return deliveries, notes


def _content(text: bytes, where: str) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(text)
        _ = content["exportConfig"]["type"], [blob["blobName"].split("/") for blob in content["blobs"]]
        if not _TIME.match(content["runInfo"]["submittedTime"]):
            raise ValueError(f"submittedTime {content['runInfo']['submittedTime']!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BillingError(
            f"{where}: this is not a manifest as Azure writes it ({error!r}); run the export again"
        ) from error
    return content


def _file(run: Run, blob: Mapping[str, str], objects: Mapping[str, StoredObject], where: str) -> StoredObject:
    """The object named by a manifest's path in the container; the copy may start at any depth."""
    name = blob["blobName"]
    _, found, rest = name.partition(f"{run.name}/{run.dates}/")
    if not found or {"", ".", ".."} & set(rest.split("/")):
        raise BillingError(
            f"{where}: names {name}, which is outside of the export {run.name}/{run.dates}; rejected"
        )
    key = f"{run.root}{run.dates}/{rest}"
    if key not in objects:
        raise BillingError(f"{where}: names {name}, which does not exist; copy or run the export again")
    return objects[key]
