"""What the rest of the project knows of a source: where its files lie, and how they are landed.

Nothing here imports Dagster or reads a file, and a source's landing is imported when it is first called:
whether a run has anything to do is decided from `SOURCES` in a moment.
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
    """A text that is shown as Markdown."""


Metadata: TypeAlias = Mapping[str, str | int | bool | Path | Sequence[str]]
"""What is shown of a landing. A sequence is shown as a list, a `Path` as a path."""


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]], numbers: int = 1) -> Markdown:
    """A table whose last `numbers` columns are numbers, or that there is nothing in it."""
    lines = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    if not lines:
        return Markdown("none")
    rule = ["---"] * (len(head) - numbers) + ["---:"] * numbers
    return Markdown("\n".join([f"| {' | '.join(head)} |", f"| {' | '.join(rule)} |", *lines]))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


@dataclass(frozen=True)
class Table:
    """The asset `landing/<name>`, and what a row of it is."""

    name: str
    description: str


@dataclass(frozen=True)
class Check:
    """A check of one of the tables, which warns and fails nothing."""

    name: str
    table: str
    description: str


class Log(Protocol):
    """Where a landing says what it does."""

    def debug(self, message: str) -> None:
        """Progress."""

    def info(self, message: str) -> None:
        """Progress that a person follows."""

    def warning(self, message: str) -> None:
        """What a person should look at."""


@dataclass(frozen=True)
class LandingRequest:
    """What a landing is given. `months` (YYYY-MM) are the billing months to look at, where they matter."""

    settings: Settings
    open_location: OpenLocation
    now: datetime
    log: Log
    months: Collection[str] = ()


@dataclass(frozen=True)
class Landed:
    """What was landed in one table. `passed` is the result of the source's check, on the table it is of."""

    table: str
    metadata: Metadata
    passed: bool = True
    check_metadata: Metadata = field(default_factory=dict)


class Landing(Protocol):
    """The module that lands a source."""

    def land(self, request: LandingRequest) -> Iterable[Landed]:
        """Land what is new, and say what was landed, table by table. Raises `ExpectedError`."""

    def ensure_landing(self, landing: Path) -> None:
        """Make files without rows where there are none, so that readers find every column."""


@dataclass(frozen=True)
class Source:
    """One source. `name` is that of its setting (`<name>_location`), its default folder and its step.

    `label` says what is landed; `module` is the one of its `Landing`. `locations` is for a source that has
    several; `arrivals` for one whose delivery is complete only when a certain file is there.
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
        """What lands it."""
        return cast(Landing, import_module(self.module))

    def places(self, settings: Settings) -> Sequence[str]:
        """Where its files lie: folders or `s3://bucket/prefix`."""
        return self.locations(settings) if self.locations else (settings.location_of(self.name),)

    def arrived(self, settings: Settings, open_location: OpenLocation) -> dict[str, str]:
        """A digest of what has arrived, by place: another one starts a run.

        Raises `LocationError` when a location refuses.
        """
        if self.arrivals:
            return self.arrivals(settings, open_location)
        stored = list(open_location(settings.location_of(self.name)).list())
        return {self.name: listing_digest(stored)} if stored else {}

    def listed(self, settings: Settings, open_location: OpenLocation) -> Iterator[str]:
        """Everything that lies in its places now, a text each. Raises `LocationError`."""
        for place in self.places(settings):
            location = open_location(place)
            yield location.describe()
            for stored in location.list():
                yield f"{stored.key} {stored.version}"


def listing_digest(stored: Iterable[StoredObject]) -> str:
    """A digest of objects and their versions, in any order."""
    lines = sorted(f"{item.key} {item.version}" for item in stored)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def rejected_rows(table: str, rejected: Mapping[str, int], passed: bool = True) -> Landed:
    """What is shown of a table of rejected rows: how many, and the reasons."""
    reasons = [f"{count} rows: {reason}" for reason, count in rejected.items()]
    return Landed(table, {"rejected": sum(rejected.values()), "reasons": reasons}, passed=passed)
