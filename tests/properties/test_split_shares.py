"""Splits by their models alone: who gets how much of a charge, on random rules and usage, by plain Python.

The rule is that of contexts/README.md: only usage of exactly one element decides, of the day, else of the
first window that has any; fixed and even shares are the same every day; parts cover the whole without a gap.
"""

from __future__ import annotations

import json
from collections import defaultdict
from contextlib import closing
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any

import duckdb
import pytest

from tests.properties.allocation_by_hand import share_set
from tests.properties.rendered_models import build

FIRST_DAY = date(2026, 3, 1)
DAYS = [FIRST_DAY + timedelta(number) for number in (0, 1, 2, 8, 9, 20, 39)]
ELEMENTS = ("One", "Two", "Three")
STREAMS = ("calls", "bytes")
# How many days before the day, and whether the day itself counts.
WINDOWS = {"day": (0, True), "trailing_7_days": (7, False), "trailing_30_days": (30, False)}

Usage = tuple[date, str, dict[str, list[str]] | None, Fraction]


def random_splits(random: Random) -> list[dict[str, Any]]:
    splits = []
    for dimension in ("feature", "team"):
        for position in range(1, 7):
            method = random.choice(["stream", "stream", "stream", "even", "fixed"])
            elements = random.sample(ELEMENTS, random.randrange(1, 4))
            cut = random.randrange(1, 10**6)
            splits.append(
                {
                    "dimension": dimension,
                    "position": position,
                    "method": method,
                    "elements": None if method == "stream" and random.random() < 0.5 else elements,
                    "shares": [Fraction(cut, 10**6), 1 - Fraction(cut, 10**6)]
                    if len(elements) == 2
                    else [Fraction(1), Fraction(0), Fraction(0)][: len(elements)],
                    "stream": random.choice(STREAMS),
                    "windows": random.choice(
                        [
                            [],
                            ["trailing_7_days"],
                            ["trailing_30_days"],
                            ["trailing_7_days", "trailing_30_days"],
                        ]
                    ),
                }
            )
            if method == "fixed" and len(elements) != 2:
                splits[-1]["method"] = "even"
    return splits


def random_usage(random: Random) -> list[Usage]:
    usage = []
    for day in DAYS:
        for stream in STREAMS:
            if random.random() < 0.4:
                continue
            for _ in range(random.randrange(1, 8)):
                one = {random.choice(["feature", "team", "region"]): [random.choice(ELEMENTS)]}
                several = {"feature": random.sample(ELEMENTS, 2)}
                two = {"feature": ["One"], "team": ["Two"]}
                named = random.choice([one, one, one, several, two, None])
                quantity = Fraction(random.choice([1, 3, 7, 10**9, 10**15]), random.choice([1, 10**9]))
                usage.append((day, stream, named, quantity))
    return usage


def used(split: dict[str, Any], day: date, usage: list[Usage]) -> tuple[dict[str, Fraction], int]:
    """Usage by element of the first window that has any, and how many days were looked back."""
    looked_back = 0
    for window in ("day", *split["windows"]):
        back, includes_day = WINDOWS[window]
        looked_back = max(looked_back, back)
        found: dict[str, Fraction] = defaultdict(Fraction)
        for used_on, stream, named, quantity in usage:
            is_in = used_on == day if includes_day else day - timedelta(back) <= used_on < day
            elements = (named or {}).get(split["dimension"], [])
            is_of_one = len(named or {}) == len(elements) == 1
            is_listed = is_of_one and elements[0] in (split["elements"] or ELEMENTS)
            if is_in and is_listed and stream == split["stream"]:
                found[elements[0]] += quantity
        if found:
            return found, looked_back
    return {}, looked_back


def shares_by_hand(split: dict[str, Any], day: date, usage: list[Usage]) -> dict[str, Fraction]:
    elements = sorted(split["elements"] or ())
    if split["method"] == "fixed":
        return dict(zip(split["elements"], split["shares"], strict=True))
    if split["method"] == "even":
        part = Fraction(10**12 // len(elements), 10**12)
        return {**dict.fromkeys(elements, part), elements[0]: 1 - part * (len(elements) - 1)}
    found, _ = used(split, day, usage)
    return share_set(found) if found else {}


def fill(connection: duckdb.DuckDBPyConnection, splits: list[dict[str, Any]], usage: list[Usage]) -> None:
    connection.execute(
        "create table split_rules (dimension varchar, rule_position integer, method varchar, "
        "split_id varchar, stream varchar, element varchar, share decimal(13, 12), when_no_usage varchar[])"
    )
    for split in splits:
        for element, share in zip(split["elements"] or [None], split["shares"], strict=False):
            is_by_usage, is_fixed = split["method"] == "stream", split["method"] == "fixed"
            connection.execute(
                "insert into split_rules values (?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *(split["dimension"], split["position"], split["method"]),
                    f"{split['dimension']} {split['position']}" if is_by_usage else None,
                    split["stream"] if is_by_usage else None,
                    element,
                    Decimal(int(share * 10**12)).scaleb(-12) if is_fixed else None,
                    split["windows"] if is_by_usage else [],
                ],
            )
    connection.execute(
        "create table changed_days as select unnest($days::date[]) as usage_date", {"days": DAYS}
    )
    connection.execute(
        "create table usage_by_day (usage_date date, stream varchar, customer_id varchar, filter varchar, "
        "usage_quantity decimal(38, 9))"
    )
    for day, stream, named, quantity in usage:
        connection.execute(
            "insert into usage_by_day values (?, ?, 'ada', ?, ?)",
            [
                *(day, stream, named and json.dumps(named, separators=(",", ":"))),
                Decimal(int(quantity * 10**9)).scaleb(-9),
            ],
        )


@pytest.mark.parametrize("seed", range(5))
def test_parts_of_charges_are_what_plain_python_says(seed: int) -> None:
    random = Random(seed)
    splits, usage = random_splits(random), random_usage(random)
    with closing(duckdb.connect()) as connection:
        connection.execute("set threads = 1; set enable_progress_bar = false")
        fill(connection, splits, usage)
        build(connection, "split_parts")
        parts = connection.execute(
            "select dimension, rule_position, usage_date, part, element, share_before, share_through "
            "from split_parts order by all"
        ).fetchall()
        explained = connection.execute(
            "select split_id, usage_date, part, element, usage_quantity, total_usage, lookback_days "
            "from split_shares order by all"
        ).fetchall()
    wanted: list[tuple[Any, ...]] = []
    told: list[tuple[Any, ...]] = []
    for split in splits:
        is_by_usage = split["method"] == "stream"
        for day in DAYS if is_by_usage else [None]:
            shares = shares_by_hand(split, day or DAYS[0], usage)
            before = Fraction(0)
            for part, (element, share) in enumerate(sorted(shares.items()), start=1):
                wanted.append(
                    (split["dimension"], split["position"], day, part, element, before, before + share)
                )
                before += share
            if is_by_usage and day:
                found, looked_back = used(split, day, usage)
                total = sum(found.values()) or None
                name = f"{split['dimension']} {split['position']}"
                told += [
                    (name, day, part, element, found.get(element or ""), total, looked_back)
                    for part, element in (enumerate(sorted(shares), start=1) if shares else [(None, None)])
                ]
    assert sorted(parts, key=str) == sorted(
        ((*row[:5], *(Decimal(int(share * 10**12)).scaleb(-12) for share in row[5:])) for row in wanted),
        key=str,
    )
    assert {
        (*row[:4], row[4] and Fraction(row[4]), row[5] and Fraction(row[5]), row[6]) for row in explained
    } == {*told}
