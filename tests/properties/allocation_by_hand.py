"""What customers carry, worked out by hand: the oracle that the SQL is compared with, row by row.

A plain program of fractions that knows the rules from their documentation only (contexts/README.md and
docs/usage.md): every pool meets one share set, the shares of a set add up to exactly 1, and a customer's
cost is the pool times the share, to the last digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

COST_COLUMNS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
EFFECTIVE = COST_COLUMNS.index("effective_cost")
DIGITS = 10**12
UNALLOCATED, LONG_TAIL = "unallocated", "long tail"
LOOKBACK = {"same_day": (0, 0), "trailing_7_days": (7, 1), "trailing_30_days": (30, 1)}

Shares = dict[str, Fraction]
Costs = tuple[Fraction, ...]
NOTHING: Costs = (Fraction(0),) * len(COST_COLUMNS)


def cut(amount: Fraction) -> Fraction:
    """Without what stands behind the twelfth digit."""
    return Fraction(abs(amount.numerator) * DIGITS // amount.denominator, DIGITS) * (-1 if amount < 0 else 1)


def share_set(quantities: Mapping[str, Fraction]) -> Shares:
    """Quantity ÷ total, cut; what is missing to 1 to the largest, of equal ones to the first by id."""
    total = sum(quantities.values())
    shares = {member: cut(quantity / total) for member, quantity in quantities.items()}
    largest = min(quantities, key=lambda member: (-quantities[member], member))
    shares[largest] += 1 - sum(shares.values())
    return {member: share for member, share in shares.items() if share}


def in_parts(amount: Fraction, points: Iterable[Fraction]) -> list[Fraction]:
    """The parts of an amount between points of its whole, from 0 to 1, each cut at the twelfth digit."""
    reached = [cut(amount * point) for point in points]
    return [until - before for before, until in pairwise(reached)]


@dataclass(frozen=True)
class Rule:
    """An allocation rule. `streams`: name, weight, counted by the hour; `windows`: of `when_no_usage`."""

    method: str
    streams: tuple[tuple[str, Fraction, bool], ...] = ()
    windows: tuple[str, ...] = ()
    shares: tuple[tuple[str, Fraction], ...] = ()
    minimum_share: Fraction = Fraction(0)

    @property
    def kind(self) -> str:
        names = {"to": "direct", "stream": "usage", "allocated_cost": "overhead"}
        return names.get(self.method, self.method)


@dataclass(frozen=True)
class Charge:
    """A charge as the contexts left it. `key` is what else tells the marts' rows apart within a day."""

    day: date
    start: datetime
    end: datetime
    key: tuple[Any, ...]
    elements: Mapping[str, str | None]
    currency: str
    is_cogs: bool
    rule: str | None
    customer: str | None
    costs: Costs


@dataclass(frozen=True)
class Usage:
    """Usage of a customer in an hour (None: of the day). A filter names the elements that it is for."""

    stream: str
    day: date
    hour: datetime | None
    customer: str
    quantity: Fraction
    filter: Mapping[str, list[str]] | None = None


@dataclass(frozen=True)
class Pool:
    """Charges that meet one share set; `spans` is their costs by first hour and number of hours."""

    day: date
    hour: datetime | None
    charge: Charge
    spans: Mapping[tuple[datetime, int], Costs]

    @property
    def costs(self) -> Costs:
        return add(*self.spans.values())

    def by_hour(self) -> dict[datetime, Costs]:
        """A charge for several hours costs the same in each, to the last digit."""
        hours: dict[datetime, Costs] = defaultdict(lambda: NOTHING)
        for (first, count), costs in self.spans.items():
            points = [Fraction(n, count) for n in range(count + 1)]
            parts = zip(*(in_parts(cost, points) for cost in costs), strict=True)
            for number, part in enumerate(parts):
                hour = first + timedelta(hours=number)
                hours[hour] = add(hours[hour], part)
        return hours


Row = tuple[Any, ...]


class Company:
    """Charges and usage of a company, and what its customers carry."""

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
        # Of each day, how many days before it were searched for usage, successfully or not.
        self.looked_back: dict[date, int] = defaultdict(int)
        self.pools = self._pools(charges)
        self.sets: dict[int, tuple[str, Shares, str | None]] = {}
        self._known: dict[Any, Shares] = {}
        self._streams: dict[Any, dict[str, Shares]] = {}
        # Of each set, the shares of those who are the long tail together.
        self.tails: dict[int, Shares] = defaultdict(dict)
        carried: dict[tuple[date, str], dict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
        carried_in_tail: dict[tuple[date, str], Shares] = defaultdict(lambda: defaultdict(Fraction))
        for number, pool in enumerate(self.pools):
            if self._method(pool) != "allocated_cost":
                self.sets[number] = self._before_overhead(number, pool)
                for member, share in self.tails[number].items():
                    carried_in_tail[pool.day, pool.charge.currency][member] += pool.costs[EFFECTIVE] * share
                for member, share in self.sets[number][1].items():
                    if member != UNALLOCATED:
                        cost = pool.costs[EFFECTIVE] * share
                        carried[pool.day, pool.charge.currency][member] += cost
        for number, pool in enumerate(self.pools):
            if self._method(pool) == "allocated_cost":
                rule = self.rules[str(pool.charge.rule)]
                weights = carried[pool.day, pool.charge.currency]
                shares = share_set({c: w for c, w in weights.items() if w > 0} or {UNALLOCATED: Fraction(1)})
                self.tails[number] = small_members(shares, shares, rule.minimum_share)
                self.tails[number].pop(LONG_TAIL, None)
                if LONG_TAIL in shares:
                    weights = carried_in_tail[pool.day, pool.charge.currency]
                    for member, share in cut_among(shares[LONG_TAIL], weights).items():
                        self.tails[number][member] = self.tails[number].get(member, Fraction(0)) + share
                shares = with_long_tail(shares, shares, rule.minimum_share)
                self.sets[number] = "overhead", shares, "no cost carried by customers"

    def daily(self) -> dict[Row, Costs]:
        """(day, key of the charge, customer, kind, reason) → the cost columns."""
        rows: dict[Row, Costs] = defaultdict(lambda: NOTHING)
        for number, pool in enumerate(self.pools):
            for row, share in self._members(number):
                rows[row] = add(rows[row], times(pool.costs, share))
        return dict(rows)

    def tail_costs(self) -> dict[tuple[date, str, str], Fraction]:
        """(day, customer, currency) → the customer's part of what the long tail carries."""
        costs: dict[tuple[date, str, str], Fraction] = defaultdict(Fraction)
        for number, pool in enumerate(self.pools):
            for member, share in self.tails[number].items():
                costs[pool.day, member, pool.charge.currency] += pool.costs[EFFECTIVE] * share
        return dict(costs)

    def stream_costs(self) -> dict[tuple[date, str, str, str], Fraction]:
        """(day, stream, customer, currency) → effective cost that usage of the stream brought the customer.

        Where several streams divide a pool, a customer's share is cut by what each of them adds to it.
        """
        costs: dict[tuple[date, str, str, str], Fraction] = defaultdict(Fraction)
        for number, pool in enumerate(self.pools):
            kind, shares, _ = self.sets[number]
            if kind != "usage":
                continue
            used = self._usage_by_stream(pool)
            members = {**shares, **self.tails[number]}
            for member in members.keys() - {UNALLOCATED, LONG_TAIL}:
                added = {name: weights[member] for name, weights in used.items() if member in weights}
                points = [Fraction(0), *accumulate(added.values())]
                parts = in_parts(members[member], [point / points[-1] for point in points])
                for stream, part in zip(added, parts, strict=True):
                    costs[pool.day, stream, member, pool.charge.currency] += pool.costs[EFFECTIVE] * part
        return dict(costs)

    def hourly(self) -> dict[Row, Costs]:
        """The same with the hour that the cost is for in the end."""
        rows: dict[Row, Costs] = defaultdict(lambda: NOTHING)
        for number, pool in enumerate(self.pools):
            for hour, costs in pool.by_hour().items():
                for row, share in self._members(number):
                    rows[*row, hour] = add(rows[*row, hour], times(costs, share))
        return dict(rows)

    def _members(self, number: int) -> list[tuple[Row, Fraction]]:
        pool, (kind, shares, reason) = self.pools[number], self.sets[number]
        return [
            (
                (
                    pool.day,
                    *pool.charge.key,
                    member,
                    UNALLOCATED if member == UNALLOCATED else kind,
                    reason if member == UNALLOCATED else None,
                ),
                share,
            )
            for member, share in shares.items()
        ]

    def _method(self, pool: Pool) -> str | None:
        if not pool.charge.is_cogs or pool.charge.rule is None:
            return None
        return self.rules[pool.charge.rule].method

    def _before_overhead(self, number: int, pool: Pool) -> tuple[str, Shares, str | None]:
        charge, whole = pool.charge, Fraction(1)
        if not charge.is_cogs:
            return UNALLOCATED, {UNALLOCATED: whole}, "not cost of goods sold"
        if charge.rule is None:
            return UNALLOCATED, {UNALLOCATED: whole}, "no rule"
        rule = self.rules[charge.rule]
        if rule.method == "none":
            return UNALLOCATED, {UNALLOCATED: whole}, "rule: none"
        if rule.method == "to":
            if charge.customer is None:
                return UNALLOCATED, {UNALLOCATED: whole}, "no customer named"
            if charge.customer in (UNALLOCATED, "long tail"):
                return UNALLOCATED, {UNALLOCATED: whole}, "reserved customer id"
            return "direct", {charge.customer: whole}, None
        shares = self._shares(rule, pool, pool.hour)
        if rule.minimum_share:
            # Who is small is decided by the whole day's usage, whatever the hour.
            of_the_day = self._shares(rule, pool, None)
            self.tails[number] = small_members(shares, of_the_day, rule.minimum_share)
            shares = with_long_tail(shares, of_the_day, rule.minimum_share)
        return rule.kind, shares, "no usage"

    def _shares(self, rule: Rule, pool: Pool, hour: datetime | None) -> Shares:
        if rule.method == "even":
            return share_set(dict.fromkeys(self.active[pool.day], Fraction(1)) or {UNALLOCATED: Fraction(1)})
        if rule.method == "fixed":
            return share_set(dict(rule.shares))
        known = (pool.charge.rule, pool.day, hour, tuple(sorted(pool.charge.elements.items(), key=str)))
        if known not in self._known:
            self._known[known] = self._usage_shares(rule, pool, hour)
        return self._known[known]

    def _usage_shares(self, rule: Rule, pool: Pool, hour: datetime | None) -> Shares:
        parts: list[tuple[Fraction, Shares]] = []
        for stream, weight, is_hourly in rule.streams:
            used = self.usage_of(rule, stream, pool, hour if is_hourly else None)
            parts.append((weight, share_set(used) if used else {UNALLOCATED: Fraction(1)}))
        if len(parts) == 1:
            return parts[0][1]
        weighted: dict[str, Fraction] = defaultdict(Fraction)
        for weight, shares in parts:
            for member, share in shares.items():
                weighted[member] += weight * share
        return share_set(weighted)

    def _usage_by_stream(self, pool: Pool) -> dict[str, Shares]:
        """What each stream of the pool's rule adds to each customer's share, before it is closed to 1."""
        known = (pool.charge.rule, pool.day, pool.hour, tuple(sorted(pool.charge.elements.items(), key=str)))
        if known not in self._streams:
            rule, self._streams[known] = self.rules[str(pool.charge.rule)], {}
            for stream, weight, is_hourly in sorted(rule.streams):
                used = self.usage_of(rule, stream, pool, pool.hour if is_hourly else None)
                total = sum(used.values())
                self._streams[known][stream] = {
                    customer: weight * cut(quantity / total) for customer, quantity in used.items()
                }
        return self._streams[known]

    def usage_of(self, rule: Rule, stream: str, pool: Pool, hour: datetime | None) -> dict[str, Fraction]:
        """What each customer used of a stream, in the first window that has any."""
        itself = self.by_day.get((stream, pool.day), [])
        if hour is not None:
            itself = self.by_hour.get((stream, hour), [])
        if found := used_of(itself, pool.charge.elements):
            return found
        for window in rule.windows:
            first, last = LOOKBACK[window]
            self.looked_back[pool.day] = max(self.looked_back[pool.day], first)
            days = [pool.day - timedelta(back) for back in range(last, first + 1)]
            records = [record for day in days for record in self.by_day.get((stream, day), [])]
            if found := used_of(records, pool.charge.elements):
                return found
        return {}

    def _pools(self, charges: Iterable[Charge]) -> list[Pool]:
        grouped: dict[Row, tuple[Charge, dict[tuple[datetime, int], Costs]]] = {}
        for charge in charges:
            rule = self.rules.get(charge.rule or "") if charge.is_cogs else None
            first = charge.start.replace(minute=0, second=0)
            hours = -(-int((charge.end - charge.start).total_seconds()) // 3600)
            count = 1 if hours <= 1 else min(hours, 24 - first.hour)
            is_hourly = rule is not None and any(hourly for _, _, hourly in rule.streams)
            hour = first if is_hourly and hours <= 1 else None
            allocation = (charge.rule, charge.customer) if charge.is_cogs else (None, None)
            key = (charge.day, hour, charge.currency, charge.is_cogs, *allocation, charge.key)
            _, spans = grouped.setdefault(key, (charge, defaultdict(lambda: NOTHING)))
            spans[first, count] = add(spans[first, count], charge.costs)
        return [Pool(key[0], key[1], charge, spans) for key, (charge, spans) in grouped.items()]


def used_of(records: Iterable[Usage], elements: Mapping[str, str | None]) -> dict[str, Fraction]:
    """Usage by customer, of records without a filter or with one that names the elements."""
    total: dict[str, Fraction] = defaultdict(Fraction)
    for record in records:
        if all(elements.get(name) in named for name, named in (record.filter or {}).items()):
            total[record.customer] += record.quantity
    return total


def with_long_tail(shares: Shares, of_the_day: Shares, minimum: Fraction) -> Shares:
    """Members with less than the minimum of the day's usage become one."""
    small = small_members(shares, of_the_day, minimum)
    merged: Shares = defaultdict(Fraction)
    for member, share in shares.items():
        merged[LONG_TAIL if member in small else member] += share
    return dict(merged)


def small_members(shares: Shares, of_the_day: Shares, minimum: Fraction) -> Shares:
    """The members with less than the minimum of the day's usage."""
    return {
        member: share
        for member, share in shares.items()
        if member != UNALLOCATED and of_the_day.get(member, Fraction(0)) < minimum
    }


def cut_among(share: Fraction, weights: Mapping[str, Fraction]) -> Shares:
    """A share among members by weight, cut at the twelfth digit; who has most has the rest."""
    parts = share_set({member: weight for member, weight in weights.items() if weight > 0})
    cut = {member: Fraction(int(share * part * 10**12), 10**12) for member, part in parts.items()}
    most = min(parts, key=lambda member: (-weights[member], member))
    cut[most] += share - sum(cut.values())
    return {member: part for member, part in cut.items() if part}


def add(*amounts: Costs) -> Costs:
    return tuple(map(sum, zip(*amounts, strict=True)))


def times(costs: Costs, share: Fraction) -> Costs:
    return tuple(cost * share for cost in costs)


def fractions(amounts: Iterable[Decimal]) -> Costs:
    return tuple(map(Fraction, amounts))
