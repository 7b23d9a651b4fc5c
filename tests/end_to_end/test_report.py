"""The report of a real run: made by the job of what it published, with figures worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from decimal import Decimal

import duckdb
from typer.testing import CliRunner

from orchestration.cli.app import app
from tests.browser.conftest import Opened, browser, open_report  # noqa: F401 (fixtures)
from tests.end_to_end import small_company
from tests.end_to_end.running import Company


def test_the_job_makes_the_report_and_the_command_finds_it(built: Company) -> None:
    report = built.settings.published_folder / "report.html"
    written = report.stat()
    done = CliRunner().invoke(app, ["report", "--workspace", str(built.settings.workspace)])
    assert (done.exit_code, done.output.strip()) == (0, str(report))
    assert report.stat().st_mtime_ns == written.st_mtime_ns
    assert built.snapshot().name in report.read_text(encoding="utf-8")[:2000]


def test_its_figures_are_those_worked_out_by_hand(
    built: Company,
    open_report: Callable[..., Opened],  # noqa: F811
) -> None:
    opened = open_report(built.settings.published_folder / "report.html")
    for month, last in (("2026-03", 31), ("2026-04", 30), ("2026-05", 4)):
        opened.open(f"customers?from={month}-01&to={month}-{last:02d}")
        shown = opened.figures("Cost per customer", 3)
        expected = small_company.expected_costs()
        assert {name: Decimal(figure) for name, figure in shown.items()} == {
            customer.title(): expected[month, customer] for customer in small_company.SEARCHES
        }
        opened.open(f"overview?from={month}-01&to={month}-{last:02d}")
        assert Decimal(opened.figure("Unallocated")) == expected[month, "unallocated"]
    said = opened.open("customer?customer=ada&from=2026-05-01&to=2026-05-03").locator("main").inner_text()
    assert "Usage and cost" in said
    assert "Why this customer pays for it" in said
    assert opened.complaints == []


def test_a_snapshot_of_another_version_asks_for_a_run(company: Company) -> None:
    published = company.settings.published_folder
    (published / "report.html").unlink()
    with closing(duckdb.connect(str(published / "current.duckdb"))) as snapshot:
        snapshot.execute("alter table customer_margins_monthly drop column is_new")
    done = CliRunner().invoke(app, ["report", "--workspace", str(company.settings.workspace)])
    assert done.exit_code == 1
    assert "another version of this program" in done.output
    assert "is_new" in done.output
    assert "Run `cpc run`" in done.output
