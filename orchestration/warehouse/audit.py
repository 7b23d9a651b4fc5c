"""Whether the marts as they stand in the working database have passed every check.

Write, audit, publish: a run takes the mark away before it writes and puts it back after all of dbt's models
were built and all of its tests passed. Publishing without the mark is refused, so that no part of a run,
started by hand or left by a kill, can bring unchecked marts to readers.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orchestration.settings import Settings
from orchestration.working_database import open_warehouse

CHECK_ALL_TAG = "cost_per_customer/check_all"
"""Tag of a run whose tests look at all days."""


class NotAuditedError(Exception):
    """The marts were written since they last passed every check."""


def begin_writing(settings: Settings) -> None:
    """Take the mark away: from now on the working marts count as unchecked."""
    _mark(settings).unlink(missing_ok=True)


def passed(settings: Settings, run_id: str) -> None:
    """Put the mark up for the run that built all marts and passed all tests."""
    mark = _mark(settings)
    unfinished = mark.with_suffix(f".{os.getpid()}")
    unfinished.write_text(run_id, encoding="utf-8")
    unfinished.replace(mark)


def require_passed(settings: Settings) -> None:
    """Raise `NotAuditedError` unless the mark is up."""
    if not _mark(settings).is_file():
        raise NotAuditedError(
            f"The marts in {settings.warehouse_file} have not passed every check since they were last "
            "written. Run the whole job (cpc run, or daily_costs in Dagster); it publishes at its end."
        )


@contextmanager
def full_check(settings: Settings, *, asked: bool) -> Iterator[None]:
    """Have the tests that dbt runs in the block look at all days, if asked, not only at those it makes."""
    if not asked:
        yield
        return
    with open_warehouse(settings, read_only=False) as warehouse:
        warehouse.execute("create schema if not exists built")
        warehouse.execute("create table if not exists built.full_checks (asked_at timestamp not null)")
        warehouse.execute("insert into built.full_checks values (now()::timestamp)")
    try:
        yield
    finally:
        with open_warehouse(settings, read_only=False) as warehouse:
            warehouse.execute("delete from built.full_checks")


def _mark(settings: Settings) -> Path:
    return settings.warehouse_file.with_name(f"{settings.warehouse_file.name}.checked")
