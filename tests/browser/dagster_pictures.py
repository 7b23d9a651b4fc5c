"""`python -m tests.browser.dagster_pictures WORKSPACE FOLDER`: the pictures of Dagster in docs/dagster.md."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

from orchestration.settings import Settings
from tests.browser import chromium
from tests.end_to_end.dagster_page import web_page

_ASSETS = "{assetNodes{assetKey{path} isExecutable}}"


def main() -> None:
    """Show the graph of all assets, and a run of all of them that the page started."""
    workspace, folder = map(Path, sys.argv[1:])
    with web_page(Settings(workspace=workspace)) as asked, sync_playwright() as playwright:
        nodes = asked.ask(_ASSETS)["assetNodes"]
        run = asked.run(
            [node["assetKey"] for node in nodes if node["isExecutable"]], {"dagster/partition": "2026-10"}
        )
        page = chromium.launch(playwright).new_page(viewport={"width": 1500, "height": 640})
        page.goto(f"{asked.address}/asset-groups")
        page.get_by_text("Hide navigation").click()
        page.get_by_text("landing", exact=True).last.wait_for()
        page.wait_for_timeout(5000)  # the graph moves into its place
        page.screenshot(path=folder / "dagster-graph.png")
        page.set_viewport_size({"width": 1500, "height": 900})
        page.goto(f"{asked.address}/runs/{run}")
        page.get_by_text("RUN_SUCCESS").wait_for()
        page.screenshot(path=folder / "dagster-run.png")


if __name__ == "__main__":
    main()
