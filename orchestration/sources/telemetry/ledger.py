"""The ledger of batches: which content has been landed, from where, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

Status = Literal["loaded", "repeated", "superseded"]

SCHEMA = pa.schema(
    [
        ("batch_id", pa.string()),
        ("batch_location", pa.string()),
        ("object_version", pa.string()),
        ("object_time", pa.timestamp("us")),
        ("load_id", pa.string()),
        ("batch_sequence", pa.int64()),
        ("record_count", pa.int64()),
        ("quarantined_count", pa.int64()),
        ("usage_dates", pa.list_(pa.date32())),
        ("status", pa.string()),
        ("loaded_at", pa.timestamp("us")),
        ("settled", pa.bool_()),
    ]
)


@dataclass(frozen=True)
class Batch:
    """One line of the ledger: one content at one place.

    `loaded`: its records are landed. `repeated`: another place had the same content before, so nothing was
    landed for this one. `superseded`: the place now holds something else. `object_time` (when the object was
    written) and the place decide the order of operations; `batch_sequence` counts batches as they are landed.
    `settled` is false while landed files still have to follow this line. Times are UTC without zone.
    """

    batch_id: str
    batch_location: str
    object_version: str
    object_time: datetime
    load_id: str
    batch_sequence: int
    record_count: int
    quarantined_count: int
    usage_dates: tuple[date, ...]
    status: Status
    loaded_at: datetime
    settled: bool = True

    @property
    def live(self) -> bool:
        """Whether the place still holds this content, as far as known."""
        return self.status != "superseded"


@dataclass(frozen=True)
class Arrival:
    """An object unknown to the ledger in this version: place, version, time and content."""

    batch_location: str
    object_version: str
    object_time: datetime
    batch_id: str


@dataclass(frozen=True)
class LoadPlan:
    """What a load does: `ledger` is what is to be kept of the lines so far (already changed where they
    change), `to_land` the new contents in order of arrival, `repeats` places of content that is landed.
    `superseded` are the lines that lost their place.
    """

    ledger: tuple[Batch, ...]
    to_land: tuple[Arrival, ...]
    repeats: tuple[Arrival, ...]
    superseded: tuple[Batch, ...]
    unchanged: int


def plan_load(ledger: Iterable[Batch], arrivals: Iterable[Arrival]) -> LoadPlan:
    """Decide what the arrivals (in order of arrival, each place once) mean for the ledger.

    Batches whose place has disappeared still count: batches are cleaned up once loaded.
    """
    lines = list(ledger)
    at_place = {line.batch_location: number for number, line in enumerate(lines) if line.live}
    superseded: list[int] = []
    moved: list[Arrival] = []
    unchanged = 0
    for arrival in arrivals:
        number = at_place.get(arrival.batch_location)
        if number is not None and lines[number].batch_id == arrival.batch_id:
            lines[number] = replace(
                lines[number], object_version=arrival.object_version, object_time=arrival.object_time
            )
            unchanged += 1
            continue
        if number is not None:
            superseded.append(number)
        moved.append(arrival)

    former = {
        lines[number].batch_id: lines[number] for number in superseded if lines[number].status == "loaded"
    }
    for number in superseded:
        was_loaded = lines[number].status == "loaded"
        lines[number] = replace(lines[number], status="superseded", settled=not was_loaded)

    # Content stays landed as long as any place holds it.
    for number, line in enumerate(lines):
        if line.status == "repeated" and line.batch_id in former:
            lines[number] = _heir(former.pop(line.batch_id), line)
    landed = {line.batch_id for line in lines if line.status == "loaded"}
    to_land: list[Arrival] = []
    repeats: list[Arrival] = []
    for arrival in moved:
        if arrival.batch_id in former:
            lines.append(_heir(former.pop(arrival.batch_id), arrival))
        elif arrival.batch_id in landed:
            repeats.append(arrival)
        else:
            to_land.append(arrival)
        landed.add(arrival.batch_id)
    return LoadPlan(
        ledger=tuple(lines),
        to_land=tuple(to_land),
        repeats=tuple(repeats),
        superseded=tuple(lines[number] for number in superseded),
        unchanged=unchanged,
    )


def _heir(former: Batch, holder: Batch | Arrival) -> Batch:
    return replace(
        former,
        batch_location=holder.batch_location,
        object_version=holder.object_version,
        object_time=holder.object_time,
        status="loaded",
        settled=False,
    )


@dataclass(frozen=True)
class Settlement:
    """Pending changes of landed files: (load_id, batch_id) whose rows are removed or get another location."""

    removed: Mapping[tuple[str, str], Batch]
    relocated: Mapping[tuple[str, str], Batch]

    @property
    def empty(self) -> bool:
        """Whether landed files agree with the ledger."""
        return not self.removed and not self.relocated


def settlement(ledger: Iterable[Batch]) -> Settlement:
    """Changes required by the unsettled lines."""
    lines = list(ledger)
    landed = {(line.load_id, line.batch_id) for line in lines if line.status == "loaded"}
    removed = {
        (line.load_id, line.batch_id): line
        for line in lines
        if line.status == "superseded" and not line.settled and (line.load_id, line.batch_id) not in landed
    }
    relocated = {
        (line.load_id, line.batch_id): line for line in lines if line.status == "loaded" and not line.settled
    }
    return Settlement(removed, relocated)


def read_ledger(path: Path) -> list[Batch]:
    """Lines of the ledger in the order written; none if there is no file yet."""
    if not path.exists():
        return []
    # Ledgers of earlier versions have no object times: the next load fills in those that still exist.
    return [
        Batch(**{"object_time": line["loaded_at"], **line, "usage_dates": tuple(line["usage_dates"])})
        for line in pq.ParquetFile(path).read().to_pylist()
    ]


def with_times(ledger: Iterable[Batch], times: Mapping[tuple[str, str], datetime]) -> list[Batch]:
    """Lines with their objects' current times, if (place, version) still exists."""
    return [
        replace(
            line,
            object_time=times.get((line.batch_location, line.object_version), line.object_time)
            if line.live
            else line.object_time,
        )
        for line in ledger
    ]


def ledger_table(lines: Iterable[Batch]) -> pa.Table:
    """The ledger as stored."""
    return pa.Table.from_pylist([asdict(line) for line in lines], schema=SCHEMA)
