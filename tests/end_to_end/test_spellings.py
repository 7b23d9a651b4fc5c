"""What people spell differently is one thing in every format: tag keys, letters, currencies, Azure's ids."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from tests.end_to_end.focus_company import ALLOCATION, charge, write_bill, write_contexts, write_source
from tests.end_to_end.running import Company

VM = "/subscriptions/1/resourceGroups/RG-Search/providers/Microsoft.Compute/virtualMachines/vm1"
# An ë and an é of one character, and of two.
ZOE = ("zo\u00eb", "zoe\u0308")
CAFE = ("Caf\u00e9", "Cafe\u0301")
SPELLINGS = (VM, VM.lower(), VM.replace("resourceGroups/RG-Search", "resourcegroups/rg-search"))
LEGACY = (
    *("bill/PayerAccountId", "bill/BillingPeriodStartDate", "lineItem/UsageAccountId"),
    *("lineItem/LineItemType", "lineItem/UsageStartDate", "lineItem/UsageEndDate", "lineItem/ProductCode"),
    *("lineItem/UsageType", "lineItem/CurrencyCode", "lineItem/UnblendedCost"),
)
CUR_2 = (
    *("bill_payer_account_id", "bill_billing_period_start_date", "line_item_usage_account_id"),
    *("line_item_line_item_type", "line_item_usage_start_date", "line_item_usage_end_date"),
    *("line_item_product_code", "line_item_usage_type", "line_item_currency_code"),
    "line_item_unblended_cost",
)


def line(account: str, currency: str, *tags: str) -> str:
    start = "2026-10-05T10:00:00Z,2026-10-05T11:00:00Z"
    return (
        f"{account},2026-10-01T00:00:00Z,{account},Usage,{start},AmazonEC2,BoxUsage:m5.large,{currency},10.00,"
        + ",".join(tags)
    )


def cell(tags: dict[str, str]) -> str:
    return '"' + json.dumps(tags).replace('"', '""') + '"'


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    made = Company(tmp_path_factory.mktemp("spelled") / "company")
    write_contexts(
        made,
        {
            "dimensions/machine.yml": "dimension: machine\ndescription: Which\ndefault: other\nrules:\n"
            f'  - element: Search\n    when: {{charge: resource_id, equals: "{VM.upper()}"}}\n'
            f"  - element: {CAFE[1]}\n    when: {{charge: service_name, in: [{CAFE[1]}]}}\n",
            "streams.yml": "streams:\n  calls: {unit: call, granularity: hourly, description: Calls}\n",
            "allocation.yml": ALLOCATION
            + "  - name: own\n    when: {charge: charge_category, equals: Usage}\n"
            "    to: {first_of: [{tag: customer}, {tag: customer_id}, {resource: tag customer}]}\n",
        },
    )
    legacy = [",".join([*LEGACY, "resourceTags/user:CUSTOMER", "resourceTags/user:CustomerID"])]
    legacy += [line("111111111111", "usd", "ada", ""), line("111111111111", "USD", "", "bob")]
    legacy += [line("111111111111", "USD", ZOE[1], "")]
    write_source(made, "billing/legacy.csv", "\n".join(legacy) + "\n")
    cur_2 = [",".join([*CUR_2, "resource_tags"])]
    cur_2 += [
        line("222222222222", "USD", cell({"user_c_u_s_t_o_m_e_r": "ada"})),
        line("222222222222", " Usd", cell({"user_customer_i_d": "bob"})),
        line("222222222222", "USD", cell({"user_customer": ZOE[0]})),
    ]
    write_source(made, "billing/cur2.csv", "\n".join(cur_2) + "\n")
    write_bill(
        made,
        [
            charge("10.00", Tags='{"CUSTOMER": "ada"}'),
            charge("10.00", Tags='{"Customer-Id": "bob"}', BillingCurrency="usd"),
            charge("10.00", Tags='{"CustomerID": "bob"}', BillingCurrency="eur "),
            *(charge("10.00", Tags=json.dumps({"customer": zoe}), ServiceName=CAFE[0]) for zoe in ZOE),
            *(charge("10.00", ResourceId=spelling) for spelling in SPELLINGS),
        ],
    )
    snapshot = {"snapshot_time": "2026-10-01T00:00:00Z", "resource_type": "vm", "tags": {"Customer": "ada"}}
    rows = [json.dumps({**snapshot, "resource_id": spelling}) for spelling in SPELLINGS[:2]]
    write_source(made, "inventory/azure.jsonl", "\n".join(rows) + "\n")
    write_source(made, "customers/c.csv", f"customer_id,customer_name\nada,Ada\nbob,Bob\n{ZOE[1]},Zoe\n")
    good, printed = made.run()
    assert good, printed
    return made


def test_tag_keys_currencies_and_ids_are_read_alike_in_every_format(company: Company) -> None:
    rows = company.read(
        "select billing_currency, customer_id, machine, sum(effective_cost) from customer_costs_daily "
        "group by all order by all"
    )
    assert rows == [
        ("EUR", "bob", "other", 10),
        ("USD", "ada", "Search", 30),
        ("USD", "ada", "other", 30),
        ("USD", "bob", "other", 30),
        ("USD", ZOE[0], CAFE[0], 20),
        ("USD", ZOE[0], "other", 20),
    ]
    # The AWS files have one cost column; nothing that is spelled differently is told.
    told = "select distinct code, severity from warnings where code <> 'month-not-billed-to-its-end'"
    assert company.read(told) == [("cost-missing", "note")]


def test_the_sums_of_the_files_are_compared_by_the_same_currencies(company: Company) -> None:
    rows = company.read(
        "select billing_currency, sum(hop_cost) from reconciliation "
        "where hop = 'files' and cost_column = 'billed_cost' group by all order by all"
    )
    assert rows == [("EUR", Decimal(10)), ("USD", Decimal(130))]
