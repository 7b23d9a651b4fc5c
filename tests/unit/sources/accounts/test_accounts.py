"""Accounts, from an organization on a real API server and from files."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import duckdb
import pytest

from orchestration.settings import AwsAccess
from orchestration.sources.accounts.landing import ACCOUNT_VERSIONS, land_accounts
from orchestration.sources.landing.snapshots import SnapshotLanding
from orchestration.sources.locations import FolderLocation


class Accounts:
    """Lists on one side, the landed versions on the other."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        self.files = folder / "files"
        self.files.mkdir()
        self.landing = folder / "landing"
        self.endpoint = endpoint

    def land(self, organization: AwsAccess | None = None, day: int = 1) -> SnapshotLanding:
        now = datetime(2026, 5, day, 6, tzinfo=UTC)
        return land_accounts(FolderLocation(self.files), organization, self.landing, now, self.endpoint)

    def rows(self) -> list[tuple[Any, ...]]:
        with duckdb.connect() as connection:
            return connection.execute(
                "SELECT account_id, account_name, organizational_unit_path, tags, is_present, "
                f"observed_at::VARCHAR FROM '{ACCOUNT_VERSIONS.versions_file(self.landing)}' "
                "ORDER BY account_id, observed_at"
            ).fetchall()


@pytest.fixture
def accounts(tmp_path: Path, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Accounts:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    return Accounts(tmp_path, s3_endpoint)


def test_accounts_of_an_organization_have_their_place_and_their_tags(accounts: Accounts) -> None:
    # An account of its own, for another test may have made an organization in the server's first one.
    role = AwsAccess(role_arn="arn:aws:iam::555555555555:role/accounts", external_id="nw-7")
    assumed = boto3.client("sts", endpoint_url=accounts.endpoint, region_name="us-east-1").assume_role(
        RoleArn=role.role_arn, RoleSessionName="test"
    )["Credentials"]
    client = boto3.client(
        "organizations",
        endpoint_url=accounts.endpoint,
        region_name="us-east-1",
        aws_access_key_id=assumed["AccessKeyId"],
        aws_secret_access_key=assumed["SecretAccessKey"],
        aws_session_token=assumed["SessionToken"],
    )
    landing = accounts.land(role)
    [failure] = landing.failures
    assert failure.startswith("organization of account 555555555555, ListRoots failed: ")
    assert accounts.rows() == []

    client.create_organization(FeatureSet="ALL")
    [root] = client.list_roots()["Roots"]
    workloads = client.create_organizational_unit(ParentId=root["Id"], Name="Workloads")["OrganizationalUnit"]
    production = client.create_organizational_unit(ParentId=workloads["Id"], Name="Production")
    made = client.create_account(
        Email="search@example.com", AccountName="search", Tags=[{"Key": "Team", "Value": "Search"}]
    )["CreateAccountStatus"]["AccountId"]
    landing = accounts.land(role, day=2)
    assert landing.failures == ()
    of_search = [row for row in accounts.rows() if row[0] == made]
    first = (made, "search", "Root", {"Team": "Search"}, True, "2026-05-02 06:00:00")
    assert of_search == [first]

    client.move_account(
        AccountId=made,
        SourceParentId=root["Id"],
        DestinationParentId=production["OrganizationalUnit"]["Id"],
    )
    changes = accounts.land(role, day=3).changes
    assert (changes.new, changes.changed, changes.gone) == (0, 1, 0)
    moved = (made, "search", "Root/Workloads/Production", {"Team": "Search"}, True, "2026-05-03 06:00:00")
    assert [row for row in accounts.rows() if row[0] == made] == [first, moved]
    assert not accounts.land(role, day=4).changes.any


def test_a_list_without_times_says_what_is_so_since_it_came(accounts: Accounts) -> None:
    path = accounts.files / "accounts.csv"
    path.write_text(
        "account_id,account_name,organizational_unit_path,tags,owner\n"
        '011254002932,nw-data,Root/Data,"{""team"": ""data""}",x\n333333333333,nw-old,,,\n'
    )
    # What a list says holds since the time of its file; the next one has to be of a later time.
    came = path.stat().st_mtime - 3600
    os.utime(path, (came, came))
    accounts.land()
    assert [row[:5] for row in accounts.rows()] == [
        ("011254002932", "nw-data", "Root/Data", {"team": "data"}, True),
        ("333333333333", "nw-old", None, {}, True),
    ]
    path.write_text("account_id,account_name\n011254002932,nw-data-2\n")
    changes = accounts.land().changes
    assert (changes.present, changes.changed, changes.gone) == (1, 1, 1)


def test_a_file_of_windows_1252_is_read_as_it(accounts: Accounts) -> None:
    (accounts.files / "a.jsonl").write_bytes('{"account_id": "7", "account_name": "Café"}\n'.encode("cp1252"))
    accounts.land()
    assert [row[:2] for row in accounts.rows()] == [("7", "Café")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",x,", "account-id-missing"),
        ("1,x,2026-13-01", "snapshot-time-format"),
        ("1,x", "misshapen"),
        ("7,again,2026-05-01", "account-twice"),
    ],
)
def test_a_bad_row_is_rejected(accounts: Accounts, line: str, reason: str) -> None:
    (accounts.files / "a.csv").write_text(
        f"account_id,account_name,snapshot_time\n7,seven,2026-05-01\n{line}\n"
    )
    landing = accounts.land()
    assert landing.rejected == {reason: 1}
    assert [row[:2] for row in accounts.rows()] == [("7", "seven")]


def test_a_role_that_cannot_be_assumed_is_named(accounts: Accounts) -> None:
    rejected = AwsAccess(role_arn="no-arn-but-twenty-letters")
    accounts.endpoint = "http://127.0.0.1:9"
    [failure] = accounts.land(rejected).failures
    assert failure.startswith("no-arn-but-twenty-letters cannot be assumed: ")
    assert "allow sts:AssumeRole on it" in failure
