from __future__ import annotations

import os
from datetime import UTC
from pathlib import Path
from typing import Any

import boto3
import pytest
from obstore.store import S3Store

from orchestration.sources.locations import (
    FolderLocation,
    Location,
    LocationError,
    ObjectMissingError,
    open_location,
)
from orchestration.sources.object_store_location import ObjectStoreLocation
from orchestration.sources.s3_location import S3Location

CONTENTS = {
    "a/1.csv": b"one",
    "a/b/2.csv": b"two",
    "a.txt": b"three",
    "z/ü 3.csv": b"four",
}


def no_client() -> Any:
    raise AssertionError("a folder needs no S3 client")


@pytest.fixture(params=["folder", "s3", "object store"])
def location(request: pytest.FixtureRequest, tmp_path: Path, s3_client: Any, bucket: str) -> Location:
    if request.param == "folder":
        for key, content in CONTENTS.items():
            path = tmp_path / "root" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return open_location(str(tmp_path / "root"), no_client)
    for key, content in CONTENTS.items():
        s3_client.put_object(Bucket=bucket, Key=f"base/{key}", Body=content)
    s3_client.put_object(Bucket=bucket, Key="base/empty/", Body=b"")
    s3_client.put_object(Bucket=bucket, Key="baseball/other.csv", Body=b"not below the prefix")
    if request.param == "object store":  # the library of gs:// and az://, on the server that there is
        return object_store(s3_client, bucket, "base")
    return open_location(f"s3://{bucket}/base/", lambda: s3_client)


def object_store(client: Any, bucket: str, prefix: str) -> ObjectStoreLocation:
    endpoint = {"endpoint": client.meta.endpoint_url, "client_options": {"allow_http": True}}
    keys = {"access_key_id": "x", "secret_access_key": "x", "region": "us-east-1"}
    return ObjectStoreLocation(S3Store(bucket, prefix=prefix, **endpoint, **keys), f"gs://{bucket}/{prefix}/")


def test_lists_all_depths_sorted_by_key(location: Location) -> None:
    found = list(location.list())
    assert [stored.key for stored in found] == sorted(CONTENTS)
    assert [stored.size for stored in found] == [len(CONTENTS[key]) for key in sorted(CONTENTS)]
    assert all(stored.modified.tzinfo is UTC for stored in found)


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("a", ["a.txt", "a/1.csv", "a/b/2.csv"]),
        ("a/", ["a/1.csv", "a/b/2.csv"]),
        ("a/b/2", ["a/b/2.csv"]),
        ("nothing/here", []),
    ],
)
def test_lists_by_prefix_as_s3_does(location: Location, prefix: str, keys: list[str]) -> None:
    assert [stored.key for stored in location.list(prefix)] == keys


def test_reads_and_fetches(location: Location, tmp_path: Path) -> None:
    for key, content in CONTENTS.items():
        assert location.read(key) == content
        path = location.fetch(key, tmp_path / "fetched")
        assert path.read_bytes() == content
        assert path.suffix == Path(key).suffix


def test_says_which_object_is_missing(location: Location, tmp_path: Path) -> None:
    for read in (location.read, lambda key: location.fetch(key, tmp_path)):
        with pytest.raises(ObjectMissingError, match=r"a/9\.csv does not exist"):
            read("a/9.csv")


def test_version_changes_with_the_content(s3_client: Any, bucket: str, tmp_path: Path) -> None:
    s3_client.put_object(Bucket=bucket, Key="k", Body=b"1")
    (tmp_path / "k").write_bytes(b"1")
    locations: list[Location] = [S3Location(s3_client, bucket), FolderLocation(tmp_path)]
    before = [next(location.list()).version for location in locations]
    assert before == [next(location.list()).version for location in locations]
    s3_client.put_object(Bucket=bucket, Key="k", Body=b"22")
    (tmp_path / "k").write_bytes(b"22")
    after = [next(location.list()).version for location in locations]
    assert all(old != new for old, new in zip(before, after, strict=True))


def test_hidden_files_are_not_seen_and_links_do_not_loop(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "bill.csv").write_bytes(b"1")
    (tmp_path / "real" / ".part.csv").write_bytes(b"1")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.csv").write_bytes(b"1")
    (tmp_path / "real" / "loop").symlink_to(tmp_path)
    assert [stored.key for stored in FolderLocation(tmp_path).list()] == ["real/bill.csv"]


def test_a_name_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/bad\xff.csv")).write_bytes(b"1")
    with pytest.raises(LocationError, match=r"the name of .*bad.*csv' is not UTF-8; rename it"):
        list(FolderLocation(tmp_path).list())


@pytest.mark.parametrize("key", ["../outside.csv", "/etc/hostname", "a/../../outside.csv", ""])
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str) -> None:
    (tmp_path / "outside.csv").write_bytes(b"1")
    (tmp_path / "root").mkdir()
    with pytest.raises(LocationError, match="does not name a file inside"):
        FolderLocation(tmp_path / "root").read(key)


def test_a_key_of_any_shape_downloads_inside_the_folder(s3_client: Any, bucket: str, tmp_path: Path) -> None:
    s3_client.put_object(Bucket=bucket, Key="x/..\\..\\b?d.csv", Body=b"1")
    path = S3Location(s3_client, bucket, "x").fetch("..\\..\\b?d.csv", tmp_path / "down")
    assert path.parent == tmp_path / "down"


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocationError, match="absent does not exist; create it or correct"):
        list(open_location(str(tmp_path / "absent"), no_client).list())


def test_a_missing_bucket_is_an_error(s3_client: Any) -> None:
    with pytest.raises(LocationError, match="there is no bucket 'no-such-bucket'"):
        list(open_location("s3://no-such-bucket/p", lambda: s3_client).list())


def test_an_unreachable_server_is_an_error() -> None:
    from botocore.config import Config

    client = boto3.client(
        "s3",
        endpoint_url="http://127.0.0.1:9",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"max_attempts": 1}, connect_timeout=1),
    )
    with pytest.raises(LocationError, match="check the endpoint"):
        list(open_location("s3://b/p", lambda: client).list())


@pytest.mark.parametrize("location", ["", "ftp://bucket/x", "s3://", "s3:///x"])
def test_what_is_no_location_is_an_error(location: str) -> None:
    with pytest.raises(LocationError):
        open_location(location, no_client)


def test_an_object_store_says_what_is_missing(s3_client: Any, bucket: str) -> None:
    with pytest.raises(ObjectMissingError, match=rf"^gs://{bucket}/base/no.csv does not exist$"):
        object_store(s3_client, bucket, "base").read("no.csv")
    with pytest.raises(LocationError, match=r"^gs://no-such-bucket/base"):
        list(object_store(s3_client, "no-such-bucket", "base").list())


def test_folders_of_an_object_store_are_no_files(s3_client: Any, bucket: str) -> None:
    for key, content in {"base/a": b"", "base/a/1.csv": b"one", "base/empty.csv": b""}.items():
        s3_client.put_object(Bucket=bucket, Key=key, Body=content)
    found = [stored.key for stored in object_store(s3_client, bucket, "base").list()]
    assert found == ["a/1.csv", "empty.csv"]


@pytest.mark.parametrize(
    ("place", "shown"),
    [
        ("gs://bills/focus/", "gs://bills/focus"),
        ("abfss://bills@costs.dfs.core.windows.net/focus", "abfss://bills@costs.dfs.core.windows.net/focus"),
    ],
)
def test_google_and_azure_are_locations(place: str, shown: str) -> None:
    assert open_location(place, no_client).describe() == shown


def test_an_azure_container_needs_its_account() -> None:
    with pytest.raises(LocationError, match=r"^az://bills/focus: .*set AZURE_STORAGE_ACCOUNT_NAME$"):
        open_location("az://bills/focus", no_client)
