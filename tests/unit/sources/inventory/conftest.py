"""An estate on an AWS API server, built once, and what is landed of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
import requests

from orchestration.settings import PROJECT_ROOT, InventoryAccess
from orchestration.sources.inventory.landing import land_inventory
from orchestration.sources.inventory.snapshot_rows import RESOURCE_VERSIONS
from orchestration.sources.landing.snapshots import SnapshotLanding
from orchestration.sources.locations import FolderLocation
from tests.unit.sources.inventory.estate import REGION, Ids, build_estate


@pytest.fixture(scope="session")
def policy() -> dict[str, Any]:
    """The policy that docs/signals.md asks for."""
    page = (PROJECT_ROOT / "docs" / "signals.md").read_text(encoding="utf-8")
    found = re.search(r"```json\n(\{\s*\"Version\".*?)```", page, re.DOTALL)
    assert found, "docs/signals.md has no policy"
    document: dict[str, Any] = json.loads(found[1])
    return document


@pytest.fixture(scope="session")
def estate(s3_endpoint: str, policy: dict[str, Any]) -> Ids:
    return build_estate(s3_endpoint, policy)


@pytest.fixture(scope="session")
def credentials(estate: Ids) -> Iterator[None]:
    """Who runs this, as boto3's usual chain finds it."""
    with pytest.MonkeyPatch.context() as environment:
        for name, value in estate.runner.items():
            environment.setenv(name, value)
        yield


@pytest.fixture
def held_to_policies(s3_endpoint: str) -> Callable[[], AbstractContextManager[None]]:
    """While it lasts the server refuses what no policy of the caller allows, as AWS does."""

    @contextmanager
    def held() -> Iterator[None]:
        requests.post(f"{s3_endpoint}/moto-api/reset-auth", data=b"0", timeout=10)
        try:
            yield
        finally:
            requests.post(f"{s3_endpoint}/moto-api/reset-auth", data=b"inf", timeout=10)

    return held


class Inventory:
    """Snapshots on one side, the landed versions on the other."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.landing = folder / "landing"
        self.endpoint = endpoint

    def land(self, *accounts: InventoryAccess, day: int = 1) -> SnapshotLanding:
        now = datetime(2026, 5, day, 6, tzinfo=UTC)
        return land_inventory(FolderLocation(self.files), accounts, self.landing, now, self.endpoint)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the landed files: `versions` and `snapshots`, `rejected`."""
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for name, path in (
                ("versions", RESOURCE_VERSIONS.versions_file(self.landing)),
                ("snapshots", RESOURCE_VERSIONS.snapshots_file(self.landing)),
                ("rejected", RESOURCE_VERSIONS.rejected_file(self.landing)),
            ):
                connection.execute(f"CREATE VIEW {name} AS FROM '{path}'")
            return connection.execute(query).fetchall()


@pytest.fixture
def inventory(tmp_path: Path, s3_endpoint: str) -> Inventory:
    return Inventory(tmp_path, s3_endpoint)


@pytest.fixture(scope="session")
def first_landing(
    tmp_path_factory: pytest.TempPathFactory, s3_endpoint: str, credentials: None
) -> tuple[Inventory, SnapshotLanding]:
    """What is found in the first account by who runs this, without any role. Not to be landed into."""
    inventory = Inventory(tmp_path_factory.mktemp("first"), s3_endpoint)
    return inventory, inventory.land(InventoryAccess(regions=(REGION,)))
