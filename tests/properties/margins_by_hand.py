"""Margins worked out row by row in plain Python decimals: what the SQL of the margins marts must say.

What belongs here: the oracle alone. It shares no code with the project.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext

ZERO = Decimal(0)
OUTSIDE_THE_MARGIN = ("not cost of goods sold", "day to come")
NOT_ONE_CUSTOMER = ("unallocated", "long tail")
UNIT = Decimal("1E-12")


@dataclass(frozen=True)
class Cost:
    """What a customer costs in a month: the grain of customer_costs_monthly, as far as margins see it."""

    month: str
    customer: str
    currency: str
    feature: str | None
    environment: str
    service: str
    amount: Decimal
    reason: str | None = None
    """Why nobody carries it; of what a customer carries, None."""
    member: str | None = None
    """Of what the long tail carries: the customer whose part it is."""

    @property
    def carrier(self) -> str:
        """Who has it in a margin."""
        return self.member or self.customer


@dataclass(frozen=True)
class BilledDay:
    """A day that the bill has a charge of."""

    day: date
    category: str = "Usage"
    reason: str | None = None


@dataclass(frozen=True)
class Revenue:
    """A row of a revenue file; `last` is the last day of the period."""

    customer: str
    product: str | None
    currency: str
    first: date
    last: date
    amount: Decimal


@dataclass(frozen=True)
class Alias:
    """Another name of a customer, on the days from `first` to `last`."""

    name: str
    customer: str
    first: date
    last: date


Daily = dict[tuple[date, str, str | None, str], Decimal]
Key = tuple[str, str, str]


def daily_revenue(revenue: Iterable[Revenue], aliases: Iterable[Alias]) -> Daily:
    """Revenue per (day, customer, product, currency): equal parts, the odd units on the first days."""
    days: Daily = defaultdict(lambda: ZERO)
    for row in revenue:
        length = (row.last - row.first).days + 1
        units = int(row.amount / UNIT)
        each, odd = divmod(abs(units), length)
        for number in range(length):
            day = row.first + timedelta(number)
            part = each + (1 if number < odd else 0)
            owner = next(
                (a.customer for a in aliases if a.name == row.customer and a.first <= day <= a.last),
                row.customer,
            )
            days[day, owner, row.product, row.currency] += (part if units >= 0 else -part) * UNIT
    return dict(days)


def month_of(day: date) -> str:
    """The day's month, as YYYY-MM."""
    return f"{day:%Y-%m}"


def shifted(month: str, by: int) -> str:
    """The month `by` months later."""
    number = int(month[:4]) * 12 + int(month[5:]) - 1 + by
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def last_day(month: str) -> date:
    """The last day of a month."""
    year, number = int(month[:4]), int(month[5:])
    return date(year, number, monthrange(year, number)[1])


def ratio(margin: Decimal, revenue: Decimal) -> Decimal | None:
    """margin ÷ revenue, cut after six digits; none without revenue or with more than twelve digits before."""
    if revenue <= 0:
        return None
    with localcontext(prec=80):
        quotient = (margin / revenue).quantize(Decimal("1E-6"), ROUND_DOWN)
    return quotient if abs(quotient) < 10**12 else None


def text(amount: Decimal) -> str:
    """A change as readers see it."""
    shown = amount.quantize(Decimal("0.01"), ROUND_HALF_UP)
    return f"{'+' if amount >= 0 else ''}{shown if shown else Decimal('0.00')}"


def cause(revenue: Decimal, cost: Decimal) -> str | None:
    """Which of the two changes moved the margin further in its direction."""
    if revenue == cost == 0:
        return None
    direction = (revenue > cost) - (revenue < cost)
    effects = {"revenue": direction * revenue, "cost": -direction * cost}
    return max(effects, key=lambda side: (effects[side], side == "cost"))


def furthest(parts: dict[str | None, Decimal]) -> tuple[str | None, Decimal]:
    """The part that went furthest the way of the whole; of equal ones the first by name, absent last."""
    whole = sum(parts.values(), ZERO)
    sign = (whole > 0) - (whole < 0)
    return min(
        parts.items(),
        key=lambda part: (-(sign * part[1] if sign else abs(part[1])), part[0] is None, part[0] or ""),
    )


def change_reason(revenue_change: Decimal, cost_change: Decimal, cost_reason: str | None) -> str:
    """The sentence of `change_reason` for somebody who was there in both months."""
    moved = cause(revenue_change, cost_change)
    if moved is None:
        return "no change"
    cost = f"cost {text(cost_change)}"
    if moved == "revenue":
        return f"revenue {text(revenue_change)}; {cost}"
    above_all = f", above all {cost_reason}" if cost_reason else ""
    return f"{cost}{above_all}; revenue {text(revenue_change)}"


class Margins:
    """Everything that the marts say about one set of costs and revenue."""

    def __init__(
        self, costs: list[Cost], daily: Daily, billed_days: Iterable[BilledDay], run_day: date
    ) -> None:
        self.costs = [cost for cost in costs if cost.reason not in OUTSIDE_THE_MARGIN]
        self.months = sorted({cost.month for cost in costs})
        self.running = {month for month in self.months if run_day <= last_day(month)}
        come = [each for each in billed_days if each.reason != "day to come"]
        self.billed_through = {
            month: max(
                (each.day for each in come if month_of(each.day) == month and each.category == "Usage"),
                default=max((each.day for each in come if month_of(each.day) == month), default=None),
            )
            for month in self.months
        }
        self.cost: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        self.outside: dict[str, dict[Key, Decimal]] = {
            reason: defaultdict(lambda: ZERO) for reason in OUTSIDE_THE_MARGIN
        }
        self.billed: set[Key] = set()
        for each in costs:
            key = (each.month, each.carrier, each.currency)
            self.billed.add(key)
            outside = self.outside.get(each.reason or "", self.cost)
            outside[key] += each.amount
        self.revenue: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        self.to_date: dict[Key, Decimal] = defaultdict(lambda: ZERO)
        for (day, customer, _, currency), amount in daily.items():
            month = month_of(day)
            if month in self.months:
                self.revenue[month, customer, currency] += amount
                self.to_date[month, customer, currency] += amount if self.is_compared(day) else 0

    def is_compared(self, day: date) -> bool:
        """Whether a day's revenue has its cost beside it: in a month that runs, only a day that is billed."""
        through = self.billed_through[month_of(day)]
        return month_of(day) not in self.running or (through is not None and day <= through)

    def rows(self) -> dict[Key, dict[str, object]]:
        """One row per month, customer and currency with anything in the month or the one before."""
        there = self.billed | set(self.revenue)
        next_months = {(shifted(month, 1), customer, currency) for month, customer, currency in there}
        over = set(self.months) - self.running
        keys = there | {key for key in next_months if key[0] in over}
        rows = {key: self._row(key, there) for key in keys}
        for month, customer, currency in keys:
            rows[month, customer, currency]["other_currencies"] = (
                ", ".join(
                    sorted(key[2] for key in keys if key[:2] == (month, customer) and key[2] != currency)
                )
                or None
            )
        for month, currency in {(key[0], key[2]) for key in keys}:
            fallen = sorted(
                (row["gross_margin_change"], key[1])
                for key, row in rows.items()
                if (key[0], key[2]) == (month, currency)
                and row["gross_margin_change"] is not None
                and row["gross_margin_change"] < 0
                and key[1] not in NOT_ONE_CUSTOMER
            )
            for rank, (_, customer) in enumerate(fallen, start=1):
                rows[month, customer, currency]["margin_fall_rank"] = rank
        return rows

    def _row(self, key: Key, there: set[Key]) -> dict[str, object]:
        month, customer, currency = key
        before: Key = (shifted(month, -1), customer, currency)
        has_revenue, has_cost = key in self.revenue, key in self.billed
        revenue, cost = self.revenue.get(key, ZERO), self.cost.get(key, ZERO)
        to_date = self.to_date.get(key, ZERO)
        running = month in self.running
        row: dict[str, object] = {
            "revenue": revenue,
            "effective_cost": cost,
            "other_cost": self.outside["not cost of goods sold"].get(key, ZERO),
            "cost_to_come": self.outside["day to come"].get(key, ZERO),
            "gross_margin": to_date - cost,
            "gross_margin_ratio": ratio(to_date - cost, to_date),
            "missing_side": {(True, True): None, (False, True): "revenue", (True, False): "cost"}.get(
                (has_revenue, has_cost), "both"
            ),
            "is_running": running,
            "billed_through": self.billed_through[month],
            "revenue_to_date": to_date,
            "previous_gross_margin": None,
            "gross_margin_change": None,
            "change_cause": None,
            "change_reason": None,
            "margin_fall_rank": None,
        }
        if before[0] in self.months:
            row["previous_gross_margin"] = self.revenue.get(before, ZERO) - self.cost.get(before, ZERO)
        if running:
            row["change_reason"] = f"so far, through {self.billed_through[month] or 'no day yet'}"
        elif before[0] in self.months:
            revenue_change = revenue - self.revenue.get(before, ZERO)
            cost_change = cost - self.cost.get(before, ZERO)
            row["gross_margin_change"] = revenue_change - cost_change
            row["change_cause"] = cause(revenue_change, cost_change)
            if not has_revenue and not has_cost:
                row["change_reason"] = f"gone: no revenue and no cost after {before[0]}"
            elif before not in there:
                row["change_reason"] = f"new: no revenue and no cost in {before[0]}"
            else:
                row["change_reason"] = change_reason(revenue_change, cost_change, self.cost_reason(key))
        return row

    def cost_reason(self, key: Key) -> str | None:
        """The element of the finest dimension, and the service in it, that moved a customer's cost most."""
        month, customer, currency = key
        finest = self.finest()
        parts: dict[str | None, dict[str | None, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
        for cost in self.costs:
            if (cost.customer, cost.currency) == (customer, currency):
                sign = {month: 1, shifted(month, -1): -1}.get(cost.month, 0)
                parts[getattr(cost, finest)][cost.service] += sign * cost.amount
        changed = {
            element: {service: amount for service, amount in services.items() if amount}
            for element, services in parts.items()
        }
        changed = {element: services for element, services in changed.items() if services}
        if not changed:
            return None
        element, amount = furthest({name: sum(each.values(), ZERO) for name, each in changed.items()})
        service, of_it = furthest(changed[element])
        named = f"no {finest}" if element is None else f"{finest} {element}"
        return f"{named} {text(amount)} ({service} {text(of_it)})"

    def finest(self) -> str:
        """The dimension with the most elements; of equal ones the first by name."""
        return min(
            ("environment", "feature"),
            key=lambda name: (-len({getattr(c, name) for c in self.costs} - {None}), name),
        )

    def products(self, daily: Daily) -> dict[tuple[str, str, str], tuple[Decimal, Decimal, Decimal, int]]:
        """Revenue, that to date, cost and customers per (month, product, currency); products are features."""
        found: dict[tuple[str, str, str], list[object]] = defaultdict(lambda: [ZERO, ZERO, ZERO, set()])
        spellings: dict[str, str] = {}
        names = []
        for cost in self.costs:
            name = "unallocated" if cost.customer == "unallocated" else cost.feature or "no product matched"
            names.append(name)
            spellings[name.lower()] = min(name, spellings.get(name.lower(), name))
        for cost, name in zip(self.costs, names, strict=True):
            entry = found[cost.month, name, cost.currency]
            entry[2] += cost.amount
            entry[3] |= {cost.customer} - set(NOT_ONE_CUSTOMER)
        for (day, customer, product, currency), amount in daily.items():
            if month_of(day) in self.months:
                named = spellings.get(product.lower(), product) if product else "no product named"
                entry = found[month_of(day), named, currency]
                entry[0] += amount
                entry[1] += amount if self.is_compared(day) else 0
                entry[3] |= {customer}
        return {
            key: (revenue, to_date, cost, len(who)) for key, (revenue, to_date, cost, who) in found.items()
        }
