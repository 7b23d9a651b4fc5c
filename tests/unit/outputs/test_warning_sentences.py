"""The sentence of each code of the mart `warnings`."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from orchestration.outputs.warning_sentences import warning_sentence

WARNING: dict[str, Any] = {
    "source": "telemetry",
    "first_usage_date": date(2026, 11, 26),
    "last_usage_date": date(2026, 11, 28),
    "subject": None,
    "billing_currency": "USD",
    "detail": None,
    "facts": None,
}


def said(code: str, facts: dict[str, Any] | None = None, **columns: Any) -> str:
    row = WARNING | {"code": code, "facts": json.dumps(facts) if facts else None} | columns
    return warning_sentence(row)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("telemetry", "every record of the file is rejected, the first: no id"),
        ("inventory", "no row of the file counts, the first is rejected: no id"),
        ("revenue", "every row of the file is rejected and in no margin, the first because no id"),
    ],
)
def test_a_file_that_is_rejected_is_told_by_what_it_is_of(source: str, sentence: str) -> None:
    assert said("file-rejected", {"file_count": 1}, source=source, detail="no id") == sentence


def test_rejected_revenue_is_told_by_currency_rounded_for_reading() -> None:
    by_currency = {"": "2.000000000000", "USD": "12345678901234567890123456.005", "EUR": "-0.001"}
    facts = {"file_count": 1, "revenue_by_currency": by_currency}
    assert said("revenue-rejected", facts, source="revenue", detail="the month 'then' is none") == (
        "rows are rejected and in no margin, with revenue of 0.00 EUR and 12345678901234567890123456.01 USD "
        "and 2.00 without a currency, the first because the month 'then' is none"
    )


def test_a_rejected_stream_a_row_of_a_signal_and_records_of_several_files() -> None:
    assert said("stream-rejected", {"file_count": 2}, subject="logins", detail="value 'x'") == (
        "no record of stream \"logins\" counts, the first is rejected: value 'x' (in 2 files)"
    )
    assert said("accounts-rejected", {"file_count": 1}, source="accounts", detail="no id") == (
        "rejected: no id"
    )
    assert said("unknown-stream", {"file_count": 3}, detail="no stream x") == "no stream x (in 3 files)"
    assert said("customer-id-reserved", {"file_count": 1}, detail="'n/a' is kept") == "'n/a' is kept"


@pytest.mark.parametrize(
    ("code", "source", "facts", "sentence"),
    [
        (
            "customer-capitals",
            "customers",
            {"listed_name": "ada"},
            'carries cost of its own: customer "Ada" differs from "ada" of the customer list only by '
            "capitals; write it alike, or as an alias",
        ),
        (
            "customer-not-listed",
            "customers",
            None,
            'carries cost but is not in the customer list: "Ada"; add it there, or as an alias of the '
            "customer it stands for",
        ),
        (
            "customer-capitals",
            "revenue",
            {"listed_name": "ada", "revenue": "3.005000000000"},
            'revenue of 3.01 is for "Ada", which the customer list writes "ada"',
        ),
        (
            "customer-not-listed",
            "revenue",
            {"revenue": "3"},
            'revenue of 3.00 is for "Ada", which the customer list does not have',
        ),
    ],
)
def test_customers_that_are_not_listed(
    code: str, source: str, facts: dict[str, Any] | None, sentence: str
) -> None:
    assert said(code, facts, source=source, subject="Ada") == sentence


def test_a_month_that_is_not_billed_to_its_end() -> None:
    start = "the month is over and the bill of aws has usage through 2026-11-28 only"
    code = "month-not-billed-to-its-end"
    assert said(code, {"has_revenue": False}, subject="aws") == f"{start}; deliver the rest of the bill"
    assert said(code, {"has_revenue": True}, subject="aws") == (
        f"{start}, so margins set the revenue of the whole month against the cost of these days; deliver "
        "the rest of the bill"
    )


def test_costs_that_a_bill_lacks() -> None:
    assert said("cost-missing", {"finding": "ListCost"}, detail="it is the contracted cost") == (
        "the bill has no ListCost on these rows (or 0 throughout): it is the contracted cost"
    )
    fees = {"finding": "EffectiveCost of commitments' fees"}
    assert said("cost-missing", fees, detail="counted 0") == (
        "the bill has an EffectiveCost of commitments' fees: counted 0"
    )


@pytest.mark.parametrize(
    ("code", "source", "start"),
    [
        (
            "customer-id-reserved",
            "customers",
            'the bill names a customer "unallocated" or "long tail", which ',
        ),
        (
            "no-customer-list",
            "customers",
            "there is no customer list, so names and segments of customers are",
        ),
        (
            "effective-cost-unexplained",
            "billing",
            "effective cost less billed cost, for which the bill names",
        ),
        ("commitment-not-used", "billing", "the fee of this commitment counts 0, and no row of the bill "),
        ("no-usage", "telemetry", "cost is unallocated because no usage divides it: see which rules and "),
    ],
)
def test_codes_that_say_all(code: str, source: str, start: str) -> None:
    assert said(code, source=source).startswith(start)


def test_a_silent_stream_with_the_cost_that_others_carry() -> None:
    start = 'stream "s" is silent since 2026-11-25 (3 days): see whether it is still sent or pulled'
    assert said("stream-silent", subject="s") == start
    assert said("stream-silent", {"divided_cost": "0.000"}, subject="s") == start
    assert said("stream-silent", {"divided_cost": "7.495"}, subject="s") == (
        f"{start}; 7.50 USD more is divided by older or other usage"
    )


def test_a_stream_that_falls_or_loses_customers() -> None:
    facts = {
        "usage_quantity": "28.005000000",
        "least_quantity_before": "70.000000000",
        "quantity_without_customer": "123456789012345678901234567.500000000",
    }
    assert said("stream-fell", facts, subject="s") == (
        'stream "s" has 28.01 in the last 7 days, less than half of its lowest week before (70.00): see '
        "whether all of it still arrives"
    )
    assert said("stream-loses-customers", facts, subject="s") == (
        'stream "s" has 123456789012345678901234567.50 without a customer in the last 7 days and 28.01 with '
        "one: its share more than doubled, and what others used divides the cost"
    )


def test_a_filter_without_cost() -> None:
    start = "usage divides nothing: no charge has this feature"
    assert said("filter-without-cost", {"dimension": "feature"}) == start
    assert said("filter-without-cost", {"dimension": "feature", "similar_element": "Search"}) == (
        f'{start}; one has "Search"'
    )


def test_a_note_of_a_landing_is_told_as_it_is() -> None:
    assert said("no-effective-cost", source="billing", detail="the file has none") == "the file has none"
