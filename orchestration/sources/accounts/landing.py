"""Land lists of accounts, from the organization and from files, as versions.

Files are CSV, JSONL or Parquet, one account per row. A file without `snapshot_time` is valid from the time it
was placed there. docs/signals.md describes the format.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from orchestration.settings import AwsAccess
from orchestration.sources.accounts import ACCOUNTS
from orchestration.sources.accounts.organization import ask_organization
from orchestration.sources.files.rows import READ_ERROR, not_a_time, not_texts, texts_of, time_of
from orchestration.sources.landing.parquet import TAGS
from orchestration.sources.landing.snapshots import SnapshotLanding, Snapshots, landed_snapshots
from orchestration.sources.locations import Location
from orchestration.sources.source import Landed, LandingRequest

ACCOUNT_VERSIONS = Snapshots(
    folder="accounts",
    versions="account_versions",
    key="account_id",
    content={
        "scope": "VARCHAR",
        "account_name": "VARCHAR",
        "organizational_unit_path": "VARCHAR",
        "tags": TAGS,
    },
    file_columns={
        "snapshot_time": "text",
        "account_id": "text",
        "account_name": "text",
        "organizational_unit_path": "text",
        "tags": "json",
    },
    parsed=f"""
        CASE
            WHEN snapshot_time IS NULL THEN date_trunc('second', modified)
            ELSE {time_of("snapshot_time")}
        END AS moment,
        {texts_of("tags")} AS tag_map
    """,
    rules=(
        READ_ERROR,
        ("account-id-missing", "account_id IS NULL", "'account_id is missing'"),
        not_a_time("snapshot_time", "moment"),
        not_texts("tags", "tag_map"),
        (
            "account-twice",
            "place_in_snapshot > 1",
            "'account ' || account_id || ' is already in this snapshot; the first row counts'",
        ),
    ),
    observed=f"account_name, organizational_unit_path, coalesce(tag_map, MAP([], []))::{TAGS} AS tags",
)
ensure_landing = ACCOUNT_VERSIONS.ensure_landing


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the lists in the accounts' location, and the organization's answer."""
    settings = request.settings
    landing = land_accounts(
        request.open_location(settings.location_of("accounts")),
        settings.organization,
        settings.landing_folder,
        request.now,
        settings.aws_endpoint_url,
    )
    return landed_snapshots(ACCOUNTS, landing, request)


def land_accounts(
    location: Location,
    organization: AwsAccess | None,
    landing: Path,
    now: datetime,
    endpoint_url: str | None = None,
) -> SnapshotLanding:
    """Query the organization, read new files, and add what is new, changed or gone to the versions."""
    answers = [ask_organization(organization, endpoint_url)] if organization else []
    failures = [answer.failure for answer in answers if answer.failure]
    return ACCOUNT_VERSIONS.land(location, landing, now, answers, failures)
