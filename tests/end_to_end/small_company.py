"""A company so small that its costs can be worked out by hand: its bill, its usage, its contexts.

Each month has one AWS bill (legacy CSV, with a manifest) of three days. A day's bill:

    search     10000.00   divided by the customers' searches: ada 1 %, bob 49 %, cid 50 %
    exports       30.00   divided evenly among the customers seen that day
    idle           7.77   nobody's: no rule takes it
    test          50.00   not production, so not cost of goods sold

In the last month the bill has a fourth day, on which nobody used anything and only `idle` costs.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

ACCOUNT = "011254002932"
MONTHS = ("2026-03", "2026-04", "2026-05")
DAYS = (1, 2, 3)
IDLE_DAY = 4
SEARCHES = {"ada": 1, "bob": 49, "cid": 50}
# A third each, to twelve digits; what is missing to 1 goes to the first.
THIRDS = {
    "ada": Decimal("0.333333333334"),
    "bob": Decimal("0.333333333333"),
    "cid": Decimal("0.333333333333"),
}

SEARCH = Decimal("10000.00")
BILL = {
    ("search-api", "production"): SEARCH,
    ("exports", "production"): Decimal("30.00"),
    ("idle", "production"): Decimal("7.77"),
    ("search-api", "test"): Decimal("50.00"),
}

CONTEXTS = {
    "dimensions/environment.yml": """\
dimension: environment
description: Where it runs
default: production
rules:
  - element: test
    when: {tag: environment, equals: test}
""",
    "dimensions/feature.yml": """\
dimension: feature
description: What it serves
rules:
  - element: Search
    when: {tag: app, equals: search-api}
  - element: Exports
    when: {tag: app, equals: exports}
""",
    "streams.yml": """\
streams:
  searches:
    unit: search
    granularity: hourly
    description: Searches answered
""",
    "allocation.yml": """\
allocate_to: customer
cost_of_goods_sold: {dimension: environment, equals: production}
rules:
  - name: search
    when: {dimension: feature, equals: Search}
    by: searches
    when_no_usage: [same_day, unallocated]
  - name: exports
    when: {dimension: feature, equals: Exports}
    by: even
""",
}


def write_contexts(folder: Path) -> None:
    """The contexts, as a person would have written them."""
    for name, text in CONTEXTS.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_bill(
    billing: Path,
    month: str,
    search: Decimal = SEARCH,
    days: tuple[int, ...] = DAYS,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Path:
    """Deliver a month's bill in place of the one that was there.

    `search` is what search costs a day, `more` further columns with their value on every row.
    """
    year, number = (int(part) for part in month.split("-"))
    following = f"{year:04d}-{number + 1:02d}"
    rows = [
        {
            "identity/LineItemId": f"{month}-{day}-{app}-{environment}",
            "identity/TimeInterval": f"{month}-{day:02d}T00:00:00Z/{month}-{day:02d}T01:00:00Z",
            "bill/BillType": "Anniversary",
            "bill/PayerAccountId": ACCOUNT,
            "bill/BillingPeriodStartDate": f"{month}-01T00:00:00Z",
            "bill/BillingPeriodEndDate": f"{following}-01T00:00:00Z",
            "lineItem/UsageAccountId": ACCOUNT,
            "lineItem/LineItemType": "Usage",
            "lineItem/UsageStartDate": f"{month}-{day:02d}T00:00:00Z",
            "lineItem/UsageEndDate": f"{month}-{day:02d}T01:00:00Z",
            "lineItem/ProductCode": "AmazonEC2",
            "lineItem/UsageType": "BoxUsage",
            "lineItem/Operation": "RunInstances",
            "lineItem/ResourceId": f"i-{app}",
            "lineItem/UsageAmount": "1",
            "lineItem/CurrencyCode": "USD",
            "lineItem/UnblendedCost": str(
                search if (app, environment) == ("search-api", "production") else cost
            ),
            "pricing/publicOnDemandCost": str(cost),
            "product/ProductName": "Amazon Elastic Compute Cloud",
            "resourceTags/user:app": app,
            "resourceTags/user:environment": environment,
            **more,
        }
        for day in days
        for (app, environment), cost in BILL.items()
        if day != IDLE_DAY or app == "idle"
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    folder = billing / "bill" / f"{month.replace('-', '')}01-{following.replace('-', '')}01"
    folder.mkdir(parents=True, exist_ok=True)
    content = gzip.compress(text.getvalue().encode(), mtime=0)
    (folder / "bill-1.csv.gz").write_bytes(content)
    manifest = {
        "assemblyId": f"{month}-{search}-{len(days)}",
        "account": ACCOUNT,
        "reportName": "bill",
        "contentType": "text/csv",
        "compression": "GZIP",
        "billingPeriod": {
            "start": f"{month.replace('-', '')}01T000000.000Z",
            "end": f"{following.replace('-', '')}01T000000.000Z",
        },
        "bucket": "bills",
        "reportKeys": [f"bill/{folder.name}/bill-1.csv.gz"],
    }
    (folder / "bill-Manifest.json").write_text(json.dumps(manifest))
    return folder


def write_usage(telemetry: Path, month: str) -> None:
    """One batch: each customer's searches in the hour that the bill is for."""
    telemetry.mkdir(parents=True, exist_ok=True)
    lines = [
        json.dumps(
            {
                "stream": "searches",
                "timestamp": f"{month}-{day:02d}T00:00:00Z",
                "customer_id": customer,
                "value": searches,
            }
        )
        for day in DAYS
        for customer, searches in SEARCHES.items()
    ]
    (telemetry / f"searches-{month}.jsonl").write_text("\n".join(lines) + "\n")


def write_customers(customers: Path, *more: str) -> None:
    """The list of customers, and `more` of them."""
    customers.mkdir(parents=True, exist_ok=True)
    lines = [f"{customer},{customer.title()},enterprise,pro" for customer in (*SEARCHES, *more)]
    (customers / "customers.csv").write_text(
        "\n".join(["customer_id,customer_name,segment,plan", *lines]) + "\n"
    )


def write_sources(sources: Path) -> None:
    """Everything that the company has delivered so far."""
    for month in MONTHS:
        write_bill(sources / "billing", month, days=DAYS if month != MONTHS[-1] else (*DAYS, IDLE_DAY))
        write_usage(sources / "telemetry", month)
    write_customers(sources / "customers")


def expected_costs() -> dict[tuple[str, str], Decimal]:
    """Effective cost per (month, customer), by hand."""
    costs: dict[tuple[str, str], Decimal] = {}
    for month in MONTHS:
        for customer, searches in SEARCHES.items():
            costs[month, customer] = 3 * (
                SEARCH * searches / 100 + BILL["exports", "production"] * THIRDS[customer]
            )
        costs[month, "unallocated"] = 3 * (BILL["idle", "production"] + BILL["search-api", "test"])
    costs[MONTHS[-1], "unallocated"] += BILL["idle", "production"]
    return costs
