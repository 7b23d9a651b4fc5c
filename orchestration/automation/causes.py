"""The cause behind a failed run's errors that a person can remove: a full disk, damaged files."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.automation.disk_space import full_disk
from orchestration.automation.repair import damage_behind
from orchestration.settings import Settings


def texts_of(error: BaseException | None) -> list[str]:
    """What an error says, and those that led to it."""
    return [str(error), *texts_of(error.__cause__ or error.__context__)] if error else []


def cause_of(settings: Settings, errors: Sequence[str]) -> str | None:
    """What is wrong, where, and what to do; None if the errors say it themselves."""
    return full_disk(settings, errors) or damage_behind(settings, errors)
