"""What is stored is where the batch reader looks, whole, on a folder and on S3."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orchestration.sources.locations import open_location
from orchestration.sources.telemetry.batches import land_telemetry
from orchestration.sources.telemetry.reception import Reception, Sent
from orchestration.sources.telemetry.spool import SpoolError, open_spool


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_an_object_is_stored_and_listed(kind: str, tmp_path: Path, s3_client: Any, bucket: str) -> None:
    place = str(tmp_path / "batches") if kind == "folder" else f"s3://{bucket}/batches"
    spool = open_spool(place, lambda: s3_client)
    assert spool.read("api/a.jsonl") is None
    assert not spool.exists("api/a.jsonl")
    spool.write("api/a.jsonl", b"one")
    spool.write("api/a.jsonl", b"two")
    assert spool.read("api/a.jsonl") == b"two"
    assert spool.exists("api/a.jsonl")
    location = open_location(place, lambda: s3_client)
    assert [stored.key for stored in location.list()] == ["api/a.jsonl"]


def test_a_place_that_takes_nothing_is_named(tmp_path: Path, s3_client: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolError, match="file/a cannot be written"):
        open_spool(str(tmp_path / "file"), lambda: s3_client).write("a", b"")
    with pytest.raises(SpoolError, match="s3://no-such-bucket/a"):
        open_spool("s3://no-such-bucket", lambda: s3_client).write("a", b"")


def test_a_batch_on_s3_is_landed_once(tmp_path: Path, s3_client: Any, bucket: str) -> None:
    place = f"s3://{bucket}/sent"
    reception = Reception(open_spool(place, lambda: s3_client))
    record = '{"timestamp": "2026-07-01", "customer_id": "c", "value": 1}'
    sent = Sent("loader", "searches", "sum", "key", [record])
    now = datetime(2026, 8, 1)
    assert [reception.receive(sent, now).accepted for _ in range(2)] == [1, 1]
    landed = land_telemetry(open_location(place, lambda: s3_client), tmp_path, now.replace(tzinfo=UTC))
    assert (landed.loaded, landed.records, landed.quarantined) == (1, 1, 0)
