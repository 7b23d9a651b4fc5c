"""A plain Python division of cost among customers: the oracle that the SQL is compared with, row by row.

It knows the rules from the design only: hours where the rule and the charge have them, the windows of
`when_no_usage`, cut at the twelfth digit, what is missing to the largest share, small shares to the long
tail; and the hours of what was divided by the day. Integers throughout: an amount is a number of 10^-12
units, usage a number of 10^-9 units.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property

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
    minimum_share: Decimal = Decimal(0)


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


Amounts = tuple[int, ...]
Hours = dict[datetime, Amounts]
Pool = tuple[object, ...]


@dataclass(frozen=True)
class Part:
    """What one set of weights divides: costs and share, and what the costs run up to by each hour's end."""

    weights: Mapping[str, int]
    amounts: Amounts
    run_up: Hours


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

    def divide(self) -> dict[tuple[Pool, str, str | None], Amounts]:
        """(pool, customer, reason) → the cost columns and the share, in units."""
        return {key: amounts for key, (amounts, _) in self._divided.items()}

    def divide_by_the_hour(self) -> dict[tuple[Pool, str, str | None, datetime], Amounts]:
        """(pool, customer, reason, hour) → the cost columns."""
        return {
            (*key, hour): amounts
            for key, (_, hours) in self._divided.items()
            for hour, amounts in hours.items()
        }

    @cached_property
    def _divided(self) -> dict[tuple[Pool, str, str | None], tuple[Amounts, Hours]]:
        given: dict[tuple[Pool, str, str | None], tuple[Amounts, Hours]] = {}
        carried: dict[tuple[date, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
        overhead = []
        for pool, charges in self.pools.items():
            day, currency, is_cogs, rule_name, direct, _ = pool
            rule = self.rules.get(rule_name) if rule_name else None
            if rule is not None and rule.method == "allocated_cost":
                overhead.append((pool, rule, charges))
                continue
            for (customer, reason), result in self._give_out(charges, is_cogs, rule, direct).items():
                given[pool, customer, reason] = result
                if reason is None:
                    carried[day, currency][customer] += result[0][COST_COLUMNS.index("effective_cost")]
        for pool, rule, charges in overhead:
            weights = {c: w for c, w in carried[pool[0], pool[1]].items() if w > 0}
            # Shares of carried cost are taken to twelve digits.
            weights = {c: w for c, w in in_whole_units(weights, scale=12, digits=12).items() if w}
            part = Part(weights, (*_total(charges), ONE), _run_up(charges, None))
            divided = _largest_remainder([part], "no cost carried by customers", rule.minimum_share)
            for (customer, reason), result in divided.items():
                given[pool, customer, reason] = result
        return given

    def _give_out(self, charges, is_cogs, rule, direct):
        whole = (*_total(charges), ONE), _differences(_run_up(charges, None))
        if not is_cogs:
            return {("unallocated", "not cost of goods sold"): whole}
        if rule is None:
            return {("unallocated", "no rule"): whole}
        if rule.method == "none":
            return {("unallocated", "rule: none"): whole}
        if rule.method == "to":
            return {(direct, None) if direct else ("unallocated", "no customer named"): whole}
        day = charges[0].day
        hourly = any(counted for _, _, counted in rule.streams)
        weighed = []
        for hour, amounts in _parts(charges, hourly):
            of_hour = [charge for charge in charges if _hour(charge, hourly) == hour]
            run_up = _run_up(of_hour, hour)
            if rule.method != "stream":
                weighed.append(Part(self._weights(rule, day), amounts, run_up))
                continue
            for name, _, counted in rule.streams:
                usage = self._usage(rule, name, charges[0], hour if counted else None)
                of_stream = {at: _of_stream(rule, name, amount) for at, amount in run_up.items()}
                weighed.append(Part(usage, _of_stream(rule, name, amounts), of_stream))
        return _largest_remainder(weighed, "no usage", rule.minimum_share)

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


def _total(charges: Iterable[Charge]) -> Amounts:
    return tuple(map(sum, zip(*(charge.costs for charge in charges), strict=True)))


def _hour(charge: Charge, hourly: bool) -> datetime | None:
    """The hour whose usage divides the charge; None: its day does."""
    return charge.start.replace(minute=0, second=0) if hourly and charge.hours <= 1 else None


def _of_stream(rule: Rule, stream: str, amounts: Amounts) -> Amounts:
    """The part of a stream by its weight; the stream that weighs most takes the rest."""
    parts = {name: tuple(cut(a * weight, 10**6) for a in amounts) for name, weight, _ in rule.streams}
    heaviest = min(rule.streams, key=lambda each: (-each[1], each[0]))[0]
    rest = [a - sum(part) for a, *part in zip(amounts, *parts.values(), strict=True)]
    parts[heaviest] = tuple(a + r for a, r in zip(parts[heaviest], rest, strict=True))
    return parts[stream]


def _run_up(charges: Iterable[Charge], hour: datetime | None) -> Hours:
    """Hour → what the charges cost until its end. A charge for several hours costs the same in each."""
    hours: dict[datetime, list[int]] = defaultdict(lambda: [0] * len(COST_COLUMNS))
    for charge in charges:
        first = hour or charge.start.replace(minute=0, second=0)
        count = min(charge.hours, 24 - first.hour) if charge.hours > 1 else 1
        for n in range(count):
            for column, cost in enumerate(charge.costs):
                part = cut(cost * (n + 1), count) - cut(cost * n, count)
                hours[first + timedelta(hours=n)][column] += part
    run_up: Hours = {}
    so_far = (0,) * len(COST_COLUMNS)
    for at in sorted(hours):
        so_far = tuple(a + b for a, b in zip(so_far, hours[at], strict=True))
        run_up[at] = so_far
    return run_up


def _differences(run_up: Hours) -> Hours:
    befores = [(0,) * len(COST_COLUMNS), *run_up.values()]
    return {
        hour: tuple(a - b for a, b in zip(after, before, strict=True))
        for before, (hour, after) in zip(befores, run_up.items(), strict=False)
    }


def _parts(charges: list[Charge], hourly: bool) -> list[tuple[datetime | None, Amounts]]:
    """The pool by the hour (None: by the day), each part with its costs and its share of the pool."""
    hours: dict[datetime | None, Amounts] = {}
    for charge in charges:
        hour = _hour(charge, hourly)
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
    parts: list[Part], reason: str, minimum_share: Decimal
) -> dict[tuple[str, str | None], tuple[Amounts, Hours]]:
    given: dict[str | None, Amounts] = {}
    by_hour: dict[str | None, Hours] = defaultdict(dict)
    missing: Amounts = (0,) * (len(COST_COLUMNS) + 1)
    missing_by_hour: Hours = {}

    def add(to: dict, key: object, amounts: Amounts, sign: int = 1) -> None:
        to[key] = tuple(a + sign * b for a, b in zip(to.get(key, (0,) * len(amounts)), amounts, strict=True))

    for part in parts:
        total = sum(part.weights.values())
        if not total:
            add(given, None, part.amounts)
            for hour, amounts in _differences(part.run_up).items():
                add(by_hour[None], hour, amounts)
            continue
        missing = tuple(left + amount for left, amount in zip(missing, part.amounts, strict=True))
        for hour, amounts in _differences(part.run_up).items():
            add(missing_by_hour, hour, amounts)
        for customer, weight in part.weights.items():
            of_customer = tuple(cut(amount * weight, total) for amount in part.amounts)
            add(given, customer, of_customer)
            missing = tuple(left - amount for left, amount in zip(missing, of_customer, strict=True))
            run_up = {h: tuple(cut(a * weight, total) for a in until) for h, until in part.run_up.items()}
            for hour, amounts in _differences(run_up).items():
                add(by_hour[customer], hour, amounts)
                add(missing_by_hour, hour, amounts, -1)
    customers = [customer for customer in given if customer is not None]
    if customers:
        largest = min(customers, key=lambda customer: (-given[customer][-1], customer))
        add(given, largest, missing)
        for hour, amounts in missing_by_hour.items():
            if any(amounts):
                add(by_hour[largest], hour, amounts)
    result: dict[tuple[str, str | None], tuple[Amounts, Hours]] = {}
    if None in given:
        result["unallocated", reason] = given[None], by_hour[None]
    for customer in customers:
        key = ("long tail" if given[customer][-1] < minimum_share * ONE else customer, None)
        amounts, hours = result.get(key, ((0,) * len(given[customer]), {}))
        hours = dict(hours)
        for hour, of_hour in by_hour[customer].items():
            add(hours, hour, of_hour)
        result[key] = tuple(a + b for a, b in zip(amounts, given[customer], strict=True)), hours
    return result
