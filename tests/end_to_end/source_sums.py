"""What a bill's file has to come to in every cost column: Python decimals over its raw rows, file by file.

What belongs here: reading raw files without the project's own code. What does not: what the project made of
them. The formulas are the oracle's (`tests/properties/amortised_costs.py`).
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pyarrow.parquet as pq

from tests.properties.amortised_costs import COST_COLUMNS, Line, staged_charges
from tests.properties.bill_columns import AMOUNTS, NET_AMOUNTS, TEXTS

_FOCUS = {
    "billed_cost": "BilledCost",
    "effective_cost": "EffectiveCost",
    "contracted_cost": "ContractedCost",
    "list_cost": "ListCost",
    "x_net_effective_cost": "EffectiveCost",
}


@dataclass(frozen=True)
class SourceSums:
    """The rows of a file, the billing months that they are of, and the sum of every cost column.

    `amounts` are the sums of an AWS file's money columns, by their names in Parquet.
    """

    rows: int
    months: tuple[str, ...]
    sums: dict[str, Decimal]
    amounts: dict[str, Decimal]


def of_focus(file: Path) -> SourceSums:
    """A FOCUS file in CSV: each cost column is its own, or what is billed where the file has none."""
    sums = dict.fromkeys(COST_COLUMNS, Decimal(0))
    months, count = set(), 0
    for row in _csv_rows(file):
        count += 1
        months.add(row["BillingPeriodStart"][:7])
        for column, header in _FOCUS.items():
            absent = row[header] in ("", "NULL")
            sums[column] += _money(row["BilledCost"] if absent else row[header])
    return SourceSums(count, tuple(sorted(months)), sums, {})


def of_cur(file: Path) -> SourceSums:
    """A legacy CUR, in CSV or Parquet."""
    names = TEXTS | AMOUNTS
    rows = _csv_rows(file)
    if file.name.endswith(".parquet"):
        present = set(pq.read_schema(file).names)
        wanted = [
            *names.values(),
            *NET_AMOUNTS,
            "line_item_usage_start_date",
            "bill_billing_period_start_date",
        ]
        rows = iter(pq.read_table(file, columns=[name for name in wanted if name in present]).to_pylist())
        names = {name: name for name in (*names.values(), *NET_AMOUNTS)}
        start, period = "line_item_usage_start_date", "bill_billing_period_start_date"
    else:
        start, period = "lineItem/UsageStartDate", "bill/BillingPeriodStartDate"
    texts = set(TEXTS.values())
    lines, months = [], set()
    for number, row in enumerate(rows, start=1):
        given = {name: row[header] for header, name in names.items() if row.get(header) not in (None, "")}
        months.add(str(row[period])[:7])
        lines.append(
            Line(
                file.name,
                file.name,
                number,
                datetime.fromisoformat(str(row[start])).replace(tzinfo=None),
                {name: value for name, value in given.items() if name in texts},
                {name: _money(value) for name, value in given.items() if name not in texts},
            )
        )
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for charge in staged_charges(lines).values():
        for column, cost in charge.costs.items():
            sums[column] += cost
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        for name, amount in line.amounts.items():
            amounts[name] += amount
    return SourceSums(len(lines), tuple(sorted(months)), dict(sums), dict(amounts))


def _csv_rows(file: Path) -> Iterator[dict[str, str]]:
    opened = gzip.open if file.name.endswith(".gz") else open
    with opened(file, "rt", newline="", encoding="utf-8-sig") as lines:
        yield from csv.DictReader(lines)


def _money(value: object) -> Decimal:
    """A value to twelve digits, half up, by way of its shortest text."""
    return Decimal(str(value)).quantize(Decimal("1e-12"), ROUND_HALF_UP)
