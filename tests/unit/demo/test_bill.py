"""The sample bill keeps the accounting rules of a real one, checked line by line in plain Python."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from orchestration.demo import company, estate

Line = dict[str, Any]
ZERO = Decimal(0)


def money(line: Line, column: str) -> Decimal:
    return line.get(column, ZERO)


def amortised(line: Line) -> Decimal:
    """The amortised cost of a line by AWS' table of line item types."""
    match line["line_item_line_item_type"]:
        case "SavingsPlanCoveredUsage":
            return money(line, "savings_plan_savings_plan_effective_cost")
        case "SavingsPlanRecurringFee":
            return money(line, "savings_plan_total_commitment_to_date") - money(
                line, "savings_plan_used_commitment"
            )
        case "SavingsPlanNegation" | "SavingsPlanUpfrontFee":
            return ZERO
        case "DiscountedUsage":
            return money(line, "reservation_effective_cost")
        case "RIFee":
            return money(line, "reservation_unused_amortized_upfront_fee_for_billing_period") + money(
                line, "reservation_unused_recurring_fee"
            )
        case "Fee" if "reservation_reservation_a_r_n" in line:
            return ZERO
    return money(line, "line_item_unblended_cost")


def of_type(lines: list[Line], *types: str) -> list[Line]:
    return [line for line in lines if line["line_item_line_item_type"] in types]


def test_every_kind_of_line_is_there(months: list[list[Line]]) -> None:
    every_month = {
        "Usage",
        "DiscountedUsage",
        "SavingsPlanCoveredUsage",
        "SavingsPlanNegation",
        "Credit",
        "Refund",
    }
    every_month |= {"SavingsPlanRecurringFee", "RIFee", "Fee", "Tax"}
    types = [{line["line_item_line_item_type"] for line in lines} for lines in months]
    assert types == [every_month | {"SavingsPlanUpfrontFee"}, every_month]


def test_it_is_as_wide_as_a_small_company(months: list[list[Line]]) -> None:
    for lines in months:
        assert {line["line_item_usage_account_id"] for line in lines} == {
            a.account_id for a in company.ACCOUNTS
        }
        assert len({line["line_item_product_code"] for line in lines}) >= 15
        assert (
            len(
                {
                    line["line_item_usage_start_date"]
                    for line in lines
                    if line["line_item_product_code"] == "AmazonES"
                }
            )
            >= 30 * 24
        )
    assert 150_000 <= sum(map(len, months)) <= 250_000


def test_a_line_is_known_by_its_id_and_interval(months: list[list[Line]]) -> None:
    for lines in months:
        keys = {(line["identity_line_item_id"], line["identity_time_interval"]) for line in lines}
        assert len(keys) == len(lines)


def test_amounts_have_at_most_ten_decimals(delivery_folders: list[Path]) -> None:
    for path in [path for folder in delivery_folders for path in folder.iterdir()]:
        table = pq.read_table(path)
        for column in table.column_names:
            if (
                any(word in column for word in ("cost", "fee", "commitment"))
                and table[column].type == "double"
            ):
                for value in table[column].unique().to_pylist():
                    assert value is None or Decimal(repr(value)).as_tuple().exponent >= -10, (column, value)


def test_a_month_is_amortised_cost_less_what_was_paid_in_other_months(months: list[list[Line]]) -> None:
    for lines in months:
        unblended = sum((money(line, "line_item_unblended_cost") for line in lines), ZERO)
        effective = sum((amortised(line) for line in lines), ZERO)
        paid_before = sum(
            (
                money(line, "savings_plan_amortized_upfront_commitment_for_billing_period")
                for line in of_type(lines, "SavingsPlanRecurringFee")
            ),
            ZERO,
        ) + sum(
            (
                money(line, "reservation_amortized_upfront_fee_for_billing_period")
                for line in of_type(lines, "RIFee")
            ),
            ZERO,
        )
        paid_at_once = sum(
            (
                money(line, "line_item_unblended_cost")
                for line in of_type(lines, "SavingsPlanUpfrontFee", "Fee")
                if line["line_item_line_item_type"] == "SavingsPlanUpfrontFee"
                or "reservation_reservation_a_r_n" in line
            ),
            ZERO,
        )
        assert paid_before > 0
        assert unblended == effective - paid_before + paid_at_once


def test_savings_plans_pay_for_what_they_cover_and_never_more(months: list[list[Line]]) -> None:
    for lines in months:
        covered: dict[tuple[str, Any], Decimal] = defaultdict(lambda: ZERO)
        on_demand: dict[tuple[str, Any], Decimal] = defaultdict(lambda: ZERO)
        for line in of_type(lines, "SavingsPlanCoveredUsage", "SavingsPlanNegation"):
            key = (line["savings_plan_savings_plan_a_r_n"], line["line_item_usage_start_date"])
            covered[key] += money(line, "savings_plan_savings_plan_effective_cost")
            on_demand[key] += money(line, "line_item_unblended_cost")
        fees = of_type(lines, "SavingsPlanRecurringFee")
        assert len(fees) == len(covered)
        for fee in fees:
            key = (fee["savings_plan_savings_plan_a_r_n"], fee["line_item_usage_start_date"])
            assert on_demand[key] == 0
            assert covered[key] == money(fee, "savings_plan_used_commitment")
            assert 0 < covered[key] < money(fee, "savings_plan_total_commitment_to_date")


@pytest.mark.parametrize("month", [0, 1])
def test_reservations_cost_what_was_agreed_used_or_not(months: list[list[Line]], month: int) -> None:
    hours = (30, 31)[month] * 24
    for held in estate.RESERVATIONS:
        mine = [line for line in months[month] if line.get("reservation_reservation_a_r_n") == held.arn]
        used = sum((money(line, "line_item_usage_amount") for line in of_type(mine, "DiscountedUsage")), ZERO)
        (fee,) = of_type(mine, "RIFee")
        assert used + money(fee, "reservation_unused_quantity") == held.count * hours
        assert sum(map(amortised, mine), ZERO) == held.count * hours * (held.recurring + held.upfront)
    gone_from = date(2026, 10, 12)
    unused_of_cache = (0, (31 - gone_from.day + 1) * 24)[month]
    (fee,) = [
        line
        for line in of_type(months[month], "RIFee")
        if line["reservation_reservation_a_r_n"] == estate.RESERVATIONS[1].arn
    ]
    assert money(fee, "reservation_unused_quantity") == unused_of_cache


def test_pods_share_their_node_and_never_cost_more(months: list[list[Line]]) -> None:
    for lines in months:
        nodes: dict[tuple[str, Any], Decimal] = defaultdict(lambda: ZERO)
        for line in lines:
            if (
                line.get("resource_tags", {}).keys() >= {"user_name"}
                and line.get("line_item_operation") == "RunInstances"
            ):
                nodes[line["line_item_resource_id"], line["line_item_usage_start_date"]] += amortised(line)
        pods: dict[tuple[str, Any], Decimal] = defaultdict(lambda: ZERO)
        parts: dict[tuple[str, Any], set[str]] = defaultdict(set)
        for line in lines:
            if line.get("line_item_operation") != "EKSPod-EC2":
                assert "split_line_item_parent_resource_id" not in line
                continue
            assert money(line, "line_item_unblended_cost") == 0
            hour = line["line_item_usage_start_date"]
            split = money(line, "split_line_item_split_usage")
            assert split == max(
                money(line, "split_line_item_reserved_usage"), money(line, "split_line_item_actual_usage")
            )
            cost = money(line, "split_line_item_split_cost"), money(line, "split_line_item_unused_cost")
            assert min(cost) > 0
            pods[line["split_line_item_parent_resource_id"], hour] += sum(cost)
            parts[line["line_item_resource_id"], hour].add(line["line_item_usage_type"])
        assert all(part == {"EKS-EC2-vCPU-Hours", "EKS-EC2-GB-Hours"} for part in parts.values())
        assert len({node for node, _ in pods}) == len({pod.node for pod in estate.PODS})
        for node, cost in pods.items():
            # What the node's own daemons use stays with the node.
            assert 0 < cost < nodes[node]


def test_less_than_half_of_the_spend_is_tagged(months: list[list[Line]]) -> None:
    for lines in months:
        spent = sum((amortised(line) for line in lines), ZERO)
        tagged, by_app = (
            sum((amortised(line) for line in lines if keys(line)), ZERO)
            for keys in (
                lambda line: [key for key in line["resource_tags"] if key.startswith("user_")],
                lambda line: "user_app" in line["resource_tags"],
            )
        )
        assert Decimal("0.4") < tagged / spent < Decimal("0.5")
        assert Decimal("0.25") < by_app / spent < Decimal("0.33")
    environments = {line["resource_tags"].get("user_environment") for line in months[0]}
    assert environments == {None, "prod", "Production", "PROD", "stage", "dev"}


def test_restating_a_month_changes_few_days(delivery_folders: list[Path]) -> None:
    first, second = (f"read_parquet('{folder}/*.parquet')" for folder in delivery_folders[:2])
    with duckdb.connect() as connection:
        gone = connection.execute(f"from {first} except all from {second}").fetchall()
        added = connection.execute(
            f"""select line_item_usage_start_date, line_item_line_item_type
                from (from {second} except all from {first})"""
        ).fetchall()
    assert gone == []
    assert {start.date() for start, _ in added} == {date(2026, 9, day) for day in (1, 14, 15, 16, 22, 30)}
    assert {line_type for _, line_type in added} == {"Fee", "Credit", "Refund", "Usage"}


def test_the_incident_shows_in_the_cost_of_search(months: list[list[Line]]) -> None:
    by_day: dict[date, Decimal] = defaultdict(lambda: ZERO)
    for line in months[1]:
        if line.get("resource_tags", {}).get("user_app", "").startswith("search-"):
            by_day[line["line_item_usage_start_date"].date()] += amortised(line)
    dearest = sorted(by_day, key=lambda day: by_day[day], reverse=True)
    assert set(dearest[:2]) == {date(2026, 10, 20), date(2026, 10, 21)}
    assert by_day[dearest[1]] > by_day[dearest[2]] * Decimal("1.3")
