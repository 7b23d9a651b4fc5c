"""The S3 server of the demo, asked over HTTP as the job asks it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import boto3
import pytest

from orchestration.demo.delivery import BUCKET, MARKER
from orchestration.demo.server import put_sample, s3_server, server_credentials


def test_the_bucket_holds_the_delivered_files(delivered: Path) -> None:
    steps: list[tuple[int, int]] = []
    with server_credentials(), s3_server() as endpoint_url:
        put_sample(endpoint_url, delivered, lambda done, total: steps.append((done, total)))
        client = boto3.client("s3", endpoint_url=endpoint_url, region_name="us-east-1")
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        stored = {item["Key"]: item["ETag"].strip('"') for page in pages for item in page["Contents"]}
    files = [path for path in delivered.rglob("*") if path.is_file() and path.name != MARKER]
    assert stored == {
        path.relative_to(delivered).as_posix(): hashlib.md5(path.read_bytes()).hexdigest() for path in files
    }
    assert steps == [(n, len(files)) for n in range(1, len(files) + 1)]


def test_it_listens_on_this_machine_only() -> None:
    with s3_server() as endpoint_url:
        assert endpoint_url.startswith("http://127.0.0.1:")


def test_nothing_is_put_from_a_folder_without_a_sample(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no complete delivery"):
        put_sample("http://127.0.0.1:1", tmp_path)


def test_credentials_of_the_machine_are_set_aside_and_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY", raising=False)
    with server_credentials():
        assert "AWS_PROFILE" not in os.environ
        assert os.environ["AWS_ACCESS_KEY_ID"] == "sample"
    assert os.environ["AWS_PROFILE"] == "production"
    assert os.environ["AWS_ACCESS_KEY_ID"] == "mine"
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ
