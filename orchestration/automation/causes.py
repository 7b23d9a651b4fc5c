"""The cause behind a failed run's errors that a person can remove: a full disk, damaged files, huge sums."""

from __future__ import annotations

import re
from collections.abc import Sequence

from orchestration.automation.disk_space import full_disk
from orchestration.automation.repair import damage_behind
from orchestration.settings import Settings


def texts_of(error: BaseException | None) -> list[str]:
    """What an error says, and those that led to it."""
    return [str(error), *texts_of(error.__cause__ or error.__context__)] if error else []


def cause_of(settings: Settings, errors: Sequence[str]) -> str | None:
    """What is wrong, where, and what to do; None if the errors say it themselves."""
    return full_disk(settings, errors) or damage_behind(settings, errors) or _too_large(errors)


def _too_large(errors: Sequence[str]) -> str | None:
    """Sums of `decimal(38, 24)` end below 10^14."""
    if not re.search(r"overflow in (hugeint|\w+ of decimal)", "\n".join(errors), re.IGNORECASE):
        return None
    return (
        "The costs of one currency add up to 10^14 or more, and what customers carry holds less "
        "(decimal(38, 24)). Deliver the bills in a larger unit of money, or keep older years in a workspace "
        f"of their own. DuckDB says: {errors[-1].splitlines()[0]}"
    )
