"""A plain file: the columns date, service, amount and currency, and any others, which become tags.

For bills that come in no known format: a SaaS subscription or a data centre, copied from invoices. A row is
what a service cost on a day: usage, or a credit where the amount is negative. All its costs are the amount.
"""

from __future__ import annotations

from orchestration.sources.billing.formats import conversions
from orchestration.sources.billing.formats.columns import AMOUNTS, FOCUS, Kind
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.formats.times import Times

REQUIRED = ("date", "service", "amount", "currency")
# `provider` and `account` name these; without them, both are the service.
_READ: dict[str, Kind] = {
    "date": "timestamp",
    "service": "text",
    "amount": "number",
    "currency": "text",
    "provider": "text",
    "account": "text",
}


def by_name(columns: tuple[SourceColumn, ...]) -> dict[str, list[SourceColumn]]:
    """The file's columns by name in lower case."""
    named: dict[str, list[SourceColumn]] = {}
    for column in columns:
        named.setdefault(column.header.strip().lower(), []).append(column)
    return named


def missing(named: dict[str, list[SourceColumn]]) -> list[str]:
    """Required columns that are absent."""
    return [name for name in REQUIRED if name not in named]


def reading(columns: tuple[SourceColumn, ...], period: str | None) -> Reading:
    """How to read a plain file with these columns."""
    named = by_name(columns)
    read = {name: conversions.first_present(kind, named.get(name, [])) for name, kind in _READ.items()}
    tags = {name: found for name, found in named.items() if name not in _READ}
    start, amount = read["date"], read["amount"]
    costs = dict.fromkeys(AMOUNTS["focus"], amount)
    given = costs | {
        "provider_name": f"coalesce({read['provider']}, {read['service']})",
        "billing_account_id": f"coalesce({read['account']}, {read['provider']}, {read['service']})",
        "service_name": read["service"],
        "billing_currency": conversions.currency_code(read["currency"]),
        "charge_category": f"case when {amount} < 0 then 'Credit' else 'Usage' end",
        "charge_period_start": start,
        "charge_period_end": f"{start} + interval 1 day",
        "billing_period_start": f"cast(date_trunc('month', {start}) as timestamp)",
        "billing_period_end": f"cast(date_trunc('month', {start}) + interval 1 month as timestamp)",
        "tags": conversions.or_empty(conversions.map_of(tags)),
    }
    values = {name: conversions.first_present(kind, []) for name, kind in FOCUS.items()} | given
    values |= {
        name: conversions.EMPTY_MAP for name, kind in FOCUS.items() if kind == "map" and name != "tags"
    }
    return Reading(
        family="focus",
        values=values,
        map_columns={"tags": tuple(found[0] for found in tags.values() if found[0].has_values)}
        if tags
        else {},
        conflicts={"tags": conversions.conflicts("focus", f"map_entries({values['tags']})")} if tags else {},
        times=Times(
            provider=values["provider_name"],
            is_usage="true",  # credits, too, are of the day that they name
            start=start,
            end=values["charge_period_end"],
            period_start=values["billing_period_start"],
            period_end=values["billing_period_end"],
            month=period,
        ),
        currency=values["billing_currency"],
        amounts=costs,
        cut=conversions.cut_digits(named["amount"]),
        used=tuple((column, _READ.get(name, "text")) for name, found in named.items() for column in found),
        unused=(),
        present=frozenset(given),
        new=frozenset(),
        absent=(),
        repeated=tuple(name for name, found in named.items() if len(found) > 1),
    )
