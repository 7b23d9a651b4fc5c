"""What a reader of usage is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Protocol

import duckdb
from pydantic import ValidationError

from orchestration.compiler.language.pulls import Pull
from orchestration.settings import ExpectedError, Settings
from orchestration.sources.source import OpenLocation
from orchestration.warehouse.sql import literal


class PullError(ExpectedError):
    """The system cannot be read, or does not answer as expected; says why."""


@contextmanager
def readable(what: str, folder: str = "") -> Iterator[None]:
    """Raise `PullError`, with the name, for a content that is not what it should be.

    `folder` has the fetched files: it is left out of the reason.
    """
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise PullError(
            f"{what} is not as expected: {place + ': ' if place else ''}{first['msg']}"
        ) from error
    except duckdb.Error as error:
        reason = str(error).partition("Possible fixes:")[0].replace(f"{folder}/", "")
        raise PullError(f"{what} cannot be read: {' '.join(reason.split())}") from error


@dataclass(frozen=True)
class Window:
    """A day (UTC) or its part up to now, in steps of an hour or a day. Times are UTC without zone."""

    start: datetime
    end: datetime
    step: timedelta


@dataclass(frozen=True)
class Quantity:
    """Usage in the step that begins at `period`; `customer` is None where the system names none."""

    period: datetime
    customer: str | None
    value: int | float | Decimal


@dataclass
class Access:
    """How a reader reaches its system. Its `remarks` are shown beside the result."""

    settings: Settings
    open_location: OpenLocation
    remarks: list[str] = field(default_factory=list)

    def address(self, pull: Pull) -> str:
        """What `from` says: an address, or the connection of that name in the settings."""
        if "://" in pull.origin:
            return pull.origin
        known = self.settings.usage_connections
        if pull.origin not in known:
            raise PullError(
                f'no connection "{pull.origin}" in the setting usage_connections '
                f"({', '.join(sorted(known)) or 'it is empty'}); add it there, or write an address"
            )
        return known[pull.origin].get_secret_value()


def customer_sql(pull: Pull, text: str) -> str:
    """SQL of the customer's id in a text, for readers that work in DuckDB."""
    pattern = pull.customer_pattern
    return f"nullif(regexp_extract({text}, {literal(pattern)}, 1), '')" if pattern else f"nullif({text}, '')"


def customer_ids(pull: Pull) -> Callable[[str | None], str | None]:
    """A function that finds the customer's id in a text."""

    @cache
    def found(text: str | None) -> str | None:
        with duckdb.connect() as connection:
            [(customer,)] = connection.execute(
                f"SELECT {customer_sql(pull, '$1::VARCHAR')}", [text]
            ).fetchall()
        return None if customer is None else str(customer)

    return found if pull.customer_pattern else lambda text: text or None


class Reader(Protocol):
    """Interface of a reader's module."""

    def read(self, pull: Pull, window: Window, access: Access) -> Iterable[Quantity]:
        """Usage in the window. Raises `ExpectedError`."""
