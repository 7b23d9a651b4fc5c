"""FOCUS files as each provider shapes them: times, tags, absent values, columns of its own."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import bills
import duckdb
import pyarrow as pa
import pytest
from bills import FolderStore, csv_bytes, focus_row, land, parquet_bytes, query

from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.landing import DeliveryResult
from tests.properties.rendered_models import build

HOUR = "charge_period_start = timestamp '2026-07-03 10:00:00'"


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def landed(store: FolderStore, landing: Path, *rows: bills.Row) -> DeliveryResult:
    store.put("focus.csv", csv_bytes(rows))
    return land(store, landing).deliveries[0]


def test_azure(store: FolderStore, landing: Path) -> None:
    """Paths as account ids, times without seconds, amounts with exponents, tags as JSON text."""
    result = landed(
        store,
        landing,
        focus_row(
            ProviderName="Microsoft",
            BillingAccountId="/providers/Microsoft.Billing/billingAccounts/00012345:x_2019-05-31",
            SubAccountId="/subscriptions/0000-1",
            ChargePeriodStart="2026-07-03T10:00Z",
            BilledCost="1.2E-05",
            Tags='{"env": "prod", "Env": "test", "owner": null, "empty": ""}',
            ResourceId="/subscriptions/0000-1/resourceGroups/RG/providers/x/VM",
            x_BilledCostInUsd="1.2E-05",
            x_SkuMeterCategory="Virtual Machines",
        ),
    )
    found = query(
        landing, f"select billing_account_id, billed_cost, tags, {HOUR} from charges", family="focus"
    )
    assert found == [
        (
            "/providers/Microsoft.Billing/billingAccounts/00012345:x_2019-05-31",
            Decimal("0.000012000000"),
            {"Env": "test", "env": "prod"},
            True,
        )
    ]
    assert result.new_columns == {"x_BilledCostInUsd": 1, "x_SkuMeterCategory": 1}
    assert result.new_column_spend["x_SkuMeterCategory"] == {"USD": Decimal("0.000012000000")}


@pytest.mark.parametrize("encoding", ["cp1252", "utf-16"])
def test_a_file_in_another_encoding_is_read_and_said(
    store: FolderStore, landing: Path, encoding: str
) -> None:
    store.put("focus.csv", csv_bytes([focus_row(ServiceName="Café")]).decode().encode(encoding))
    land(store, landing)
    assert query(landing, "select service_name from charges", family="focus") == [("Café",)]
    notes = duckdb.sql(
        f"select code from '{landing}/notes/billing/*.parquet' where code = 'assumed-encoding'"
    ).fetchall()
    assert len(notes) == (encoding == "cp1252")


def test_a_charge_that_the_provider_split_has_the_tags_of_its_part(store: FolderStore, landing: Path) -> None:
    """FOCUS 1.3; and other datasets beside it are named and left."""
    row = focus_row(ResourceId="i-1", Tags='{"env": "prod", "team": "platform"}')
    part = {"AllocatedMethodId": "cpu", "AllocatedResourceId": "pod-1", "AllocatedTags": '{"team": "search"}'}
    store.put("focus.csv", csv_bytes([row | part, row | dict.fromkeys(part, "")]))
    store.put("period.csv", b"BillingPeriodStart,BillingPeriodStatus\n2026-07-01,Open\n")
    store.put("invoice.csv", b"InvoiceDetailId,BilledCost,BillingPeriodStart,InvoiceId\n1,5,2026-07-01,A\n")
    store.put("contract.csv", b"ContractCommitmentId,ContractCommitmentCost\nc,5\n")
    result = land(store, landing)
    assert query(
        landing,
        "select resource_id, allocated_resource_id, allocated_method_id, tags from charges "
        "order by landed_row",
        family="focus",
    ) == [
        ("i-1", "pod-1", "cpu", {"env": "prod", "team": "search"}),
        ("i-1", None, None, {"env": "prod", "team": "platform"}),
    ]
    assert sorted(note.partition(": ")[2] for note in result.notes if "dataset" in note) == [
        f"is FOCUS' dataset {name}, which is not read: the bill is Cost and Usage"
        for name in ("Billing Period", "Contract Commitment", "Invoice Detail")
    ]
    assert result.deliveries[0].repeated_columns == ()
    with duckdb.connect() as connection:
        connection.execute(
            f"create view focus_charges as from read_parquet('{landing}/billing/focus/*/*/*.parquet', "
            "hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
        )
        build(connection, "stg_focus__charges")
        staged = (
            "select resource_id, resource_name, x_split_parent_id from stg_focus__charges order by charge_id"
        )
        assert connection.execute(staged).fetchall() == [("pod-1", "pod-1", "i-1"), ("i-1", "i-1", None)]


def test_google(store: FolderStore, landing: Path) -> None:
    """Lists of structs: tags have more fields than key and value, and a key of two origins comes twice."""
    tag = pa.struct([("key", pa.string()), ("value", pa.string()), ("x_inherited", pa.bool_())])
    credit = pa.struct([("name", pa.string()), ("amount", pa.float64())])
    times = pa.timestamp("us", tz="UTC")
    cost = pa.array([Decimal("0.123456789"), Decimal("-0.5")], pa.decimal128(38, 9))
    tags = [
        [
            {"key": "team", "value": "blue", "x_inherited": False},
            {"key": "team", "value": "of the project", "x_inherited": True},
            {"key": "gone", "value": None, "x_inherited": False},
        ],
        [],
    ]
    store.put(
        "focus.parquet",
        parquet_bytes(
            {
                "BilledCost": cost,
                "EffectiveCost": cost,
                "BillingCurrency": pa.array(["USD", "EUR"]),
                "BillingPeriodStart": pa.array([datetime(2026, 7, 1, tzinfo=UTC)] * 2, times),
                "ChargePeriodStart": pa.array([datetime(2026, 7, 3, 10, tzinfo=UTC)] * 2, times),
                "Tags": pa.array(tags, pa.list_(tag)),
                "SkuPriceDetails": pa.array([[], []], pa.list_(credit)),
                "x_Credits": pa.array([[{"name": "CUD", "amount": -0.1}], []], pa.list_(credit)),
                "ProviderName": pa.array(["Google Cloud"] * 2),
            }
        ),
    )
    result = land(store, landing).deliveries[0]
    found = query(landing, f"select billed_cost, tags, {HOUR} from charges order by landed_row", "focus")
    assert found == [
        (Decimal("0.123456789000"), {"team": "blue"}, True),
        (Decimal("-0.500000000000"), {}, True),
    ]
    # No list of keys and values: not read, and said so.
    assert result.new_columns == {"SkuPriceDetails": 0, "x_Credits": 1}
    assert result.new_column_spend["x_Credits"] == {"USD": Decimal("0.123456789000")}


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (
            '[{"key": "team", "value": "blue"}, {"key": "team", "value": "red", "inherited": true}]',
            {"team": "blue"},
        ),
        ("[]", {}),
        ("  [ ] ", {}),
        ('{"team": "blue", "team": "red", "a.b $": "x"}', {"team": "blue", "a.b $": "x"}),
        ('{"n": 1, "t": true, "deep": {"a": [1]}}', {"deep": '{"a":[1]}', "n": "1", "t": "true"}),
        ("NULL", {}),
        ("null", {}),
        ("", {}),
    ],
)
def test_tags_as_text(store: FolderStore, landing: Path, text: str, tags: dict[str, str]) -> None:
    landed(store, landing, focus_row(Tags=text))
    assert query(landing, "select tags from charges", "focus") == [(tags,)]


@pytest.mark.parametrize("text", ["env=prod", '["a:b"]', '[{"name": "a"}]', "3", '{"a": 1'])
def test_tags_that_are_none_are_named(store: FolderStore, landing: Path, text: str) -> None:
    with pytest.raises(BillingError, match=r"focus\.csv: data row 2, column Tags: .* is not a JSON object"):
        landed(store, landing, focus_row(), focus_row(Tags=text))


def test_oracle(store: FolderStore, landing: Path) -> None:
    """The word NULL for what is absent, times without zone, columns of its own, no tags at all."""
    rows = [
        focus_row(
            PROVIDERNAME="Oracle",
            ChargePeriodStart="2026-07-03 10:00:00",
            CommitmentDiscountStatus="NULL",
            ContractedCost="NULL",
            oci_ReferenceNumber="cost-1",
            oci_OverageFlag=flag,
        )
        for flag in ("N", "")
    ]
    for row in rows:
        del row["Tags"]
    result = landed(store, landing, *rows)
    assert query(
        landing,
        "select distinct provider_name, commitment_discount_status, contracted_cost, tags, "
        f"{HOUR} from charges",
        "focus",
    ) == [("Oracle", None, None, {}, True)]
    assert result.new_columns == {"oci_ReferenceNumber": 2, "oci_OverageFlag": 1}
    assert result.new_column_spend["oci_OverageFlag"] == {"USD": Decimal("1.500000000000")}


def test_aws_with_its_own_columns(store: FolderStore, landing: Path) -> None:
    """FOCUS 1.2 with AWS columns: the operation and service code land, discounts as a map."""
    result = landed(
        store,
        landing,
        focus_row(
            ProviderName="AWS",
            InvoiceId="",
            BillingAccountType="Management",
            PricingCurrency="USD",
            x_Operation="RunInstances",
            x_ServiceCode="AmazonEC2",
            x_UsageType="EUW1-BoxUsage:m5.large",
            x_CostCategories=json.dumps({"Team": "blue"}),
            x_Discounts=json.dumps({"edp": -0.25}),
            SkuPriceDetails=json.dumps({"InstanceType": "m5.large"}),
            CapacityReservationStatus="NULL",
            CommitmentDiscountQuantity="0003.50",
        ),
    )
    assert query(
        landing,
        "select x_operation, x_service_code, x_usage_type, x_cost_categories, x_discounts, "
        "sku_price_details, capacity_reservation_status, commitment_discount_quantity, invoice_id, "
        "billing_account_id from charges",
        "focus",
    ) == [
        (
            "RunInstances",
            "AmazonEC2",
            "EUW1-BoxUsage:m5.large",
            {"Team": "blue"},
            {"edp": "-0.25"},
            {"InstanceType": "m5.large"},
            None,
            Decimal("3.500000000000"),
            None,
            "011254002932",
        )
    ]
    assert result.new_columns == {}


@pytest.mark.parametrize(
    "spelling",
    [str, str.upper, str.lower, lambda name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name)],
)
def test_headers_of_any_spelling(store: FolderStore, landing: Path, spelling: Any) -> None:
    landed(store, landing, {spelling(name): value for name, value in focus_row().items()})
    assert query(landing, "select billed_cost, usage_date, billing_period from charges", "focus") == [
        (Decimal("1.500000000000"), date(2026, 7, 3), "2026-07")
    ]


def test_columns_that_come_and_go_between_months_and_files(store: FolderStore, landing: Path) -> None:
    first = focus_row(InvoiceId="i-1", Tags='{"a": "1"}')
    second = {name: value for name, value in focus_row().items() if name not in ("Tags", "ListCost")}
    files = {"a.csv": csv_bytes([first]), "b.csv": csv_bytes([second])}
    bills.put_export(store, files, "e1", root="exports/focus", columns=["BilledCost"])
    land(store, landing)
    assert query(
        landing, "select invoice_id, list_cost, tags from charges order by landed_file", "focus"
    ) == [
        ("i-1", Decimal("2.000000000000"), {"a": "1"}),
        (None, None, {}),
    ]


@pytest.mark.parametrize(
    ("columns", "provider"),
    [
        (
            {"ServiceProviderName": "AWS", "HostProviderName": "Host", "InvoiceIssuerName": "X"},
            "AWS",
        ),
        ({"ProviderName": "Azure", "ServiceProviderName": "Microsoft"}, "Azure"),
        ({"ProviderName": "", "ServiceProviderName": "Microsoft"}, "Microsoft"),
        ({"Provider": "Oracle"}, "Oracle"),
    ],
)
def test_the_provider_is_known_in_every_version_of_focus(
    store: FolderStore, landing: Path, columns: dict[str, str], provider: str
) -> None:
    result = landed(store, landing, focus_row(**columns))
    assert query(landing, "select provider_name from charges", family="focus") == [(provider,)]
    assert result.new_columns == {}


@pytest.mark.parametrize("currency", ["US$", "$", "Dollar", "EURO"])
def test_a_currency_that_is_no_code_is_refused(store, landing, currency):
    rows = [focus_row(BilledCost="1.00"), focus_row(BilledCost="2.00", BillingCurrency=currency)]
    store.put("a.csv", csv_bytes(rows))
    with pytest.raises(BillingError, match=r"a\.csv: data row 2: the billing currency '.*' is not a code"):
        land(store, landing)
