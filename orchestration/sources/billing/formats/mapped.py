"""Read a format that is none of AWS' nor FOCUS as FOCUS charges, by a mapping of its columns.

A format is one file beside this: a `MappedFormat`, and one line in `MAPPED_FORMATS` of `detection`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import duckdb

from orchestration.sources.billing.formats import conversions
from orchestration.sources.billing.formats.columns import AMOUNTS, FOCUS, Kind, is_usage
from orchestration.sources.billing.formats.files import SourceColumn
from orchestration.sources.billing.formats.reading import Reading
from orchestration.sources.billing.formats.times import Times
from orchestration.warehouse.sql import literal, quoted

Named = dict[str, list[SourceColumn]]
# Exports through spreadsheets and databases write null as a word.
_ABSENT = ("NULL",)


@dataclass(frozen=True)
class MappedFormat:
    """A format's columns and what they mean.

    `required` are the names that every file has, as `name_of` writes headers. `read` are the columns that
    are read, by the name that `charge` knows them under: kind, and names in order of preference. `charge`
    gives the SQL of FOCUS columns from the SQL of those; without more, all costs are `amount`, the billing
    period is the month of the start, and every row is usage. `tags_of` picks columns that are tags, `maps`
    (of `read`) hold whole maps of tags, the last one wins.
    """

    required: tuple[str, ...]
    read: Mapping[str, tuple[Kind, tuple[str, ...]]]
    charge: Callable[[Mapping[str, str]], dict[str, str]]
    tags_of: Callable[[Named], Named] = lambda _: {}
    maps: tuple[str, ...] = ()
    name_of: Callable[[str], str] = lambda header: header.strip().lower()
    is_usage: str = ""

    def named(self, columns: tuple[SourceColumn, ...]) -> Named:
        """The file's columns by name; the fields of a struct are `struct.field`."""
        named: Named = {}
        for column in columns:
            for part in (column, *_fields(column)):
                named.setdefault(self.name_of(part.header), []).append(part)
        return named

    def missing(self, columns: tuple[SourceColumn, ...]) -> list[str]:
        """Required columns that are absent."""
        named = self.named(columns)
        return [name for name in self.required if name not in named]

    def reading(self, columns: tuple[SourceColumn, ...], period: str | None, currency: str | None) -> Reading:
        """How to read a file with these columns. `currency` is the configured one, if any."""
        named = self.named(columns)
        found = {
            name: [_as_json(column, kind) for same in names for column in named.get(same, [])]
            for name, (kind, names) in self.read.items()
        }
        found |= {name: [_braced(column) for column in found[name]] for name in self.maps}
        sql = {
            name: conversions.first_present(kind, found[name], _ABSENT)
            for name, (kind, _) in self.read.items()
        }
        tags = {name: part for name, part in self.tags_of(named).items() if part[0].has_values}
        maps = [conversions.or_empty(sql[name]) for name in self.maps if found[name]]
        if tags:
            maps.append(conversions.or_empty(conversions.map_of(tags, _ABSENT)))
        start, amount = sql["start"], sql["amount"]
        given: dict[str, str] = {
            "billed_cost": amount,
            "charge_category": "'Usage'",
            "charge_period_start": start,
            "charge_period_end": f"{start} + interval 1 day",
            "billing_period_start": f"cast(date_trunc('month', {start}) as timestamp)",
            "billing_currency": sql["currency"],
            "tags": f"map_concat({', '.join(maps)})"
            if len(maps) > 1
            else (maps or [conversions.EMPTY_MAP])[0],
            **self.charge(sql),
        }
        given.setdefault(
            "billing_period_end", f"cast({given['billing_period_start']} + interval 1 month as timestamp)"
        )
        costs = {name: given.get(name, given["billed_cost"]) for name in AMOUNTS["focus"]}
        if currency:
            given["billing_currency"] = f"coalesce({given['billing_currency']}, {literal(currency)})"
        given["billing_currency"] = conversions.currency_code(given["billing_currency"])
        values = {
            name: conversions.EMPTY_MAP if kind == "map" else conversions.first_present(kind, [])
            for name, kind in FOCUS.items()
        }
        values |= given | costs
        # The columns of the file that tags are made of; a field's is its struct.
        made_of = [
            part.sql for parts in (*tags.values(), *(found[name] for name in self.maps)) for part in parts
        ]
        holders = [
            column for column in columns if column.has_values and any(column.sql in part for part in made_of)
        ]
        return Reading(
            family="focus",
            values=values,
            map_columns={"tags": tuple(holders)} if holders else {},
            conflicts={"tags": conversions.conflicts("focus", f"map_entries({values['tags']})")}
            if holders
            else {},
            times=Times.of_focus(
                values, self.is_usage or is_usage("focus", values["charge_category"]), period
            ),
            currency=values["billing_currency"],
            amounts=costs,
            cut=conversions.cut_digits(found["amount"], _ABSENT),
            used=tuple((column, kind) for name, (kind, _) in self.read.items() for column in found[name]),
            unused=(),
            present=frozenset(given),
            new=frozenset(),
            absent=_ABSENT,
            repeated=(),
        )


def bare(header: str) -> str:
    """A header without capitals and signs: formats that are spelled in several ways."""
    return re.sub(r"[^a-z0-9]", "", header.lower())


def _fields(column: SourceColumn) -> list[SourceColumn]:
    """The fields of a struct as columns of their own."""
    if not column.type.startswith("STRUCT("):
        return []
    return [
        replace(column, header=f"{column.header}.{name}", sql=f"{column.sql}.{quoted(name)}", type=str(kind))
        for name, kind in duckdb.dtype(column.type).children
    ]


def _as_json(column: SourceColumn, kind: Kind) -> SourceColumn:
    """A nested value that is read as text is JSON."""
    if kind != "text" or not column.type.endswith((")", "]")) or column.type.startswith("DECIMAL"):
        return column
    return replace(column, sql=f"cast(to_json({column.sql}) as varchar)", type="VARCHAR")


def _braced(column: SourceColumn) -> SourceColumn:
    """Tags as the JSON text of an object, also where its braces are missing, as Azure writes it."""
    if column.type != "VARCHAR":
        return column
    text = f"nullif({column.sql}, '\"\"')"
    braced = f"case when {text} ~ '^\\s*\"' then '{{' || {text} || '}}' else {text} end"
    return replace(column, sql=f"({braced})")
