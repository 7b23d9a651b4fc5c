"""Fixtures of the compiler's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def example_contexts() -> dict[str, str]:
    """The contexts of the example company, as they ship."""
    files = sorted((PROJECT / "contexts").rglob("*.yml"))
    return {str(path.relative_to(PROJECT)): path.read_text(encoding="utf-8") for path in files}
