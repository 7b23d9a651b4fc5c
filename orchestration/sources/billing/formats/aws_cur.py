"""Shared by legacy CUR and CUR 2.0: the landed columns of an AWS bill line.

The formats differ in how tags are laid out (`cur_legacy`, `cur_2`).
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestration.sources.billing.formats import conversions
from orchestration.sources.billing.formats.columns import (
    AMOUNTS,
    AWS_CUR,
    DOCUMENTED,
    DOCUMENTED_PREFIXES,
    Kind,
    is_usage,
)
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.formats.times import Times
from orchestration.warehouse.sql import literal

REQUIRED = ("line_item_usage_start_date", "line_item_unblended_cost")
MAPS = ("resource_tags", "cost_category", "product")


@dataclass(frozen=True)
class MapOfColumns:
    """SQL of a map (NULL if empty), and the columns it is built from with the type each is read as.

    `entries` is SQL of the tags that can be one name in two spellings, before one of them wins.
    """

    sql: str
    columns: tuple[tuple[SourceColumn, Kind], ...]
    entries: str = ""


def missing(named: dict[str, list[SourceColumn]], period: str | None) -> list[str]:
    """Required columns that are absent. `period` is set if a manifest gives the month."""
    required = REQUIRED if period else (*REQUIRED, "bill_billing_period_start_date")
    return [name for name in required if name not in named]


def reading(
    named: dict[str, list[SourceColumn]],
    maps: dict[str, MapOfColumns],
    period: str | None,
    currency: str | None,
) -> Reading:
    """How to read a file. `named` holds its columns by their name in CUR Parquet files; `maps` describes the
    three maps.

    `period` and `currency` are the manifest's month and the configured currency, if any.
    """
    values: dict[str, str] = {}
    used: list[tuple[SourceColumn, Kind]] = []
    for name, kind in AWS_CUR.items():
        if name in MAPS:
            made = maps.get(name)
            values[name] = conversions.or_empty(made.sql if made else None)
            used.extend(made.columns if made else ())
            continue
        columns = named.get(name, [])
        values[name] = conversions.first_present(kind, columns)
        used.extend((column, kind) for column in columns)
    if currency:
        values["line_item_currency_code"] = (
            f"coalesce({values['line_item_currency_code']}, {literal(currency)})"
        )
    values["line_item_currency_code"] = conversions.currency_code(values["line_item_currency_code"])
    taken = {column.sql for column, _ in used}
    unused = [
        (name, column) for name, columns in named.items() for column in columns if column.sql not in taken
    ]
    return Reading(
        family="aws_cur",
        values=values,
        map_columns={
            name: filled
            for name, made in maps.items()
            if (filled := tuple(column for column, _ in made.columns if column.has_values))
        },
        conflicts={
            name: conversions.conflicts("aws_cur", made.entries)
            for name, made in maps.items()
            if made.entries
        },
        times=Times(
            provider="'AWS'",
            is_usage=is_usage("aws_cur", values["line_item_line_item_type"]),
            start=values["line_item_usage_start_date"],
            end=values["line_item_usage_end_date"],
            period_start=values["bill_billing_period_start_date"],
            period_end=values["bill_billing_period_end_date"],
            month=period,
        ),
        currency=values["line_item_currency_code"],
        amounts={name: values[name] for name in AMOUNTS["aws_cur"] if name in named},
        cut=conversions.cut_digits(named["line_item_unblended_cost"]),
        used=tuple(dict.fromkeys(used)),
        unused=tuple(column for _, column in unused),
        present=frozenset((named.keys() & AWS_CUR.keys()) | maps.keys()),
        new=frozenset(
            column.header
            for name, column in unused
            if name not in DOCUMENTED and not name.startswith(DOCUMENTED_PREFIXES)
        ),
        absent=(),
        repeated=tuple(name for name, columns in named.items() if len(columns) > 1),
    )
