"""One bill counts once, however its files are cut, copied and named; a true double stops the run."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import bills
import pytest
from bills import FolderStore, Row, csv_bytes, focus_row, gzip_bytes, land, legacy_row, query
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.settings import BillingExport
from orchestration.sources.billing.bare_files import bare_deliveries
from orchestration.sources.billing.landing import BillingError, land_billing
from orchestration.sources.locations import StoredObject, open_location
from tests.examples import examples


def total(landing: Path) -> Decimal:
    counted: Decimal = query(landing, "select coalesce(sum(source_billed_cost), 0) from days")[0][0]
    return counted


def hour(day: int, hour: int, cost: str = "1.00", **more: Any) -> Row:
    times = {
        "ChargePeriodStart": f"2026-07-{day:02d}T{hour:02d}:00:00Z",
        "ChargePeriodEnd": f"2026-07-{day:02d}T{hour:02d}:59:59Z",
    }
    return focus_row(**{"BilledCost": cost, "ServiceName": "Compute"} | times | more)


def cur_hour(day: int, hour: int, cost: str = "1.00", **more: str) -> Row:
    start = f"2026-07-{day:02d}T{hour:02d}:00:00Z"
    times = {"lineItem/UsageStartDate": start, "lineItem/UsageEndDate": start.replace(":00:00Z", ":59:59Z")}
    return legacy_row(cost, **times | more)


def day(number: int, cost: str, **more: Any) -> Row:
    times = {
        "ChargePeriodStart": f"2026-07-{number:02d}T00:00:00Z",
        "ChargePeriodEnd": f"2026-07-{number + 1:02d}T00:00:00Z",
    }
    return hour(number, 0, cost, **times | more)


def cur_day(number: int, cost: str, **more: str) -> Row:
    times = {
        "lineItem/UsageStartDate": f"2026-07-{number:02d}T00:00:00Z",
        "lineItem/UsageEndDate": f"2026-07-{number + 1:02d}T00:00:00Z",
    }
    return cur_hour(number, 0, cost, **times | more)


def fee(**more: Any) -> Row:
    times = {"ChargePeriodStart": "2026-07-01", "ChargePeriodEnd": "2026-08-01"}
    return hour(1, 0, "4.00", **times | more)


def tag(team: str) -> str:
    return f'{{"team": "{team}", "stage": "live"}}'


def cost_of(row: Row) -> Decimal:
    return Decimal(row.get("BilledCost") or row["lineItem/UnblendedCost"])


@pytest.fixture
def folder(tmp_path: Path) -> FolderStore:
    return FolderStore(tmp_path / "store")


@pytest.mark.parametrize(
    "files",
    [
        # Files of some hours, of some days, of some accounts; chunks under names that do not say so.
        {f"{part}.csv": [hour(3, 6 * part + at) for at in range(6)] for part in range(4)},
        {f"{part}.csv": [hour(8 * part + day, 0) for day in range(1, 8)] for part in range(4)},
        {f"{part}.csv": [hour(3, 0, BillingAccountId=f"account-{part}")] for part in range(4)},
        {f"{name}.csv": [hour(3, 0, Tags=f'{{"customer": "{name}"}}')] for name in "abcd"},
        {f"{name}.csv": [hour(3, 0, ResourceId=name, ResourceName="x")] for name in "abcd"},
        {f"{name}.csv": [cur_hour(3, 0, **{"lineItem/ResourceId": name})] for name in "abcd"},
        # Equal fees of the payer's accounts, and corrections of the same charges.
        {f"{name}.csv": [hour(3, 0, SubAccountId=name)] for name in "abcd"},
        {
            "cur.csv": [cur_hour(3, 0)],
            "focus.csv": [hour(3, 0, BillingAccountId="11254002932", SubAccountId="2")],
        },
        {
            "a.csv": [hour(3, 0, ResourceId="vm-1", ResourceName="x"), hour(4, 0, "2.00", ResourceId="vm-1")],
            "b.csv": [
                hour(3, 0, ResourceId="vm-1", ResourceName="x", ChargeClass="Correction"),
                hour(4, 0, "1.00", ResourceId="vm-1"),
            ],
        },
        # What is equal in amount, and differs in sub account, tag, provider or service alone.
        {f"{name}.csv": [fee(SubAccountId=name)] for name in "ab"},
        {
            f"{name}.csv": [fee(SubAccountId=name), hour(3, 0, cost, SubAccountId="both")]
            for name, cost in (("a", "1.00"), ("b", "2.00"))
        },
        {"cur.csv": [cur_hour(3, 0)], "focus.csv": [hour(3, 0, SubAccountId="77")]},
        {f"{name}.csv": [hour(day, 0, Tags=tag(name)) for day in (3, 4)] for name in "ab"},
        {f"{name}.csv": [fee(ProviderName=name, ServiceName=name)] for name in ("Search", "Mail")},
        {f"{name}.csv": [hour(3, 0, ServiceName=name, ProviderName="AWS")] for name in ("EC2", "S3")},
        # Two machines of one name, in two groups of resources.
        {
            f"{name}.csv": [
                hour(3, 0, "3.00", ServiceName=service, ResourceId=f"/subscriptions/s/{name}/vm-1")
                for service in ("Compute", "Disks")
            ]
            for name in ("live", "test")
        },
        # Usage and its credit, which sum to 0.
        {
            f"{name}.csv": [hour(3, 0, cost), hour(3, 0, f"-{cost}", ChargeCategory="Credit")]
            for name, cost in (("a", "4.00"), ("b", "9.00"))
        },
        # An account that moves from one form of bill to another within a month.
        {"cur.csv": [cur_hour(3, 0)], "focus.csv": [hour(4, 0), hour(5, 0)], "more.csv": [hour(6, 0)]},
    ],
)
def test_files_that_share_no_charge_all_count(
    folder: FolderStore, landing: Path, files: dict[str, list[Row]]
) -> None:
    for name, rows in files.items():
        folder.put(name, csv_bytes(rows))
    for _ in range(2):
        result = land(folder, landing)
        assert (result.overlaps, result.notes) == ((), ())
        assert total(landing) == sum(map(cost_of, chain(*files.values())))


def test_the_same_content_under_other_names_counts_once(folder: FolderStore, landing: Path) -> None:
    rows = [cur_hour(3, 0), cur_hour(4, 0)]
    folder.put("report.csv", csv_bytes(rows))
    land(folder, landing)
    folder.put("copies/report (1).csv.gz", gzip_bytes(csv_bytes(rows)))
    folder.put("a.csv", csv_bytes(rows[::-1]))
    for _ in range(2):
        assert len(land(folder, landing).notes) == 2
        assert total(landing) == Decimal(2)
    # What was a copy counts when the other is gone, and is a double when only some of it is the same.
    folder.remove("a.csv")
    folder.remove("copies/report (1).csv.gz")
    land(folder, landing)
    assert total(landing) == Decimal(2)
    folder.put("copies/report (1).csv.gz", gzip_bytes(csv_bytes(rows)))
    land(folder, landing)
    folder.put("report.csv", csv_bytes([*rows, cur_hour(5, 0)]))
    with pytest.raises(BillingError, match=r"2026-07-03 to 2026-07-04: 2\.00 USD"):
        land(folder, landing)


def test_numbered_copies_are_no_chunks_of_one_report(folder: FolderStore, landing: Path) -> None:
    rows = [cur_hour(3, 0), cur_hour(4, 0, "2.00")]
    for number, content in enumerate((rows, [cur_hour(3, 0, "0.50")], rows[::-1]), start=1):
        folder.put(f"bill-{number}.csv", csv_bytes(content))
    land(folder, landing)
    assert total(landing) == Decimal("3.50")
    notes = f"from read_parquet('{landing}/notes/billing/*.parquet') where code = 'bill-counted-once'"
    assert query(landing, f"select severity, message {notes}") == [
        ("note", f"{folder.root}/bill-3.csv: has the content of {folder.root}/bill-1.csv, which counts once")
    ]
    # A later state of the month beside the earlier one.
    folder.put("bill-4.csv", csv_bytes([*rows, cur_hour(5, 0)]))
    with pytest.raises(BillingError, match=r"bill-4\.csv: .* 2026-07-04 alone for 2\.00\. Take .*ignore"):
        land(folder, landing)


@pytest.mark.parametrize("resource", ["vm-1", ""])
def test_a_restated_bill_numbered_like_a_chunk_is_told(
    folder: FolderStore, landing: Path, resource: str
) -> None:
    rows = [hour(3, at, "2.00", ResourceId=resource) for at in range(4)]
    folder.put("bill-1.csv", csv_bytes(rows))
    folder.put("bill-2.csv", csv_bytes([hour(3, at, "2.10", ResourceId=resource) for at in range(5)]))
    # A chunk with other machines, and with a few more charges of the same one.
    folder.put(
        "bill-3.csv", csv_bytes([hour(3, at, "2.00", ResourceId="vm-2") for at in range(4)] + rows[:1])
    )
    land(folder, landing)
    notes = f"from read_parquet('{landing}/notes/billing/*.parquet') where code = 'bill-restated'"
    ((severity, period, money, message),) = query(
        landing, f"select severity, billing_period, effective_cost, message {notes}"
    )
    assert (severity, period, money) == ("error", "2026-07", Decimal("8.40"))
    assert "the same charges of 2026-07-03 are 8.00 USD there and 8.40 USD here" in message
    assert message.startswith(f"{folder.root}/bill-2.csv: ")
    folder.remove("bill-1.csv")
    land(folder, landing)
    assert query(landing, f"select code {notes}") == []


DOUBLES = {
    "accounts as a spreadsheet and a portal write them": (
        [hour(3, 0, BillingAccountId="12"), hour(4, 0, BillingAccountId="12")],
        [hour(3, 0, BillingAccountId="/billingAccounts/0012")],
    ),
    "two forms": ([cur_hour(3, 0), cur_hour(4, 0, "2.00")], [hour(3, 0), hour(4, 0, "2.00")]),
    "some days": ([hour(3, 0), hour(4, 0)], [hour(4, 0), hour(5, 0)]),
    "by hour and by day": (
        [hour(3, at) for at in range(24)] + [hour(4, at) for at in range(24)],
        [
            hour(day, 0, "24.00", ChargePeriodStart=f"2026-07-0{day}", ChargePeriodEnd=f"2026-07-0{day + 1}")
            for day in (3, 4)
        ],
    ),
    "by hour and by month": (
        [hour(3, at) for at in range(24)] + [hour(4, at) for at in range(24)],
        [hour(1, 0, "48.00", ChargePeriodStart="2026-07-01", ChargePeriodEnd="2026-08-01")],
    ),
    "a month restated in every amount": (
        [hour(day, 0, "10.00", ResourceId="vm-1") for day in (3, 4)],
        [hour(day, 0, "9.99", ResourceId="vm-1") for day in (3, 4)],
    ),
    "gross with discounts and net": (
        [
            line
            for day, cost in ((3, "100.00"), (4, "50.00"))
            for line in (
                cur_day(day, cost, **{"lineItem/ResourceId": "i-1"}),
                cur_day(day, f"-{Decimal(cost) / 10}", **{"lineItem/LineItemType": "EdpDiscount"}),
            )
        ],
        [
            charge
            for number, cost in ((3, "60.00"), (4, "15.00"))
            for charge in (day(number, cost), day(number, "30.00", ServiceName="Storage"))
        ],
    ),
    "gross and net of one author": (
        [day(3, "100.00"), day(3, "-10.00", ChargeCategory="Credit", ServiceName="Discounts")],
        [day(3, "90.00"), day(4, "90.00")],
    ),
    "an account of many and one of them": (
        [cur_day(3, "7.00", **{"lineItem/UsageAccountId": "42"}), cur_day(3, "5.00"), cur_day(3, "-1.00")],
        [day(3, "4.00", SubAccountId="000000000042"), day(3, "7.00", SubAccountId="43"), day(9, "1.00")],
    ),
    "rounded": (
        [cur_day(3, "66.8835602"), cur_day(4, "27.4282499"), cur_day(5, "79.6487719")],
        [day(3, "66.8836"), day(4, "27.4282"), day(5, "79.6488")],
    ),
    "rounded by hour and by day": (
        [cur_hour(day, at, "0.1666667") for day in (3, 4) for at in range(24)],
        [day(3, "4.00"), day(4, "4.00")],
    ),
    "an account with hyphens, of a provider of two names": (
        [day(3, "10.00", BillingAccountId="011254002932", ProviderName="AWS", SubAccountId="42")],
        [
            day(
                3,
                "10.00",
                BillingAccountId="0112-5400-2932",
                ProviderName="Amazon Web Services",
                ServiceName="Amazon EC2",
                SubAccountId="0000-0000-0042",
            )
        ],
    ),
    "capitals of Azure's ids": tuple(
        [
            day(3, "10.00", BillingAccountId=f"/billingAccounts/{a}", ResourceId=r, SubAccountId=sub)
            for r in (f"{sub}/resourceGroups/{b}", f"{sub}/resourceGroups/{b}/2")
        ]
        for a, b, sub in (("ABC", "RG", "/subscriptions/S-1"), ("abc", "rg", "/subscriptions/s-1"))
    ),
    "pods, which repeat what their node bills": (
        [
            cur_hour(3, 0, "10.00", **{"lineItem/ResourceId": "i-1"}),
            cur_hour(
                3,
                0,
                "6.00",
                **{"lineItem/ResourceId": "pod/1", "splitLineItem/ParentResourceId": "i-1"},
            ),
        ],
        [hour(3, 0, "4.00"), hour(3, 0, "6.00", ServiceName="Disks")],
    ),
    "with resources and without": (
        [cur_hour(3, 0, **{"lineItem/ResourceId": "i-1"}), cur_hour(4, 0, **{"lineItem/ResourceId": "i-2"})],
        [cur_hour(3, 0), cur_hour(4, 0), cur_hour(5, 0)],
    ),
}


@pytest.mark.parametrize("kind", DOUBLES)
def test_a_double_is_refused_with_its_money_until_the_settings_choose(
    folder: FolderStore, landing: Path, kind: str
) -> None:
    first, second = DOUBLES[kind]
    folder.put("one/bill.csv", csv_bytes(first))
    folder.put("two/bill.csv", csv_bytes(second))
    for _ in range(2):
        with pytest.raises(BillingError, match=r"billed twice .* USD (is both )?in .*ignore"):
            land(folder, landing)
    land(folder, landing, ignore=("two/*",))
    assert total(landing) == sum(map(cost_of, first))
    exports = [BillingExport(name="test", location=folder.location)]
    both = land_billing(exports, lambda place: open_location(place, folder.client), landing, overlaps="count")
    assert len(both.overlaps) == 1
    assert "both count" in both.overlaps[0]


def test_the_message_has_what_both_bill_net_of_discounts(folder: FolderStore, landing: Path) -> None:
    first, second = DOUBLES["gross with discounts and net"]
    folder.put("one/bill.csv", csv_bytes(first))
    folder.put("two/bill.csv", csv_bytes(second))
    # 100.00 less 10.00 and 50.00 less 5.00; 60.00 + 30.00 and 15.00 + 30.00.
    with pytest.raises(BillingError, match=r"2026-07-03 to 2026-07-04: 135\.00 USD is both"):
        land(folder, landing)


def test_a_restated_copy_is_refused_with_both_sums(folder: FolderStore, landing: Path) -> None:
    for version, cost in (("v1", "10.00"), ("v2", "9.99")):
        rows = [day(number, cost, ResourceId="vm-1") for number in range(1, 31)]
        folder.put(f"bill {version}.csv", csv_bytes(rows))
    told = (
        r"is billed twice for 2026-07-01 to 2026-07-30, with other amounts: 300\.00 USD in .*299\.70 USD in"
    )
    with pytest.raises(BillingError, match=told):
        land(folder, landing)
    land(folder, landing, ignore=("bill v1.csv",))
    assert total(landing) == Decimal("299.70")


@pytest.mark.parametrize(("cost", "resource"), [("8.00", "vm-1"), ("9.99", "")])
def test_what_may_be_a_restated_copy_is_told_with_both_sums(
    folder: FolderStore, landing: Path, cost: str, resource: str
) -> None:
    for version, amount in (("v1", "10.00"), ("v2", cost)):
        rows = [day(number, amount, ResourceId=resource) for number in range(1, 31)]
        folder.put(f"bill {version}.csv", csv_bytes(rows))
    (told,) = land(folder, landing).overlaps
    assert "may be billed twice for 2026-07-01 to 2026-07-30, with other amounts: 300.00 USD in" in told
    assert f" and {30 * Decimal(cost)} USD in" in told
    notes = f"from read_parquet('{landing}/notes/billing/*.parquet') where code like 'bill-%'"
    assert query(landing, f"select code, severity {notes}") == [("bill-restated", "error")]


IN_TWO_FORMATS = {
    "by account": (
        [cur_hour(n, 0, "10.00", **{"lineItem/UsageAccountId": ""}) for n in (3, 4)],
        [hour(3, 0, "9.00"), hour(4, 0, "9.50"), hour(9, 0, "1.00")],
        "20.00 USD in",
        "18.50 USD in",
    ),
    "by sub account": (
        [cur_hour(3, 0, "10.00"), cur_hour(3, 0, "99.00", **{"lineItem/UsageAccountId": "77"})],
        [hour(3, 0, "9.00", SubAccountId="42"), hour(3, 0, "1.00", SubAccountId="78")],
        "10.00 USD in",
        "9.00 USD in",
    ),
    "a month of it": (
        [cur_hour(n, 0, "10.00", **{"lineItem/UsageAccountId": ""}) for n in (3, 4)],
        [fee(BilledCost="17.00")],
        "20.00 USD in",
        "17.00 USD in",
    ),
}


@pytest.mark.parametrize("kind", IN_TWO_FORMATS)
def test_a_copy_in_another_format_with_other_amounts_is_told(
    folder: FolderStore, landing: Path, kind: str
) -> None:
    cur, focus, *sums = IN_TWO_FORMATS[kind]
    folder.put("cur.csv", csv_bytes(cur))
    folder.put("focus.csv", csv_bytes(focus))
    (told,) = land(folder, landing).overlaps
    assert "may be billed twice for 2026-07-0" in told
    assert all(each in told for each in ("with other amounts: ", *sums))
    notes = f"from read_parquet('{landing}/notes/billing/*.parquet') where code like 'bill-%'"
    assert query(landing, f"select code, severity {notes}") == [("bill-restated", "error")]
    # Much less is another part of the account's bill, and so is what tags or resources tell apart.
    for number, other in enumerate(
        (
            [{**row, "BilledCost": f"{Decimal(row['BilledCost']) / 3}"} for row in focus],
            [{**row, "Tags": tag("b")} for row in focus],
            [{**row, "ResourceId": "vm-2"} for row in focus],
        )
    ):
        folder.put("focus.csv", csv_bytes(other))
        if number:
            more = {"resourceTags/user:team": "a"} if number == 1 else {"lineItem/ResourceId": "vm-1"}
            folder.put("cur.csv", csv_bytes([{**row, **more} for row in cur]))
        assert land(folder, landing).overlaps == ()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # Corrections, credits and another team's part of the same machine are charges of their own.
        ({}, {"ChargeClass": "Correction"}),
        ({}, {"BilledCost": "-1.00"}),
        ({"Tags": tag("a")}, {"Tags": tag("b")}),
        ({"SubAccountId": "a"}, {"SubAccountId": "b"}),
        ({"RegionId": "eu"}, {"RegionId": "us"}),
    ],
)
def test_another_charge_of_a_resource_is_no_restated_copy(
    folder: FolderStore, landing: Path, first: Row, second: Row
) -> None:
    for name, more, amount in (("a", first, "10.00"), ("b", second, "7.00")):
        rows = [day(number, amount, ResourceId="vm-1") | more for number in range(1, 31)]
        folder.put(f"{name}.csv", csv_bytes(rows))
    assert land(folder, landing).overlaps == ()


def test_a_report_that_the_settings_ignore_leaves_the_bill(folder: FolderStore, landing: Path) -> None:
    bills.put_legacy(folder, {"x-1.csv.gz": gzip_bytes(csv_bytes([cur_hour(3, 0)]))}, root="x")
    folder.put("focus.csv", csv_bytes([hour(3, 0)]))
    with pytest.raises(BillingError, match=r"1\.00 USD"):
        land(folder, landing)
    land(folder, landing, ignore=("x/*",))
    assert query(landing, "select distinct family from days") == [("focus",)]


@pytest.mark.parametrize(
    ("keys", "deliveries"),
    [
        (["a/report-00001.csv", "a/report-00002.csv", "b/report-00003.csv"], 2),
        (["report-1.csv.gz", "report-2.csv.gz", "report-2.csv"], 2),
        (["part-00000-5f1d8b6e-x.c000.snappy.parquet", "part-00001-5f1d8b6e-x.c000.snappy.parquet"], 1),
        (["part-00000-5f1d8b6e-x.parquet", "part-00001-0a1b2c3d-y.parquet"], 2),
        (["part_0_0001.csv", "part_1_0001.csv"], 1),
        (["bill-2026-10.csv", "bill-2026-11.csv", "bill-202612.csv"], 3),
        (["2026-10-05.csv", "2026-10-06.csv", "20261007.csv"], 3),
        (["report.csv", "report (1).csv", "report1.csv"], 3),
        (["0001000000000000-00001.csv", "0001000000000001-00001.csv"], 2),
    ],
)
def test_chunks_of_one_report_are_one_delivery(keys: list[str], deliveries: int) -> None:
    found = bare_deliveries(StoredObject(key, 1, "v", datetime(2026, 7, 1)) for key in keys)
    assert len(found) == deliveries
    assert len({delivery.name for delivery in found}) == deliveries
    assert sorted(stored.key for delivery in found for stored in delivery.files) == sorted(keys)


@settings(max_examples=examples(5), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_report_cut_in_any_way_gives_one_bill(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Chunks, files of some hours or days, copies of any of them: the same charges as the whole report."""
    random = Random(seed)
    rows = [
        hour(
            random.randrange(1, 5),
            random.randrange(24),
            str(random.randrange(1, 4)),
            ResourceId=f"r-{number}",
        )
        for number in range(random.randrange(4, 30))
    ]
    rows.append(hour(1, 0, "31.00", ChargePeriodEnd="2026-07-31T23:59:59Z", ChargeCategory="Tax"))
    store = FolderStore(tmp_path_factory.mktemp("bill") / "store")
    pieces: dict[str, list[Row]] = {}
    way = random.choice(["chunks", "days", "hours"])
    for row in rows:
        start = row["ChargePeriodStart"]
        piece = {"chunks": f"bill-{random.randrange(1, 4):05d}", "days": start[:10], "hours": start[:12]}[way]
        pieces.setdefault(piece, []).append(row)
    for name, content in pieces.items():
        store.put(f"{name}.csv", csv_bytes(content))
    if way != "chunks":
        name = random.choice(sorted(pieces))
        store.put(f"copy of {name}.csv", csv_bytes(pieces[name]))
    landing = store.root.parent / "landing"
    land(store, landing)
    landed = query(landing, "select usage_date::varchar, sum(billed_cost) from charges group by 1", "focus")
    expected: dict[str, Decimal] = {}
    for row in rows:
        day = row["ChargePeriodStart"][:10]
        expected[day] = expected.get(day, Decimal(0)) + Decimal(row["BilledCost"])
    assert dict(landed) == expected
