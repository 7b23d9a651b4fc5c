"""How each format's columns become the landed ones: names, types, tags, absent values."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import bills
import pyarrow as pa
import pytest
from bills import FolderStore, billed, csv_bytes, land, legacy_row, parquet_bytes, query

from orchestration.sources.billing.formats.cur_legacy import landed_name


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


def cur_2_row(**more: Any) -> bills.Row:
    return {
        "bill_billing_period_start_date": "2026-07-01T00:00:00.000Z",
        "line_item_usage_start_date": "2026-07-03T00:00:00.000Z",
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": "1",
    } | more


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("lineItem/UnblendedCost", "line_item_unblended_cost"),
        ("reservation/ReservationARN", "reservation_reservation_a_r_n"),
        ("savingsPlan/SavingsPlanARN", "savings_plan_savings_plan_a_r_n"),
        ("resourceTags/user:CostCenter", "resource_tags_user_cost_center"),
        ("resourceTags/aws:ec2spot:fleet-request-id", "resource_tags_aws_ec2spot_fleet_request_id"),
        ("product/fromRegionCode", "product_from_region_code"),
        ("line_item_unblended_cost", "line_item_unblended_cost"),
        ("LINE_ITEM_UNBLENDED_COST", "line_item_unblended_cost"),
    ],
)
def test_headers_are_renamed_as_aws_does(header: str, name: str) -> None:
    assert landed_name(header) == name


def test_tags_whose_names_become_the_same_are_one(store: FolderStore, landing: Path) -> None:
    tags = ["resourceTags/user:CostCenter", "resourceTags/user:cost-center", "resourceTags/user:cost_center"]
    store.put(
        "b.csv",
        csv_bytes(
            [
                legacy_row("1") | dict(zip(tags, ["", "b", "c"], strict=True)),
                legacy_row("2") | dict(zip(tags, ["a", "", ""], strict=True)),
                legacy_row("3"),
            ],
        ),
    )
    result = land(store, landing)
    assert query(landing, "select resource_tags from charges order by landed_row") == [
        ({"user_cost_center": "b"},),
        ({"user_cost_center": "a"},),
        ({},),
    ]
    assert result.deliveries[0].repeated_columns == ("resource_tags_user_cost_center",)


def test_legacy_products_and_columns_that_nothing_reads(store: FolderStore, landing: Path) -> None:
    row = legacy_row("1") | {
        "product/vcpu": "4",
        "product/ProductName": "EC2",
        "lineItem/BlendedCost": "3",
        "lineItem/Novel": "x",
        "costCategory/Team": "blue",
    }
    store.put("b.csv", csv_bytes([row, row | {"lineItem/Novel": ""}]))
    result = land(store, landing)
    assert query(landing, "select distinct product, product_product_name, cost_category from charges") == [
        ({"vcpu": "4"}, "EC2", {"team": "blue"})
    ]
    assert result.deliveries[0].unused_columns == {"lineItem/BlendedCost": 2, "lineItem/Novel": 1}
    assert result.deliveries[0].new_columns == {"lineItem/Novel": 1}


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_cur_2_tags_of_every_origin(store: FolderStore, landing: Path, form: str) -> None:
    """`resource_tags` wins over the same tag in `tags`; other origins keep theirs in front of the key."""
    rows = [
        cur_2_row(
            resource_tags={"user_app": "web", "user_empty": ""},
            tags={
                "resourceTags/user:App": "other",
                "resourceTags/user:CostCenter": "11",
                "accountTag/Owner": "x",
                "userAttribute/department": "y",
                "iamPrincipal/team": "z",
                "somethingNew/team": "not read",
                "costCategory/Team": "blue",
            },
            product={"product_name": "Amazon EC2", "region": "us-east-1"},
            product_usagetype="Box",
        ),
        cur_2_row(resource_tags={"user_app": "db"}, tags={}, product={}, product_usagetype=""),
        cur_2_row(resource_tags={}, tags=None, product=None, product_usagetype=None),
    ]
    maps = ("resource_tags", "tags", "product")
    if form == "csv":
        texts = [
            {k: json.dumps(v) if k in maps and v is not None else (v or "") for k, v in row.items()}
            for row in rows
        ]
        store.put("b.csv", csv_bytes(texts))
    else:
        kind = pa.map_(pa.string(), pa.string())
        store.put(
            "b.parquet",
            parquet_bytes(
                {
                    name: pa.array(
                        [
                            list(row[name].items()) if isinstance(row[name], dict) else row[name]
                            for row in rows
                        ],
                        kind if name in maps else pa.string(),
                    )
                    for name in rows[0]
                }
            ),
        )
    land(store, landing)
    assert query(
        landing,
        "select resource_tags, cost_category, product, product_product_name, product_region "
        "from charges order by landed_row",
    ) == [
        (
            {
                "user_app": "web",
                "user_cost_center": "11",
                "account_tag_owner": "x",
                "identity_user_attribute_department": "y",
                "iam_principal_team": "z",
            },
            {"team": "blue"},
            {"product_name": "Amazon EC2", "region": "us-east-1", "usagetype": "Box"},
            "Amazon EC2",
            "us-east-1",
        ),
        ({"user_app": "db"}, {}, {}, None, None),
        ({}, {}, {}, None, None),
    ]


def test_times_of_every_shape_are_utc(store: FolderStore, landing: Path) -> None:
    shapes = [
        "2026-07-03T22:00:00Z",
        "2026-07-03T22:00:00.000Z",
        "2026-07-03 22:00:00",
        "2026-07-04T00:00:00+02:00",
        "2026-07-03T15:00:00-07:00",
    ]
    store.put("a.csv", csv_bytes([legacy_row("1", **{"lineItem/UsageStartDate": shape}) for shape in shapes]))
    moment = datetime(2026, 7, 3, 22, tzinfo=UTC)
    kinds = [
        pa.timestamp("ms"),
        pa.timestamp("ns"),
        pa.timestamp("us", "UTC"),
        pa.timestamp("ms", "Asia/Tokyo"),
    ]
    for place, kind in enumerate(kinds):
        times = pa.array([moment if kind.tz else moment.replace(tzinfo=None)], kind)
        columns = {name: pa.array([value]) for name, value in cur_2_row().items()}
        columns |= {"line_item_usage_start_date": times, "bill_billing_period_start_date": times}
        store.put(f"{place}.parquet", parquet_bytes(columns))
    land(store, landing)
    found = query(
        landing, "select distinct line_item_usage_start_date, usage_date, billing_period from charges"
    )
    assert found == [(moment.replace(tzinfo=None), date(2026, 7, 3), "2026-07")]


def test_files_of_one_delivery_may_differ_in_columns_and_types(store: FolderStore, landing: Path) -> None:
    shared = {name: pa.array([value]) for name, value in cur_2_row().items() if "cost" not in name}
    files = {
        f"{place}.parquet": parquet_bytes(shared | {"line_item_unblended_cost": cost} | more)
        for place, (cost, more) in enumerate(
            [
                (pa.array([0.1]), {}),
                (pa.array([Decimal("0.020000000000001")], pa.decimal128(38, 15)), {"Novel": pa.array(["x"])}),
                (pa.array(["3e-3"]), {"resource_tags_user_app": pa.array(["web"])}),
                (pa.array([4]), {}),
                (pa.array([0.5], pa.float32()), {}),
            ]
        )
    }
    bills.put_export(store, files, "e1")
    result = land(store, landing)
    assert billed(landing) == Decimal("4.623")
    assert query(landing, "select count(*), max(landed_row) from charges") == [(5, 1)]
    assert result.deliveries[0].new_columns == {"Novel": 1}


def test_account_numbers_stay_text_and_empty_is_absent(store: FolderStore, landing: Path) -> None:
    store.put("b.csv", csv_bytes([legacy_row("-7.0E-10", **{"lineItem/ProductCode": ""})]))
    land(store, landing)
    assert query(
        landing,
        "select bill_payer_account_id, line_item_product_code, line_item_unblended_cost from charges",
    ) == [("011254002932", None, Decimal("-7.0E-10"))]


def test_a_format_given_in_the_settings_wins(store: FolderStore, landing: Path) -> None:
    row = legacy_row("1") | {"BilledCost": "5"}
    row |= {"BillingPeriodStart": "2026-07-01", "ChargePeriodStart": "2026-07-03", "BillingCurrency": "USD"}
    store.put("b.csv", csv_bytes([row]))
    land(store, landing, format="focus")
    assert query(landing, "select billed_cost from charges", "focus") == [(Decimal(5),)]


def test_focus_parquet_with_maps(store: FolderStore, landing: Path) -> None:
    start = pa.array([datetime(2026, 7, 1, tzinfo=UTC)], pa.timestamp("us"))
    columns = {
        "BilledCost": pa.array([0.25]),
        "BillingCurrency": pa.array(["USD"]),
        "BillingPeriodStart": start,
        "ChargePeriodStart": start,
        "Tags": pa.array([[("team ", "blue"), ("gone", None)]], pa.map_(pa.string(), pa.string())),
        "x_Discounts": pa.array([[("edp", -0.5)]], pa.map_(pa.string(), pa.float64())),
        "ServiceCategory": pa.array(["NULL"]),
    }
    files = {"f.parquet": parquet_bytes(columns)}
    bills.put_export(
        store, files, "e1", root="exports/focus", partition="billing_period", columns=["BilledCost"]
    )
    result = land(store, landing)
    assert [(r.delivery, r.family) for r in result.deliveries] == [("focus.2026-07", "focus")]
    assert query(
        landing, "select billed_cost, tags, x_discounts, service_category, usage_date from charges", "focus"
    ) == [(Decimal("0.25"), {"team ": "blue"}, {"edp": "-0.5"}, None, date(2026, 7, 1))]


def test_tags_of_which_hardly_two_rows_have_the_same(store: FolderStore, landing: Path) -> None:
    """Too many to keep a table of them: each row's map is built by itself, to the same result."""
    count = 120_000
    pods = [f"pod-{number}" for number in range(count)]
    content = parquet_bytes(
        {
            "bill_billing_period_start_date": pa.array(["2026-07-01T00:00:00Z"] * count),
            "line_item_usage_start_date": pa.array(["2026-07-03T00:00:00Z"] * count),
            "line_item_currency_code": pa.array(["USD"] * count),
            "line_item_unblended_cost": pa.array(["0.5"] * count),
            "resource_tags_user_pod": pa.array(pods),
            "product_region": pa.array(["eu-west-1"] * count),
            "product_tenancy": pa.array(["Shared", ""] * (count // 2)),
        }
    )
    store.put("many.parquet", content)
    land(store, landing)
    assert query(
        landing,
        "select count(*), count(distinct resource_tags['user_pod']), min(landed_row), max(landed_row), "
        "count(*) filter (resource_tags['user_pod'] = 'pod-' || landed_row - 1), "
        "count(*) filter (product['tenancy'] = 'Shared'), sum(line_item_unblended_cost) from charges",
    ) == [(count, count, 1, count, count, count // 2, Decimal(count) / 2)]


def test_who_called_is_a_tag_beside_those_of_the_caller_and_its_session(
    store: FolderStore, landing: Path
) -> None:
    """Bedrock per tenant: the caller and its tags are on the bill if IAM principals are included."""
    role = "arn:aws:sts::000000000042:assumed-role/app/tenant-17"
    rows = [
        {**cur_2_row(), "line_item_iam_principal": role, "tags": json.dumps({"iamPrincipal/Tenant": "t17"})},
        {**cur_2_row(), "line_item_iam_principal": "", "resource_tags": json.dumps({"user_app": "web"})},
    ]
    store.put("b.csv", csv_bytes([{k: v for k, v in row.items() if not isinstance(v, dict)} for row in rows]))
    result = land(store, landing)
    assert query(landing, "select resource_tags from charges order by landed_row") == [
        ({"iam_principal": role, "iam_principal_tenant": "t17"},),
        ({"user_app": "web"},),
    ]
    assert result.deliveries[0].unused_columns == {}
