"""Restrict what dbt does for each of its queries to what is read."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any

import parsedatetime  # type: ignore[import-untyped]  # of agate, of dbt
from dbt_common.events.base_types import BaseEvent, EventLevel
from dbt_common.events.event_manager import EventManager

_UNHEARD = (EventLevel.DEBUG, EventLevel.TEST)


class NoticeableEvents(EventManager):
    """Drops dbt's debug events: formatting them took a quarter of a small run's time."""

    def fire_event(
        self,
        e: BaseEvent,
        level: EventLevel | None = None,
        node: Any = None,
        force_warn_or_error_handling: bool = False,
    ) -> None:
        """Pass events of level info and above to the callbacks."""
        if force_warn_or_error_handling or (level or e.level_tag()) not in _UNHEARD:
            super().fire_event(e, level, node, force_warn_or_error_handling)


@contextlib.contextmanager
def only_what_is_read() -> Iterator[None]:
    """Make an event's message when it is read, and the constants of a date parser once.

    dbt makes several messages for each query, and for each result a table that could parse dates.
    """
    make, find, constants = BaseEvent.__init__, BaseEvent.__getattr__, parsedatetime.Constants

    def keep(event: BaseEvent, *args: Any, **kwargs: Any) -> None:
        event.__dict__["given"] = args, kwargs

    def find_made(event: BaseEvent, name: str) -> Any:
        if "given" in event.__dict__:
            args, kwargs = event.__dict__.pop("given")
            make(event, *args, **kwargs)
            return getattr(event, name)
        return find(event, name)  # type: ignore[no-untyped-call]

    BaseEvent.__init__, BaseEvent.__getattr__ = keep, find_made  # type: ignore[method-assign, assignment]
    parsedatetime.Constants = functools.cache(constants)
    try:
        yield
    finally:
        BaseEvent.__init__, BaseEvent.__getattr__ = make, find  # type: ignore[method-assign]
        parsedatetime.Constants = constants
