"""Small bills of providers that leave costs out, or count commitments their own way, and what each comes to.

What belongs here: rows as providers write them, one export each, and sums worked out by hand. Every bill is
of October 2026, of one account and in US dollars, on the 5th where a row says nothing else.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

Row = dict[str, str]
FOCUS = {
    "BillingAccountId": "acct-1",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-10-01T00:00:00Z",
    "BillingPeriodEnd": "2026-11-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-10-05T00:00:00Z",
    "ChargePeriodEnd": "2026-10-06T00:00:00Z",
    "ServiceName": "Compute",
}
AWS = {
    "bill_payer_account_id": "111111111111",
    "bill_billing_period_start_date": "2026-10-01T00:00:00Z",
    "bill_billing_period_end_date": "2026-11-01T00:00:00Z",
    "line_item_usage_account_id": "111111111111",
    "line_item_line_item_type": "Usage",
    "line_item_usage_start_date": "2026-10-05T10:00:00Z",
    "line_item_usage_end_date": "2026-10-05T11:00:00Z",
    "line_item_product_code": "AmazonEC2",
    "line_item_usage_type": "BoxUsage:m5.large",
    "line_item_operation": "RunInstances",
    "line_item_usage_amount": "1",
    "line_item_currency_code": "USD",
}
RESERVED = {"reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:111111111111:reserved-instances/x"}
_PUBLIC = {"pricing_public_on_demand_cost": "0.5"}
HOST = {
    "reservation_reservation_a_r_n": "arn:aws:ec2:us-east-1:111111111111:host-reservation/hr-0f",
    "line_item_usage_type": "HostUsage:m5",
}


@dataclass(frozen=True)
class Bill:
    """One export: its rows by file, and per cost column what all of them come to."""

    name: str
    files: Sequence[Sequence[Row]]
    costs: dict[str, str]
    months: dict[str, str] = field(default_factory=dict)  # effective cost by billing period, where it is told
    bridge: dict[str, str] = field(default_factory=dict)  # what lies between billed and effective cost
    warned: dict[tuple[str, str], tuple[int | None, str]] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the export's files into a folder of its own."""
        (folder / self.name).mkdir(parents=True)
        for number, rows in enumerate(self.files, start=1):
            with (folder / self.name / f"{self.name}-{number:05d}.csv").open("w", newline="") as target:
                writer = csv.DictWriter(target, list(dict.fromkeys(name for row in rows for name in row)))
                writer.writeheader()
                writer.writerows(rows)

    @property
    def expected(self) -> dict[str, Decimal]:
        return {column: Decimal(cost) for column, cost in self.costs.items()}


def focus(**more: str) -> Row:
    return FOCUS | more


def aws(line_type: str, unblended: str, **more: str) -> Row:
    return AWS | {"line_item_line_item_type": line_type, "line_item_unblended_cost": unblended} | more


def costs(billed: str, effective: str, contracted: str, listed: str, net: str = "") -> dict[str, str]:
    names = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
    return dict(zip(names, (billed, effective, contracted, listed, net or effective), strict=True))


def _azure(**more: str) -> Row:
    same = {"ProviderName": "Microsoft", "CommitmentDiscountId": "", "CommitmentDiscountStatus": ""}
    return focus(**same | more)


def _purchase(cost: str, **more: str) -> Row:
    amounts = dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost)
    return _azure(**{"ChargeCategory": "Purchase", "CommitmentDiscountId": "sp-1"} | amounts | more)


def _covered(effective: str, listed: str, status: str = "Used") -> Row:
    return _azure(
        BilledCost="0",
        EffectiveCost=effective,
        ListCost=listed,
        ContractedCost=listed,
        CommitmentDiscountId="sp-1",
        CommitmentDiscountStatus=status,
    )


BILLS = (
    Bill(
        # A purchase counts 0, also in Azure's way and without an id; a marketplace subscription counts.
        "azure_purchases",
        [
            [
                _purchase("72"),
                _purchase(
                    "30",
                    CommitmentDiscountId="",
                    ResourceId="/providers/Microsoft.Capacity/reservationOrders/0c1d",
                ),
                _covered("60", "90"),
                _covered("12", "0", "Unused"),
                _purchase("7", CommitmentDiscountId="", ServiceName="A marketplace's"),
            ]
        ],
        costs(billed="109", effective="79", contracted="199", listed="199"),
        bridge={"commitment fees": "-102", "used commitments": "60", "unused commitments": "12"},
        warned={
            ("cost-missing", "azure_purchases: EffectiveCost of commitments' fees"): (2, "102"),
            ("commitment-not-used", "azure_purchases: without an id"): (1, "30"),
        },
    ),
    Bill(
        # The refunds of a purchase, in part and in another month, in each way of writing them.
        "azure_refunds",
        [
            [
                _purchase("72"),
                _purchase("-20", ChargeClass="Correction"),
                _purchase(
                    "-10",
                    ChargeCategory="Credit",
                    BillingPeriodStart="2026-11-01T00:00:00Z",
                    BillingPeriodEnd="2026-12-01T00:00:00Z",
                    ChargePeriodStart="2026-11-02T00:00:00Z",
                    ChargePeriodEnd="2026-11-03T00:00:00Z",
                ),
                _covered("42", "60"),
                _purchase("-5", ChargeCategory="Credit", CommitmentDiscountId=""),
            ]
        ],
        costs(billed="37", effective="37", contracted="97", listed="97"),
        {"2026-10": "37", "2026-11": "0"},
        bridge={"commitment fees": "-72", "refunded fees": "30", "used commitments": "42"},
        warned={("cost-missing", "azure_refunds: EffectiveCost of commitments' fees"): (3, "42")},
    ),
    Bill(
        "no_effective_cost",
        [[focus(BilledCost="40", EffectiveCost="", ListCost="50", ContractedCost="45")]],
        costs(billed="40", effective="40", contracted="45", listed="50"),
        warned={("cost-missing", "no_effective_cost: EffectiveCost"): (1, "40")},
    ),
    Bill(
        "no_column_but_billed_cost",
        [[focus(BilledCost="40"), focus(BilledCost="-3", ChargeCategory="Credit")]],
        costs(billed="37", effective="37", contracted="37", listed="37"),
        warned={
            ("cost-missing", f"no_column_but_billed_cost: {column}"): (2, "37")
            for column in ("EffectiveCost", "ContractedCost", "ListCost")
        },
    ),
    Bill(
        # Prices times quantities where the costs are empty; what nothing prices has what it costs.
        "prices",
        [
            [
                focus(
                    BilledCost="8",
                    EffectiveCost="8",
                    ContractedUnitPrice="3",
                    ListUnitPrice="3.5",
                    PricingQuantity="3",
                ),
                focus(BilledCost="2", EffectiveCost="", ListCost="", ContractedCost="2.5"),
                focus(BilledCost="1", EffectiveCost="1", ListCost="4", ContractedCost=""),
            ]
        ],
        costs(billed="11", effective="11", contracted="12.5", listed="17"),
    ),
    Bill(
        # Costs are there for what needs them; a tax has none but what is billed.
        "empty_on_some_rows",
        [
            [
                _purchase("10", EffectiveCost=""),
                _covered("9", "20"),
                focus(BilledCost="2", EffectiveCost="", ChargeCategory="Tax"),
                _azure(
                    BilledCost="",
                    EffectiveCost="1",
                    ListCost="",
                    ContractedCost="",
                    CommitmentDiscountId="sp-1",
                    CommitmentDiscountStatus="Unused",
                ),
            ]
        ],
        costs(billed="12", effective="12", contracted="32", listed="32"),
        bridge={"commitment fees": "-10", "used commitments": "9", "unused commitments": "1"},
    ),
    Bill(
        # FOCUS 0.5 called it the amortised cost.
        "amortized_cost",
        [[focus(BilledCost="0", AmortizedCost="3", CommitmentDiscountStatus="Used", ListCost="5")]],
        costs(billed="0", effective="3", contracted="5", listed="5"),
        bridge={"used commitments": "3"},
    ),
    Bill(
        # A reservation's fee and its refunds count 0, in part and in another month; other refunds count.
        "aws_refunds",
        [
            [
                aws("Usage", "50", pricing_public_on_demand_cost="55"),
                aws("Fee", "365", **RESERVED, pricing_public_on_demand_cost="0"),
                aws("Refund", "-300", **RESERVED, pricing_public_on_demand_cost="0"),
                aws(
                    "Refund",
                    "-65",
                    **RESERVED,
                    pricing_public_on_demand_cost="0",
                    bill_billing_period_start_date="2026-11-01T00:00:00Z",
                    line_item_usage_start_date="2026-11-02T00:00:00Z",
                    line_item_usage_end_date="2026-11-02T00:00:00Z",
                ),
                aws(
                    "Refund",
                    "-7",
                    line_item_product_code="ComputeSavingsPlans",
                    savings_plan_savings_plan_a_r_n="arn:aws:savingsplans::111111111111:savingsplan/s",
                    pricing_public_on_demand_cost="0",
                ),
                aws("Refund", "-4", pricing_public_on_demand_cost="0"),
            ]
        ],
        costs(billed="39", effective="46", contracted="39", listed="55"),
        {"2026-10": "46", "2026-11": "0"},
        bridge={"upfront fees": "-365", "refunded fees": "372"},
    ),
    Bill(
        # A bill is net by report and month: the discounts lie in other files, and a row has no net cost.
        "net_in_another_file",
        [
            [aws("Usage", "100", line_item_net_unblended_cost="90", pricing_public_on_demand_cost="100")],
            [aws("EdpDiscount", "-10", pricing_public_on_demand_cost="0")],
            [
                aws("EdpDiscount", "-1", pricing_public_on_demand_cost="0"),
                aws(
                    "DiscountedUsage",
                    "0",
                    **RESERVED,
                    pricing_public_on_demand_cost="4",
                    reservation_effective_cost="3",
                ),
            ],
        ],
        costs(billed="89", effective="92", contracted="93", listed="104", net="93"),
        bridge={"unexplained": "3"},
        warned={
            ("cost-missing", "net_in_another_file: reservation_net_effective_cost"): (1, "3"),
            ("effective-cost-unexplained", "net_in_another_file"): (None, "3"),
        },
    ),
    Bill(
        # AWS does not amortise a Dedicated Host's reservation: its fees count as they are billed.
        "hosts",
        [
            [
                aws("DiscountedUsage", "0", **HOST, reservation_effective_cost=""),
                aws("RIFee", "30", **HOST, reservation_effective_cost=""),
                aws("Fee", "100", **HOST, reservation_effective_cost=""),
                aws(
                    "DiscountedUsage",
                    "0",
                    **RESERVED,
                    reservation_effective_cost="2",
                    pricing_public_on_demand_cost="4",
                ),
            ]
        ],
        costs(billed="130", effective="132", contracted="134", listed="104"),
        bridge={"unexplained": "2"},
        warned={
            ("cost-missing", "hosts: amortised columns of Dedicated Hosts"): (2, "130"),
            ("effective-cost-unexplained", "hosts"): (None, "2"),
        },
    ),
    Bill(
        # The same written with zeros in place of empty values, the usage billed.
        "hosts_of_zeros",
        [
            [
                aws(
                    "DiscountedUsage",
                    "7",
                    **HOST,
                    reservation_effective_cost="0",
                    pricing_public_on_demand_cost="9",
                ),
                aws(
                    "RIFee",
                    "30",
                    **HOST,
                    reservation_amortized_upfront_fee_for_billing_period="0",
                    reservation_unused_amortized_upfront_fee_for_billing_period="0",
                    reservation_unused_recurring_fee="0",
                    pricing_public_on_demand_cost="0",
                ),
            ]
        ],
        costs(billed="37", effective="37", contracted="39", listed="9"),
        warned={("cost-missing", "hosts_of_zeros: amortised columns of Dedicated Hosts"): (2, "37")},
    ),
    Bill(
        # Net columns that hold 0 throughout are none, so the discount counts.
        "net_of_zeros",
        [
            [
                aws("Usage", "100", line_item_net_unblended_cost="0", pricing_public_on_demand_cost="0"),
                aws(
                    "EdpDiscount", "-10", line_item_net_unblended_cost="0", pricing_public_on_demand_cost="0"
                ),
            ]
        ],
        costs(billed="90", effective="90", contracted="90", listed="90"),
        warned={("cost-missing", "net_of_zeros: pricing_public_on_demand_cost"): (1, "100")},
    ),
    Bill(
        # Oracle's costs beside the billed one are 0 on every row.
        "zeros_throughout",
        [
            [
                focus(
                    BilledCost=cost,
                    EffectiveCost=zero,
                    ListCost=zero,
                    ContractedCost=zero,
                    ProviderName="Oracle",
                    CommitmentDiscountId="",
                )
                for cost, zero in (("6", "0"), ("0", "0"), ("-1", "0.0"))
            ]
        ],
        costs(billed="5", effective="5", contracted="5", listed="5"),
        warned={
            ("cost-missing", f"zeros_throughout: {column}"): (2, "5")
            for column in ("EffectiveCost", "ContractedCost", "ListCost")
        },
    ),
    Bill(
        # One provider's zeros beside another one's costs stay: their sum is the file's.
        "zeros_of_one_provider",
        [
            [
                focus(
                    BilledCost=cost,
                    EffectiveCost=effective,
                    ListCost=effective,
                    ContractedCost=effective,
                    ProviderName=provider,
                    CommitmentDiscountId="",
                )
                for provider, cost, effective in (
                    ("Oracle", "6", "0"),
                    ("Oracle", "0", "0"),
                    ("Oracle", "-1", "0.0"),
                    ("Other", "5", "4"),
                    ("Other", "1", "0"),
                )
            ]
        ],
        costs(billed="11", effective="4", contracted="4", listed="4"),
        bridge={"provider's own": "-1", "unexplained": "-6"},
        warned={("effective-cost-unexplained", "zeros_of_one_provider"): (None, "-6")},
    ),
    Bill(
        # Without public prices, usage has what is billed of it, and a reservation's what it costs amortised.
        "no_list_cost",
        [
            [
                aws("Usage", "3"),
                aws("DiscountedUsage", "0", **RESERVED, reservation_effective_cost="2"),
                aws("Tax", "1"),
            ]
        ],
        costs(billed="4", effective="6", contracted="6", listed="6"),
        bridge={"unexplained": "2"},
        warned={
            ("cost-missing", "no_list_cost: pricing_public_on_demand_cost"): (2, "5"),
            ("effective-cost-unexplained", "no_list_cost"): (None, "2"),
        },
    ),
    Bill(
        # A whole month: fees of 30 and 5, upfront fees of 10 and 2 amortised, 34 and 6 used, 6 and 1 unused.
        "aws_commitments",
        [
            [
                aws("Usage", "3", **_PUBLIC),
                aws("DiscountedUsage", "0", **RESERVED, **_PUBLIC, reservation_effective_cost="34"),
                aws(
                    "RIFee",
                    "30",
                    **RESERVED,
                    **_PUBLIC,
                    reservation_amortized_upfront_fee_for_billing_period="10",
                    reservation_unused_amortized_upfront_fee_for_billing_period="1",
                    reservation_unused_recurring_fee="5",
                ),
                aws("SavingsPlanCoveredUsage", "8", **_PUBLIC, savings_plan_savings_plan_effective_cost="6"),
                aws("SavingsPlanNegation", "-8", **_PUBLIC),
                aws(
                    "SavingsPlanRecurringFee",
                    "5",
                    **_PUBLIC,
                    savings_plan_total_commitment_to_date="7",
                    savings_plan_used_commitment="6",
                    savings_plan_amortized_upfront_commitment_for_billing_period="2",
                ),
                aws("SavingsPlanUpfrontFee", "100", **_PUBLIC),
            ]
        ],
        costs(billed="138", effective="50", contracted="146.5", listed="3"),
        bridge={"upfront fees": "-100", "amortised upfront fees": "12"},
    ),
    Bill(
        "provider",
        [
            [
                focus(BilledCost="4", EffectiveCost="0", ListCost="4", ContractedCost="4"),
                focus(BilledCost="10", EffectiveCost="9", ListCost="10", ContractedCost="10"),
            ]
        ],
        costs(billed="14", effective="9", contracted="14", listed="14"),
        bridge={"unexplained": "-4", "provider's own": "-1"},
        warned={("effective-cost-unexplained", "provider"): (None, "-4")},
    ),
)

# Rows of which no amortised cost follows, the column that the bill would need, and what these rows bill.
REJECTED = {
    "savings plan's usage": (
        [aws("SavingsPlanCoveredUsage", "1.00")],
        "savings_plan_savings_plan_effective_cost",
    ),
    "savings plan's fee": (
        [aws("SavingsPlanRecurringFee", "0.70", savings_plan_used_commitment="0.7")],
        "savings_plan_total_commitment_to_date",
    ),
    "savings plan's fee, the other column": (
        [aws("SavingsPlanRecurringFee", "0.70", savings_plan_total_commitment_to_date="0.7")],
        "savings_plan_used_commitment",
    ),
    "reservation's usage, empty on one row": (
        [
            aws("DiscountedUsage", "0", **RESERVED, reservation_effective_cost="1"),
            aws("DiscountedUsage", "0", **RESERVED, reservation_effective_cost=""),
        ],
        "reservation_effective_cost",
    ),
    "reservation's fee": ([aws("RIFee", "30", **RESERVED)], "reservation_unused_recurring_fee"),
    "no line item type": (
        [{k: v for k, v in aws("", "1", **RESERVED).items() if k != "line_item_line_item_type"}],
        "line_item_line_item_type",
    ),
    "no unblended cost": ([aws("Usage", "1"), aws("Usage", "")], "line_item_unblended_cost"),
    "used": (
        [_azure(BilledCost="0", CommitmentDiscountId="x", CommitmentDiscountStatus="Used")],
        "EffectiveCost",
    ),
    "a purchase and nothing that carries it": (
        [
            focus(BilledCost="5", EffectiveCost=""),
            focus(BilledCost="72", EffectiveCost="", ChargeCategory="Purchase", CommitmentDiscountId="x"),
        ],
        "EffectiveCost",
    ),
    "a purchase without columns of commitments": (
        [focus(BilledCost="5"), focus(BilledCost="72", ChargeCategory="Purchase")],
        "EffectiveCost",
    ),
    "zeros for the fee and the use of a commitment": (
        [
            focus(BilledCost="5", EffectiveCost="0"),
            focus(BilledCost="72", EffectiveCost="0", ChargeCategory="Purchase", CommitmentDiscountId="x"),
        ],
        "EffectiveCost",
    ),
    "zeros for a savings plan's usage": (
        [aws("SavingsPlanCoveredUsage", "1.00", savings_plan_savings_plan_effective_cost="0")],
        "savings_plan_savings_plan_effective_cost",
    ),
    "zeros for a reservation's usage": (
        [aws("DiscountedUsage", "0", **RESERVED, reservation_effective_cost="0")],
        "reservation_effective_cost",
    ),
    "committed prices": ([focus(BilledCost="0", PricingCategory="Committed")], "EffectiveCost"),
    "no billed cost": (
        [focus(BilledCost="5", EffectiveCost="5"), focus(BilledCost="", EffectiveCost="5")],
        "BilledCost",
    ),
}
