"""Seeded series of daily cost, with what is wrong in them known: the cases that anomalies are judged by.

Each kind of case is what some bill looks like. The sizes of what goes wrong are drawn in units of the series'
own noise, from hard to see to plain.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

DAYS = 240
FIRST_DAY = date(2026, 1, 1)
# What goes wrong does so in these days: every method has had four months to learn.
EVENTS_FROM, EVENTS_TO = 120, 200

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """A series of cost by day (not a number: no such day), and the days of the event in it, if it has one.

    An alarm that has a day from `first` to `last` finds the event.
    """

    name: str
    kind: str
    cost: Values
    first: int | None = None
    last: int | None = None


def day(number: int) -> date:
    """The date of the day with this number."""
    return FIRST_DAY + timedelta(days=int(number))


def make_cases(seed: int, of_each: int) -> list[Case]:
    """`of_each` cases of every kind, the same for the same seed."""
    chance = np.random.default_rng(seed)
    return [
        _case(f"{kind}-{number:03d}", kind, maker, chance)
        for kind, maker in KINDS.items()
        for number in range(of_each)
    ]


@dataclass
class _Draft:
    cost: Values
    noise: float
    first: int | None = None
    last: int | None = None


def _case(name: str, kind: str, maker: Callable[[Generator], _Draft], chance: Generator) -> Case:
    draft = maker(chance)
    return Case(name, kind, np.round(draft.cost, 6), draft.first, draft.last)


def _steady(chance: Generator, heavy_tails: bool = False) -> _Draft:
    level = 10 ** chance.uniform(0, 3)
    noise = chance.uniform(0.03, 0.15)
    swings = chance.standard_t(4, DAYS) / np.sqrt(2) if heavy_tails else chance.standard_normal(DAYS)
    return _Draft(level * np.clip(1 + noise * swings, 0.05, None), noise)


def _weekly(chance: Generator) -> _Draft:
    draft = _steady(chance)
    weekend = chance.uniform(0.2, 0.7)
    batch_day, batch = chance.integers(7), chance.choice([1.0, 1.0, 3.0])
    for number in range(DAYS):
        weekday = day(number).weekday()
        draft.cost[number] *= (weekend if weekday >= 5 else 1) * (batch if weekday == batch_day else 1)
    return draft


def _any_steady(chance: Generator) -> _Draft:
    return chance.choice(np.array([_steady, _weekly], dtype=object))(chance)


def _spike(draft: _Draft, chance: Generator) -> _Draft:
    draft.first = int(chance.integers(EVENTS_FROM, EVENTS_TO))
    draft.last = draft.first + int(chance.integers(0, 3))
    size = draft.noise * chance.uniform(5, 20)
    draft.cost[draft.first : draft.last + 1] *= 1 + size
    return draft


def _spike_on_any(chance: Generator) -> _Draft:
    return _spike(_any_steady(chance), chance)


def _shift(chance: Generator) -> _Draft:
    """For good: who has not told of it within a week has not."""
    draft = _any_steady(chance)
    draft.first = int(chance.integers(EVENTS_FROM, EVENTS_TO))
    draft.last = draft.first + 6
    size = draft.noise * chance.uniform(4, 15)
    draft.cost[draft.first :] *= 1 + size if chance.random() < 0.8 else 1 / (1 + size)
    return draft


def _drift(chance: Generator) -> _Draft:
    """A little more every day for six weeks; told of within eight, it is found."""
    draft = _any_steady(chance)
    draft.first = int(chance.integers(EVENTS_FROM, EVENTS_TO - 20))
    draft.last = draft.first + 55
    size = draft.noise * chance.uniform(5, 20)
    draft.cost *= 1 + size * np.clip((np.arange(DAYS) - draft.first) / 42, 0, 1)
    return draft


def _month_ends(chance: Generator) -> _Draft:
    draft = _steady(chance)
    first, last = chance.choice([1.0, 3.0, 6.0]), chance.choice([2.0, 4.0])
    for number in range(DAYS):
        today = day(number)
        draft.cost[number] *= first if today.day == 1 else 1
        draft.cost[number] *= last if day(number + 1).day == 1 else 1
    return draft


def _spike_beside_month_ends(chance: Generator) -> _Draft:
    draft = _month_ends(chance)
    draft.first = draft.last = int(chance.integers(EVENTS_FROM, EVENTS_TO))
    while day(draft.first).day <= 3 or day(draft.first + 3).day <= 3:
        draft.first = draft.last = draft.first + 1
    draft.cost[draft.first] *= 1 + draft.noise * chance.uniform(6, 20)
    return draft


def _new_customer(chance: Generator) -> _Draft:
    """Nothing until some day, then growing into its size over weeks."""
    draft = _any_steady(chance)
    begins, weeks = int(chance.integers(60, 180)), chance.uniform(1, 5)
    age = np.arange(DAYS) - begins
    draft.cost *= 0.05 + 0.95 * np.clip(age / (7 * weeks), 0, 1)
    draft.cost[:begins] = np.nan
    return draft


def _missing_days(chance: Generator) -> _Draft:
    draft = _any_steady(chance)
    draft.cost[chance.random(DAYS) < 0.1] = np.nan
    gap = int(chance.integers(EVENTS_FROM, EVENTS_TO))
    draft.cost[gap : gap + int(chance.integers(3, 12))] = np.nan
    return draft


def _spike_beside_missing_days(chance: Generator) -> _Draft:
    draft = _spike(_missing_days(chance), chance)
    if np.isnan(draft.cost[draft.first : draft.last + 1]).any():  # type: ignore[operator]
        return _spike_beside_missing_days(chance)
    return draft


def _growth(chance: Generator) -> _Draft:
    draft = _any_steady(chance)
    draft.cost *= np.exp(np.arange(DAYS) * chance.uniform(0.0005, 0.004))
    return draft


KINDS: dict[str, Callable[[Generator], _Draft]] = {
    "spike": _spike_on_any,
    "level shift": _shift,
    "slow drift": _drift,
    "spike, month ends": _spike_beside_month_ends,
    "spike, missing days": _spike_beside_missing_days,
    "steady": _steady,
    "weekly season": _weekly,
    "month ends": _month_ends,
    "new customer": _new_customer,
    "missing days": _missing_days,
    "steady growth": _growth,
    "heavy tails": lambda chance: _steady(chance, heavy_tails=True),
}
