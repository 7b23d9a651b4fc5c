"""Sentences for people, from the facts of the mart `warnings`: what is wrong and what to do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from orchestration.outputs.sentences import Row, money

Facts = Mapping[str, Any]


def warning_sentence(warning: Row) -> str:
    """The sentence of a row; of a code that has none here, `detail` says all."""
    facts: Facts = json.loads(warning["facts"] or "{}")
    subject, detail = warning["subject"], warning["detail"] or ""
    match warning["code"], warning["source"]:
        case (("file-rejected" | "revenue-rejected"), "revenue"):
            return _rejected_revenue(warning, facts)
        case "file-rejected", "telemetry":
            return f"every record of the file is rejected, the first: {detail}"
        case "file-rejected", _:
            return f"no row of the file counts, the first is rejected: {detail}"
        case "stream-rejected", _:
            return (
                f'no record of stream "{subject}" counts, the first is rejected: {detail}{_in_files(facts)}'
            )
        case code, source if code == f"{source}-rejected":
            return f"rejected: {detail}"
        case (("customer-capitals" | "customer-not-listed"), _):
            return _unlisted(warning, facts)
        case "customer-id-reserved", "customers":
            return (
                'the bill names a customer "unallocated" or "long tail", which stand for cost without a '
                "customer: it is unallocated; rename the customer in the tag that allocation.yml reads, or "
                "let its rule leave these values out"
            )
        case "no-customer-list", _:
            return "there is no customer list, so names and segments of customers are unknown"
        case "month-not-billed-to-its-end", _:
            return _not_billed_to_its_end(warning, facts)
        case "cost-missing", _:
            return _cost_missing(facts["finding"], detail)
        case "effective-cost-unexplained", _:
            return (
                "effective cost less billed cost, for which the bill names no cause (fees of commitments, "
                "their use, amortisation): ask the provider, or look at its rows"
            )
        case "commitment-not-used", _:
            return (
                "the fee of this commitment counts 0, and no row of the bill carries it as used or unused yet"
            )
        case "no-usage", _:
            return (
                "cost is unallocated because no usage divides it: see which rules and streams in "
                "allocation_explanations, and whether their records arrived"
            )
        case (("stream-silent" | "stream-fell" | "stream-loses-customers"), _):
            return f'stream "{subject}" {_stream(warning, facts)}'
        case "filter-without-cost", _:
            similar = facts.get("similar_element")
            hint = f'; one has "{similar}"' if similar else ""
            return f"usage divides nothing: no charge has this {facts['dimension']}{hint}"
    return f"{detail}{_in_files(facts)}"


def _in_files(facts: Facts) -> str:
    count = facts.get("file_count", 1)
    return f" (in {count} files)" if count > 1 else ""


def _rejected_revenue(warning: Row, facts: Facts) -> str:
    rows = "every row of the file is" if warning["code"] == "file-rejected" else "rows are"
    amounts = sorted(
        (currency or "without a currency", money(Decimal(amount)))
        for currency, amount in facts.get("revenue_by_currency", {}).items()
    )
    shown = " and ".join(f"{amount} {currency}" for currency, amount in amounts)
    revenue = f", with revenue of {shown}" if shown else ""
    return f"{rows} rejected and in no margin{revenue}, the first because {warning['detail']}"


def _unlisted(warning: Row, facts: Facts) -> str:
    customer, listed = warning["subject"], facts.get("listed_name")
    if warning["source"] == "revenue":
        in_list = "does not have" if listed is None else f'writes "{listed}"'
        revenue = money(Decimal(facts["revenue"]))
        return f'revenue of {revenue} is for "{customer}", which the customer list {in_list}'
    if listed is None:
        return (
            f'carries cost but is not in the customer list: "{customer}"; add it there, or as an alias of '
            "the customer it stands for"
        )
    return (
        f'carries cost of its own: customer "{customer}" differs from "{listed}" of the customer list only '
        "by capitals; write it alike, or as an alias"
    )


def _not_billed_to_its_end(warning: Row, facts: Facts) -> str:
    margins = ", so margins set the revenue of the whole month against the cost of these days"
    return (
        f"the month is over and the bill of {warning['subject']} has usage through "
        f"{warning['last_usage_date']} only{margins if facts['has_revenue'] else ''}; deliver the rest of "
        "the bill"
    )


def _cost_missing(finding: str, detail: str) -> str:
    if finding.startswith("EffectiveCost of "):
        return f"the bill has an {finding}: {detail}"
    return f"the bill has no {finding} on these rows (or 0 throughout): {detail}"


def _stream(warning: Row, facts: Facts) -> str:
    if warning["code"] == "stream-silent":
        last_date: date = warning["first_usage_date"] - timedelta(days=1)
        days = (warning["last_usage_date"] - last_date).days
        divided = Decimal(facts.get("divided_cost", 0))
        more = f"; {money(divided)} {warning['billing_currency']} more is divided by older or other usage"
        return (
            f"is silent since {last_date} ({days} days): see whether it is still sent or pulled"
            f"{more if divided else ''}"
        )
    quantity = money(Decimal(facts["usage_quantity"]))
    if warning["code"] == "stream-fell":
        return (
            f"has {quantity} in the last 7 days, less than half of its lowest week before "
            f"({money(Decimal(facts['least_quantity_before']))}): see whether all of it still arrives"
        )
    return (
        f"has {money(Decimal(facts['quantity_without_customer']))} without a customer in the last 7 days and "
        f"{quantity} with one: its share more than doubled, and what others used divides the cost"
    )
