"""Plain files: date, service, amount, currency, and columns that become tags."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from bills import FolderStore, land, query

from orchestration.sources.billing.errors import BillingError

BILL = """\
Date,Service,Amount,Currency,Team,Cost Center
2026-07-01,Snowflake,12.10,usd,search,NULL
2026-07-01,Datadog,0.000000000001,USD,,4711
2026-07-31,Snowflake,-2.10,USD,search,4711
2026-08-01,Snowflake,7,USD,search,
"""


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def test_a_row_is_what_a_service_costs_on_a_day(store: FolderStore, landing: Path) -> None:
    store.put("saas.csv", BILL.encode())
    land(store, landing)
    found = query(
        landing,
        "select usage_date, billing_period, provider_name, billing_account_id, service_name, "
        "charge_category, billed_cost, effective_cost, list_cost, contracted_cost, billing_currency, tags, "
        "charge_period_end from charges order by landed_row",
        family="focus",
    )
    search = {"team": "search"}
    rows = [
        (date(2026, 7, 1), "2026-07", "Snowflake", "Usage", "12.10", search),
        (date(2026, 7, 1), "2026-07", "Datadog", "Usage", "0.000000000001", {"cost center": "4711"}),
        (date(2026, 7, 31), "2026-07", "Snowflake", "Credit", "-2.10", {"cost center": "4711", **search}),
        (date(2026, 8, 1), "2026-08", "Snowflake", "Usage", "7", search),
    ]
    assert found == [
        (
            *(day, month, service, service, service, category),
            *[Decimal(cost)] * 4,
            *("USD", tags, datetime.combine(day, time()) + timedelta(days=1)),
        )
        for day, month, service, category, cost, tags in rows
    ]


def test_columns_for_provider_and_account(store: FolderStore, landing: Path) -> None:
    store.put(
        "rack.csv", b"date,service,amount,currency,provider,account\n2026-07-01,Power,5,EUR,Rack 7,77\n"
    )
    land(store, landing)
    found = query(
        landing,
        "select provider_name, billing_account_id, service_name, billing_currency, tags from charges",
        family="focus",
    )
    assert found == [("Rack 7", "77", "Power", "EUR", {})]


@pytest.mark.parametrize(
    ("row", "problem"),
    [("2026-07-01,Snowflake,a lot,USD", "a lot"), ("yesterday,Snowflake,1,USD", "yesterday")],
)
def test_an_unreadable_row_is_named(store: FolderStore, landing: Path, row: str, problem: str) -> None:
    store.put("saas.csv", f"date,service,amount,currency\n2026-07-01,Snowflake,1,USD\n{row}\n".encode())
    with pytest.raises(BillingError, match=f"saas.csv.*{problem}"):
        land(store, landing)


def test_without_all_four_columns_it_is_not_a_bill(store: FolderStore, landing: Path) -> None:
    store.put("saas.csv", b"date,service,amount\n2026-07-01,Snowflake,1\n")
    with pytest.raises(BillingError, match="nor that of a plain file"):
        land(store, landing)
