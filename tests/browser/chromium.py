"""The Chromium that there is: Debian's where it is installed, else the one that Playwright brings."""

from __future__ import annotations

import shutil

from playwright.sync_api import Browser, Playwright


def launch(playwright: Playwright) -> Browser:
    """Start it, without a window. Raises Playwright's `Error` when there is none to start."""
    installed = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    # As root, as in most containers, Chromium has no sandbox of its own.
    return playwright.chromium.launch(executable_path=installed, args=["--no-sandbox"])
