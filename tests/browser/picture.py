"""`python -m tests.browser.picture WORKSPACE FILE`: the picture of the report that the README shows."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from orchestration.outputs.report.report import make_report
from orchestration.settings import Settings
from tests.browser import chromium

WIDTH, HEIGHT = 1200, 1270


def main() -> None:
    """Open the workspace's report as its readers do, and take what the first screen shows."""
    workspace, target = map(Path, sys.argv[1:])
    report = make_report(Settings(workspace=workspace))
    with sync_playwright() as playwright:
        browser = chromium.launch(playwright)
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{report.path.as_uri()}#overview")
        page.locator("html[data-shown=overview]").wait_for(state="attached")
        target.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=target)
        browser.close()
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
