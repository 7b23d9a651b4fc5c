"""Companies of a few FOCUS charges, worked out by hand: a bill, contexts, and what else a test writes."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.end_to_end.running import Company

COLUMNS = (
    *("BillingAccountId", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory"),
    *("ChargePeriodStart", "ChargePeriodEnd", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost"),
    *("ProviderName", "ServiceName", "ResourceId", "Tags"),
)
DAY = "2026-10-05"
ALLOCATION = """\
allocate_to: customer
cost_of_goods_sold: everything
rules:
"""


def charge(cost: str, app: str = "", hour: int | None = 10, **said: str) -> dict[str, str]:
    """A charge of October for an hour of the day (or, None, for the day); `said` are columns of FOCUS."""
    end = f"{DAY}T{hour + 1:02d}" if hour is not None and hour < 23 else "2026-10-06T00"
    tags = {"app": app, **json.loads(said.pop("Tags", "{}"))}
    return {
        "BillingAccountId": "acct-1",
        "BillingCurrency": "USD",
        "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargePeriodStart": f"{DAY}T{hour or 0:02d}:00:00Z",
        "ChargePeriodEnd": f"{end}:00:00Z",
        **dict.fromkeys(("BilledCost", "EffectiveCost", "ListCost", "ContractedCost"), cost),
        "ProviderName": "Acme",
        "ServiceName": "Compute",
        "ResourceId": "",
        "Tags": json.dumps(tags),
        **said,
    }


def write_bill(company: Company, charges: Iterable[Mapping[str, str]], name: str = "bill.csv") -> None:
    """The charges as one bare file."""
    path = company.settings.sources / "billing" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(charges)


def write_contexts(company: Company, files: Mapping[str, str]) -> None:
    """Context files by their names."""
    for name, text in files.items():
        path = company.settings.contexts / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def write_source(company: Company, name: str, content: str | bytes) -> Path:
    """A file below `sources/`."""
    path = company.settings.sources / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def record(stream: str, customer: str, value: object, hour: int = 10, **said: object) -> str:
    """A line of usage of the day."""
    time = f"{DAY}T{hour:02d}:00:00Z"
    return (
        json.dumps({"stream": stream, "timestamp": time, "customer_id": customer, "value": value, **said})
        + "\n"
    )
