"""FOCUS exports of any provider, versions 1.0 to 1.4: PascalCase columns, Parquet or CSV.

Of a charge that the provider split (FOCUS 1.3), the tags of the part (`AllocatedTags`) win over those of the
whole. `AllocatedMethodDetails` is not read: the row's cost is the part already.
"""

from __future__ import annotations

import re

from orchestration.sources.billing.formats import conversions
from orchestration.sources.billing.formats.columns import AMOUNTS, FOCUS, SPELLED, Kind, is_usage
from orchestration.sources.billing.formats.conversions import may_hold_map
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.formats.times import Times
from orchestration.warehouse.sql import literal

REQUIRED = ("billed_cost", "charge_period_start")
# Exports through spreadsheets and databases write null as a word.
_ABSENT = ("NULL",)


def _bare(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


_ALLOCATED_TAGS = "allocatedtags"
_LANDED = {_bare(name): name for name in FOCUS} | {
    # Their names in FOCUS 0.5.
    "amortizedcost": "effective_cost",
    "chargetype": "charge_category",
    "provider": "provider_name",
    "publisher": "publisher_name",
    "region": "region_id",
    _ALLOCATED_TAGS: _ALLOCATED_TAGS,
}
# FOCUS' other datasets by a column of theirs, which Cost and Usage does not have.
_DATASETS = {
    "billingperiodstatus": "Billing Period",
    "invoicedetailid": "Invoice Detail",
    "contractcommitmentid": "Contract Commitment",
}
# FOCUS 1.3 renamed the provider to service provider; the first column with a value counts.
_OTHER_NAMES = {
    "provider_name": ("service_provider_name",),
    "publisher_name": ("service_provider_name",),
}


def by_name(columns: tuple[SourceColumn, ...]) -> dict[str, list[SourceColumn]]:
    """The file's columns by landed name; `BilledCost`, `billed_cost` and `BILLEDCOST` are the same."""
    named: dict[str, list[SourceColumn]] = {}
    for column in columns:
        landed = _LANDED.get(_bare(column.header))
        if landed and (FOCUS.get(landed, "map") != "map" or may_hold_map(column)):
            named.setdefault(landed, []).append(column)
    return named


def other_dataset(columns: tuple[SourceColumn, ...]) -> str | None:
    """The FOCUS dataset of a file that is not Cost and Usage; invoice details have a billed cost too."""
    headers = {_bare(column.header) for column in columns}
    if "chargeperiodstart" in headers:
        return None
    return next((name for column, name in _DATASETS.items() if column in headers), None)


def missing(named: dict[str, list[SourceColumn]], period: str | None) -> list[str]:
    """Required columns that are absent. `period` is set if a manifest gives the month."""
    required = REQUIRED if period else (*REQUIRED, "billing_period_start")
    return [name for name in required if name not in named]


def reading(columns: tuple[SourceColumn, ...], period: str | None, currency: str | None) -> Reading:
    """How to read a FOCUS file with these columns."""
    named = by_name(columns)
    values: dict[str, str] = {}
    used: list[tuple[SourceColumn, Kind]] = []
    for name, kind in FOCUS.items():
        found = [column for same in (name, *_OTHER_NAMES.get(name, ())) for column in named.get(same, [])]
        values[name] = conversions.first_present(kind, found, _ABSENT)
        if name == "tags" and _ALLOCATED_TAGS in named:
            parts = [values[name], conversions.first_present(kind, named[_ALLOCATED_TAGS], _ABSENT)]
            values[name] = f"map_concat({', '.join(map(conversions.or_empty, parts))})"
            named[name] = [*named.get(name, []), *named[_ALLOCATED_TAGS]]
        if kind == "map":
            values[name] = conversions.or_empty(values[name])
        used.extend((column, kind) for column in named.get(name, []))
    if currency:
        values["billing_currency"] = f"coalesce({values['billing_currency']}, {literal(currency)})"
    values["billing_currency"] = conversions.currency_code(values["billing_currency"])
    taken = {column.sql for column, _ in used}
    unused = tuple(column for column in columns if column.sql not in taken)
    return Reading(
        family="focus",
        values=values,
        map_columns={
            name: filled
            for name, kind in FOCUS.items()
            if kind == "map" and (filled := tuple(each for each in named.get(name, []) if each.has_values))
        },
        conflicts={
            name: conversions.conflicts("focus", f"map_entries({values[name]})")
            for name in SPELLED["focus"]
            if name in named
        },
        times=Times.of_focus(values, is_usage("focus", values["charge_category"]), period),
        currency=values["billing_currency"],
        amounts={name: values[name] for name in AMOUNTS["focus"] if name in named},
        cut=conversions.cut_digits(named["billed_cost"], _ABSENT),
        used=tuple(used),
        unused=unused,
        present=frozenset(named),
        new=frozenset(column.header for column in unused),
        absent=_ABSENT,
        repeated=tuple(
            name
            for name, found in named.items()
            if len(found) > 1 and not (name == "tags" and _ALLOCATED_TAGS in named)
        ),
    )
