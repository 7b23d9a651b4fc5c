"""A plain Python division of cost among customers: the oracle that the SQL is compared with, row by row.

It knows the rules from the design only: hours where the rule and the charge have them, the windows of
`when_no_usage`, cut at the twelfth digit, what is missing to the largest share. Integers throughout: an
amount is a number of 10^-12 units, usage a number of 10^-9 units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

COST_COLUMNS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
ONE = 10**12
WINDOWS = {"same_day": (0, 0), "trailing_7_days": (7, 1), "trailing_30_days": (30, 1)}


def units(amount: Decimal) -> int:
    """Money as a whole number of 10^-12 units."""
    scaled = amount.scaleb(12)
    assert scaled == int(scaled)
    return int(scaled)


def cut(dividend: int, divisor: int) -> int:
    """Quotient cut toward zero (Python's own floors)."""
    return abs(dividend) // divisor * (1 if dividend >= 0 else -1)


def in_whole_units(weights: Mapping[str, int], scale: int, digits: int) -> dict[str, int]:
    """Weights without common zeros, and without the last digits where there are more than `digits` in all."""
    exact = next((10**z for z in range(scale, 0, -3) if all(w % 10**z == 0 for w in weights.values())), 1)
    divisor = exact * 10 ** max(len(str(sum(weights.values()) // exact)) - digits, 0)
    return {customer: weight // divisor for customer, weight in weights.items()}


@dataclass(frozen=True)
class Rule:
    """One allocation rule; `windows` are those of `when_no_usage` before `unallocated`."""

    method: str
    streams: tuple[tuple[str, int, bool], ...] = ()  # name, millionths of the cost, counted by the hour
    windows: tuple[str, ...] = ()
    shares: tuple[tuple[str, Decimal], ...] = ()


@dataclass(frozen=True)
class Charge:
    """One charge as the context left it; `key` tells its pool apart within the day.

    `elements` are its elements of the dimensions.
    """

    day: date
    start: datetime
    hours: int
    key: tuple[object, ...]
    currency: str
    is_cogs: bool
    rule: str | None
    direct_customer: str | None
    costs: tuple[int, ...]
    elements: Mapping[str, str | None]


@dataclass(frozen=True)
class Usage:
    """Usage of one customer in one hour (`hour` None: sent by the day).

    With a filter it divides only the pools of the elements that the filter names.
    """

    stream: str
    day: date
    hour: datetime | None
    customer: str
    quantity: int
    filter: Mapping[str, list[str]] | None = None


class Company:
    """All that the division needs; `divide` gives every (pool, customer or reason) its costs."""

    def __init__(self, charges: Iterable[Charge], usage: Iterable[Usage], rules: Mapping[str, Rule]) -> None:
        self.rules = rules
        self.by_hour: dict[tuple[str, datetime], list[Usage]] = defaultdict(list)
        self.by_day: dict[tuple[str, date], list[Usage]] = defaultdict(list)
        self.active: dict[date, set[str]] = defaultdict(set)
        for record in usage:
            if record.hour is not None:
                self.by_hour[record.stream, record.hour].append(record)
            self.by_day[record.stream, record.day].append(record)
            self.active[record.day].add(record.customer)
        self.pools: dict[tuple[object, ...], list[Charge]] = defaultdict(list)
        for charge in charges:
            rule = charge.rule if charge.is_cogs else None
            direct = charge.direct_customer if charge.is_cogs else None
            self.pools[charge.day, charge.currency, charge.is_cogs, rule, direct, charge.key].append(charge)

    def divide(self) -> dict[tuple[tuple[object, ...], str, str | None], tuple[int, ...]]:
        """(pool, customer, reason) → the cost columns and the share, in units."""
        given: dict[tuple[tuple[object, ...], str, str | None], tuple[int, ...]] = {}
        carried: dict[tuple[date, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        overhead = []
        for pool, charges in self.pools.items():
            day, currency, is_cogs, rule_name, direct, _ = pool
            rule = self.rules.get(rule_name) if rule_name else None
            if rule is not None and rule.method == "allocated_cost":
                overhead.append((pool, charges))
                continue
            for (customer, reason), amounts in self._give_out(charges, is_cogs, rule, direct).items():
                given[pool, customer, reason] = amounts
                if reason is None:
                    carried[day, currency][customer] += amounts[COST_COLUMNS.index("effective_cost")]
        for pool, charges in overhead:
            weights = {c: w for c, w in carried[pool[0], pool[1]].items() if w > 0}
            # Shares of carried cost are taken to twelve digits.
            weights = {c: w for c, w in in_whole_units(weights, scale=12, digits=12).items() if w}
            parts = [(weights, (*map(sum, zip(*(c.costs for c in charges), strict=True)), ONE))]
            divided = _largest_remainder(parts, "no cost carried by customers")
            for (customer, reason), amounts in divided.items():
                given[pool, customer, reason] = amounts
        return given

    def _give_out(self, charges, is_cogs, rule, direct):
        parts = _parts(charges, rule is not None and any(hourly for _, _, hourly in rule.streams))
        whole = tuple(map(sum, zip(*(amounts for _, amounts in parts), strict=True)))
        if not is_cogs:
            return {("unallocated", "not cost of goods sold"): whole}
        if rule is None:
            return {("unallocated", "no rule"): whole}
        if rule.method == "none":
            return {("unallocated", "rule: none"): whole}
        if rule.method == "to":
            return {(direct, None) if direct else ("unallocated", "no customer named"): whole}
        day = charges[0].day
        weighed = []
        for hour, amounts in parts:
            if rule.method != "stream":
                weighed.append((self._weights(rule, day), amounts))
                continue
            of_streams = {name: tuple(cut(a * w, 10**6) for a in amounts) for name, w, _ in rule.streams}
            heaviest = min(rule.streams, key=lambda stream: (-stream[1], stream[0]))[0]
            rest = [a - sum(part) for a, *part in zip(amounts, *of_streams.values(), strict=True)]
            of_streams[heaviest] = tuple(a + r for a, r in zip(of_streams[heaviest], rest, strict=True))
            weighed += [
                (self._usage(rule, name, charges[0], hour if hourly else None), of_streams[name])
                for name, _, hourly in rule.streams
            ]
        return _largest_remainder(weighed, "no usage")

    def _weights(self, rule: Rule, day: date) -> Mapping[str, int]:
        if rule.method == "even":
            return dict.fromkeys(self.active[day], 1)
        return {customer: int(share.scaleb(9)) for customer, share in rule.shares}

    def _usage(self, rule: Rule, stream: str, charge: Charge, hour: datetime | None) -> Mapping[str, int]:
        itself = self.by_hour.get((stream, hour)) if hour else self.by_day.get((stream, charge.day))
        if found := _of_customers(itself or [], charge):
            return found
        for window in rule.windows:
            first, last = WINDOWS[window]
            days = [charge.day - timedelta(back) for back in range(last, first + 1)]
            records = [record for day in days for record in self.by_day.get((stream, day), [])]
            if found := _of_customers(records, charge):
                return found
        return {}


def _of_customers(records: Iterable[Usage], charge: Charge) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for record in records:
        if all(charge.elements.get(name) in named for name, named in (record.filter or {}).items()):
            total[record.customer] += record.quantity
    return in_whole_units(total, scale=9, digits=18)


def _parts(charges: list[Charge], hourly: bool) -> list[tuple[datetime | None, tuple[int, ...]]]:
    """The pool by the hour (None: by the day), each part with its costs and its share of the pool."""
    hours: dict[datetime | None, tuple[int, ...]] = {}
    for charge in charges:
        hour = charge.start.replace(minute=0, second=0) if hourly and charge.hours <= 1 else None
        before = hours.get(hour, (0,) * len(COST_COLUMNS))
        hours[hour] = tuple(a + b for a, b in zip(before, charge.costs, strict=True))
    effective, billed = COST_COLUMNS.index("effective_cost"), COST_COLUMNS.index("billed_cost")
    for column in (effective, billed):
        weights = {hour: abs(costs[column]) for hour, costs in hours.items()}
        if sum(weights.values()):
            break
    else:
        weights = dict.fromkeys(hours, 1)
    total = sum(weights.values())
    shares = {hour: ONE * weight // total for hour, weight in weights.items()}
    # Of equal hours the first; the part without an hour comes last.
    largest = min(hours, key=lambda hour: (-weights[hour], hour is None, hour or datetime.min))
    shares[largest] += ONE - sum(shares.values())
    return [(hour, (*costs, shares[hour])) for hour, costs in hours.items()]


def _largest_remainder(
    parts: list[tuple[Mapping[str, int], tuple[int, ...]]], reason: str
) -> dict[tuple[str, str | None], tuple[int, ...]]:
    given: dict[tuple[str, str | None], tuple[int, ...]] = {}
    missing = [0] * (len(COST_COLUMNS) + 1)
    for weights, amounts in parts:
        total = sum(weights.values())
        if not total:
            before = given.get(("unallocated", reason), (0,) * len(amounts))
            given["unallocated", reason] = tuple(a + b for a, b in zip(before, amounts, strict=True))
            continue
        missing = [left + amount for left, amount in zip(missing, amounts, strict=True)]
        for customer, weight in weights.items():
            part = tuple(cut(amount * weight, total) for amount in amounts)
            before = given.get((customer, None), (0,) * len(amounts))
            given[customer, None] = tuple(a + b for a, b in zip(before, part, strict=True))
            missing = [left - amount for left, amount in zip(missing, part, strict=True)]
    customers = [key for key in given if key[1] is None]
    if customers:
        largest = min(customers, key=lambda key: (-given[key][-1], key[0]))
        given[largest] = tuple(a + b for a, b in zip(given[largest], missing, strict=True))
    return given
