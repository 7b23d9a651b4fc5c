"""What the rest of the project knows about a source: where its files are and how they are landed.

Imports no Dagster and reads no file; a source's landing is imported when first called, so `SOURCES` can tell
quickly whether a run has anything to do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from pathlib import Path
from typing import Protocol, TypeAlias, cast

from orchestration.settings import Settings
from orchestration.sources.locations import Location, StoredObject

OpenLocation: TypeAlias = Callable[[str], Location]


class Markdown(str):
    """Text shown as Markdown."""


Metadata: TypeAlias = Mapping[str, str | int | bool | Path | Sequence[str]]
"""What is shown of a landing. A sequence is shown as a list, a `Path` as a path."""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 1) -> Markdown:
    """A Markdown table whose last `numbers` columns are numeric, or a note that it is empty."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return Markdown("none")
    rule = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return Markdown("\n".join([f"| {' | '.join(head)} |", f"| {' | '.join(rule)} |", *lines]))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


@dataclass(frozen=True)
class Table:
    """The asset `landing/<name>`, and what one of its rows is."""

    name: str
    description: str


@dataclass(frozen=True)
class Check:
    """An asset check of one of the tables, which only warns."""

    name: str
    table: str
    description: str


class Log(Protocol):
    """Log of a landing."""

    def debug(self, message: str) -> None:
        """Progress."""

    def info(self, message: str) -> None:
        """Progress shown to the user."""

    def warning(self, message: str) -> None:
        """Something a person should look at."""


@dataclass(frozen=True)
class LandingRequest:
    """Input of a landing. `months` (YYYY-MM) are the billing months to process, where relevant."""

    settings: Settings
    open_location: OpenLocation
    now: datetime
    log: Log
    months: Collection[str] = ()


@dataclass(frozen=True)
class Landed:
    """What was landed in one table. `passed` is the result of the source's check, for the table it belongs
    to.
    """

    table: str
    metadata: Metadata
    passed: bool = True
    check_metadata: Metadata = field(default_factory=dict)


class Landing(Protocol):
    """Interface of a module that lands a source."""

    def land(self, request: LandingRequest) -> Iterable[Landed]:
        """Land new data and report it, table by table. Raises `ExpectedError`."""

    def ensure_landing(self, landing: Path) -> None:
        """Create missing files without rows, so that readers find every column."""


@dataclass(frozen=True)
class Source:
    """A source of outside data.

    `name` is that of its setting (`<name>_location`), its default folder and its step. `label` describes what
    is landed; `module` is its `Landing`. `locations` is for a source with several; `arrivals` for one whose
    delivery is complete only with a certain file.
    """

    name: str
    label: str
    module: str
    tables: tuple[Table, ...]
    check: Check | None = None
    locations: Callable[[Settings], Sequence[str]] | None = None
    arrivals: Callable[[Settings, OpenLocation], dict[str, str]] | None = None
    by_month: bool = False

    @property
    def landing(self) -> Landing:
        """The source's landing module."""
        return cast(Landing, import_module(self.module))

    def places(self, settings: Settings) -> Sequence[str]:
        """Its locations: folders or `s3://bucket/prefix`."""
        return self.locations(settings) if self.locations else (settings.location_of(self.name),)

    def arrived(self, settings: Settings, open_location: OpenLocation) -> dict[str, str]:
        """Digests of what has arrived, by place: a changed digest starts a run.

        Raises `LocationError` if a location cannot be listed.
        """
        if self.arrivals:
            return self.arrivals(settings, open_location)
        stored = list(open_location(settings.location_of(self.name)).list())
        return {self.name: listing_digest(stored)} if stored else {}

    def listed(self, settings: Settings, open_location: OpenLocation) -> Iterator[str]:
        """Everything in its locations now, one text each. Raises `LocationError`."""
        for place in self.places(settings):
            location = open_location(place)
            yield location.describe()
            for stored in location.list():
                yield f"{stored.key} {stored.version}"


def listing_digest(stored: Iterable[StoredObject]) -> str:
    """Digest of objects and their versions, in any order."""
    lines = sorted(f"{item.key} {item.version}" for item in stored)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def rejected_rows(table: str, rejected: Mapping[str, int], passed: bool = True) -> Landed:
    """Metadata of a table of rejected rows: count and reasons."""
    reasons = [f"{count} rows: {reason}" for reason, count in rejected.items()]
    return Landed(table, {"rejected": sum(rejected.values()), "reasons": reasons}, passed=passed)
