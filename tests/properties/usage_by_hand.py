"""What usage counts, from the documentation alone: plain Python over records in any order.

Knows nothing of the project's SQL. A record is a dict of stream, stream_granularity, time, customer and
operation; granularity, value (a Fraction), filter and record_id or None; and order, what it is sorted by.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

NINTH = 10**9
Record = dict[str, Any]
Usage = dict[tuple[Any, ...], Fraction]


def period(record: Record) -> datetime:
    """The first instant of the hour or day that a record is for."""
    day = record["time"].replace(hour=0, minute=0, second=0, microsecond=0)
    if (record["granularity"] or record["stream_granularity"]) == "daily":
        return day
    return day + timedelta(hours=record["time"].hour)


def counted(records: list[Record]) -> tuple[list[Record], list[Record]]:
    """The records that count, in order, and those whose record_id another record of the day has."""
    kept, conflicts = [], []
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for record in sorted(records, key=lambda record: record["order"]):
        if record["record_id"] is not None:
            key = (record["stream"], record["time"].date(), record["record_id"])
            content = (
                *(record[name] for name in ("customer", "value", "operation", "filter")),
                record["granularity"] or record["stream_granularity"],
                period(record),
            )
            if key in first:
                if first[key] != content:
                    conflicts.append(record)
                continue
            first[key] = content
        kept.append(record)
    return kept, conflicts


def usage(records: list[Record]) -> Usage:
    """(stream, period, customer, filter) to quantity, where it is above 0; operations in their order."""
    kept, _ = counted(records)
    groups: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    for record in kept:
        groups[record["stream"], record["time"].date(), record["customer"], record["filter"]].append(record)
    found: Usage = defaultdict(Fraction)
    for (stream, _, customer, restriction), members in groups.items():
        hourly = members[0]["stream_granularity"] == "hourly"
        hours: dict[datetime, Fraction] = defaultdict(Fraction)
        for record in members:
            start = period(record)
            if (record["granularity"] or record["stream_granularity"]) == "daily":
                starts = [start + timedelta(hours=hour) for hour in range(24)]
                parts = parts_of_day(record["value"] or Fraction(0))
            else:
                starts, parts = [start], [record["value"] or Fraction(0)]
            for at, part in zip(starts, parts, strict=True):
                if record["operation"] != "sum":
                    hours[at] = Fraction(0)
                if record["operation"] != "delete":
                    hours[at] += part
        for at, quantity in hours.items():
            found[stream, at if hourly else at.replace(hour=0), customer, restriction] += quantity
    return {key: quantity for key, quantity in found.items() if quantity > 0}


def parts_of_day(value: Fraction) -> list[Fraction]:
    """A day's value for its 24 hours: alike to the ninth digit, and together the value exactly."""
    ends = [value * NINTH * hour // 24 for hour in range(25)]
    return [Fraction(after - before, NINTH) for before, after in pairwise(ends)]
