"""Snapshots on real DuckDB files: what readers see before, during and after."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.settings import Settings
from orchestration.warehouse.publish import PublishError, publish
from orchestration.warehouse.snapshots import Snapshot

NOW = datetime(2026, 7, 1, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(workspace=tmp_path, snapshots_kept=2)
    with closing(duckdb.connect(str(settings.warehouse_file))) as warehouse:
        warehouse.execute(
            """
            create schema marts; create schema built; create schema allocation;
            create table marts.costs as
                select i as customer, (i / 3)::decimal(38, 12) as cost from range(1000) as numbers(i);
            comment on table marts.costs is 'One row per customer, it''s said.';
            comment on column marts.costs.cost is 'What it costs';
            create table marts.reconciliation (usage_date date, hop varchar, difference decimal(38, 12));
            insert into marts.reconciliation values ('2026-06-01', 'landing', 0), ('2026-06-01', 'marts', 0);
            create table built.checked_days as select date '2026-06-01' as usage_date;
            create table built.day_files (
                model varchar, period_start date, file varchar, row_count bigint, made_by varchar
            );
            create table built.days (
                usage_date date primary key, charges_fingerprint varchar, usage_fingerprint varchar,
                rules_fingerprint varchar not null, lookback_days integer not null,
                built_at timestamp not null
            );
            insert into built.days values
                ('2026-06-01', 'old', null, 'r', 0, '2026-06-02'),
                ('2026-06-02', 'gone', null, 'r', 0, '2026-06-02');
            create table allocation.days_allocated as
                select date '2026-06-01' as usage_date, 'new' as charges_fingerprint,
                    null::varchar as usage_fingerprint, 'r2' as rules_fingerprint, 7 as lookback_days
                union all select date '2026-06-02', null, null, 'r2', 0;
            """
        )
    return settings


def change(settings: Settings, sql: str) -> None:
    with closing(duckdb.connect(str(settings.warehouse_file))) as warehouse:
        warehouse.execute(sql)


def read(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    path = settings.published_folder / "current.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as reader:
        return reader.execute(query).fetchall()


def publish_at(settings: Settings, minute: int) -> Snapshot:
    return publish(settings, NOW + timedelta(minutes=minute))


def test_readers_get_every_mart_as_table_and_parquet(settings: Settings) -> None:
    snapshot = publish_at(settings, 0)
    assert snapshot.changed
    assert read(settings, "select count(*), sum(customer) from costs") == [(1000, 499500)]
    parquet = settings.published_folder / "current" / "costs.parquet"
    with closing(duckdb.connect()) as reader:
        assert reader.execute(
            "select count(*), typeof(any_value(cost)) from read_parquet($1)", [str(parquet)]
        ).fetchall() == [(1000, "DECIMAL(38,12)")]
    described = json.loads((settings.published_folder / "current" / "snapshot.json").read_text())
    assert {mart: content["rows"] for mart, content in described["marts"].items()} == {
        "costs": 1000,
        "reconciliation": 2,
    }


def test_descriptions_travel_with_the_marts(settings: Settings) -> None:
    publish_at(settings, 0)
    assert read(settings, "select comment from duckdb_tables() where table_name = 'costs'") == [
        ("One row per customer, it's said.",)
    ]
    assert read(settings, "select comment from duckdb_columns() where column_name = 'cost'") == [
        ("What it costs",)
    ]


def test_tools_with_an_older_duckdb_can_open_the_file(settings: Settings) -> None:
    publish(settings, NOW)
    header = (settings.published_folder / "current.duckdb").read_bytes()[:20]
    # DuckDB's file header: a checksum, `DUCK`, the version of the form; 1.2 and newer read up to 65.
    assert header[8:12] == b"DUCK"
    assert int.from_bytes(header[12:20], "little") <= 65


def test_files_cannot_be_written_to(settings: Settings) -> None:
    snapshot = publish_at(settings, 0)
    assert {path.stat().st_mode & 0o777 for path in snapshot.folder.iterdir()} == {0o444}


def test_the_same_content_in_another_order_is_no_news(settings: Settings) -> None:
    first = publish_at(settings, 0)
    change(settings, "create or replace table marts.costs as from marts.costs order by customer desc")
    second = publish_at(settings, 1)
    assert not second.changed
    assert second.folder == first.folder


@pytest.mark.parametrize(
    "edit",
    [
        "update marts.costs set cost = cost + 0.000000000001 where customer = 7",
        "insert into marts.costs from marts.costs where customer = 7",
        "alter table marts.costs rename customer to customer_id",
        "alter table marts.costs alter cost type decimal(38, 11)",
        "create table marts.more as select 1 as a",
        "delete from marts.costs where customer = 0",
    ],
)
def test_any_difference_is_a_new_snapshot(settings: Settings, edit: str) -> None:
    first = publish_at(settings, 0)
    change(settings, edit)
    second = publish_at(settings, 1)
    assert second.changed
    assert (settings.published_folder / "current").resolve() == second.folder != first.folder


def test_an_unchanged_mart_is_not_written_again(settings: Settings) -> None:
    first = publish_at(settings, 0)
    change(settings, "delete from marts.costs where customer = 7")
    second = publish_at(settings, 1)
    same = "reconciliation.parquet"
    assert (first.folder / same).samefile(second.folder / same)
    assert not (first.folder / "costs.parquet").samefile(second.folder / "costs.parquet")


def test_a_reader_keeps_what_it_opened(settings: Settings) -> None:
    publish_at(settings, 0)
    path = settings.published_folder / "current.duckdb"
    with closing(duckdb.connect(str(path), read_only=True)) as reader:
        assert reader.execute("select count(*) from costs").fetchall() == [(1000,)]
        for minute in range(1, 5):
            change(settings, f"delete from marts.costs where customer = {minute}")
            publish_at(settings, minute)
        assert reader.execute("select sum(customer) from costs").fetchall() == [(499500,)]
    assert read(settings, "select count(*) from costs") == [(996,)]


def test_the_last_snapshots_are_kept_and_leftovers_are_not(settings: Settings) -> None:
    snapshots = settings.published_folder / "snapshots"
    (snapshots / "20260630T000000000000Z-00000000").mkdir(parents=True)
    made = []
    for minute in range(4):
        change(settings, f"delete from marts.costs where customer = {minute}")
        made.append(publish_at(settings, minute).folder)
    assert sorted(snapshots.iterdir()) == made[-2:]


def test_a_damaged_snapshot_is_made_again(settings: Settings) -> None:
    first = publish_at(settings, 0)
    (first.folder / "costs.parquet").unlink()
    assert publish_at(settings, 1).changed
    assert (settings.published_folder / "current" / "costs.parquet").is_file()


@pytest.mark.parametrize("difference", ["0.000000000001", "null"])
def test_marts_that_do_not_reconcile_stay_unseen(settings: Settings, difference: str) -> None:
    before = publish_at(settings, 0).folder
    change(
        settings,
        f"insert into marts.reconciliation values ('2026-06-01', 'pools', {difference});"
        "delete from marts.costs",
    )
    with pytest.raises(PublishError, match="1 rows of marts"):
        publish_at(settings, 1)
    assert (settings.published_folder / "current").resolve() == before
    assert read(settings, "select count(*) from costs") == [(1000,)]


def test_marts_without_reconciliation_stay_unseen(settings: Settings) -> None:
    change(settings, "drop table marts.reconciliation")
    with pytest.raises(PublishError, match="mart `reconciliation` with its `difference` is missing"):
        publish_at(settings, 0)
    assert not (settings.published_folder / "current").exists()


def test_days_count_as_built_once_they_are_published(settings: Settings) -> None:
    publish_at(settings, 5)
    with closing(duckdb.connect(str(settings.warehouse_file))) as warehouse:
        assert warehouse.execute("from built.days").fetchall() == [
            (datetime(2026, 6, 1).date(), "new", None, "r2", 7, datetime(2026, 7, 1, 0, 5))
        ]


def test_days_are_not_built_when_publishing_fails(settings: Settings) -> None:
    change(settings, "update marts.reconciliation set difference = 1")
    with pytest.raises(PublishError):
        publish_at(settings, 5)
    with closing(duckdb.connect(str(settings.warehouse_file))) as warehouse:
        assert warehouse.execute("select charges_fingerprint from built.days order by all").fetchall() == [
            ("gone",),
            ("old",),
        ]


def write_day(settings: Settings, day: str, run: str, cost: str) -> Path:
    """What a run does for a day of the mart `days`: a file of its own, and the view over those that count."""
    file = settings.days_folder / "days" / f"usage_date={day}" / f"{run}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    change(
        settings,
        f"""
        copy (select 'ada' as customer_id, {cost}::decimal(38, 24) as cost) to '{file}' (format parquet);
        delete from built.day_files where model = 'marts.days' and period_start = '{day}';
        insert into built.day_files values ('marts.days', '{day}', '{file}', 1, '{run}');
        """,
    )
    with closing(duckdb.connect(str(settings.warehouse_file))) as warehouse:
        files = [file for (file,) in warehouse.execute("select file from built.day_files").fetchall()]
        warehouse.execute(
            "create or replace view marts.days as select usage_date, customer_id, cost from read_parquet("
            f"{files}, hive_partitioning = true, hive_types = {{'usage_date': date}})"
        )
        warehouse.execute("comment on view marts.days is 'One row per day'")
        warehouse.execute("comment on column marts.days.cost is 'What the day costs'")
    return file


def test_a_mart_by_day_is_linked_and_only_its_new_day_is_new(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_day = write_day(settings, "2026-06-01", "run1", "100.000000000000000000000001")
    second_day = write_day(settings, "2026-06-02", "run1", "2")
    first = publish_at(settings, 0)
    linked = first.folder / "days" / "usage_date=2026-06-01" / "run1.parquet"
    assert linked.samefile(first_day)
    assert linked.stat().st_mode & 0o777 == 0o444

    inode, written = linked.stat().st_ino, linked.stat().st_mtime_ns
    restated = write_day(settings, "2026-06-02", "run2", "3")
    second = publish_at(settings, 1)
    kept = second.folder / "days" / "usage_date=2026-06-01" / "run1.parquet"
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (inode, written)
    assert [path.name for path in second.folder.glob("days/usage_date=2026-06-02/*")] == ["run2.parquet"]

    # The replaced day is gone from the store, not from the snapshot that still shows it.
    assert restated.is_file()
    assert not second_day.exists()
    monkeypatch.chdir(tmp_path)
    days = "select usage_date::varchar, cost::varchar from days order by 1"
    for folder, cost in ((first.folder, "2"), (second.folder, "3")):
        with closing(duckdb.connect(str(folder / "marts.duckdb"), read_only=True)) as reader:
            assert reader.execute(days).fetchall() == [
                ("2026-06-01", "100.000000000000000000000001"),
                ("2026-06-02", f"{cost}." + 24 * "0"),
            ]
    assert not publish_at(settings, 2).changed
    assert read(settings, "select comment from duckdb_views() where view_name = 'days'") == [
        ("One row per day",)
    ]
    assert read(
        settings, "select comment from duckdb_columns() where table_name = 'days' and column_name = 'cost'"
    ) == [("What the day costs",)]


def test_a_file_of_a_day_with_other_rows_than_were_checked_stays_unseen(settings: Settings) -> None:
    file = write_day(settings, "2026-06-01", "run1", "100")
    change(settings, f"copy (select 'ada' as customer_id, 1.0 as cost limit 0) to '{file}' (format parquet)")
    with pytest.raises(PublishError, match="new files of days have 0 rows, the mart's days 1"):
        publish_at(settings, 0)
    assert not (settings.published_folder / "current").exists()
