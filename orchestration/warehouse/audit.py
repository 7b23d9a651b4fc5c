"""The audit record of the marts in the working database: that they passed every check, what they were built
from, and whether they are published.

Write, audit, publish: a run removes the record before it writes, and writes it again after all dbt models
were built and all tests passed. Publishing requires it, so no partial run, started by hand or left by a kill,
can publish unchecked marts. Once published, the record says so; a run with identical inputs then has nothing
to do.
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

    `made_from` is a digest of all inputs of its models. `snapshot` is the name of the published snapshot, and
    `database` the state of the working database then. `looked_at` and `left_behind` are digests of the
    sources as the run found them and of the files as it left them, `warnings` its warnings. All but the first
    two are empty until then.
    """

    run_id: str
    made_from: str
    snapshot: str = ""
    database: str = ""
    looked_at: str = ""
    left_behind: str = ""
    warnings: tuple[str, ...] = ()


def begin_writing(settings: Settings) -> None:
    """Remove the record: from now on the working marts count as unchecked."""
    _path(settings).unlink(missing_ok=True)


def passed(settings: Settings, run_id: str, made_from: str) -> None:
    """Write the record of the run that built all marts and passed all tests."""
    _write(settings, Audit(run_id, made_from))


def published(settings: Settings, snapshot: str, database: str) -> None:
    """Record that the marts are published, as the snapshot of this name."""
    _write(settings, replace(_required(settings), snapshot=snapshot, database=database))


def finished(settings: Settings, looked_at: str, left_behind: str, warnings: tuple[str, ...]) -> None:
    """Record that a whole run succeeded, with its sources, files and warnings."""
    audit = _required(settings)
    _write(settings, replace(audit, looked_at=looked_at, left_behind=left_behind, warnings=warnings))


def require_passed(settings: Settings) -> None:
    """Raise `NotAuditedError` unless there is a record."""
    _required(settings)


def last(settings: Settings) -> Audit | None:
    """The record, or None if the marts are unchecked or an older program wrote it."""
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
    """Make dbt's tests in the block check all days, if requested, not only those of the run."""
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
