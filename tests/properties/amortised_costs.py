"""AWS' cost formulas in plain Python: the oracle that the staged charges are compared with, charge by charge.

Made from AWS' documentation of line item types, cost columns and split cost allocation, not from the SQL.
Amounts are `Decimal`; the two quotients there are (net unused Savings Plan, a pod's part of its instance) are
taken on whole 10^-12 units and cut toward zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import md5

COST_COLUMNS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
CATEGORIES = {
    "Usage": "Usage",
    "DiscountedUsage": "Usage",
    "SavingsPlanCoveredUsage": "Usage",
    "SavingsPlanNegation": "Usage",
    "Fee": "Purchase",
    "RIFee": "Purchase",
    "SavingsPlanUpfrontFee": "Purchase",
    "SavingsPlanRecurringFee": "Purchase",
    "FlatRateSubscription": "Purchase",
    "Tax": "Tax",
    "Credit": "Credit",
    "Refund": "Credit",
}
COVERED = ("DiscountedUsage", "SavingsPlanCoveredUsage")
RUNNING_HOURS = ("BoxUsage", "SpotUsage", "HeavyUsage", "DedicatedUsage", "Fargate")
# Without these a line's amortised cost is unknown: such a bill does not land.
REQUIRED = {
    "SavingsPlanCoveredUsage": ("savings_plan_savings_plan_effective_cost",),
    "SavingsPlanRecurringFee": ("savings_plan_total_commitment_to_date", "savings_plan_used_commitment"),
    "DiscountedUsage": ("reservation_effective_cost",),
    "RIFee": ("reservation_unused_recurring_fee",),
}
SPLIT_OPERATIONS = ("EKSPod-EC2", "ECSTask-EC2")
ZERO = Decimal(0)

Key = tuple[str, ...]


@dataclass(frozen=True)
class Line:
    """One line of a bill: where it stands, when it starts, its texts and amounts by AWS' column name."""

    source: str
    file: str
    row: int
    start: datetime
    texts: Mapping[str, str]
    amounts: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def type(self) -> str:
        return self.texts["line_item_line_item_type"]

    @property
    def place(self) -> Key:
        return md5(self.file.encode()).hexdigest()[:8], str(self.row)

    @property
    def is_split(self) -> bool:
        itself = self.texts.get("line_item_resource_id", "")
        return (
            self.texts.get("split_line_item_parent_resource_id", itself) != itself
            or self.texts.get("line_item_operation") in SPLIT_OPERATIONS
        )

    def first(self, *columns: str) -> Decimal:
        """The first of the amounts that is there, or 0."""
        return next((self.amounts[column] for column in columns if column in self.amounts), ZERO)


@dataclass
class StagedCharge:
    """What staging has to make of a line, or of one part of it."""

    category: str | None
    status: str | None
    costs: dict[str, Decimal]
    split_part: str | None = None


def times_ratio(amount: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Amount times part by whole, cut toward zero at the twelfth digit."""
    dividend, divisor = (int(a.scaleb(12)) * int(b) for a, b in ((amount, part.scaleb(12)), (whole, 1)))
    cut = abs(dividend) // abs(divisor) * (1 if (dividend < 0) == (divisor < 0) else -1)
    return Decimal(cut).scaleb(-12)


def staged_charges(bill: Iterable[Line]) -> dict[Key, StagedCharge]:
    """All charges of one export's bill of one month, by (source, file, row, part of the row)."""
    lines = list(bill)
    is_net = any("line_item_net_unblended_cost" in line.amounts for line in lines)
    charges: dict[Key, StagedCharge] = {}
    instances: dict[tuple[str, datetime], list[Line]] = defaultdict(list)
    for line in lines:
        if line.is_split:
            continue
        key = (line.source, *line.place)
        status = "Used" if line.type in COVERED else None
        category = CATEGORIES.get(line.type, "Adjustment")
        charges[key] = StagedCharge(category, status, costs_of(line, is_net))
        if line.type in ("RIFee", "SavingsPlanRecurringFee"):
            gross, net = unused_commitment(line)
            unused = dict.fromkeys(COST_COLUMNS, ZERO) | {
                "effective_cost": gross,
                "x_net_effective_cost": net,
            }
            charges[*key, "unused"] = StagedCharge("Usage", "Unused", unused)
        usage_type = line.texts.get("line_item_usage_type", "")
        if category == "Usage" and any(word in usage_type for word in RUNNING_HOURS):
            instances[line.texts.get("line_item_resource_id", ""), line.start].append(line)
    whole = {line.place: dict(charges[line.source, *line.place].costs) for line in lines if not line.is_split}
    for pod in lines:
        if pod.is_split:
            parent = pod.texts.get("split_line_item_parent_resource_id", "")
            take_parts(charges, pod, instances.get((parent, pod.start), []), whole)
        elif len(split_parts(pod)) > 1:
            take_unused(charges, pod, whole[pod.place])
    return charges


def take_parts(
    charges: dict[Key, StagedCharge], pod: Line, hour: list[Line], whole: Mapping[Key, Mapping[str, Decimal]]
) -> None:
    """Move a pod's parts of each line of its instance's hour from the instance to the pod."""
    category = CATEGORIES.get(pod.type, "Adjustment")
    if not hour:
        nothing = dict.fromkeys(COST_COLUMNS, ZERO)
        charges[pod.source, *pod.place] = StagedCharge(category, None, nothing, "used")
    totals = {
        column: sum((whole[line.place][column] for line in hour), ZERO)
        for column in ("effective_cost", "x_net_effective_cost")
    }
    for line in hour:
        instance = charges[line.source, *line.place]
        instance.split_part = "remainder"
        for name, gross, net in split_parts(pod):
            costs = part_of(whole[line.place], totals, gross, net)
            for column in COST_COLUMNS:
                instance.costs[column] -= costs[column]
            key = (pod.source, *pod.place, *line.place, *(["unused"] if name == "unused" else []))
            charges[key] = StagedCharge(category, instance.status, costs, name)


def take_unused(charges: dict[Key, StagedCharge], task: Line, whole: Mapping[str, Decimal]) -> None:
    """Keep what a task without instance did not use of its own line apart."""
    itself = charges[task.source, *task.place]
    itself.split_part = "used"
    for name, gross, net in split_parts(task):
        if name == "unused":
            costs = part_of(whole, whole, gross, net)
            for column in COST_COLUMNS:
                itself.costs[column] -= costs[column]
            charges[task.source, *task.place, "unused"] = StagedCharge(
                itself.category, itself.status, costs, "unused"
            )


def split_parts(pod: Line) -> list[tuple[str, Decimal, Decimal | None]]:
    """A pod's parts that cost something, its used one always: name, gross and (where AWS tells it) net."""
    net = pod.amounts.get("split_line_item_net_split_cost")
    parts = [("used", pod.first("split_line_item_split_cost"), net)]
    unused = pod.first("split_line_item_unused_cost")
    net_unused = pod.first("split_line_item_net_unused_cost", "split_line_item_unused_cost")
    if unused or (net is not None and net_unused):
        parts.append(("unused", unused, None if net is None else net_unused))
    return parts


def part_of(
    line: Mapping[str, Decimal], totals: Mapping[str, Decimal], gross: Decimal, net: Decimal | None
) -> dict[str, Decimal]:
    """A part of every cost column of a line: gross by the amortised total, net by the net one."""
    costs = {}
    for column in COST_COLUMNS:
        part, of = gross, totals["effective_cost"]
        if column == "x_net_effective_cost" and net is not None:
            part, of = net, totals["x_net_effective_cost"]
        costs[column] = times_ratio(line[column], part, of) if of else ZERO
    return costs


def costs_of(line: Line, is_net: bool) -> dict[str, Decimal]:
    """The cost columns of a line, without the unused part of a commitment."""
    unblended = line.first("line_item_unblended_cost")
    effective, net = unblended, line.first("line_item_net_unblended_cost", "line_item_unblended_cost")
    contracted = on_demand = unblended
    description = line.texts.get("line_item_line_item_description", "")
    is_reserved = "reservation_reservation_a_r_n" in line.texts
    match line.type:
        case "SavingsPlanCoveredUsage":
            gross = "savings_plan_savings_plan_effective_cost"
            effective = line.first(gross)
            net = line.first("savings_plan_net_savings_plan_effective_cost", gross)
        case "DiscountedUsage":
            effective = line.first("reservation_effective_cost")
            net = line.first("reservation_net_effective_cost", "reservation_effective_cost")
            contracted = on_demand = line.first("pricing_public_on_demand_cost", "reservation_effective_cost")
        case "SavingsPlanUpfrontFee" | "SavingsPlanRecurringFee" | "RIFee":
            effective = net = on_demand = ZERO
        case "Fee" if is_reserved:
            effective = net = on_demand = ZERO
        case "Refund" if is_reserved or description.startswith("Refund for one-time fee for Savings Plan ID"):
            effective = net = ZERO
        case "EdpDiscount" | "PrivateRateDiscount" if is_net:
            net = ZERO
    # A public price stands where AWS tells one.
    on_demand = line.amounts.get("pricing_public_on_demand_cost", on_demand)
    if line.type == "SavingsPlanNegation":
        effective = net = contracted = on_demand = ZERO
    return dict(zip(COST_COLUMNS, (unblended, effective, contracted, on_demand, net), strict=True))


def causes_of(line: Line) -> dict[str, Decimal]:
    """Why a line's effective cost is not what it bills: amounts by cause, 0 among them."""
    billed = line.first("line_item_unblended_cost")
    effective = costs_of(line, False)["effective_cost"]
    if line.type in ("RIFee", "SavingsPlanRecurringFee"):
        effective = unused_commitment(line)[0]
    amortised = {
        "RIFee": "reservation_amortized_upfront_fee_for_billing_period",
        "SavingsPlanRecurringFee": "savings_plan_amortized_upfront_commitment_for_billing_period",
    }
    upfront = line.first(amortised[line.type]) if line.type in amortised else ZERO
    is_fee = line.type == "SavingsPlanUpfrontFee" or (
        line.type == "Fee" and "reservation_reservation_a_r_n" in line.texts
    )
    if is_fee:
        return {"upfront fees": -billed}
    if line.type == "Refund":
        return {"refunded fees": effective - billed}
    return {"amortised upfront fees": upfront, "unexplained": effective - billed - upfront}


def unused_commitment(line: Line) -> tuple[Decimal, Decimal]:
    """What a commitment's fee paid for and nothing used: gross and net."""
    if line.type == "RIFee":
        upfront = "unused_amortized_upfront_fee_for_billing_period"
        gross = line.first(f"reservation_{upfront}") + line.first("reservation_unused_recurring_fee")
        net = line.first(f"reservation_net_{upfront}", f"reservation_{upfront}")
        return gross, net + line.first(
            "reservation_net_unused_recurring_fee", "reservation_unused_recurring_fee"
        )
    commitment = ("savings_plan_total_commitment_to_date", "savings_plan_used_commitment")
    if any(column not in line.amounts for column in commitment):
        return ZERO, ZERO
    unused = line.amounts[commitment[0]] - line.amounts[commitment[1]]
    parts = [f"{kind}_commitment_for_billing_period" for kind in ("recurring", "amortized_upfront")]
    fee = sum((line.first(f"savings_plan_{part}") for part in parts), ZERO)
    net_fee = sum((line.first(f"savings_plan_net_{part}", f"savings_plan_{part}") for part in parts), ZERO)
    return unused, times_ratio(unused, net_fee, fee) if fee else unused
