"""Which format a file is in: what its manifest and its header say, unless the settings do.

What belongs here: the choice. What does not: how a format is read.
"""

from __future__ import annotations

from typing import Literal

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.formats import aws_cur, cur_2, cur_legacy, focus
from orchestration.sources.billing.formats.files import DataFile
from orchestration.sources.billing.formats.reading import Reading

Format = Literal["cur_legacy", "cur_2", "focus"]


def detect(file: DataFile, legacy_manifest: bool) -> Format | None:
    """The format that a file's header shows, or None when it is no bill."""
    headers = {column.header.lower() for column in file.columns}
    if focus.by_name(file.columns).keys() & set(focus.REQUIRED) and "line_item_unblended_cost" not in headers:
        return "focus"
    named = cur_legacy.by_name(file.columns)
    if not named.keys() & set(aws_cur.REQUIRED):
        return None
    if legacy_manifest or any("/" in header for header in headers):
        return "cur_legacy"
    return "cur_2" if headers & {"resource_tags", "product", "cost_category", "tags"} else "cur_legacy"


def read_as(
    file: DataFile, wanted: str, legacy_manifest: bool, period: str | None, currency: str | None
) -> Reading:
    """How a file is read.

    `wanted` is a format, or `auto`; `period` the manifest's billing month; `currency` the configured one.
    Raises `BillingError` when the header is not that of a bill or lacks what cannot be done without.
    """
    chosen = wanted if wanted != "auto" else detect(file, legacy_manifest)
    if chosen is None:
        shown = ", ".join(column.header for column in file.columns[:5])
        raise BillingError(
            f"{file.shown}: its header is neither that of a CUR nor of a FOCUS file (it begins {shown}); "
            "take the file away, or set the export's format"
        )
    if chosen == "focus":
        absent = focus.missing(focus.by_name(file.columns), period)
    else:
        absent = aws_cur.missing(cur_legacy.by_name(file.columns), period)
    if absent:
        raise BillingError(f"{file.shown}: read as {chosen}, it lacks the columns {', '.join(absent)}")
    if chosen == "focus":
        return focus.reading(file.columns, period, currency)
    if chosen == "cur_2":
        return cur_2.reading(file.columns, period, currency)
    return cur_legacy.reading(file.columns, period, currency)
