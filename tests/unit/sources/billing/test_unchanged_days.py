"""A month that is delivered again: only the files of days that differ are written, as if all had been."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.sources.billing import charge_files
from orchestration.sources.billing.landing import BillingLanding
from tests.unit.sources.billing import bills
from tests.unit.sources.billing.bills import FolderStore

# Files of two or three days, each of several row groups: as those of large bills, with a tenth of the rows.
ROWS_A_DAY, ROWS_OF_A_FILE, ROWS_OF_A_GROUP = 11_000, 25_000, 12_288
BILL = f"""
select
    'line ' || $version || i as identity_line_item_id,
    case when $version = 'final' then '42' end as bill_invoice_id,
    timestamp '2026-07-01' as bill_billing_period_start_date,
    timestamp '2026-08-01' as bill_billing_period_end_date,
    '111111111111' as bill_payer_account_id,
    'USD' as line_item_currency_code,
    case when i % 5000 = 7 then 'Fee' else 'Usage' end as line_item_line_item_type,
    timestamp '2026-07-01' + to_days(i // {ROWS_A_DAY}) as line_item_usage_start_date,
    -- A fee of several days, and one that is dated ahead of the usage.
    case
        when i = 7 then timestamp '2026-07-20'
        else timestamp '2026-07-02' + to_days(i // {ROWS_A_DAY})
    end as line_item_usage_end_date,
    'AmazonEC2' as line_item_product_code,
    (i % 7)::double as line_item_unblended_cost,
    map {{'user_team': 'team ' || i % 3}} as resource_tags
from range($days * {ROWS_A_DAY}) as rows (i)
"""
LANDED = "select * exclude (identity_line_item_id, landed_file, landed_row, delivery) from charges"


@pytest.fixture(autouse=True)
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(charge_files, "_ROWS", ROWS_OF_A_FILE)


def deliver(store: FolderStore, version: str, edit: str = "from bill", days: int = 6) -> None:
    target = store.root / f"{version}.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"create table bill as {BILL}", {"version": version, "days": days})
        connection.execute(f"copy ({edit}) to '{target}' (format parquet, row_group_size {ROWS_OF_A_GROUP})")
    content = {"x-1.snappy.parquet": target.read_bytes()}
    target.unlink()
    bills.put_export(store, content, execution=version)


def differences(landing: Path, other: Path, sql: str) -> int:
    """Rows that are in one landing only, each as often as it is there."""
    with duckdb.connect() as connection:
        for name, folder in (("a", landing), ("b", other)):
            files = f"{folder}/billing/aws_cur/*/*/*.parquet"
            connection.execute(
                f"create view {name} as with charges as (from read_parquet('{files}', union_by_name = true)) "
                f"select hash(found) as row_hash, count(*) as times from ({sql}) as found group by 1"
            )
        rows = connection.execute(
            "select count(*) from a full join b using (row_hash) where a.times is distinct from b.times"
        ).fetchall()
    return int(rows[0][0])


def days_of(landing: Path) -> list[tuple[object, ...]]:
    """What the rest of the job reads of the days."""
    columns = (
        "row_count, usage_row_count, fingerprint, source_billed_cost, source_amounts, billing_account_ids"
    )
    return bills.query(landing, f"select billing_period, usage_date, {columns} from days order by all")


def notes_of(landing: Path) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(
            f"select code, subject, row_count, effective_cost from '{landing}/notes/*/*.parquet' order by all"
        ).fetchall()


def files_of(landing: Path) -> dict[str, int]:
    """Each file of charges with its inode, which is another one when the file is written again."""
    return {path.name: path.stat().st_ino for path in landing.glob("billing/aws_cur/*/delivery=*/charges-*")}


def test_files_of_days_are_the_same_in_whatever_order_the_bill_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bill in the order of its days is written file by file, another one in one pass."""
    monkeypatch.setattr(charge_files, "_MOST_READS", 1)  # two files are few enough to read all rows for each
    orders = {"by_day": "from bill", "mixed": "from bill order by hash(identity_line_item_id)"}
    for name, edit in orders.items():
        store = FolderStore(tmp_path / f"bills_{name}")
        deliver(store, "first", edit)
        bills.land(store, tmp_path / name)
        assert len(files_of(tmp_path / name)) == 2
    by_day, mixed = (tmp_path / name for name in orders)
    assert differences(by_day, mixed, LANDED) == 0
    assert days_of(by_day) == days_of(mixed)


@pytest.mark.parametrize(
    ("edit", "days", "changed", "written"),
    [
        ("from bill", 6, [], 0),
        (
            "select * replace (case when identity_line_item_id like '%000' "
            "and day(line_item_usage_start_date) = 5 then line_item_unblended_cost + 0.25 "
            "else line_item_unblended_cost end as line_item_unblended_cost) from bill",
            6,
            ["2026-07-05"],
            1,
        ),
        ("from bill where day(line_item_usage_start_date) <> 2", 6, ["2026-07-02"], 1),
        ("from bill", 8, ["2026-07-07", "2026-07-08"], 1),
        # Every day has a part of the fee of several days.
        (
            "select * replace (case when line_item_usage_end_date = '2026-07-20' then 99 "
            "else line_item_unblended_cost end as line_item_unblended_cost) from bill",
            6,
            [f"2026-07-{day:02}" for day in range(1, 20)],
            1,
        ),
    ],
    ids=["same", "one day", "a day gone", "new days", "a charge of several days"],
)
def test_only_files_of_days_that_differ_are_written(
    tmp_path: Path, edit: str, days: int, changed: list[str], written: int
) -> None:
    store, fresh = FolderStore(tmp_path / "bills"), FolderStore(tmp_path / "new")
    deliver(store, "first")
    bills.land(store, tmp_path / "landing")
    before = files_of(tmp_path / "landing")
    assert len(before) == 2
    deliver(store, "again", edit, days)
    deliver(fresh, "again", edit, days)
    result: BillingLanding = bills.land(store, tmp_path / "landing")
    bills.land(fresh, tmp_path / "other")
    assert [str(day) for day in result.changed_days] == changed
    after = files_of(tmp_path / "landing")
    assert len(after.items() - before.items()) == written
    assert differences(tmp_path / "landing", tmp_path / "other", LANDED) == 0
    assert days_of(tmp_path / "landing") == days_of(tmp_path / "other")
    assert notes_of(tmp_path / "landing") == notes_of(tmp_path / "other")


def test_a_final_bill_brings_its_invoice_to_every_charge(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "bills")
    deliver(store, "first")
    bills.land(store, tmp_path / "landing")
    deliver(store, "final")
    assert bills.land(store, tmp_path / "landing").changed_days == ()
    assert bills.query(tmp_path / "landing", "select distinct bill_invoice_id from charges") == [("42",)]
