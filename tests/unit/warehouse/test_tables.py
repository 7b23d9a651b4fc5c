"""What a person reads beside a table in Dagster, from a real DuckDB file."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.settings import Settings
from orchestration.warehouse.tables import describe


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings(workspace=tmp_path)
    with duckdb.connect(str(settings.warehouse_file)) as warehouse:
        warehouse.execute(
            "create schema built; create table built.day_files (model varchar, row_count bigint)"
        )
        warehouse.execute("create schema marts")
        warehouse.execute(
            """
            create table marts.reconciliation as
            select
                date '2026-05-01' as billing_month, 'aws' as x_source_name, 'USD' as billing_currency,
                cost_column, hop_number, hop, hop_cost::decimal(38, 12) as hop_cost,
                difference::decimal(38, 12) as difference
            from (
                values
                    ('billed_cost', 0, 'files', 10.000000000001, 0),
                    ('billed_cost', 1, 'landing', 4, 0),
                    ('billed_cost', 1, 'landing', 6.000000000002, 0.000000000001),
                    ('effective_cost', 1, 'landing', 9, -0.000000000001)
            ) as hops(cost_column, hop_number, hop, hop_cost, difference)
            """
        )
        warehouse.execute("create view marts.seen as select 1 as one")
    return settings


def test_reconciliation_is_readable_to_the_last_digit(settings: Settings) -> None:
    described = describe(settings, [("marts", "reconciliation")])["marts", "reconciliation"]
    assert described.rows == 4
    assert described.preview.splitlines()[2:] == [
        "| 2026-05-01 | aws | USD | files | 10.000000000001 |  | 0.000000000000 |",
        # Differences of opposite signs do not hide each other.
        "| 2026-05-01 | aws | USD | landing | 10.000000000002 | 9.000000000000 | 0.000000000002 |",
    ]


def test_views_and_tables_that_are_not_there_are_left_out(settings: Settings) -> None:
    assert describe(settings, [("marts", "seen"), ("marts", "absent")]) == {}


def test_changed_days_are_counted_by_month_and_reason(settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_file)) as warehouse:
        warehouse.execute("create schema staging")
        warehouse.execute(
            """
            create table staging.changed_days as
            select usage_date::date as usage_date, reason
            from (
                values ('2026-05-31', 'charges'), ('2026-05-02', 'charges'), ('2026-06-01', 'usage')
            ) as days(usage_date, reason)
            """
        )
    described = describe(settings, [("staging", "changed_days")])["staging", "changed_days"]
    assert described.rows == 3
    assert described.preview.splitlines()[2:] == [
        "| 2026-06 | usage | 1 | 2026-06-01 | 2026-06-01 |",
        "| 2026-05 | charges | 2 | 2026-05-02 | 2026-05-31 |",
    ]
