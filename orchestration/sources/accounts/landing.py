"""Snapshots of accounts, from the organization and from files -> landed versions.

What belongs here: putting the two together. What does not: asking (`organization.py`), reading files
(`account_files.py`), and comparing snapshots (`sources/landing/versions.py`).
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.settings import AwsAccess
from orchestration.sources.accounts import landed
from orchestration.sources.accounts.account_files import read_account_lists
from orchestration.sources.accounts.organization import OrganizationAnswer, ask_organization
from orchestration.sources.files.rows import find_files
from orchestration.sources.landing.processed_files import new_files, remember_files, write_refused
from orchestration.sources.landing.versions import Changes, take_in
from orchestration.sources.locations import Location

_OBSERVED = pa.schema(
    [
        ("account_id", pa.string()),
        ("account_name", pa.string()),
        ("organizational_unit_path", pa.string()),
        ("tags", pa.map_(pa.string(), pa.string())),
    ]
)


@dataclass(frozen=True)
class AccountsLanding:
    """What was landed: what changed, why the organization did not answer, and what was set aside of files."""

    path: Path
    changes: Changes
    failures: tuple[str, ...]
    files_read: tuple[str, ...]
    ignored: tuple[str, ...]
    refused: dict[str, int]


def land_accounts(
    location: Location,
    organization: AwsAccess | None,
    landing: Path,
    now: datetime,
    endpoint_url: str | None = None,
) -> AccountsLanding:
    """Ask the organization, read the new files, and add what is new, different or gone to the versions.

    An organization that refuses is set aside and reported; it raises nothing. Raises `LocationError` when
    the location of the files refuses.
    """
    landed.ensure_landing(landing)
    history = landed.history(landing)
    files = find_files(location)
    fresh = new_files(location, files.rows, landed.files_file(landing))
    answer = ask_organization(organization, endpoint_url) if organization else None
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        read_account_lists(connection, location, fresh, Path(folder))
        if answer:
            _add_answer(connection, answer, now)
        changes = take_in(connection, history)
        refused = write_refused(connection, location, files.rows, fresh, landed.refused_file(landing))
    remember_files(location, files.rows, landed.files_file(landing))
    return AccountsLanding(
        path=history.versions,
        changes=changes,
        failures=(answer.failure,) if answer and answer.failure else (),
        files_read=tuple(location.describe(stored.key) for stored in fresh),
        ignored=tuple(location.describe(stored.key) for stored in files.ignored),
        refused=refused,
    )


def _add_answer(connection: duckdb.DuckDBPyConnection, answer: OrganizationAnswer, now: datetime) -> None:
    """Add what the organization answered to the tables that `take_in` reads."""
    moment = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    rows = [
        {
            "account_id": account.account_id,
            "account_name": account.account_name,
            "organizational_unit_path": account.organizational_unit_path,
            "tags": sorted(account.tags.items()),
        }
        for account in answer.accounts
    ]
    connection.register("accounts_found", pa.Table.from_pylist(rows, schema=_OBSERVED))
    connection.execute(
        "INSERT INTO scopes BY NAME SELECT $moment AS snapshot_time, $scope AS scope, "
        "$complete AS is_complete, $rows AS row_count, $detail AS detail",
        {
            "moment": moment,
            "scope": answer.scope,
            "complete": answer.failure is None,
            "rows": len(rows),
            "detail": answer.failure,
        },
    )
    connection.execute(
        "INSERT INTO observed BY NAME "
        "SELECT $moment AS snapshot_time, $scope AS scope, * FROM accounts_found",
        {"moment": moment, "scope": answer.scope},
    )
