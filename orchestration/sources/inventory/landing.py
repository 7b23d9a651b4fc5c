"""Snapshots of resources, by API and by file -> landed versions.

What belongs here: putting the two together. What does not: asking (`collect.py`), reading files
(`snapshot_files.py`), and comparing snapshots (`sources/landing/versions.py`).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from orchestration.settings import InventoryAccess
from orchestration.sources.files.rows import find_files
from orchestration.sources.inventory import landed
from orchestration.sources.inventory.collect import ScopeAnswer, ask_accounts
from orchestration.sources.inventory.snapshot_files import read_snapshots
from orchestration.sources.landing.processed_files import new_files, remember_files, write_refused
from orchestration.sources.landing.versions import Changes, take_in
from orchestration.sources.locations import Location

_TAGS = pa.map_(pa.string(), pa.string())
_RELATIONSHIPS = pa.list_(
    pa.struct(
        [
            ("relationship", pa.string()),
            ("related_resource_id", pa.string()),
            ("since", pa.timestamp("us")),
        ]
    )
)
_OBSERVED = pa.schema(
    [
        ("resource_id", pa.string()),
        ("scope", pa.string()),
        ("account_id", pa.string()),
        ("region_id", pa.string()),
        ("resource_type", pa.string()),
        ("resource_arn", pa.string()),
        ("resource_name", pa.string()),
        ("tags", _TAGS),
        ("attributes", _TAGS),
        ("relationships", _RELATIONSHIPS),
        ("created_at", pa.timestamp("us")),
    ]
)


@dataclass(frozen=True)
class InventoryLanding:
    """What was landed: what changed, what could not be asked, and what of the files was set aside."""

    path: Path
    changes: Changes
    scopes_asked: int
    failures: tuple[str, ...]
    files_read: tuple[str, ...]
    ignored: tuple[str, ...]
    refused: dict[str, int]


def land_inventory(
    location: Location,
    accounts: Sequence[InventoryAccess],
    landing: Path,
    now: datetime,
    endpoint_url: str | None = None,
) -> InventoryLanding:
    """Ask the accounts, read the new files, and add what is new, different or gone to the landed versions.

    `now` is the time of what the accounts answer. A place that refuses is set aside and reported; it raises
    nothing. Raises `LocationError` when the location of the files refuses.
    """
    landed.ensure_landing(landing)
    history = landed.history(landing)
    files = find_files(location)
    fresh = new_files(location, files.rows, landed.files_file(landing))
    asked = ask_accounts(accounts, endpoint_url)
    with duckdb.connect() as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("SET TimeZone = 'UTC'")
        read_snapshots(connection, location, fresh, Path(folder))
        _add_answers(connection, asked.answers, now)
        changes = take_in(connection, history)
        refused = write_refused(connection, location, files.rows, fresh, landed.refused_file(landing))
    remember_files(location, files.rows, landed.files_file(landing))
    return InventoryLanding(
        path=history.versions,
        changes=changes,
        scopes_asked=len(asked.answers),
        failures=asked.failures,
        files_read=tuple(location.describe(stored.key) for stored in fresh),
        ignored=tuple(location.describe(stored.key) for stored in files.ignored),
        refused=refused,
    )


def _add_answers(
    connection: duckdb.DuckDBPyConnection, answers: Iterable[ScopeAnswer], now: datetime
) -> None:
    """Add what accounts answered to the tables that `take_in` reads."""
    answers = list(answers)
    moment = now.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    scopes = pa.table(
        {
            "scope": pa.array([answer.scope for answer in answers], pa.string()),
            "is_complete": pa.array([answer.failure is None for answer in answers], pa.bool_()),
            "row_count": pa.array([len(answer.resources) for answer in answers], pa.int64()),
            "detail": pa.array([answer.failure for answer in answers], pa.string()),
        }
    )
    observed = pa.Table.from_pylist(list(_rows(answers)), schema=_OBSERVED)
    connection.register("scopes_asked", scopes)
    connection.register("resources_found", observed)
    connection.execute(
        "INSERT INTO scopes BY NAME SELECT $moment AS snapshot_time, * FROM scopes_asked", {"moment": moment}
    )
    # Of a resource that several scopes name, the service that describes it knows most.
    connection.execute(
        """
        INSERT INTO observed BY NAME
        SELECT $moment AS snapshot_time, * REPLACE (list_sort(relationships) AS relationships)
        FROM resources_found
        QUALIFY row_number() OVER (PARTITION BY resource_id ORDER BY ends_with(scope, '/tagged'), scope) = 1
        """,
        {"moment": moment},
    )


def _rows(answers: Iterable[ScopeAnswer]) -> Iterable[dict[str, Any]]:
    for answer in answers:
        for resource in answer.resources:
            yield {
                **asdict(resource),
                "scope": answer.scope,
                "account_id": answer.place.account_id,
                "region_id": answer.place.region,
                "tags": sorted(resource.tags.items()),
                "attributes": sorted(resource.attributes.items()),
            }
