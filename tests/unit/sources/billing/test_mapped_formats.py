"""Bills of other formats: Azure, Google, Oracle, CloudZero, OpenAI, Anthropic, LiteLLM."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from bills import FolderStore, csv_bytes, focus_row, land, query

from orchestration.settings import PROJECT_ROOT
from orchestration.sources.billing.errors import BillingError

FACTS = (
    "usage_date, provider_name, billing_account_id, sub_account_id, service_name, resource_id, "
    "charge_category, billed_cost, effective_cost, contracted_cost, list_cost, billing_currency,"
    " billing_period, tags"
)
TWELVE = Decimal("1e-12")


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def landed(store: FolderStore, landing: Path, columns: str = FACTS, **export: Any) -> list[tuple[Any, ...]]:
    land(store, landing, **export)
    return query(landing, f"select {columns} from charges order by landed_file, landed_row", family="focus")


def generated(folder: Path, provider: str, *options: str) -> list[dict[str, str]]:
    """A bill of koku-nise, an independent generator of providers' files; the random numbers of a seed."""
    folder.mkdir()
    given = ["nise", "report", provider, "-s", "2026-07-01", "-e", "2026-07-02", "-w", *options]
    program = (
        f"import random, runpy, sys; random.seed(1); sys.argv = {given}; "
        "runpy.run_module('nise', run_name='__main__')"
    )
    subprocess.run([sys.executable, "-c", program], cwd=folder, check=True, capture_output=True)
    [file] = folder.glob("*.csv")
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_azure_details_of_an_independent_generator(store: FolderStore, landing: Path, tmp_path: Path) -> None:
    rows = generated(tmp_path / "nise", "azure")
    store.put("azure/part_0.csv", csv_bytes(rows))
    found = landed(store, landing, "usage_date, service_name, billed_cost, effective_cost, resource_id")
    exact = [Decimal(row["CostInBillingCurrency"]).quantize(TWELVE) for row in rows]
    assert [(day, name, billed) for day, name, billed, _, _ in found] == [
        (date.fromisoformat(row["Date"]), row["MeterCategory"], cost)
        for row, cost in zip(rows, exact, strict=True)
    ]
    assert sum(effective for *_, effective, _ in found) == sum(exact) > 0
    assert [resource for *_, resource in found] == [row["ResourceId"] for row in rows]


# Headers as the Cost Details API wrote them for an Enterprise Agreement and a Microsoft Customer Agreement.
EA = [
    "InvoiceSectionName",
    "SubscriptionId",
    "SubscriptionName",
    "ResourceGroup",
    "ResourceLocation",
    "Date",
    "ProductName",
    "MeterCategory",
    "MeterSubCategory",
    "MeterId",
    "MeterName",
    "UnitOfMeasure",
    "Quantity",
    "EffectivePrice",
    "CostInBillingCurrency",
    "ConsumedService",
    "ResourceId",
    "Tags",
    "ReservationId",
    "PublisherType",
    "PublisherName",
    "ChargeType",
    "PricingModel",
    "BillingAccountId",
    "BillingCurrencyCode",
    "BillingPeriodStartDate",
    "BillingPeriodEndDate",
    "PayGPrice",
    "benefitId",
]
MCA = [
    "\ufeffinvoiceId",
    "billingAccountId",
    "billingAccountName",
    "billingPeriodEndDate",
    "billingPeriodStartDate",
    "date",
    "serviceFamily",
    "consumedService",
    "meterId",
    "meterName",
    "meterCategory",
    "meterSubCategory",
    "ProductName",
    "SubscriptionId",
    "subscriptionName",
    "publisherName",
    "resourceGroupName",
    "ResourceId",
    "resourceLocation",
    "quantity",
    "unitOfMeasure",
    "chargeType",
    "billingCurrency",
    "costInBillingCurrency",
    "paygCostInBillingCurrency",
    "tags",
    "reservationId",
    "pricingModel",
    "benefitId",
    "provider",
]


def test_azure_details_of_both_agreements(store: FolderStore, landing: Path) -> None:
    used = {
        "SubscriptionId": "s-1", "Date": "07/31/2026", "MeterCategory": "Virtual Machines", "Quantity": "2",
        "CostInBillingCurrency": "1.5e-2", "ResourceId": "/subscriptions/s-1/vm", "ChargeType": "Usage",
        "PricingModel": "Reservation", "BillingAccountId": "77", "BillingCurrencyCode": "EUR",
        "benefitId": "/b/1",
        "BillingPeriodStartDate": "07/01/2026", "Tags": r'"env": "prod","team": "a \"b\""',
    }  # fmt: skip
    idle = used | {
        "ChargeType": "UnusedReservation",
        "CostInBillingCurrency": "-3",
        "Tags": "",
        "ResourceId": "",
    }
    store.put("ea.csv", csv_bytes([used, idle], EA))
    bought = {
        "date": "2026-07-02", "meterCategory": "Azure OpenAI", "costInBillingCurrency": "10",
        "chargeType": "Purchase",
        "paygCostInBillingCurrency": "12", "billingCurrency": "eur", "billingAccountId": "88",
        "SubscriptionId": "s-2",
        "tags": '{"env":"dev"}',
    }  # fmt: skip
    store.put("mca.csv", csv_bytes([bought, bought | {"chargeType": "Refund"}], MCA))
    status = "commitment_discount_id, commitment_discount_status, consumed_quantity"
    found = landed(store, landing, f"{FACTS}, {status}")
    last, second = date(2026, 7, 31), date(2026, 7, 2)
    vm, ai, cost = "Virtual Machines", "Azure OpenAI", Decimal("0.015")
    tags = {"env": "prod", "team": 'a "b"'}
    assert found == [
        (last, "Microsoft", "77", "s-1", vm, "/subscriptions/s-1/vm", "Usage", *[cost] * 4, "EUR",
        "2026-07", tags,
         "/b/1", "Used", Decimal(2)),
        (last, "Microsoft", "77", "s-1", vm, None, "Usage", *[Decimal(-3)] * 4, "EUR", "2026-07", {},
         "/b/1", "Unused", None),
        *(
            (second, "Microsoft", "88", "s-2", ai, None, category, *[Decimal(10)] * 3, Decimal(12), "EUR",
            "2026-07",
             {"env": "dev"}, None, None, None)
            for category in ("Purchase", "Credit")
        ),
    ]  # fmt: skip


def test_google_billing_of_an_independent_generator(
    store: FolderStore, landing: Path, tmp_path: Path
) -> None:
    rows = generated(tmp_path / "nise", "gcp", "-r")
    for row in rows:
        row["project.labels"] = row["project.labels"].replace("'", '"')  # it writes Python here, Google JSON
    store.put("google.csv", csv_bytes(rows))
    found = landed(store, landing, "usage_date, service_name, sub_account_id, resource_id, billed_cost, tags")
    assert found == [
        (
            date.fromisoformat(row["usage_start_time"][:10]),
            row["service.description"],
            row["project.id"],
            row["resource.global_name"],
            Decimal(row["cost"]).quantize(TWELVE),
            {
                each["key"]: each["value"]
                for column in ("project.labels", "labels")
                for each in json.loads(row[column])
            },
        )
        for row in rows
    ]


def test_google_billing_as_parquet_with_credits(store: FolderStore, landing: Path) -> None:
    path = store.root / "google.parquet"
    duckdb.sql(
        f"""
        copy (
            select
                '01-AB' as billing_account_id, {{'id': '6F81', 'description': 'Compute Engine'}} as service,
                {{'id': 'A', 'description': 'N1 Core'}} as sku,
                timestamptz '2026-07-31 23:00:00+00' as usage_start_time,
                timestamptz '2026-08-01 00:00:00+00' as usage_end_time,
                {{'id': 'p-1', 'name': 'Shop', 'labels': [{{'key': 'team', 'value': 'project'}},
                    {{'key': 'env', 'value': 'prod'}}]}} as project,
                case when i < 2 then [{{'key': 'team', 'value': 'blue'}}] else [] end as labels,
                {{'location': 'us', 'region': 'us-east1', 'zone': 'us-east1-b'}} as location,
                {{'name': 'vm-1', 'global_name': '//compute/vm-1'}} as resource,
                10.1::double as cost, 12.0::double as cost_at_list, 'USD' as currency,
                {{'amount': 3600.0, 'unit': 'seconds'}} as usage,
                case when i = 0
                    then [{{'name': 'CUD', 'amount': -3.3::double}}, {{'name': 'free',
                    'amount': -1e-07::double}}]
                    else [] end as credits,
                {{'month': '202607'}} as invoice,
                case when i = 2 then 'tax' else 'regular' end as cost_type
            from range(3) as t(i)
        ) to '{path}'
        """
    )
    found = landed(store, landing)
    net, cost, at_list = Decimal("6.7999999"), Decimal("10.1"), Decimal(12)
    of_project, blue = {"env": "prod", "team": "project"}, {"env": "prod", "team": "blue"}
    facts = (date(2026, 7, 31), "Google Cloud", "01-AB", "p-1", "Compute Engine", "//compute/vm-1")
    assert found == [
        (*facts, "Usage", net, net, cost, at_list, "USD", "2026-07", blue),
        (*facts, "Usage", cost, cost, cost, at_list, "USD", "2026-07", blue),
        (*facts, "Tax", cost, cost, cost, at_list, "USD", "2026-07", of_project),
    ]


def test_oracle(store: FolderStore, landing: Path) -> None:
    row = {
        "lineItem/referenceNo": "V1", "lineItem/tenantId": "ocid1.tenancy", "product/service": "COMPUTE",
        "lineItem/intervalUsageStart": "2026-07-01T05:00Z", "lineItem/intervalUsageEnd": "2026-07-01T06:00Z",
        "product/compartmentId": "ocid1.c", "product/compartmentName": "shop",
        "product/resourceId": "ocid1.instance",
        "usage/billedQuantity": "1.5", "cost/productSku": "B88514", "cost/myCost": "0.0255",
        "cost/currencyCode": "USD",
        "cost/subscriptionId": "12", "lineItem/isCorrection": "false", "tags/Ops.CostCenter": "42",
        "tags/empty": "",
    }  # fmt: skip
    store.put("oracle.csv", csv_bytes([row, row | {"lineItem/isCorrection": "true", "cost/myCost": "-0.01"}]))
    cost, less = Decimal("0.0255"), Decimal("-0.01")
    facts = (date(2026, 7, 1), "Oracle", "12", "ocid1.c", "COMPUTE", "ocid1.instance", "Usage")
    assert landed(store, landing, f"{FACTS}, charge_class") == [
        (*facts, *[cost] * 4, "USD", "2026-07", {"ops.costcenter": "42"}, None),
        (*facts, *[less] * 4, "USD", "2026-07", {"ops.costcenter": "42"}, "Correction"),
    ]


def test_the_common_bill_format_falls_back_as_documented(store: FolderStore, landing: Path) -> None:
    row = {
        "lineitem/type": "Usage", "time/usage_start": "2026-07-01T00:00:00Z", "cost/cost": "10",
        "resource/service": "Warehouse", "resource/account": "acme", "resource/id": "wh-1",
        "resource/tag:team": "blue", "k8s/namespace": "",
    }  # fmt: skip
    rows = [
        row,
        row | {"cost/discounted_cost": "8", "cost/on_demand_cost": "20"},
        row | {"cost/amortized_cost": "0", "cost/discounted_cost": "8"},
        row | {"cost/discounted_amortized_cost": "7", "lineitem/cloud_provider": "Databricks"},
        row | {"lineitem/type": "Discount", "cost/cost": "-1"},
        row | {"lineitem/type": "CommittedUsePurchase"},
        row | {"lineitem/type": "Something"},
    ]
    store.put("cbf.csv", csv_bytes(rows))
    with pytest.raises(BillingError, match="billing_currency"):
        land(store, landing)
    found = landed(
        store,
        landing,
        "provider_name, charge_category, billed_cost::int, effective_cost::int, contracted_cost::int, "
        "list_cost::int, billing_currency, tags",
        billing_currency="USD",
    )
    team = {"team": "blue"}
    assert found == [
        ("acme", "Usage", 10, 10, 10, 10, "USD", team),
        ("acme", "Usage", 10, 8, 8, 20, "USD", team),
        ("acme", "Usage", 10, 0, 8, 10, "USD", team),
        ("Databricks", "Usage", 10, 7, 10, 10, "USD", team),
        ("acme", "Credit", -1, -1, -1, -1, "USD", team),
        ("acme", "Purchase", 10, 10, 10, 10, "USD", team),
        ("acme", "Adjustment", 10, 10, 10, 10, "USD", team),
    ]


OPENAI = """\
start_time,end_time,start_time_iso,end_time_iso,amount_value,amount_currency,quantity,quantity_unit,line_item,user_id,\
api_key_id,project_id,organization_id,project_name,organization_name,user_email,api_source
1782864000,1782950400,2026-07-01T00:00:00+00:00,2026-07-02T00:00:00+00:00,,,,,,,,,,,,,
1782864000,1782950400,2026-07-01T00:00:00,2026-07-02T00:00:00,0.003835980000000000000000000000,usd,1000,tokens,\
"gpt-5-nano, input",u-1,key_1,proj_a,org-1,Shop,Acme,dev@example.com,
"""
ANTHROPIC = """\
usage_date_utc,model,workspace,api_key,usage_type,context_window,token_type,cost_usd,list_price_usd,cost_type
2026-07-01,Model M,Shop,key-17,message,≤ 200k,output_no_cache,1.25,1.25,token
2026-07-02,,Shop,--,web_search,,,0.01,0.01,web_search
"""


def test_costs_of_models(store: FolderStore, landing: Path) -> None:
    store.put("a.csv", OPENAI.encode())
    store.put("b.csv", ANTHROPIC.encode())
    first, second = date(2026, 7, 1), date(2026, 7, 2)
    cost = Decimal("0.003835980000")
    key = {"api_key_id": "key_1", "project_id": "proj_a", "project_name": "Shop", "user_id": "u-1"}
    api, claude = "OpenAI API", "Claude API"
    output = {
        "api_key": "key-17", "model": "Model M", "token_type": "output_no_cache", "usage_type": "message",
        "workspace": "Shop",
    }  # fmt: skip
    search = {"api_key": "--", "usage_type": "web_search", "workspace": "Shop"}
    month = ("USD", "2026-07")
    assert landed(store, landing) == [
        (first, "OpenAI", "OpenAI", None, api, None, "Usage", *[Decimal(0)] * 4, *month, {}),
        (first, "OpenAI", "org-1", "proj_a", api, "key_1", "Usage", *[cost] * 4, *month,
         key | {"user_email": "dev@example.com"}),
        (first, "Anthropic", "Anthropic", "Shop", claude, "key-17", "Usage", *[Decimal("1.25")] * 4,
        *month, output),
        (second, "Anthropic", "Anthropic", "Shop", claude, "--", "Usage", *[Decimal("0.01")] * 4, *month,
        search),
    ]  # fmt: skip


def test_litellm_writes_focus_with_a_billing_period_of_a_day(store: FolderStore, landing: Path) -> None:
    """Its BillingPeriod is the day of use, its account the API key, its tags who called."""
    rows = [
        focus_row(
            BilledCost=cost, EffectiveCost=cost, ListCost=cost, ContractedCost=cost,
            BillingAccountId="sk-hash",
            BillingPeriodStart=f"{day}T00:00:00Z", BillingPeriodEnd=f"{after}T00:00:00Z",
            ChargePeriodStart=f"{day}T00:00:00Z", ChargePeriodEnd=f"{after}T00:00:00Z", ProviderName="openai",
            ServiceName="gpt-4o", SubAccountId="team-1", ResourceId="gpt-4o",
            Tags='{"team_alias": "search", "user_id": "u1"}',
        )
        for day, after, cost in (
            ("2026-07-30", "2026-07-31", "0.000123"),
            ("2026-07-31", "2026-08-01", "2"),
            ("2026-08-01", "2026-08-02", "3"),
        )
    ]  # fmt: skip
    store.put("litellm.csv", csv_bytes(rows))
    found = landed(
        store, landing, "billing_period, usage_date, billed_cost, sub_account_id, tags['team_alias']"
    )
    assert found == [
        ("2026-07", date(2026, 7, 30), Decimal("0.000123"), "team-1", "search"),
        ("2026-07", date(2026, 7, 31), Decimal(2), "team-1", "search"),
        ("2026-08", date(2026, 8, 1), Decimal(3), "team-1", "search"),
    ]


def test_the_worked_examples_of_the_documentation_are_bills(store: FolderStore, landing: Path) -> None:
    page = (PROJECT_ROOT / "docs" / "other-bills.md").read_text(encoding="utf-8")
    for number, text in enumerate(re.findall(r"```csv\n(.*?)```", page, re.DOTALL)):
        store.put(f"{number}.csv", text.encode())
    found = landed(store, landing, "provider_name, billing_account_id, billed_cost, map_keys(tags)")
    assert [(provider, account, cost) for provider, account, cost, _ in found] == [
        ("Snowflake", "PROD", Decimal("412.37")),
        ("Snowflake", "PROD", Decimal("20.114")),
        ("Datadog", "Acme", Decimal("1840.5")),
        ("Datadog", "Acme", Decimal("77.01")),
        ("MongoDB Atlas", "shop", Decimal("12.96")),
        ("MongoDB Atlas", "shop", Decimal("-0.04")),
    ]
    assert {key for *_, keys in found for key in keys} == {"region", "charge_type", "cluster"}
