"""Files without a manifest, as deliveries: the chunks of one report together, every other file on its own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from orchestration.sources.billing.manifest import DATA_FILE_ENDINGS, Delivery, content_version
from orchestration.sources.locations import StoredObject

# `report-00001.csv.gz`, `part-00000-<id>.snappy.parquet`, `part_0_0001.csv`.
_CHUNK = re.compile(
    r"(?P<start>.*?)(?P<numbers>(?:[-_.]\d+)+)(?P<end>(?:[-_.][0-9a-fA-F]{8}-.*|\.snappy|\.c000)*)"
)
_DATE = re.compile(r"(?:^|\D)(?:19|20)\d\d[-_.]?(?:\d\d[-_.]?){0,2}$")


def bare_deliveries(files: Iterable[StoredObject]) -> list[Delivery]:
    """Deliveries of files without a manifest; each is replaced as a whole if one of its files changes.

    Files of a folder whose names differ only by a chunk number are one report and read together (a pod in one
    chunk, its node in another). Numbers that are part of a date are not chunk numbers.
    """
    groups: dict[tuple[str, bool], list[StoredObject]] = {}
    for stored in files:
        report = _report_of(stored.key)
        groups.setdefault((report or stored.key, report is not None), []).append(stored)
    return [_delivery(name, group) for (name, _), group in groups.items()]


def _report_of(key: str) -> str | None:
    """The key without the chunk number; None if the file is not a chunk."""
    ending = next(ending for ending in DATA_FILE_ENDINGS if key.lower().endswith(ending))
    folder, slash, name = key.rpartition("/")
    chunk = _CHUNK.fullmatch(name[: -len(ending)])
    if chunk is None or _DATE.search(chunk["start"] + chunk["numbers"]):
        return None
    return f"{folder}{slash}{chunk['start']}{chunk['end']}{ending}"


def _delivery(name: str, files: list[StoredObject]) -> Delivery:
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").lower()[-60:]
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    files = sorted(files, key=lambda stored: stored.key)
    whole = files if len(files) > 1 else ()
    return Delivery(
        name=f"file.{slug}-{digest}",
        kind="file",
        month=None,
        files=tuple(files),
        version=content_version(
            *(f"{stored.key}:" if whole else "" for stored in whole), *(f.version for f in files)
        ),
        described_by=files[0].key,
    )
