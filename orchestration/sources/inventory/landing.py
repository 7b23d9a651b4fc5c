"""Land resources, from AWS APIs and from files, as versions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from orchestration.settings import InventoryAccess
from orchestration.sources.inventory import INVENTORY
from orchestration.sources.inventory.collect import ScopeAnswer, ask_accounts
from orchestration.sources.inventory.snapshot_rows import RESOURCE_VERSIONS
from orchestration.sources.landing.snapshots import Answer, SnapshotLanding, landed_snapshots
from orchestration.sources.locations import Location
from orchestration.sources.source import Landed, LandingRequest

ensure_landing = RESOURCE_VERSIONS.ensure_landing


def land(request: LandingRequest) -> Iterator[Landed]:
    """Land the files in the inventory's location, and the accounts' answers."""
    settings = request.settings
    landing = land_inventory(
        request.open_location(settings.location_of("inventory")),
        settings.inventory_accounts,
        settings.landing_folder,
        request.now,
        settings.aws_endpoint_url,
    )
    return landed_snapshots(INVENTORY, landing, request)


def land_inventory(
    location: Location,
    accounts: Sequence[InventoryAccess],
    landing: Path,
    now: datetime,
    endpoint_url: str | None = None,
) -> SnapshotLanding:
    """Query the accounts, read new files, and add what is new, changed or gone to the versions."""
    asked = ask_accounts(accounts, endpoint_url)
    answers = [Answer(answer.scope, list(_rows(answer)), answer.failure) for answer in asked.answers]
    return RESOURCE_VERSIONS.land(location, landing, now, answers, asked.failures)


def _rows(answer: ScopeAnswer) -> Iterator[dict[str, Any]]:
    for resource in answer.resources:
        yield {
            **asdict(resource),
            "account_id": answer.place.account_id,
            "region_id": answer.place.region,
            "tags": sorted(resource.tags.items()),
            "attributes": sorted(resource.attributes.items()),
        }
