"""Column names of revenue files, in all accepted spellings."""

from __future__ import annotations

import re
from collections.abc import Iterable

SPELLINGS: dict[str, tuple[str, ...]] = {
    "customer": ("customer_id", "customer", "account_id", "account", "client_id", "client", "tenant_id"),
    "month": ("period", "month", "revenue_month", "billing_month", "billing_period", "period_month"),
    "period_start": ("period_start", "start_date", "start", "date_from", "from", "service_start"),
    "period_end": ("period_end", "end_date", "end", "date_to", "to", "service_end"),
    "amount": ("amount", "revenue", "revenue_amount", "net_revenue", "net_amount"),
    "currency": ("currency", "currency_code", "revenue_currency", "billing_currency"),
    "product": ("product", "product_name", "product_line"),
}  # fmt: skip
"""What a row says, and how its column may be called: capitals, spaces and signs between words are one."""

_FIRST_WINS = ("customer", "product")
_REQUIRED = ("customer", "amount", "currency")


class HeaderError(ValueError):
    """The header is ambiguous or incomplete; the message says what is missing or duplicated."""


def columns_of(header: Iterable[str]) -> dict[str, str]:
    """The file's column for each field; other columns are ignored.

    If there are several columns for customer or product, the first of the spellings is used. Raises
    `HeaderError` if a required column is missing, or two columns could mean the same.
    """
    names = list(header)
    found: dict[str, str] = {}
    for meaning, spellings in SPELLINGS.items():
        matching = [name for name in names if _plain(name) in spellings]
        if meaning in _FIRST_WINS:
            matching = [name for spelling in spellings for name in matching if _plain(name) == spelling][:1]
        if len(matching) > 1:
            raise HeaderError(f"has more than one column for the {meaning}: {', '.join(matching)}")
        if matching:
            found[meaning] = matching[0]
    missing = [_asked(meaning) for meaning in _REQUIRED if meaning not in found]
    if "month" not in found and "period_start" not in found:
        missing.append("period (a month such as 2026-09), or period_start and period_end (days)")
    elif ("period_start" in found) != ("period_end" in found):
        missing.append("period_end" if "period_start" in found else "period_start")
    if missing:
        raise HeaderError(f"has no column {', nor '.join(missing)}; its columns are {', '.join(names)}")
    return found


def _asked(meaning: str) -> str:
    return f"{SPELLINGS[meaning][0]} (or {', '.join(SPELLINGS[meaning][1:4])})"


def _plain(name: str) -> str:
    """Normalized name: `Customer ID`, `customerId` and `customer-id` are the same."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
