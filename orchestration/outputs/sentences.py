"""Sentences for people, from the facts of the marts: on anomalies, allocations and changes of margins.

Money of anomalies and margins is rounded for reading; an allocation shows every digit, so that anybody can
redo it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

Row = Mapping[str, Any]


def anomaly_sentence(anomaly: Row, drivers: Iterable[Row]) -> str:
    """What cost more or less, how much, when and why: a row of `cost_anomalies` with its drivers."""
    impact: Decimal = anomaly["cost_impact"]
    is_unit_cost = anomaly["series_kind"] == "unit_cost"
    drivers = list(drivers)
    return "".join(
        [
            f"{_subject(anomaly)} cost {money(abs(impact))} {anomaly['billing_currency']}",
            " more" if impact > 0 else " less",
            " than its usage explains" if is_unit_cost else " than expected",
            _time_span(anomaly),
            f" ({money(anomaly['actual_cost'])} instead of {money(anomaly['expected_cost'])})",
            _usage(anomaly, is_unit_cost),
            _carried_by(impact, drivers),
            _deployed(anomaly, drivers),
            ".",
        ]
    )


def allocation_sentence(part: Row) -> str:
    """The multiplication of a row of `allocation_explanations`, and what its share is."""
    multiplied = f"{_exact(part['share'])} × {_exact(part['pool_cost'])} = {_exact(part['effective_cost'])}"
    merged = part["long_tail_customers"]
    tail = f"; {merged} customers below the minimum share" if merged is not None else ""
    return f"{multiplied} {part['billing_currency']}{_share_of(part)}{tail}"


def customer_margin_sentence(margin: Row) -> str | None:
    """Why a row of `customer_margins_monthly` changed; None if the previous month has no bill."""
    if margin["is_running"] or margin["previous_revenue"] is None:
        return _change(margin, None)
    if margin["missing_side"] == "both":
        return f"gone: no revenue and no cost after {_month_before(margin)}"
    if margin["is_new"]:
        return f"new: no revenue and no cost in {_month_before(margin)}"
    if margin["changed_service"] is None:
        return _change(margin, None)
    dimension, element = margin["changed_dimension"], margin["changed_element"]
    named = f"no {dimension}" if element is None else f"{dimension} {element}"
    service = f"{margin['changed_service']} {_signed(margin['changed_service_cost'])}"
    return _change(margin, f"{named} {_signed(margin['changed_element_cost'])} ({service})")


def product_margin_sentence(margin: Row) -> str | None:
    """Why a row of `product_margins_monthly` changed; None if the previous month has no bill."""
    service = margin["changed_service"]
    return _change(margin, service and f"{service} {_signed(margin['changed_service_cost'])}")


def segment_margin_sentence(margin: Row, customer: Row | None) -> str | None:
    """Who moved a row of `segment_margins_monthly` most, and why: `customer` is its own row of margins."""
    if customer is None:
        return None
    name, change = margin["changed_customer_name"], _signed(margin["changed_customer_margin"])
    return f"{name} {change}: {customer_margin_sentence(customer)}"


def money(amount: Decimal) -> str:
    """An amount rounded for reading."""
    return f"{_rounded(amount):f}"


def _change(margin: Row, cost_reason: str | None) -> str | None:
    """First what moved the margin, then the other side; of a month that runs, how far it is billed."""
    if margin["is_running"]:
        return f"so far, through {margin['billed_through'] or 'no day yet'}"
    if margin["previous_revenue"] is None:
        return None
    revenue, cost = _signed(margin["revenue_change"]), _signed(margin["cost_change"])
    match margin["change_cause"]:
        case "revenue":
            return f"revenue {revenue}; cost {cost}"
        case "cost":
            above_all = f", above all {cost_reason}" if cost_reason else ""
            return f"cost {cost}{above_all}; revenue {revenue}"
    return "no change"


def _month_before(margin: Row) -> str:
    first_day: date = margin["billing_month"]
    return f"{first_day - timedelta(days=1):%Y-%m}"


def _share_of(part: Row) -> str:
    if part["unallocated_reason"] is not None:
        return f", unallocated: {part['unallocated_reason']}"
    match part["allocation_kind"]:
        case "direct":
            return ", charged directly to the customer"
        case "usage" if part["usage_quantity"] is None:
            return f", by usage of {part['stream']}"
        case "usage":
            used, of_all = _exact(part["usage_quantity"]), _exact(part["total_usage"])
            return f", for {used} of {of_all} units of {part['stream']} ({part['usage_window']})"
        case "even":
            return f", split evenly among {_exact(part['total_usage'])} customers active on the day"
        case "fixed":
            return ", fixed share of the rule"
        case "overhead":
            carried, of_all = _exact(part["carried_cost"]), _exact(part["total_carried_cost"])
            return f", for {carried} of {of_all} of customer costs before overhead"
    return ""


def _subject(anomaly: Row) -> str:
    match anomaly["series_kind"]:
        case "customer_feature" if anomaly["customer_id"] == "unallocated":
            return f"{anomaly['element']} for nobody"
        case "customer_feature":
            name, customer = anomaly["customer_name"], anomaly["customer_id"]
            return f"{anomaly['element']} for {name}" + (f" ({customer})" if name != customer else "")
        case "feature":
            return f"{anomaly['element']} for all customers"
        case "unit_cost":
            return f"What {anomaly['element']} divides"
    return f"{anomaly['service_name']} in account {anomaly['sub_account_id']}"


def _time_span(anomaly: Row) -> str:
    """Hours without seconds, days by their first and last."""
    is_hourly = anomaly["granularity"] == "hourly"
    shown = "%Y-%m-%d %H:%M" if is_hourly else "%Y-%m-%d"
    last: datetime = anomaly["ended_at"] - timedelta(days=0 if is_hourly else 1)
    started, ended = anomaly["started_at"].strftime(shown), last.strftime(shown)
    if anomaly["is_ongoing"]:
        return f" since {started}"
    return f" on {started}" if started == ended else f" from {started} to {ended}"


def _usage(anomaly: Row, is_unit_cost: bool) -> str:
    if anomaly["usage_ratio"] is None:
        return ""
    times = f": usage ×{float(anomaly['usage_ratio']):.1f}"
    if is_unit_cost:
        return times
    return f"{times} explains {money(anomaly['usage_effect'])}, the rate {money(anomaly['rate_effect'])}"


def _carried_by(impact: Decimal, drivers: Iterable[Row]) -> str:
    """The two services or elements that moved furthest in the anomaly's direction."""
    carriers = [
        driver
        for driver in drivers
        if driver["driver_kind"] in ("service", "element") and driver["cost_impact"] * impact > 0
    ]
    carriers.sort(key=lambda driver: (-abs(driver["cost_impact"]), driver["driver"]))
    shown = ", ".join(f"{driver['driver']} ({money(driver['cost_impact'])})" for driver in carriers[:2])
    return f"; carried by {shown}" if shown else ""


def _deployed(anomaly: Row, drivers: Iterable[Row]) -> str:
    """The last deployment before the anomaly, or in its first hours."""
    deployments = [driver for driver in drivers if driver["driver_kind"] == "deployment"]
    if not deployments:
        return ""
    at: datetime = max(driver["happened_at"] for driver in deployments)
    name = min(driver["driver"] for driver in deployments if driver["happened_at"] == at)
    if anomaly["granularity"] == "daily":
        return f"; {name} was deployed on {at:%Y-%m-%d %H:%M}"
    minutes = (anomaly["started_at"].replace(second=0) - at.replace(second=0, microsecond=0)) // timedelta(
        minutes=1
    )
    if minutes < 0:
        return f"; {name} was deployed {-minutes} minutes after it began"
    if minutes < 120:
        return f"; {name} was deployed {minutes} minutes before"
    return f"; {name} was deployed {minutes // 60} hours before"


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount >= 0 else ''}{_rounded(amount):f}"


def _rounded(amount: Decimal) -> Decimal:
    # A mart's amount has more digits than Python's default context.
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP, Context(prec=38)) or Decimal("0.00")


def _exact(number: Decimal | int) -> str:
    text = f"{number:f}" if isinstance(number, Decimal) else str(number)
    return text.rstrip("0").rstrip(".") if "." in text else text
