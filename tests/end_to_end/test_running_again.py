"""What a run does when something, or nothing, has changed since the last one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb

from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home
from orchestration.outputs.read_only import open_published, rows_of
from orchestration.outputs.sentences import allocation_sentence
from tests.end_to_end import small_company
from tests.end_to_end.conftest import RESTATED_DAYS
from tests.end_to_end.running import Company

MONTHLY = """
    select strftime(usage_month, '%Y-%m'), customer_id, sum(effective_cost)
    from customer_costs_monthly group by all order by all
"""
TOTAL = "select sum(effective_cost), count(*) from customer_costs_daily"


def warehouse(company: Company, query: str) -> list[tuple[object, ...]]:
    with closing(duckdb.connect(str(company.settings.warehouse_file), read_only=True)) as connection:
        return connection.execute(query).fetchall()


def landed_files(company: Company, pattern: str = "**/*.parquet") -> dict[Path, int]:
    landing = company.settings.landing_folder
    return {path.relative_to(landing): path.stat().st_mtime_ns for path in landing.glob(pattern)}


def shown(company: Company, *asset: str) -> dict[str, Any]:
    """What Dagster shows of the last time that an asset was made."""
    with dg.DagsterInstance.from_config(str(dagster_home(company.settings)), COMMAND_CONFIG) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(asset))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_costs_are_what_they_are_by_hand(built: Company) -> None:
    found = {(month, customer): cost for month, customer, cost in built.read(MONTHLY)}
    assert found == small_company.expected_costs()


def test_one_percent_of_ten_thousand_is_one_hundred(built: Company) -> None:
    ada = "customer_id = 'ada' and usage_date = date '2026-03-01' and feature = 'Search'"
    assert built.read(f"select effective_cost from customer_costs_daily where {ada}") == [
        (Decimal("100.000000000000"),)
    ]


def test_the_marts_say_why_and_by_what_usage(built: Company) -> None:
    with open_published(built.settings) as marts:
        parts = rows_of(
            marts,
            "from allocation_explanations where usage_date = '2026-05-01' "
            "and customer_id in ('ada', 'unallocated') order by customer_id, feature",
        )
    assert [(part["customer_id"], part["feature"], allocation_sentence(part)) for part in parts] == [
        (
            "ada",
            "Exports",
            "0.333333333334 × 30 = 10.00000000002 USD, split evenly among 3 customers active on the day",
        ),
        ("ada", "Search", "0.01 × 10000 = 100 USD, for 1 of 100 units of searches (hour)"),
        ("unallocated", "Search", "1 × 50 = 50 USD, unallocated: not cost of goods sold"),
        ("unallocated", None, "1 × 7.77 = 7.77 USD, unallocated: no rule"),
    ]
    days = built.read(
        "select min(usage_date)::varchar, max(usage_date)::varchar from allocation_explanations"
    )
    assert days == [("2026-05-01", "2026-05-04")]
    used = built.read("select stream, unit, usage_quantity from usage_daily where customer_id = 'bob'")
    assert used == [("searches", "search", Decimal(49))] * 9


def test_corrected_bills_replace_what_they_said_before_while_readers_read_on(
    restated: Company, built_restated: Company
) -> None:
    company = restated
    before, after = company.read(TOTAL), built_restated.read(TOTAL)
    # A verdict on an anomaly is no reason to recompute a day.
    verdict = "anomalies:\n  - {anomaly: 3f2a9c0d1e2b4a5f, verdict: planned}\n"
    (company.settings.contexts / "anomalies.yml").write_text(verdict)
    assert before != after
    path = company.settings.published_folder / "current.duckdb"
    seen = []
    with closing(duckdb.connect(str(path), read_only=True)) as reader:
        run = company.start()
        while run.poll() is None:
            # Who has the file open keeps what it opened; who opens it later gets what is current.
            assert reader.execute(TOTAL).fetchall() == before
            seen.append(company.read(TOTAL))
            time.sleep(0.02)
        assert run.returncode == 0
        assert reader.execute(TOTAL).fetchall() == before
    seen.append(company.read(TOTAL))
    old, new = seen.count(before), seen.count(after)
    assert old > 0
    assert seen == [before] * old + [after] * new

    assert company.marts() == built_restated.marts()
    # One percent of 20,000.00 and the largest third of 30.00, on three days.
    assert ("2026-04", "ada", Decimal("630.00000000006")) in company.read(MONTHLY)
    days = warehouse(company, "select usage_date::varchar from staging.changed_days order by 1")
    assert days == [(day,) for day in RESTATED_DAYS]


def test_a_dimension_a_stream_and_a_rule_are_three_edits_of_yaml(
    company: Company, add_dimension: Callable[[Company], None]
) -> None:
    add_dimension(company)
    seat = {"stream": "seats", "timestamp": "2026-03-01T00:00:00Z", "customer_id": "ada", "value": 5}
    (company.settings.sources / "telemetry" / "seats.jsonl").write_text(json.dumps(seat) + "\n")
    good, printed = company.run()
    assert good, printed
    idle = "tier = 'idle' and usage_date = date '2026-03-01'"
    assert company.read(f"select customer_id, effective_cost from customer_costs_daily where {idle}") == [
        ("ada", Decimal("7.770000000000"))
    ]
    assert company.read("select count(*) from customer_costs_daily where tier is null") != [(0,)]
    assert company.read("select distinct stream from unit_costs_daily order by 1") == [
        ("searches",),
        ("seats",),
    ]


def test_exactly_the_days_that_late_early_and_corrected_usage_and_aliases_touch_are_made_again(
    company: Company,
) -> None:
    records = [
        {"timestamp": "2026-03-02T00:10:00Z", "customer_id": "cid", "value": 150, "operation": "replace"},
        {"timestamp": "2026-04-01T00:00:00Z", "customer_id": "robert", "value": 100},
        {"timestamp": "2026-05-01T00:59:59Z", "customer_id": "robert", "value": 100},
        {"timestamp": "2026-05-01T00:10:00Z", "customer_id": "robert", "operation": "replace", "value": 50},
        {"timestamp": "2026-06-07T00:00:00Z", "customer_id": "ada", "value": 1},
    ]
    lines = [json.dumps({"stream": "searches", **record}) for record in records]
    (company.settings.sources / "telemetry" / "later.jsonl").write_text("\n".join(lines) + "\n")
    (company.settings.sources / "customers" / "customers.csv").write_text(
        "customer_id,customer_name,aliases\nada,Ada,\nbob,Bob,robert 2026-05-01..2026-05-02\ncid,Cid,\n"
    )

    good, printed = company.run()

    assert good, printed
    changed = warehouse(company, "select usage_date::varchar, reason from staging.changed_days order by 1")
    assert changed == [
        ("2026-03-02", "usage"),
        ("2026-04-01", "usage"),
        ("2026-05-01", "usage, aliases of customers"),
        ("2026-05-02", "aliases of customers"),
        ("2026-06-07", "not published yet"),
    ]
    assert shown(company, "landing", "telemetry_records")["days_touched"] == 4
    days = shown(company, "staging", "changed_days")
    assert (
        days["days_recomputed"]
        == shown(company, "allocation", "shares_before_overhead")["days_recomputed"]
        == 5
    )
    assert days["days_by_reason"].splitlines() == [
        "| what differs | days |",
        "| --- | --- |",
        "| aliases of customers | 1 |",
        "| not published yet | 1 |",
        "| usage | 2 |",
        "| usage, aliases of customers | 1 |",
    ]
    assert "days_recomputed" not in shown(company, "marts", "customers")
    # Half of the searches of a day were bob's and robert's together, once robert had become bob's name; a
    # replace under the one id leaves what the other used.
    costs = company.read(
        """
        select usage_date::varchar, customer_id, sum(effective_cost)
        from customer_costs_daily
        where feature = 'Search' and environment = 'production'
            and usage_date in ('2026-03-01', '2026-03-02', '2026-04-01', '2026-05-01')
        group by all order by all
        """
    )
    of_day = {"ada": "100", "bob": "4900", "cid": "5000"}
    assert costs == [
        *(("2026-03-01", customer, Decimal(cost)) for customer, cost in of_day.items()),
        *(("2026-03-02", name, Decimal(cost)) for name, cost in (("ada", 50), ("bob", 2450), ("cid", 7500))),
        *(("2026-04-01", customer, Decimal(cost) / 2) for customer, cost in of_day.items()),
        ("2026-04-01", "robert", Decimal(5000)),
        ("2026-05-01", "ada", Decimal("66.66666666")),
        ("2026-05-01", "bob", Decimal("6600.00000001")),
        ("2026-05-01", "cid", Decimal("3333.33333333")),
    ]
    aliases = company.read("select customer_id, aliases from customers where aliases <> ''")
    assert aliases == [("bob", "robert 2026-05-01..2026-05-02")]


def test_a_failing_check_keeps_readers_on_the_last_snapshot(company: Company) -> None:
    """The least digit of a landed amount is not the file's, in a column that none of the file's rows has."""
    before, snapshot = company.marts(), company.snapshot()
    landed = next(company.settings.landing_folder.glob("billing/aws_cur/*/delivery=*2026-03*/*.parquet"))
    with closing(duckdb.connect()) as damaging:
        damaging.execute(
            f"""
            copy (
                select * replace (
                    case when landed_row = 1 then 0.000000000001 end::decimal(38, 12)
                    as savings_plan_used_commitment
                )
                from read_parquet('{landed}', hive_partitioning = false)
            ) to '{landed}.damaged' (format parquet)
            """
        )
    Path(f"{landed}.damaged").replace(landed)
    feature = company.settings.contexts / "dimensions" / "feature.yml"
    # Rules on other lines have other explanations, so all days are computed again.
    feature.write_text("# All lines are one further down.\n" + feature.read_text())
    good, printed = company.run()
    assert not good
    assert "assert_every_hop_reconciles" in printed
    assert "readers keep the last snapshot" in printed
    assert company.snapshot() == snapshot
    assert company.marts() == before


def test_a_report_that_fails_does_not_hide_what_was_published(company: Company) -> None:
    report = company.settings.published_folder / "report.html"
    report.unlink()
    report.mkdir()
    small_company.write_bill(company.settings.sources / "billing", "2026-05", Decimal("1.00"))
    snapshot = company.snapshot()
    good, printed = company.run()
    assert not good
    assert company.snapshot() != snapshot, printed
    assert f"Published snapshot {company.snapshot().name}" in printed
    assert "report.html" in printed
    assert "The marts are published; a later step failed." in printed


def test_a_broken_bill_is_named_and_changes_nothing(company: Company) -> None:
    before = company.marts()
    folder = small_company.write_bill(company.settings.sources / "billing", "2026-05", Decimal("1.00"))
    content = (folder / "bill-1.csv.gz").read_bytes()
    (folder / "bill-1.csv.gz").write_bytes(content[: len(content) // 2])
    landed = landed_files(company, "billing/**/*.parquet")
    good, printed = company.run()
    assert not good
    assert "bill-1.csv.gz" in printed
    assert landed_files(company, "billing/**/*.parquet") == landed
    assert company.marts() == before


def test_problems_in_contexts_are_listed_and_nothing_runs(company: Company) -> None:
    (company.settings.contexts / "streams.yml").write_text("streams:\n  searches:\n    granularity: weekly\n")
    good, printed = company.run()
    assert not good
    assert "contexts/streams.yml:" in printed
