"""FOCUS bills of all charge categories, and in plain Python what staging has to make of each of their rows.

What belongs here: rows as providers write them (in capitals of their own, with the word NULL, with and
without zone), and the decimals that they stand for. What does not: AWS' own formats and formulas.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq

from tests.properties.amortised_costs import Key, StagedCharge

COSTS = {
    "BilledCost": "billed_cost",
    "EffectiveCost": "effective_cost",
    "ContractedCost": "contracted_cost",
    "ListCost": "list_cost",
}
CATEGORIES = ("Usage", "Purchase", "Tax", "Credit", "Adjustment")
# What providers write beside FOCUS' own words, and what it is staged as.
WORDS = {
    "USAGE": "Usage",
    "purchase": "Purchase",
    " Tax ": "Tax",
    "credit": "Credit",
    "Rounding": "Adjustment",
    "Fee ☃": "Adjustment",
}
STATUSES = {"Used": "Used", "UNUSED": "Unused", "Unused": "Unused", "used ": "Used"}
ZERO = Decimal(0)


@dataclass(frozen=True)
class Row:
    """One row of a FOCUS file: where it stands, its texts, and the amounts that are there."""

    file: str
    number: int
    start: datetime
    category: str | None
    status: str | None
    commitment: str | None
    tags: dict[str, str]
    charge_class: str | None
    amounts: dict[str, Decimal] = field(default_factory=dict)


def random_rows(random: Random, file: str, count: int, digits: int) -> list[Row]:
    """Rows of every category, class and commitment status; amounts have at most `digits` digits."""
    rows = []
    # Providers leave whole columns out, and values on some rows.
    absent = {column for column in ("ContractedCost", "ListCost") if random.random() < 0.4}
    for number in range(1, count + 1):
        # A commitment: its purchase is billed, what is used and what is left of it only effective.
        kind = random.choice(["plain", "plain", "fee", "used", "unused"])
        category = random.choice([*CATEGORIES, *WORDS, None] if kind == "plain" else ["Usage"])
        amounts = {
            column: Decimal(random.randrange(-(10**digits), 10**digits)).scaleb(-12)
            * random.choice([1, 1, 0])
            for column in COSTS
            if column not in absent and random.random() < 0.9
        }
        amounts.setdefault("BilledCost", ZERO)
        if kind == "fee":
            # As FOCUS has it, as Azure has it, or left out; a refund may be a credit or a correction.
            category = random.choice(["Purchase", "Purchase", "credit", "Adjustment"])
            effective = random.choice([ZERO, amounts["BilledCost"], None])
            amounts.pop("EffectiveCost", None)
            if effective is not None:
                amounts["EffectiveCost"] = effective
        status = {
            "used": random.choice(["Used", "used "]),
            "unused": random.choice(["Unused", "UNUSED"]),
        }.get(kind)
        if status:
            amounts.setdefault("EffectiveCost", ZERO)
            amounts["BilledCost"] = ZERO
            if random.random() < 0.1:
                del amounts["BilledCost"]
        rows.append(
            Row(
                file=file,
                number=number,
                start=datetime(2026, 3, random.randrange(1, 4), random.randrange(24)),
                category=category,
                status=status,
                commitment=None if kind == "plain" else "commitment-1",
                tags={"App ": f"☃ {number}"} | ({"Ünï": "x"} if random.random() < 0.3 else {}),
                charge_class=random.choice([None, "Correction", "correction"]),
                amounts=amounts,
            )
        )
    return rows


def staged(source: str, rows: list[Row]) -> dict[Key, StagedCharge]:
    """What staging has to make of the rows, by (source, file, row)."""
    charges = {}
    for row in rows:
        category = None if row.category is None else WORDS.get(row.category, row.category)
        status = None if row.status is None else STATUSES[row.status]
        costs = costs_of(row, category, status)
        key = (source, md5(row.file.encode()).hexdigest()[:8], str(row.number))
        charges[key] = StagedCharge(category, status, costs)
    return charges


def cause_of(row: Row) -> tuple[str, Decimal]:
    """Why a row's effective cost is not what it bills, and by how much."""
    category = None if row.category is None else WORDS.get(row.category, row.category)
    status = None if row.status is None else STATUSES[row.status]
    costs = costs_of(row, category, status)
    amount = costs["effective_cost"] - costs["billed_cost"]
    if status:
        return ("used commitments" if status == "Used" else "unused commitments"), amount
    if row.commitment and category == "Purchase" and not row.charge_class and costs["billed_cost"] >= 0:
        return "commitment fees", amount
    if row.commitment:
        return "refunded fees", amount
    if category == "Purchase" and costs["effective_cost"] == 0:
        return "commitment fees", amount
    own = costs["billed_cost"] != 0 and costs["effective_cost"] != 0
    return ("provider's own" if own else "unexplained"), amount


def costs_of(row: Row, category: str | None, status: str | None) -> dict[str, Decimal]:
    """The cost columns of a row: what it tells, and where it does not, what follows from the others."""
    billed = row.amounts.get("BilledCost", ZERO)
    effective = row.amounts.get("EffectiveCost", billed)
    if row.commitment and status is None and category in ("Purchase", "Credit", "Adjustment"):
        effective = ZERO
    contracted = row.amounts.get("ContractedCost")
    if contracted is None and status == "Used":
        contracted = row.amounts.get("ListCost", row.amounts.get("EffectiveCost"))
    elif contracted is None:
        contracted = ZERO if status == "Unused" else billed
    return {
        "billed_cost": billed,
        "effective_cost": effective,
        "contracted_cost": contracted,
        "list_cost": row.amounts.get("ListCost", contracted),
        "x_net_effective_cost": effective,
    }


def write_csv(random: Random, rows: list[Row], file: Path) -> None:
    """A file as of FOCUS 1.0 out of a database: capitals, the word NULL, no zone, tags as JSON text."""
    with file.open("w", newline="", encoding="utf-8") as target:
        writer = csv.writer(target)
        columns = ("BillingPeriodStart", "ChargePeriodStart", "ChargePeriodEnd", "BillingCurrency")
        words = ("ChargeCategory", "ChargeClass", "CommitmentDiscountStatus", "CommitmentDiscountId")
        costs = [name for name in COSTS if any(name in row.amounts for row in rows)]
        more = ("Tags", "ProviderName", "oci_ReferenceNumber")
        writer.writerow([name.upper() for name in (*columns, *words, *costs, *more)])
        for row in rows:
            writer.writerow(
                [
                    "2026-03-01 00:00:00",
                    f"{row.start:%Y-%m-%d %H:%M:%S}",
                    f"{row.start + timedelta(hours=1):%Y-%m-%d %H:%M:%S}",
                    "USD",
                    *(
                        word or random.choice(["", "NULL"])
                        for word in (row.category, row.charge_class, row.status, row.commitment)
                    ),
                    *(written(random, row.amounts.get(column)) for column in costs),
                    json.dumps(row.tags),
                    "Oracle",
                    f"reference {row.number}",
                ]
            )


def write_parquet(rows: list[Row], file: Path) -> None:
    """A file as of FOCUS 1.2 with columns of AWS: exact decimals, zones, tags as a map."""
    times = pa.timestamp("us", tz="UTC")
    starts = [row.start.replace(tzinfo=UTC) for row in rows]
    columns = {
        "BillingPeriodStart": pa.array([datetime(2026, 3, 1, tzinfo=UTC)] * len(rows), times),
        "ChargePeriodStart": pa.array(starts, times),
        "ChargePeriodEnd": pa.array([start + timedelta(hours=1) for start in starts], times),
        "BillingCurrency": pa.array(["EUR"] * len(rows)),
        "ChargeCategory": pa.array([row.category for row in rows], pa.string()),
        "ChargeClass": pa.array([row.charge_class for row in rows], pa.string()),
        "CommitmentDiscountStatus": pa.array([row.status for row in rows], pa.string()),
        "CommitmentDiscountId": pa.array([row.commitment for row in rows], pa.string()),
        "Tags": pa.array([list(row.tags.items()) for row in rows], pa.map_(pa.string(), pa.string())),
        "InvoiceId": pa.array([None] * len(rows), pa.string()),
        "x_ServiceCode": pa.array(["AmazonEC2"] * len(rows)),
    }
    for column in COSTS:
        amounts = [row.amounts.get(column) for row in rows]
        columns[column] = pa.array(amounts, pa.decimal128(38, 12))
    pq.write_table(pa.table(columns), file)


def written(random: Random, amount: Decimal | None) -> str:
    """An amount as files write it."""
    if amount is None:
        return random.choice(["", "NULL"])
    return f"{amount:E}" if random.random() < 0.5 else f"{amount:f}"
