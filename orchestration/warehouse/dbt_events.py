"""Restrict dbt's events to those that are read."""

from __future__ import annotations

from typing import Any

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
