"""What a person should know of a run's data is told at its end, in Dagster, in a mart and in the report."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import dagster as dg
import pytest

from orchestration.automation.run_history import open_instance
from orchestration.automation.workspace import COMMAND_CONFIG, dagster_home
from orchestration.outputs.warnings import shown_lines, working_warnings
from orchestration.sources.landing.notes import Note, write_notes
from tests.end_to_end import small_company
from tests.end_to_end.running import Company

MONTH = "2026-03"
SOURCES = ("telemetry", "customers", "revenue", "made_up", "inventory", "accounts", "deployments", "opencost")
CODES = {
    *("unknown-stream", "file-rejected", "no-effective-cost", "customer-capitals", "customer-not-listed"),
    *("customer-id-missing", "revenue-rejected", "stream-rejected", "no-usage", "accounts-rejected"),
}
LOGINS = """  logins:
    unit: login
    granularity: daily
    description: Logins
"""
MAPS = """  - element: Maps
    when: {tag: app, equals: maps}
"""
IDLE_BY_LOGINS = """  - name: idle
    when: {tag: app, equals: idle}
    by: logins
    when_no_usage: [unallocated]
"""
NOTE = Note(
    "no-effective-cost",
    "effective = billed: the file has no commitments",
    subject="a.csv",
    billing_period=MONTH,
    billing_currency="USD",
    effective_cost=Decimal("100000.25"),
)


def record(
    stream: str = "searches",
    customer: str = "ada",
    value: object = 1,
    named: dict[str, list[str]] | None = None,
) -> str:
    said = {"stream": stream, "timestamp": f"{MONTH}-01T00:00:00Z", "customer_id": customer, "value": value}
    return json.dumps(said | ({"filter": named} if named else {}))


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Its usage is ada's half, and the rest of customers and records that nobody expects.

    A file of usage, one of revenue and a stream have no row that counts.
    """
    made = Company(tmp_path_factory.mktemp("warned") / "company")
    small_company.write_contexts(made.settings.contexts)
    for name, more in (
        ("streams.yml", LOGINS),
        ("allocation.yml", IDLE_BY_LOGINS),
        ("dimensions/feature.yml", MAPS),
    ):
        with (made.settings.contexts / name).open("a") as file:
            file.write(more)
    sources = made.settings.sources
    small_company.write_bill(sources / "billing", MONTH, days=(1,))
    small_company.write_customers(sources / "customers")
    telemetry = sources / "telemetry"
    telemetry.mkdir(parents=True)
    lines = {
        "good.jsonl": [
            *(record(value=5), record(customer="Ada", value=4), record(customer="n/a", value=1)),
            *(record(stream="logins", value="x"), record(stream="logins", value=-1)),
            record(named={"feature": ["Maps"]}),
        ],
        "filtered.jsonl": [record(named={"feature": ["Nowhere"]})],
        "mixed.jsonl": [record(stream="serches"), record(customer=""), record(stream="serches")],
        "more.jsonl": [record(stream="serches")],
        "broken.csv": ["stream;timestamp", "searches;x"],
    }
    for name, texts in lines.items():
        (telemetry / name).write_text("\n".join(texts) + "\n")
    revenue = sources / "revenue"
    revenue.mkdir()
    (revenue / "r.csv").write_text(
        f"customer,period,amount,currency\nada,{MONTH},12.00,USD\nbob,then,1,USD\nADA,{MONTH},3,USD\n"
    )
    (revenue / "q.csv").write_text(
        "customer,period,amount,currency\nada,soon,12.00,usd\nbob,2026,1.5,USD\nbob,2026,7.25,EUR\na;b\n"
    )
    for name, text in (
        ("inventory/i.csv", "resource_id;resource_type\ni-1;vm\ni-2;vm\n"),
        ("accounts/a.jsonl", '{"name": "no id"}\n{"account_id": "1"}\n'),
        ("deployments/d.jsonl", '{"service": "x"}\n'),
        ("opencost/o.csv", "pod,cpuCost\na,1\n"),
    ):
        (sources / name).parent.mkdir()
        (sources / name).write_text(text)
    write_notes(made.settings.landing_folder, "made_up", [NOTE])
    good, printed = made.run()
    assert good, printed
    (made.root / "printed.txt").write_text(printed)
    return made


def test_each_thing_to_know_is_a_row_with_its_money(company: Company) -> None:
    rows = company.read(
        "select code, severity, source, subject, row_count, billing_currency, effective_cost from warnings "
        f"where source in {SOURCES} and code <> 'month-not-billed-to-its-end' order by code, source, subject"
    )
    share = small_company.SEARCH / 10
    # Exports: thirty among the three who used anything, in shares of twelve digits.
    first, last = 30 * Decimal("0.333333333334"), 30 * Decimal("0.333333333333")
    sources = company.settings.sources
    telemetry = sources / "telemetry"
    assert rows == [
        ("accounts-rejected", "warning", "accounts", str(sources / "accounts/a.jsonl"), 1, None, None),
        ("customer-capitals", "warning", "customers", "Ada", 1, "USD", 4 * share + first),
        ("customer-capitals", "warning", "revenue", "ADA", 1, "USD", None),
        ("customer-id-missing", "warning", "telemetry", None, 1, None, None),
        ("customer-not-listed", "warning", "customers", "n/a", 1, "USD", share + last),
        ("file-rejected", "error", "deployments", str(sources / "deployments/d.jsonl"), 1, None, None),
        ("file-rejected", "error", "inventory", str(sources / "inventory/i.csv"), 2, None, None),
        ("file-rejected", "error", "opencost", str(sources / "opencost/o.csv"), 1, None, None),
        ("file-rejected", "error", "revenue", "q.csv", 4, None, None),
        ("file-rejected", "error", "telemetry", str(telemetry / "broken.csv"), 1, None, None),
        ("file-rejected", "error", "telemetry", str(telemetry / "filtered.jsonl"), 1, None, None),
        ("filter-without-cost", "warning", "telemetry", 'searches {"feature":["Maps"]}', 1, None, None),
        ("no-effective-cost", "warning", "made_up", "a.csv", None, "USD", Decimal("100000.25")),
        ("no-usage", "error", "telemetry", None, None, "USD", small_company.BILL["idle", "production"]),
        ("revenue-rejected", "warning", "revenue", "r.csv", 1, None, None),
        ("stream-rejected", "error", "telemetry", "logins", 2, None, None),
        ("unknown-stream", "error", "telemetry", "serches", 3, None, None),
    ]


def test_the_run_ends_with_them_errors_first_then_the_largest(company: Company) -> None:
    printed = (company.root / "printed.txt").read_text()
    told = [line for line in printed.splitlines() if line.startswith("! ")]
    codes = [line[2:].partition(":")[0].removeprefix("ERROR ") for line in told if ": " in line]
    assert [code for code in codes if code in CODES] == [
        "no-usage",
        *("file-rejected", "unknown-stream", "file-rejected", "stream-rejected"),
        *("file-rejected", "file-rejected", "file-rejected", "file-rejected"),
        "no-effective-cost",
        "customer-capitals",
        "customer-not-listed",
        "accounts-rejected",
        "customer-capitals",
        "customer-id-missing",
        "revenue-rejected",
    ]
    assert (
        'customer "Ada" differs from "ada" of the customer list only by capitals; write it alike, or as an '
        "alias (4,010.00 USD, 2026-03-01, see customer_costs_daily)"
    ) in printed
    assert "100,000.25 USD, 2026-03)" in printed
    assert "! filter-without-cost: usage divides nothing: no charge has this feature (" in printed
    assert (
        "! ERROR file-rejected: every row of the file is rejected and in no margin, with revenue of 7.25 EUR "
        "and 13.50 USD, the first because the month 'soon' is not written as 2026-09 (4 rows, see q.csv "
        "row 1)"
    ) in printed
    assert (
        "! ERROR stream-rejected: no record of stream \"logins\" counts, the first is rejected: value 'x' is"
    ) in printed
    assert f"{company.settings.sources / 'telemetry' / 'mixed.jsonl'} row 1)" in printed


def test_dagster_warns_and_the_report_has_them(company: Company) -> None:
    with open_instance(dagster_home(company.settings), COMMAND_CONFIG) as instance:
        key = dg.AssetCheckKey(dg.AssetKey(["marts", "warnings"]), "nothing_to_look_at")
        (last,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    evaluation = last.event.dagster_event.asset_check_evaluation_data
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.ERROR
    assert evaluation.metadata["warnings"].value >= 8
    assert "customer-capitals" in evaluation.description
    report = (company.settings.published_folder / "report.html").read_text()
    assert 'id="table-warnings"' in report


def test_they_are_told_again_when_nothing_has_changed_and_new_notes_are_too(company: Company) -> None:
    write_notes(company.settings.landing_folder, "made_up", [])
    good, printed = company.run()
    assert good
    assert "no-effective-cost" not in printed
    assert "! customer-capitals: " in printed


def test_only_the_weightiest_are_shown_and_the_others_counted(company: Company) -> None:
    lines = shown_lines(working_warnings(company.settings), shown=2)
    assert [line.partition(":")[0] for line in lines[:2]] == ["ERROR no-usage", "ERROR file-rejected"]
    assert lines[2].startswith("… and ")
    assert len(lines) == 3


def test_paths_of_notes_stay_apart(tmp_path: Path) -> None:
    assert write_notes(tmp_path, "billing", [NOTE], part="2026-03")
    assert write_notes(tmp_path, "billing", [NOTE], part="2026-04")
    assert not write_notes(tmp_path, "billing", [NOTE], part="2026-04")
    assert len(list((tmp_path / "notes").glob("*/*.parquet"))) == 2
