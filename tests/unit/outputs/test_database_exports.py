"""The marts in a real Postgres server and in Iceberg tables: exact, described, and only what changed."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest
import sqlalchemy
from pydantic import SecretStr
from pyiceberg.catalog import load_catalog

from orchestration.outputs.exports.databases import export_to_database, is_exported
from orchestration.outputs.exports.iceberg import export_to_iceberg
from orchestration.outputs.exports.marts import ExportError
from orchestration.outputs.exports.postgres import export_to_postgres
from orchestration.settings import Settings
from tests.servers import postgres

FIRST, SECOND = date(2026, 10, 1), date(2026, 10, 2)
COST = Decimal("12345678901234.123456789012345678901234")
ROWS = [
    (FIRST, "ada", COST),
    (FIRST, None, COST.copy_negate()),
    (SECOND, 'b"o,b\n', Decimal("0.000000000000000000000001")),
]


@pytest.fixture
def marts(tmp_path: Path) -> Path:
    """A published database of two days: a mart by day, one without days, and the FOCUS rows."""
    path = tmp_path / "marts.duckdb"
    with closing(duckdb.connect(str(path))) as connection:
        connection.execute(
            "create table costs_daily (usage_date date, customer_id varchar, cost decimal(38, 24), "
            "seen_at timestamp, units hugeint, labels map(varchar, varchar), note varchar)"
        )
        rows = [(*row, "2026-10-01 12:30:00.5", 10**37, {"a": "b'c"}, "") for row in ROWS]
        connection.executemany("insert into costs_daily values (?, ?, ?, ?, ?, ?, ?)", rows)
        connection.execute("comment on table costs_daily is 'One row per customer''s day.'")
        connection.execute("comment on column costs_daily.cost is 'What the customer carries.'")
        connection.execute("create table customers as select 'ada' as customer_id, true as is_active")
        connection.execute(
            'create table focus_customer_costs as select usage_date::timestamp as "ChargePeriodStart", '
            'cost as "BilledCost" from costs_daily'
        )
    return path


def change(marts: Path, sql: str) -> None:
    with closing(duckdb.connect(str(marts))) as connection:
        connection.execute(sql)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


def to_postgres(marts: Path, url: str, schema: str) -> tuple[dict[str, int], int]:
    with closing(duckdb.connect(str(marts), read_only=True)) as connection:
        done = export_to_postgres(connection, url, schema)
    return done.written, done.kept


def ask(url: str, query: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query).fetchall()


def test_postgres_has_every_digit_description_and_day(marts: Path, server: str) -> None:
    assert to_postgres(marts, server, "costs") == (
        {"costs_daily": 2, "customers": 1, "focus_customer_costs": 2},
        0,
    )
    rows = ask(server, "select usage_date, customer_id, cost from costs.costs_daily order by cost desc")
    assert rows == sorted(ROWS, key=lambda row: -row[2])
    assert ask(server, "select distinct units, labels, note, seen_at::text from costs.costs_daily") == [
        (Decimal(10**37), {"a": "b'c"}, "", "2026-10-01 12:30:00.5")
    ]
    described = subprocess.run(
        ["psql", server, "-c", r"\d+ costs.costs_daily"], check=True, capture_output=True, text=True
    ).stdout
    assert "numeric(38,24)" in described
    assert "What the customer carries." in described
    engine = sqlalchemy.create_engine(server.replace("postgresql://", "postgresql+psycopg://"))
    inspector = sqlalchemy.inspect(engine)
    assert sorted(inspector.get_table_names(schema="costs")) == [
        "costs_daily", "customers", "exported_days", "focus_customer_costs"
    ]  # fmt: skip
    assert inspector.get_table_comment("costs_daily", schema="costs") == {
        "text": "One row per customer's day."
    }
    engine.dispose()


def test_postgres_gets_only_the_days_that_changed(marts: Path, server: str) -> None:
    to_postgres(marts, server, "changes")
    first_rows = "select xmin::text from changes.costs_daily where usage_date = '2026-10-01'"
    before = ask(server, first_rows)
    assert to_postgres(marts, server, "changes") == ({}, 5)
    change(marts, f"update costs_daily set cost = 2 * cost where usage_date = '{SECOND}'")
    change(marts, "drop table customers")
    assert to_postgres(marts, server, "changes") == ({"costs_daily": 1}, 3)
    assert ask(server, first_rows) == before
    assert ask(server, "select sum(cost) from changes.costs_daily") == [(2 * ROWS[2][2],)]
    change(marts, f"delete from costs_daily where usage_date = '{FIRST}'")
    change(marts, "alter table focus_customer_costs add column Tags varchar")
    assert to_postgres(marts, server, "changes") == ({"focus_customer_costs": 2}, 1)
    assert ask(server, "select count(*) from changes.costs_daily") == [(1,)]
    tables = "select table_name from information_schema.tables where table_schema = 'changes' order by 1"
    assert ask(server, tables) == [("costs_daily",), ("exported_days",), ("focus_customer_costs",)]


def test_another_database_or_snapshot_has_not_been_exported_to(
    marts: Path, server: str, tmp_path: Path
) -> None:
    snapshots = tmp_path / "published" / "snapshots"
    (snapshots / "first").mkdir(parents=True)
    current = tmp_path / "published" / "current"
    current.symlink_to(snapshots / "first")
    settings = Settings(workspace=tmp_path, export_postgres=SecretStr(server), export_schema="recorded")
    assert not is_exported("postgres", settings)
    with closing(duckdb.connect(str(marts), read_only=True)) as connection:
        export_to_database("postgres", connection, settings)
    assert is_exported("postgres", settings)
    for other in ({"export_postgres": SecretStr(f"{server}&user=other")}, {"export_schema": "other"}):
        assert not is_exported("postgres", settings.model_copy(update=other))
    current.unlink()
    current.symlink_to(snapshots / "second")
    assert not is_exported("postgres", settings)


def test_an_export_that_fails_leaves_postgres_as_it_was(marts: Path, server: str) -> None:
    to_postgres(marts, server, "whole")
    change(marts, "update costs_daily set cost = 0")
    change(marts, "create table costs_of_odd_type as select interval 1 day as age")
    with pytest.raises(ExportError, match=r"no type for costs_of_odd_type\.age, which is INTERVAL"):
        to_postgres(marts, server, "whole")
    assert ask(server, "select max(cost) from whole.costs_daily") == [(COST,)]
    with pytest.raises(ExportError, match="Nothing was exported to Postgres"):
        to_postgres(marts, "postgresql://nobody@/postgres?host=/nowhere", "whole")


def test_iceberg_has_every_digit_and_only_changed_days_are_written(marts: Path, tmp_path: Path) -> None:
    properties = {
        "type": "sql",
        "uri": f"sqlite:///{tmp_path}/catalog.db",
        "warehouse": f"file://{tmp_path}/lake",
    }

    def export(snapshot: str) -> tuple[dict[str, int], int]:
        with closing(duckdb.connect(str(marts), read_only=True)) as connection:
            done = export_to_iceberg(connection, properties, snapshot)
        return done.written, done.kept

    assert export("first") == ({"costs_daily": 2, "customers": 1, "focus_customer_costs": 2}, 0)
    catalog = load_catalog("default", **properties)
    costs = catalog.load_table("costs.costs_daily")
    found = costs.scan(selected_fields=("usage_date", "customer_id", "cost")).to_arrow().to_pylist()
    assert sorted((tuple(row.values()) for row in found), key=lambda row: -row[2]) == sorted(
        ROWS, key=lambda row: -row[2]
    )
    assert costs.schema().find_field("cost").doc == "What the customer carries."
    files = set(costs.inspect.files()["file_path"].to_pylist())
    assert export("again") == ({}, 5)
    change(marts, f"update costs_daily set cost = 1 where usage_date = '{SECOND}'")
    assert export("second") == ({"costs_daily": 1}, 4)
    costs.refresh()
    (kept,) = files & set(costs.inspect.files()["file_path"].to_pylist())
    assert "usage_date=2026-10-01" in kept
    versions = catalog.load_table("costs.published_versions").scan().to_arrow().to_pylist()
    assert {row["snapshot"] for row in versions} == {"first", "second"}
    (old,) = (row for row in versions if (row["snapshot"], row["mart"]) == ("first", "costs_daily"))
    then = costs.scan(snapshot_id=old["iceberg_snapshot_id"]).to_arrow()
    assert sorted(then["cost"].to_pylist()) == sorted(row[2] for row in ROWS)
    change(marts, f"delete from costs_daily where usage_date = '{FIRST}'")
    change(marts, "alter table customers add column plan varchar")
    assert export("third") == ({"customers": 1}, 3)
    costs.refresh()
    assert costs.scan().to_arrow()["usage_date"].to_pylist() == [SECOND]


def test_a_catalog_is_asked_for_with_an_example(marts: Path) -> None:
    with (
        closing(duckdb.connect(str(marts), read_only=True)) as connection,
        pytest.raises(ExportError, match="iceberg_catalog: "),
    ):
        export_to_iceberg(connection, {}, "first")
