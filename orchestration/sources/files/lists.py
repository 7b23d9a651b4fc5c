"""The files of a list that people keep (customers, revenue), and that an absent list is no empty one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestration.settings import ExpectedError
from orchestration.sources.landing.parquet import row_count
from orchestration.sources.locations import Location


def find_lists(
    location: Location, endings: Sequence[str], landed: Path, what: str, error: type[ExpectedError]
) -> tuple[list[str], list[str]]:
    """The keys with one of the endings, and the others; a name with a part that begins with _ is not seen.

    Raises `error` where there are only others, and where there is nothing although `landed` has rows: a wrong
    location must not remove what has landed. `what` says what a file holds, such as `customers`.
    """
    keys = [
        stored.key
        for stored in location.list()
        if not any(part.startswith("_") for part in stored.key.split("/"))
    ]
    chosen = [key for key in keys if key.lower().endswith(tuple(endings))]
    if keys and not chosen:
        raise error(
            f"{location.describe()} holds {len(keys)} objects, none of them a list of {what}; name it "
            f"with one of {', '.join(endings)}"
        )
    if not chosen and landed.exists() and row_count(landed):
        raise error(
            f"{location.describe()} is empty, although {what} landed from it before; correct the location, "
            "or put a CSV with nothing but the header there to say that there are none"
        )
    return chosen, [key for key in keys if key not in chosen]
