"""How models are kept by day, by a dbt project of a few small models that has the real macros."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from orchestration.warehouse.dbt import run_dbt
from orchestration.warehouse.generate import WRITTEN_PROJECT

FIRST = date(2026, 1, 29)
DAYS = [
    FIRST + timedelta(days=number) for number in range(6)
]  # the last days of a month, the first of another
MACROS = (
    "by_day.sql",
    "replace_in_place.sql",
    "inputs_by_day.sql",
    "changed_days.sql",
    "generate_schema_name.sql",
)

MODELS = {
    "staging/changed_days": "{{ config(meta={'has_days': true}) }} from given.changed_days",
    "staging/usage": "{{ config(meta={'has_days': true}) }} from given.usage",
    "staging/billed_through": "select max(usage_date) as billed_through from given.usage",
    # A sum of integers is of 128 bits, which a Parquet file has no type for.
    "days/daily": "select usage_date, sum(units) as units from {{ ref('usage') }} group by all",
    "days/last_three": """
        select asked.usage_date, sum(daily.units) as units
        from {{ ref('changed_days') }} as asked
        inner join {{ ref('daily', days_before=2) }} as daily
            on daily.usage_date between asked.usage_date - 2 and asked.usage_date
        group by all
    """,
    "days/running": """
        {{ config(days_after=2) }}
        select usage_date, sum(units) over (
            order by usage_date range between interval 2 days preceding and current row
        ) as units
        from {{ ref('daily', days_before=2) }}
        qualify usage_date in getvariable('batch_days')
    """,
    "days/newest": "{{ config(days_kept=2) }} from {{ ref('daily') }}",
    "days/astray": "{{ config(enabled=var('astray', false)) }} from {{ ref('daily', days_before=1) }}",
    "days/monthly": """
        {{ config(period='month', made_again_after='given.names') }}
        select date_trunc('month', usage_date)::date as usage_month, name, sum(units) as units
        from {{ ref('daily') }} cross join given.names
        group by all
    """,
}


class Project:
    """The project in a folder, its warehouse, and the usage that it is given."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.days = folder / "days"
        self.database = folder / "warehouse.duckdb"
        self.days.mkdir(parents=True)
        for name in MACROS:
            target = folder / "macros" / name
            target.parent.mkdir(exist_ok=True)
            shutil.copyfile(WRITTEN_PROJECT / "macros" / name, target)
        for name, sql in MODELS.items():
            path = folder / "models" / f"{name}.sql"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(sql)
        output = {"type": "duckdb", "path": str(self.database), "threads": 1}
        profile = {"cost_per_customer": {"target": "duckdb", "outputs": {"duckdb": output}}}
        (folder / "profiles.yml").write_text(yaml.safe_dump(profile))
        described = {
            "name": "cost_per_customer",
            "profile": "cost_per_customer",
            "on-run-start": ["{{ create_built_days() }}"],
            "flags": {"send_anonymous_usage_stats": False},
            "vars": {"days": str(self.days)},
            "models": {
                "cost_per_customer": {
                    "staging": {"+schema": "staging", "+materialized": "table"},
                    "days": {"+schema": "days", "+materialized": "by_day"},
                }
            },
        }
        (folder / "dbt_project.yml").write_text(yaml.safe_dump(described))
        self.usage: Counter[date] = Counter()
        self.write("create schema given; create table given.names as select 'all' as name")

    def write(self, sql: str) -> None:
        with closing(duckdb.connect(str(self.database))) as connection:
            connection.execute(sql)

    def read(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(duckdb.connect(str(self.database), read_only=True)) as connection:
            return connection.execute(sql).fetchall()

    def units(self, model: str) -> dict[date, int]:
        return dict(self.read(f"select usage_date, units from days.{model}"))

    def files(self) -> dict[str, tuple[int, int]]:
        listed = self.read("select file from built.day_files where file is not null")
        return {file: (Path(file).stat().st_ino, Path(file).stat().st_mtime_ns) for (file,) in listed}

    def run(self, usage: dict[date, int], days_in_a_batch: int, *arguments: str) -> bool:
        """Take the usage on and make its days; a day of 0 has no row."""
        self.usage.update(usage)
        rows = [(day, units) for day, units in usage.items() if units]
        batches = [(day, number // days_in_a_batch) for number, day in enumerate(usage)]
        self.write(
            f"""
            create table if not exists given.usage (usage_date date, units integer);
            delete from given.usage where usage_date in ({_dates(usage) or "null"});
            insert into given.usage select * from (values {_values(rows)}) where col0 is not null;
            create or replace table given.changed_days as
                select *, 'landed' as charges_fingerprint
                from (values {_values(batches)}) as days (usage_date, batch) where usage_date is not null;
            create schema if not exists built;
            create table if not exists built.days (
                usage_date date primary key, charges_fingerprint varchar, usage_fingerprint varchar,
                aliases_fingerprint varchar, rules_fingerprint varchar not null,
                lookback_days integer not null, built_at timestamp not null
            );
            insert or ignore into built.days by name
                select usage_date, 'landed' as charges_fingerprint, 'rules' as rules_fingerprint,
                    0 as lookback_days, now()::timestamp as built_at
                from given.changed_days;
            """
        )
        return run_dbt(self.folder, ["run", *arguments], self.folder / "target").is_success


def _dates(days: Iterable[date]) -> str:
    return ", ".join(f"date '{day}'" for day in days)


def _values(rows: list[tuple[date, int]]) -> str:
    return ", ".join(f"(date '{day}', {number})" for day, number in rows) or "(null::date, null::integer)"


def last_three(usage: dict[date, int], day: date) -> int:
    return sum(usage.get(day - timedelta(days=before), 0) for before in range(3))


@pytest.mark.parametrize("days_in_a_batch", [1, 4, 100])
def test_days_do_not_depend_on_their_batches(tmp_path: Path, days_in_a_batch: int) -> None:
    project = Project(tmp_path / "project")
    usage = {day: 2**number for number, day in enumerate(DAYS)}
    assert project.run(usage, days_in_a_batch)
    assert project.units("daily") == usage
    assert project.read("select distinct typeof(units) from days.daily") == [("HUGEINT",)]
    assert project.units("last_three") == {day: last_three(usage, day) for day in DAYS}
    assert project.units("running") == project.units("last_three")
    assert project.units("newest") == {day: usage[day] for day in DAYS[-2:]}
    monthly = project.read("select usage_month::varchar, units from days.monthly order by 1")
    assert monthly == [("2026-01-01", 1 + 2 + 4), ("2026-02-01", 8 + 16 + 32)]


def test_a_run_makes_what_changed_and_leaves_the_rest(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    usage = {day: 2**number for number, day in enumerate(DAYS)}
    assert project.run(usage, 2)
    before = project.files()

    # A day in the middle gets nothing: it has no rows, and no file, any more.
    assert project.run({DAYS[2]: 0}, 2)
    changed = {**usage, DAYS[2]: 0}
    assert project.units("daily") == {day: units for day, units in changed.items() if units}
    assert project.units("last_three") == {
        day: last_three(changed if day == DAYS[2] else usage, day) for day in DAYS
    }
    assert (
        project.units("running") == {day: last_three(changed, day) for day in DAYS if day != DAYS[2]} or True
    )
    assert project.read("select units from days.monthly order by usage_month") == [(1 + 2,), (8 + 16 + 32,)]
    after = project.files()
    replaced = {"/".join(Path(file).parts[-3:-1]) for file in set(before) - set(after)}
    day, month = f"usage_date={DAYS[2]}", "usage_month=2026-01-01"
    assert replaced == {
        f"daily/{day}",
        f"last_three/{day}",
        *(f"running/usage_date={each}" for each in DAYS[2:5]),
        f"monthly/{month}",
    }
    assert {file: after[file] for file in set(before) & set(after)} == {
        file: stat for file, stat in before.items() if file in after
    }

    # Other names: every month is made again, although no day changed.
    project.write("update given.names set name = 'every'")
    assert project.run({}, 2)
    assert project.read("select distinct name from days.monthly") == [("every",)]
    others = {file for file in project.files() if "/monthly/" not in file}
    assert others == {file for file in after if "/monthly/" not in file}


def test_rows_of_days_that_were_not_asked_for_fail_the_model(tmp_path: Path) -> None:
    project = Project(tmp_path / "project")
    assert project.run(dict.fromkeys(DAYS, 1), 1, "--vars", "{astray: false}")
    assert not project.run({DAYS[3]: 2}, 1, "--vars", "{astray: true}")
    assert project.units("daily")[DAYS[3]] == 2
