"""A real Chromium, and the report of a small company opened in it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from playwright.sync_api import Browser, Error, Locator, Page, sync_playwright

from orchestration.outputs.report.report import make_report
from orchestration.settings import Settings
from tests.browser import chromium
from tests.browser.published import Size, publish

HOSTILE = "<script>window.hacked = 1</script>"
QUOTED = '"><img src=x onerror="window.hacked = 2">&amp;'
FORMULA = "=HYPERLINK(1)"
SETTLED = """() => new Promise((done) => {
    const root = document.documentElement;
    const look = () =>
        root.dataset.shown && root.dataset.address === location.hash ? done() : requestAnimationFrame(look);
    look();
})"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for a module's tests; without one they fail where CI is set, and are skipped elsewhere.

    Not for longer: Playwright's event loop counts as running in the whole process, where no second one can be
    started, be it by this fixture in another module or by what Dagster awaits.
    """
    with sync_playwright() as playwright:
        try:
            launched = chromium.launch(playwright)
        except Error as error:
            said = f"no browser for the report's tests; `make browser` installs one. {error}"
            if os.environ.get("CI"):
                pytest.fail(said)
            pytest.skip(said)
        yield launched
        launched.close()


@dataclass
class Opened:
    """A report in a browser's page: moves about in it, and keeps what it complained of and asked for."""

    page: Page
    path: Path
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, address: str) -> Page:
        """Look at a section, by its part of the address after `#`."""
        target = f"{self.path.as_uri()}#{address}"
        if self.page.url.startswith(self.path.as_uri()):
            self.page.evaluate("(address) => { location.hash = address; }", address)
        else:
            self.page.goto(target)
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until what the address says is drawn."""
        self.page.evaluate(SETTLED)

    def unfold(self) -> None:
        """Open the table beside the first chart."""
        self.page.get_by_text("Show as table").first.click()
        self.page.locator("details table").first.wait_for()

    def show_all_rows(self) -> None:
        """Press "Show … more" until everything is shown."""
        while (more := self.page.locator(".more button")).count():
            more.first.click()

    def figure(self, tile: str) -> str:
        """Every digit of a tile's figure."""
        return exact(self.page.locator(".tile", has=self.page.get_by_text(tile)).locator(".figure data"))

    def table(self, caption: str) -> Locator:
        """The rows of a table, by its caption."""
        return self.page.get_by_role("table", name=caption, exact=True).locator("tbody tr")

    def figures(self, caption: str, column: int) -> dict[str, str]:
        """Of a table's rows the name in the first cell, and every digit of one figure."""
        rows = self.table(caption)
        return rows.evaluate_all(
            "(rows, at) => Object.fromEntries(rows.map((row) => "
            "[row.cells[0].innerText, row.cells[at].querySelector('data').value]))",
            column,
        )


def exact(figure: Locator) -> str:
    """Every digit of a figure."""
    return str(figure.first.get_attribute("value"))


def written(value: Any) -> Any:
    """An amount as the page writes it: quantities with their own digits, all money with 24."""
    if not isinstance(value, Decimal):
        return value
    return f"{value:f}" + "0" * 12 * (value.as_tuple().exponent == -12)


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of a small company with a published snapshot and the report of it."""
    settings = Settings(workspace=tmp_path_factory.mktemp("report"))
    numbered = (f"Customer {number}" for number in range(3, 12))
    publish(settings, Size(names=("Plain & Sons", HOSTILE, QUOTED, *numbered, FORMULA)))
    make_report(settings)
    return settings


@pytest.fixture(scope="session")
def marts(company: Settings) -> Iterator[Callable[..., dict[Any, str]]]:
    """Asks the published marts: of each row its first value, and its last as the page writes it."""
    with closing(duckdb.connect(str(company.published_folder / "current.duckdb"), read_only=True)) as reader:

        def ask(query: str, *values: Any) -> dict[Any, str]:
            rows = reader.execute(query, list(values)).fetchall()
            return {row[0]: written(row[-1]) for row in rows}

        yield ask


@pytest.fixture(scope="module")
def open_report(browser: Browser) -> Iterator[Callable[..., Opened]]:
    """Opens a report in a page of its own; what the page complains of or asks for is kept."""
    contexts = []

    def open_it(path: Path, **options: Any) -> Opened:
        context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        opened = Opened(context.new_page(), path)
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on("console", lambda message: opened.complaints.append(message.text))
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.goto(path.as_uri())
        opened.settle()
        return opened

    yield open_it
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def report(company: Settings, open_report: Callable[..., Opened]) -> Opened:
    """The small company's report, opened once for all tests that only look."""
    return open_report(company.published_folder / "report.html")
