"""`python -m bench.opening`: how long a large company's report takes to open in a headless browser.

Figures to steer by, not a test: nothing fails because it is slow.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright
from rich.console import Console
from rich.table import Table

from orchestration.outputs.report.report import make_report
from orchestration.settings import Settings
from tests.browser import chromium
from tests.browser.published import Size, publish

TURNS = 5
FIGURES = "figures shown"
CHARTS = "charts drawn"
# The page marks when its figures are there and when its charts are; both count from the start of loading.
MARKS = """() => performance.getEntriesByType("mark").map((mark) => [mark.name, mark.startTime])"""


def main() -> None:
    """Make the marts of a large company and their report, open it a few times, print the figures."""
    parser = argparse.ArgumentParser(prog="python -m bench.opening", description=__doc__)
    parser.add_argument("--customers", type=int, default=5000)
    parser.add_argument("--days", type=int, default=395, help="days with costs; 395 are 13 months")
    given = parser.parse_args()
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="cpc-opening-"))
    try:
        settings = Settings(workspace=folder)
        with console.status("Making the marts"):
            size = Size(given.customers, first_day=date(2025, 6, 1), days=given.days, every=5)
            publish(settings, size)
        with console.status("Making the report"):
            started = time.monotonic()
            report = make_report(settings)
            made = time.monotonic() - started
        console.print(f"{given.customers:,} customers, {given.days} days")
        console.print(f"{report.size / 1e6:.1f} MB, made in {made:.1f} s")
        with console.status("Opening it"), sync_playwright() as playwright:
            browser = chromium.launch(playwright)
            turns = [_open(browser, report.path) for _ in range(TURNS)]
            browser.close()
        console.print(_table(turns))
    finally:
        shutil.rmtree(folder)


def _open(browser: Browser, path: Path) -> dict[str, float]:
    """Seconds until the figures and the charts are there, and of processor time until then."""
    session = browser.new_browser_cdp_session()
    before = _processor_seconds(session)
    page = browser.new_page()
    page.goto(path.as_uri())
    page.locator("html[data-shown=overview]").wait_for(state="attached")
    marks = dict(page.evaluate(MARKS))
    spent = _processor_seconds(session) - before
    page.close()
    return {
        FIGURES: marks["figures of overview"] / 1000,
        CHARTS: marks["charts of overview"] / 1000,
        "processor time, all of the browser": spent,
    }


def _processor_seconds(session: object) -> float:
    processes = session.send("SystemInfo.getProcessInfo")["processInfo"]  # type: ignore[attr-defined]
    return sum(process["cpuTime"] for process in processes)


def _table(turns: list[dict[str, float]]) -> Table:
    table = Table(box=None)
    table.add_column(f"seconds, {TURNS} times")
    for name in ("least", "median", "most"):
        table.add_column(name, justify="right")
    for name in turns[0]:
        taken = [turn[name] for turn in turns]
        table.add_row(name, *(f"{value:.2f}" for value in (min(taken), statistics.median(taken), max(taken))))
    return table


if __name__ == "__main__":
    main()
