"""What is known of the marts as they stand in the working database: that they passed every check, what they
were made from, and that readers have them.

Write, audit, publish: a run takes the record away before it writes, and puts it back after all of dbt's
models were built and all of its tests passed. Publishing without it is refused, so that no part of a run,
started by hand or left by a kill, can bring unchecked marts to readers. Once readers have them, the record
says so; a run that would make them from the very same things has nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from orchestration.settings import ExpectedError, Settings
from orchestration.warehouse.files import write_file
from orchestration.warehouse.working_database import open_warehouse

CHECK_ALL_TAG = "cost_per_customer/check_all"
"""Tag of a run whose tests look at all days."""


class NotAuditedError(ExpectedError):
    """The marts were written since they last passed every check."""


@dataclass(frozen=True)
class Audit:
    """The run whose marts passed every check.

    `made_from` is a digest of all that its models read. `snapshot` is the name of what readers got of it, and
    `database` the state of the working database then. `looked_at` and `left_behind` are digests of the
    sources as the run found them and of the files as it left them, `warnings` what it told. All but the first
    two are empty until that is done.
    """

    run_id: str
    made_from: str
    snapshot: str = ""
    database: str = ""
    looked_at: str = ""
    left_behind: str = ""
    warnings: tuple[str, ...] = ()


def begin_writing(settings: Settings) -> None:
    """Take the record away: from now on the working marts count as unchecked."""
    _path(settings).unlink(missing_ok=True)


def passed(settings: Settings, run_id: str, made_from: str) -> None:
    """Put up the record of the run that built all marts and passed all tests."""
    _write(settings, Audit(run_id, made_from))


def published(settings: Settings, snapshot: str, database: str) -> None:
    """Note that readers have the marts, as the snapshot of this name."""
    _write(settings, replace(_required(settings), snapshot=snapshot, database=database))


def finished(settings: Settings, looked_at: str, left_behind: str, warnings: tuple[str, ...]) -> None:
    """Note that a whole run has ended well, on which sources, leaving which files, telling what."""
    audit = _required(settings)
    _write(settings, replace(audit, looked_at=looked_at, left_behind=left_behind, warnings=warnings))


def require_passed(settings: Settings) -> None:
    """Raise `NotAuditedError` unless there is a record."""
    _required(settings)


def last(settings: Settings) -> Audit | None:
    """The record, None when there is none: the marts are unchecked, or an older program wrote it."""
    path = _path(settings)
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        return Audit(**{**known, "warnings": tuple(known["warnings"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _required(settings: Settings) -> Audit:
    audit = last(settings)
    if audit is None:
        raise NotAuditedError(
            f"The marts in {settings.warehouse_file} have not passed every check since they were last "
            "written. Run the whole job (cpc run, or daily_costs in Dagster); it publishes at its end."
        )
    return audit


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


def _write(settings: Settings, audit: Audit) -> None:
    write_file(_path(settings), json.dumps(asdict(audit)))


def _path(settings: Settings) -> Path:
    return settings.warehouse_file.with_name(f"{settings.warehouse_file.name}.checked")
