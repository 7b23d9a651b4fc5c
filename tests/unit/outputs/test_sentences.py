"""Sentences beside the facts they are made of."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from orchestration.outputs.sentences import allocation_sentence, anomaly_sentence

ANOMALY: dict[str, Any] = {
    "series_kind": "customer_feature",
    "granularity": "hourly",
    "customer_id": "cust-017",
    "customer_name": "Contoso",
    "element": "Search",
    "service_name": None,
    "sub_account_id": None,
    "billing_currency": "USD",
    "started_at": datetime(2026, 10, 20, 14),
    "ended_at": datetime(2026, 10, 21, 2),
    "is_ongoing": False,
    "expected_cost": Decimal("20.004999999999"),
    "actual_cost": Decimal("120.005"),
    "cost_impact": Decimal("100.000000000001"),
    "usage_ratio": Decimal("5.25"),
    "usage_effect": Decimal("85.02"),
    "rate_effect": Decimal("14.98"),
}


def driver(kind: str, name: str, impact: str | None = None, at: datetime | None = None) -> dict[str, Any]:
    cost = None if impact is None else Decimal(impact)
    return {"driver_kind": kind, "driver": name, "cost_impact": cost, "happened_at": at}


def test_an_anomaly_says_what_how_much_when_why_and_what_was_deployed() -> None:
    drivers = [
        driver("usage", "searches", "85.02"),
        driver("service", "Amazon S3", "-3"),
        driver("service", "EC2", "10"),
        driver("service", "OpenSearch", "93"),
        driver("service", "EBS", "0.01"),
        driver("deployment", "search 7.1", at=datetime(2026, 10, 20, 9)),
        driver("deployment", "search 7.2", at=datetime(2026, 10, 20, 13, 20, 59)),
    ]
    assert anomaly_sentence(ANOMALY, drivers) == (
        "Search for Contoso (cust-017) cost 100.00 USD more than expected from 2026-10-20 14:00 to "
        "2026-10-21 02:00 (120.01 instead of 20.00): usage ×5.2 explains 85.02, the rate 14.98; carried by "
        "OpenSearch (93.00), EC2 (10.00); search 7.2 was deployed 40 minutes before."
    )


@pytest.mark.parametrize(
    ("changed", "drivers", "said"),
    [
        (
            {"customer_name": "cust-017", "is_ongoing": True},
            [driver("deployment", "api 2", at=datetime(2026, 10, 20, 14, 5))],
            "Search for cust-017 cost 100.00 USD more than expected since 2026-10-20 14:00 (120.01 "
            "instead of 20.00); api 2 was deployed 5 minutes after it began.",
        ),
        (
            {"customer_id": "unallocated", "customer_name": None, "granularity": "daily"},
            [driver("deployment", "api 2", at=datetime(2026, 10, 19, 8))],
            "Search for nobody cost 100.00 USD more than expected on 2026-10-20 (120.01 instead of 20.00); "
            "api 2 was deployed on 2026-10-19 08:00.",
        ),
        (
            {"series_kind": "feature", "cost_impact": Decimal("-0.005"), "ended_at": ANOMALY["started_at"]},
            [driver("element", "x", "4"), driver("deployment", "api 2", at=datetime(2026, 10, 20, 9, 30))],
            "Search for all customers cost 0.01 USD less than expected on 2026-10-20 14:00 (120.01 "
            "instead of 20.00); api 2 was deployed 4 hours before.",
        ),
        (
            {"series_kind": "unit_cost", "usage_ratio": Decimal("0.5"), "granularity": "daily"},
            [],
            "What Search divides cost 100.00 USD more than its usage explains on 2026-10-20 (120.01 "
            "instead of 20.00): usage ×0.5.",
        ),
        (
            {"series_kind": "service_account", "service_name": "EC2", "sub_account_id": "1", "element": None},
            [],
            "EC2 in account 1 cost 100.00 USD more than expected from 2026-10-20 14:00 to 2026-10-21 02:00 "
            "(120.01 instead of 20.00).",
        ),
    ],
)
def test_each_kind_of_anomaly_has_its_words(
    changed: dict[str, Any], drivers: list[dict[str, Any]], said: str
) -> None:
    assert anomaly_sentence({**ANOMALY, "usage_ratio": None, **changed}, drivers) == said


PART: dict[str, Any] = {
    "share": Decimal("0.010000000000"),
    "pool_cost": Decimal("10000.000000000000"),
    "effective_cost": Decimal("100.000000000000000000000000"),
    "billing_currency": "USD",
    "allocation_kind": "usage",
    "unallocated_reason": None,
    "stream": "searches",
    "usage_window": "day",
    "usage_quantity": Decimal("1.000000000"),
    "total_usage": Decimal("100.000000000"),
    "carried_cost": Decimal("250.5"),
    "total_carried_cost": Decimal(1000),
    "long_tail_customers": None,
}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, ", for 1 of 100 units of searches (day)"),
        ({"usage_quantity": None}, ", by usage of searches"),
        ({"allocation_kind": "direct"}, ", charged directly to the customer"),
        ({"allocation_kind": "even"}, ", split evenly among 100 customers active on the day"),
        ({"allocation_kind": "fixed"}, ", fixed share of the rule"),
        ({"allocation_kind": "overhead"}, ", for 250.5 of 1000 of customer costs before overhead"),
        ({"unallocated_reason": "no rule"}, ", unallocated: no rule"),
        (
            {"long_tail_customers": 7},
            ", for 1 of 100 units of searches (day); 7 customers below the minimum share",
        ),
    ],
)
def test_an_allocation_is_a_multiplication_that_anybody_can_redo(changed: dict[str, Any], said: str) -> None:
    assert allocation_sentence({**PART, **changed}) == f"0.01 × 10000 = 100 USD{said}"
