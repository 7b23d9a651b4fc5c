"""How the page behaves: names are text, nothing is asked of a network, everyone can use it, on any screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from orchestration.outputs.report.report import make_report
from orchestration.settings import Settings
from tests.browser.conftest import FORMULA, HOSTILE, QUOTED, Opened, exact
from tests.browser.published import Size, publish

SECTIONS = (
    "overview",
    "explore",
    "explore?customer=cust-00001",
    "customers",
    "customer?customer=cust-00001",
    "customer?customer=unallocated",
    "customer?customer=nobody",
    "segments",
    "units",
    "margins",
    "anomalies",
    "coverage",
    "reconciliation",
    "warnings",
    "no-such-section?from=then&segment=nothing&currency=XYZ",
)
# Every text's contrast with what is behind it, by the formula of WCAG 2; charts are drawn, not written.
LOW_CONTRAST = """() => {
    const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => {
        const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        const [r, g, b] = rgb.map((c) => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        for (let at = element; at; at = at.parentElement) {
            const rgb = numbers(getComputedStyle(at).backgroundColor);
            if (rgb.length === 3 || rgb[3] === 1) return rgb;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const element of document.querySelectorAll("body *")) {
        const written = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!written || element.closest("svg, script, style, .ignored")) continue;
        if (!element.getClientRects().length) continue;
        const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.push([element.className, element.textContent.slice(0, 20), ratio]);
    }
    return found;
}"""


def test_nothing_is_asked_of_a_network_and_nothing_complains(report: Opened) -> None:
    for address in SECTIONS:
        report.open(address)
        assert "could not be shown" not in report.page.locator("main").inner_text()
    assert report.complaints == []
    assert {url for url in report.requests if not url.startswith("blob:")} == {report.path.as_uri()}


def test_names_with_markup_are_text(report: Opened) -> None:
    for address in (
        "customers",
        "customer?customer=cust-00001",
        "customer?customer=cust-00002",
        "explore",
        "explore?customer=cust-00001",
        "explore?customer=cust-00001&where=product:Insights",
        "segments",
        "overview",
        "margins",
    ):
        page = report.open(address)
        assert page.evaluate("window.hacked") is None
        assert page.locator("main img, main script, main b").count() == 0
    page = report.open("customers")
    for name in (HOSTILE, QUOTED):
        assert page.get_by_role("link", name=name, exact=True).count() == 1
        page.get_by_role("link", name=name, exact=True).click()
        report.settle()
        assert page.get_by_role("heading", level=1).inner_text() == name
        page.go_back()
        report.settle()
    field = page.get_by_role("combobox", name="Customer")
    report.open("explore?as=treemap")
    field.fill("<script>")
    assert page.get_by_role("listbox").get_by_role("option").first.inner_text().startswith(HOSTILE)
    field.fill("")
    # The treemap writes a name as it is, too.
    drawn = page.locator(".slice text").all_text_contents()
    assert any(text.startswith("<script>window") for text in drawn)


def test_the_files_own_markup_holds_no_name(company: Settings) -> None:
    text = (company.published_folder / "report.html").read_text(encoding="utf-8")
    assert HOSTILE not in text
    assert "onerror" not in text
    assert "default-src 'none'" in text


def test_an_address_shows_the_same_to_whoever_opens_it(
    report: Opened, open_report: Callable[..., Opened]
) -> None:
    opened = "customer=cust-00003&by=feature&where=product:Insights"
    page = report.open(f"explore?from=2026-04-20&to=2026-05-03&segment=startup&{opened}")
    address = page.url.split("#")[1]
    shown = page.locator("main .lead, main table").all_inner_texts()
    other = open_report(report.path)
    other.open(address)
    assert other.page.locator("main .lead, main table").all_inner_texts() == shown
    assert other.page.get_by_label("Segment", exact=True).input_value() == "startup"
    other.page.context.close()


def test_everything_that_can_be_used_has_a_name_and_ids_are_unique(report: Opened) -> None:
    roles = {"button", "link", "textbox", "searchbox", "combobox", "checkbox", "image", "img", "region"}
    roles |= {"navigation", "search", "table"}
    for address in SECTIONS:
        page = report.open(address)
        session = page.context.new_cdp_session(page)
        tree = session.send("Accessibility.getFullAXTree")["nodes"]
        session.detach()
        unnamed = [
            node["role"]["value"]
            for node in tree
            if not node["ignored"]
            and node["role"]["value"] in roles
            and not node.get("name", {}).get("value")
        ]
        assert unnamed == [], address
        repeated = page.evaluate(
            "() => { const ids = [...document.querySelectorAll('[id]')].map((e) => e.id); "
            "return ids.filter((id, at) => ids.indexOf(id) !== at); }"
        )
        assert repeated == []
        # Beside every chart stands what it shows as a table, or one to unfold.
        assert page.locator("main .block:has(.chart):not(:has(table)):not(:has(details))").count() == 0


def test_it_can_be_used_with_the_keyboard_alone(report: Opened) -> None:
    page = report.open("explore")
    page.reload()
    report.settle()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    link = page.locator("main tbody a").first
    name = link.inner_text()
    link.focus()
    page.keyboard.press("Enter")
    report.settle()
    assert page.get_by_role("link", name=f"Remove filter Customer: {name}").count() == 1
    heading = page.locator("main thead button").first
    heading.focus()
    page.keyboard.press("Enter")
    assert page.locator("main thead th").first.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")
    assert page.locator("main thead th").first.get_attribute("aria-sort") == "descending"


@pytest.fixture(scope="module")
def phone(report: Opened, open_report: Callable[..., Opened]) -> Opened:
    screen: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True}
    return open_report(report.path, color_scheme="dark", **screen)


def test_a_phone_in_the_dark_scrolls_down_only(phone: Opened) -> None:
    for address in SECTIONS:
        page = phone.open(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, address
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(18, 22, 28)"
    assert phone.complaints == []


def test_no_row_is_taller_than_half_a_phone(phone: Opened) -> None:
    for view in SECTIONS:
        rows = phone.open(view).locator("main tr")
        assert max(rows.evaluate_all("(all) => all.map((row) => row.clientHeight)"), default=0) < 400, view


def test_without_a_whole_month_everything_is_shown_and_called_so(
    tmp_path: Path, open_report: Callable[..., Opened]
) -> None:
    settings = Settings(workspace=tmp_path)
    publish(settings, Size(customers=2, days=20))
    page = open_report(make_report(settings).path).page
    assert page.get_by_label("Dates").locator("option:checked").inner_text() == "Everything"
    assert page.get_by_label("To", exact=True).input_value() == "2026-03-20"


def test_a_phone_has_the_filters_in_one_line_until_they_are_opened(phone: Opened) -> None:
    page = phone.open("customers?segment=startup")
    assert page.get_by_label("Dates").is_hidden()
    page.get_by_text("2026-05-01 to 2026-05-31 · startup").click()
    page.get_by_label("Segment").select_option("enterprise")
    phone.settle()
    assert page.get_by_label("Segment").is_visible()
    assert page.locator("main td.minor").first.is_hidden()


def test_a_printed_page_is_its_figures_on_white(report: Opened) -> None:
    page = report.open("customer?customer=cust-00001")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("#filters").is_hidden()
    assert page.locator("#sections").is_hidden()
    behind = "getComputedStyle(document.querySelector('.block')).backgroundColor"
    assert page.evaluate(behind) == "rgb(255, 255, 255)"
    page.emulate_media(media="screen", color_scheme="light")


def test_texts_stand_out_in_light_and_dark(report: Opened, phone: Opened) -> None:
    for opened in (report, phone):
        for address in ("overview", "customer?customer=cust-00001", "margins", "customers"):
            assert opened.open(address).evaluate(LOW_CONTRAST) == [], address


def test_charts_follow_when_the_device_turns_dark(report: Opened) -> None:
    page = report.open("overview")
    text = page.locator(".chart .xtick text").first
    before = text.evaluate("(text) => getComputedStyle(text).fill")
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(300)
    assert text.evaluate("(text) => getComputedStyle(text).fill") != before
    page.emulate_media(color_scheme="light")
    page.wait_for_timeout(300)
    assert text.evaluate("(text) => getComputedStyle(text).fill") == before


def test_rows_are_saved_with_every_digit(report: Opened) -> None:
    page = report.open("customers?from=2026-05-01&to=2026-05-31&segment=startup")
    shown = report.figures("Cost per customer", 3)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    saved = waiting.value.path().read_text().splitlines()
    assert saved[0].startswith('"Customer","Id","Segment","Cost, USD"')
    assert [line.split('","')[3] for line in saved[1:]] == list(shown.values())


def test_saved_texts_are_no_formulas_and_totals_are_saved(report: Opened) -> None:
    page = report.open("explore")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download CSV").click()
    lines = waiting.value.path().read_text().splitlines()
    assert next(line for line in lines if FORMULA in line).startswith(f'"\'{FORMULA}"')
    assert lines[0].startswith('"Customer","Total, USD"')
    assert lines[-1].split(",")[:2] == ['"Total"', f'"{exact(page.locator("#explored data"))}"']


def test_every_figure_of_money_says_its_currency(report: Opened) -> None:
    """After it, in its column's heading, or in a column of its own."""
    figures = [figure for view in SECTIONS for figure in figures_without_currency(report.open(view))]
    assert figures == []
    assert report.open("overview").locator("main data.money").count() > 5


def figures_without_currency(page: Page) -> list[str]:
    return page.locator("main data.money").evaluate_all(
        """(figures) => figures.filter((figure) => {
            const currency = figure.title.split(" ").pop();
            const cell = figure.closest("td, th");
            const heading = cell ? cell.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent : "";
            const after = document.createRange();
            after.setStartAfter(figure);
            after.setEndAfter((cell || figure.closest("p, dd, li, article")).lastChild);
            const cells = [...(cell?.closest("tr").cells ?? [])];
            if (cells.some((each) => each.textContent === currency)) return false;
            return !heading.includes(currency) && !after.toString().trimStart().startsWith(currency);
        }).map((figure) => figure.parentElement.textContent)"""
    )
