"""The job as `cpc run` does it, for a process of its own.

What belongs here: running the job. What does not: its clock (`measure.py`).
"""

from __future__ import annotations

import io

from rich.console import Console

from orchestration.run import run_job
from orchestration.settings import Settings


def run_the_job(settings: Settings) -> None:
    """Run it once; raises with what it printed when it did not succeed."""
    printed = io.StringIO()
    if not run_job(settings, console=Console(file=printed, width=200)):
        raise RuntimeError(printed.getvalue())
