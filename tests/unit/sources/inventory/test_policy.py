"""The least-privilege policy of docs/signals.md: the code makes the calls that it allows, and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import botocore.session
import pytest

from orchestration.settings import AwsAccess, InventoryAccess
from orchestration.sources.accounts.landing import land_accounts
from orchestration.sources.inventory.landing import land_inventory
from orchestration.sources.locations import FolderLocation
from orchestration.sources.s3_location import S3Location
from tests.unit.sources.inventory.estate import REGION, Ids

# boto3's names of services and operations that IAM calls otherwise; asking who one is needs no permission.
SERVICES = {
    "elastic load balancing": "elasticloadbalancing",
    "elastic load balancing v2": "elasticloadbalancing",
    "resource groups tagging api": "tag",
}
OPERATIONS = {
    "s3:ListObjectsV2": {"s3:ListBucket"},
    "s3:HeadObject": {"s3:GetObject"},
    "sts:GetCallerIdentity": set(),
}


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The IAM actions of every call that boto3 makes meanwhile, by an event of botocore's."""
    made: set[str] = set()

    def note(model: Any, **_: Any) -> None:
        service = model.service_model.service_id.lower()
        call = f"{SERVICES.get(service, service)}:{model.name}"
        made.update(OPERATIONS.get(call, {call}))

    make_session = botocore.session.Session.__init__

    def make_noting_session(session: Any, *arguments: Any, **options: Any) -> None:
        make_session(session, *arguments, **options)
        session.register("before-call.*.*", note)

    monkeypatch.setattr(botocore.session.Session, "__init__", make_noting_session)
    return made


def test_the_calls_of_the_code_are_those_of_the_policy(
    policy: dict[str, Any],
    estate: Ids,
    credentials: None,
    calls: set[str],
    s3_endpoint: str,
    bucket: str,
    tmp_path: Path,
) -> None:
    files = S3Location(boto3.Session().client("s3", endpoint_url=s3_endpoint), bucket, "files")
    other_bucket = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        region_name="us-east-1",
    )
    other_bucket.put_object(Bucket=bucket, Key="files/notes.json", Body=b"{}")
    organization(s3_endpoint)
    calls.clear()

    list(files.list())
    files.read("notes.json")
    files.fetch("notes.json", tmp_path / "fetched")
    (tmp_path / "none").mkdir()
    nothing = FolderLocation(tmp_path / "none")
    now = datetime(2026, 5, 1, tzinfo=UTC)
    inventory = land_inventory(
        nothing,
        [InventoryAccess(role_arn=estate.roles[estate.account], regions=(REGION,))],
        tmp_path / "landing",
        now,
        s3_endpoint,
    )
    accounts = land_accounts(nothing, AwsAccess(), tmp_path / "landing", now, s3_endpoint)

    assert (inventory.failures, accounts.failures) == ((), ())
    actions = [statement["Action"] for statement in policy["Statement"]]
    allowed = {one for action in actions for one in ([action] if isinstance(action, str) else action)}
    assert calls == allowed


def organization(endpoint: str) -> None:
    """An organization with a unit and an account in it, on the server, unless it is there."""
    client = boto3.client(
        "organizations",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_organization(FeatureSet="ALL")
    [root] = client.list_roots()["Roots"]
    client.create_organizational_unit(ParentId=root["Id"], Name="Workloads")
