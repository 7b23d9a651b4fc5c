"""What is stored is where the batch reader looks, whole, on a folder and on S3."""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orchestration.sources.locations import open_location
from orchestration.sources.telemetry.batch_store import BatchStore, KeyReusedError, Sent
from orchestration.sources.telemetry.batches import land_telemetry
from orchestration.sources.telemetry.spool import SpoolError, open_spool

NOON = datetime(2026, 8, 2, 12, tzinfo=UTC)


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
    reception = BatchStore(open_spool(place, lambda: s3_client))
    record = '{"timestamp": "2026-07-01", "customer_id": "c", "value": 1}'
    sent = Sent("loader", "searches", "sum", "key", [record])
    now = datetime(2026, 8, 1)
    assert [reception.receive(sent, now).accepted for _ in range(2)] == [1, 1]
    landed = land_telemetry(open_location(place, lambda: s3_client), tmp_path, now.replace(tzinfo=UTC))
    assert (landed.loaded, landed.records, landed.quarantined) == (1, 1, 0)


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_what_is_created_once_stays_as_it_was(kind: str, tmp_path: Path, s3_client: Any, bucket: str) -> None:
    place = str(tmp_path / "batches") if kind == "folder" else f"s3://{bucket}/created"
    spool = open_spool(place, lambda: s3_client)
    assert spool.create("_requests/aa/a.json", b"one")
    assert not spool.create("_requests/aa/a.json", b"two")
    assert spool.read("_requests/aa/a.json") == b"one"
    if kind == "folder":
        assert [path.name for path in (tmp_path / "batches" / "_requests" / "aa").iterdir()] == ["a.json"]


RECORD = '{"timestamp": "2026-07-01", "customer_id": "c", "value": %d}'


def test_a_key_is_one_request_for_servers_side_by_side(tmp_path: Path) -> None:
    """Each server has its own memory; what they share is the place."""
    receptions = [BatchStore(open_spool(str(tmp_path / "sent"), lambda: None)) for _ in range(2)]
    now = datetime(2026, 8, 1)
    told = []

    def send(number: int) -> None:
        sent = Sent("loader", "searches", "sum", "key", [RECORD % (1 + number % 3)])
        with contextlib.suppress(KeyReusedError):
            told.append((number % 3, receptions[number % 2].receive(sent, now).accepted))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len({body for body, _ in told}) == 1
    landed = land_telemetry(open_location(str(tmp_path / "sent"), lambda: None), tmp_path / "landing", NOON)
    assert (landed.loaded, landed.records) == (1, 1)


def test_a_forgotten_key_is_stored_anew_under_the_same_identity(tmp_path: Path) -> None:
    reception = BatchStore(open_spool(str(tmp_path / "sent"), lambda: None))
    sent = Sent("loader", "searches", "sum", "key", [RECORD % 1])
    reception.receive(sent, datetime(2026, 8, 1))
    assert reception.forget_requests(NOON.replace(year=2000)) == 0
    assert reception.forget_requests(datetime.now(UTC) + timedelta(seconds=1)) == 1
    reception.receive(sent, datetime(2026, 9, 15))
    batches = sorted((tmp_path / "sent" / "api").glob("*/*.jsonl"))
    assert [path.parent.name for path in batches] == ["2026-08-01", "2026-09-15"]
    assert len({json.loads(path.read_text())["record_id"] for path in batches}) == 1


def test_requests_of_one_second_are_named_in_the_order_in_which_they_came(tmp_path) -> None:
    location = str(tmp_path)
    reception = BatchStore(open_spool(location, lambda: None))
    record = '{"timestamp": "2026-07-01T10:00:00Z", "customer_id": "ada", "value": %d}'
    for moment in range(5):
        sent = Sent("t", "calls", "replace", f"key {9 - moment}", [record % (moment + 1)])
        reception.receive(sent, datetime(2026, 7, 1, 12, 0, 0, 1000 * moment))
    names = [each.key for each in open_location(location, lambda: None).list("api/")]
    values = [json.loads((tmp_path / name).read_text())["value"] for name in names]
    assert values == [f"{number}.000000000" for number in range(1, 6)]
