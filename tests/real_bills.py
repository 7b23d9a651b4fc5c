"""Where the real bills lie that tests read: the folder that CPC_SHARED_DATA names, else ../shared/data.

They are not part of the project. Without the folder their tests are skipped, and the end of the test run says
so; with it, a file that is missing fails its test.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

DATA = Path(os.environ.get("CPC_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
ABSENT = None if DATA.is_dir() else f"no real bills: {DATA} is not a folder; CPC_SHARED_DATA names another"
needs_real_bills = pytest.mark.skipif(ABSENT is not None, reason=str(ABSENT))
