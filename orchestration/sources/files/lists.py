"""Find the files of a list kept by people (customers, revenue); a missing list is not an empty one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestration.settings import ExpectedError
from orchestration.sources.landing.parquet import row_count
from orchestration.sources.locations import Location


def find_lists(
    location: Location, endings: Sequence[str], landed: Path, what: str, error: type[ExpectedError]
) -> tuple[list[str], list[str]]:
    """Keys with one of the endings, and the others; names with a part starting with _ are ignored.

    Raises `error` if there are only others, or if there is nothing although `landed` has rows: a wrong
    location must not remove what has landed. `what` is what a file contains, such as `customers`.
    """
    keys = [
        stored.key
        for stored in location.list()
        if not any(part.startswith("_") for part in stored.key.split("/"))
    ]
    chosen = [key for key in keys if key.lower().endswith(tuple(endings))]
    if keys and not chosen:
        raise error(
            f"{location.describe()} holds {len(keys)} objects, such as {keys[0]}, none of them a list "
            f"of {what}; name it with one of {', '.join(endings)}"
        )
    if not chosen and landed.exists() and row_count(landed):
        raise error(
            f"{location.describe()} is empty, although {what} landed from it before; correct the location, "
            "or put a CSV with nothing but the header there to say that there are none"
        )
    return chosen, [key for key in keys if key not in chosen]
