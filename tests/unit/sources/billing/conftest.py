"""Both kinds of store, empty, and a landing folder."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

# Test folders are no packages; this makes the bills importable by the tests beside them.
_SPEC = importlib.util.spec_from_file_location("bills", Path(__file__).with_name("bills.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
if "bills" not in sys.modules:
    sys.modules["bills"] = importlib.util.module_from_spec(_SPEC)
    _SPEC.loader.exec_module(sys.modules["bills"])


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    import bills

    if request.param == "folder":
        return bills.FolderStore(tmp_path / "store")
    return bills.S3Store(request.getfixturevalue("s3_client"), request.getfixturevalue("bucket"))


@pytest.fixture
def landing(tmp_path: Path) -> Path:
    return tmp_path / "landing"
