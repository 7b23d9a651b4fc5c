"""Land deployment reports in one Parquet file, replaced as a whole.

Files are JSONL, CSV or Parquet with deployed_at (or time) and service, and optionally version, environment,
link and description.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from orchestration.sources.files.rows import (
    READ_ERROR,
    REJECTED_COLUMNS,
    Kind,
    find_files,
    judge,
    not_a_time,
    read_rows,
    reading_rows,
    time_of,
)
from orchestration.sources.landing.parquet import ensure_landed, row_count, write_landed
from orchestration.sources.landing.processed_files import write_rejected
from orchestration.sources.locations import Location
from orchestration.sources.source import Landed, LandingRequest, rejected_rows

_LANDED = {
    "deployed_at": "TIMESTAMP",
    "service": "VARCHAR",
    "version": "VARCHAR",
    "environment": "VARCHAR",
    "link": "VARCHAR",
    "description": "VARCHAR",
}
_READ: dict[str, Kind] = {**dict.fromkeys(_LANDED, "text"), "time": "text"}
_PARSED = f"""
    SELECT
        *,
        row_number() OVER alike AS place_among_alike,
        first_value(location || ' row ' || file_row) OVER alike AS first_place
    FROM (
        SELECT * REPLACE (coalesce(deployed_at, time) AS deployed_at),
            {time_of("coalesce(deployed_at, time)")} AS moment
        FROM given
    )
    WINDOW alike AS (PARTITION BY moment, service, version, environment ORDER BY location, file_row)
"""
_RULES = (
    READ_ERROR,
    ("deployed-at-missing", "deployed_at IS NULL", "'deployed_at is missing'"),
    not_a_time("deployed_at", "moment"),
    ("service-missing", "service IS NULL", "'service is missing'"),
    (
        "link-not-http",
        "NOT regexp_matches(link, '^https?:[/][/][^ ]+$')",
        "'link ''' || link || ''' is not an address that begins with http:// or https://'",
    ),
    (
        "reported-twice",
        "place_among_alike > 1",
        "'the deployment of ' || service || ' at ' || deployed_at || ' is reported already, in ' "
        "|| first_place",
    ),
)


@dataclass(frozen=True)
class DeploymentsLanding:
    """What was landed: `changed`: whether the file was written; `rejected`: rejected rows by reason."""

    path: Path
    deployments: int
    changed: bool
    files: tuple[str, ...]
    ignored: tuple[str, ...]
    rejected: dict[str, int]


def deployments_file(landing: Path) -> Path:
    """One row per deployment."""
    return landing / "deployments" / "deployments.parquet"


def rejected_file(landing: Path) -> Path:
    """Rejected rows."""
    return landing / "deployments" / "rejected.parquet"


def ensure_landing(landing: Path) -> None:
    """Create the files, without rows, if they are missing."""
    ensure_landed(deployments_file(landing), _LANDED)
    ensure_landed(rejected_file(landing), REJECTED_COLUMNS)


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the reports in the deployments' location."""
    settings = request.settings
    landing = land_deployments(
        request.open_location(settings.location_of("deployments")), settings.landing_folder
    )
    yield Landed(
        "deployments",
        {
            "dagster/row_count": landing.deployments,
            "changed": landing.changed,
            "files": landing.files,
            "ignored": landing.ignored,
            "path": landing.path,
        },
    )
    yield rejected_rows("deployments_rejected", landing.rejected, passed=not landing.rejected)


def land_deployments(location: Location, landing: Path) -> DeploymentsLanding:
    """Land all deployments of the location, one row each; malformed rows are rejected.

    Raises `LocationError` if the location cannot be read.
    """
    ensure_landing(landing)
    path = deployments_file(landing)
    files = find_files(location)
    with reading_rows(_READ) as (connection, folder):
        for stored in files.rows:
            read_rows(connection, location, stored, _READ, folder)
        judge(connection, _PARSED, _RULES)
        changed = write_landed(
            connection,
            "SELECT moment AS deployed_at, service, version, environment, link, description FROM judged "
            "WHERE reason IS NULL ORDER BY ALL",
            path,
        )
        rejected = write_rejected(connection, location, files.rows, files.rows, rejected_file(landing))
    return DeploymentsLanding(
        path=path,
        deployments=row_count(path),
        changed=changed,
        files=tuple(location.describe(stored.key) for stored in files.rows),
        ignored=tuple(location.describe(stored.key) for stored in files.ignored),
        rejected=rejected,
    )
