"""Snapshots that come as files: every format, rejected rows, and snapshots that are not whole."""

from __future__ import annotations

import gzip
import json
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.sources.inventory.landing import land_inventory
from orchestration.sources.inventory.snapshot_rows import RESOURCE_VERSIONS
from orchestration.sources.s3_location import S3Location
from tests.unit.sources.inventory.conftest import Inventory

FIRST, SECOND, THIRD = (f"2026-05-0{day}T06:00:00Z" for day in (1, 2, 3))


def row(time: str, resource_id: str, **values: Any) -> str:
    resource = {"snapshot_time": time, "resource_id": resource_id, "resource_type": "ec2:volume"}
    return json.dumps({**resource, **values}) + "\n"


def present(inventory: Inventory) -> list[tuple[Any, ...]]:
    return inventory.rows(
        "SELECT resource_id, strftime(observed_at, '%d'), is_present FROM versions ORDER BY ALL"
    )


def test_every_format_says_the_same(inventory: Inventory) -> None:
    relation = {
        "relationship": "attached_to",
        "related_resource_id": "i-1",
        "since": "2026-01-02T03:04:05+01:00",
    }
    values = {"resource_name": "data", "account_id": "011254002932", "region_id": "eu-central-1"}
    values["created_at"] = "2026-01-02T00:00:00Z"
    tags, attributes = {"b": "2", "a": "1"}, {"size_gib": "8"}
    (inventory.files / "jsonl").mkdir()
    (inventory.files / "jsonl" / "one.jsonl.gz").write_bytes(
        gzip.compress(
            (
                "\ufeff"
                + row(FIRST, "vol-j", **values, tags=tags, attributes=attributes, relationships=[relation])
            ).encode()
        )
    )
    (inventory.files / "csv").mkdir()
    texts = [FIRST, "vol-c", "ec2:volume", *values.values(), json.dumps(tags), json.dumps(attributes)]
    cells = ",".join('"' + text.replace('"', '""') + '"' for text in [*texts, json.dumps([relation])])
    names = ["snapshot_time", "resource_id", "resource_type", *values, "tags", "attributes", "relationships"]
    (inventory.files / "csv" / "one.csv").write_text(f"{','.join(names)}\n{cells}\n")
    (inventory.files / "parquet").mkdir()
    map_of_texts = pa.map_(pa.string(), pa.string())
    pq.write_table(
        pa.table(
            {
                **{name: [value] for name, value in values.items()},
                "snapshot_time": [FIRST],
                "resource_id": ["vol-p"],
                "resource_type": ["ec2:volume"],
                "tags": pa.array([list(tags.items())], map_of_texts),
                "attributes": pa.array([list(attributes.items())], map_of_texts),
                "relationships": [[relation]],
            }
        ),
        inventory.files / "parquet" / "one.parquet",
    )

    landing = inventory.land()

    assert landing.rejected == {}
    columns = ", ".join(name for name in RESOURCE_VERSIONS.content if name != "scope")
    rows = inventory.rows(f"SELECT {columns} FROM versions ORDER BY resource_id")
    assert rows[0] == rows[1] == rows[2]
    [same] = {json.dumps(one, default=str) for one in rows}
    assert json.loads(same) == [
        *(
            "011254002932",
            "eu-central-1",
            "ec2:volume",
            None,
            "data",
            {"a": "1", "b": "2"},
            {"size_gib": "8"},
        ),
        [{**relation, "since": "2026-01-02 02:04:05"}],
        "2026-01-02 00:00:00",
    ]


def test_only_what_changes_is_landed(inventory: Inventory) -> None:
    path = inventory.files / "days.jsonl"
    path.write_text(row(FIRST, "vol-1") + row(FIRST, "vol-2") + row(SECOND, "vol-1") + row(THIRD, "vol-1"))
    assert inventory.land().changes.any
    expected = [("vol-1", "01", True), ("vol-2", "01", True), ("vol-2", "02", False)]
    assert present(inventory) == expected

    # Nothing is read again, and a newer snapshot that says the same adds nothing.
    assert inventory.land().files_read == ()
    (inventory.files / "newer.jsonl").write_text(row("2026-05-04", "vol-1"))
    landing = inventory.land()
    assert (landing.changes.any, landing.changes.present, len(landing.files_read)) == (False, 1, 1)
    assert present(inventory) == expected

    # Nothing is left: a snapshot of nothing says so.
    (inventory.files / "newest.jsonl").write_text('{"snapshot_time": "2026-05-05T00:00:00Z"}\n')
    assert inventory.land().changes.gone == 1
    assert present(inventory) == [*expected[:1], ("vol-1", "05", False), *expected[1:]]


def test_taken_in_twice_is_taken_in_once(inventory: Inventory) -> None:
    (inventory.files / "days.jsonl").write_text(row(FIRST, "vol-1") + row(SECOND, "vol-2"))
    inventory.land()
    before = present(inventory)
    # As after a run that was killed before it noted the files.
    RESOURCE_VERSIONS.files_file(inventory.landing).unlink()
    inventory.land()
    assert present(inventory) == before


def test_a_late_snapshot_is_rejected_and_named(inventory: Inventory) -> None:
    (inventory.files / "b.jsonl").write_text(row(SECOND, "vol-2"))
    inventory.land()
    (inventory.files / "a.jsonl").write_text(row(FIRST, "vol-1"))
    landing = inventory.land()
    assert landing.changes.late == ("2026-05-01T06:00:00Z file:",)
    assert present(inventory) == [("vol-2", "02", True)]
    assert inventory.rows("SELECT is_complete FROM snapshots ORDER BY snapshot_time") == [(False,), (True,)]


@pytest.mark.parametrize(
    ("line", "reason", "detail"),
    [
        ("{", "not-json", "the line is not valid JSON; write one object per line"),
        ("[1]", "not-an-object", "the line is JSON, but not an object of fields"),
        ('{"resource_id": "x", "resource_type": "t"}', "snapshot-time-missing", "snapshot_time is missing"),
        (row("May", "x"), "snapshot-time-format", "snapshot_time 'May' is not an ISO 8601 time such as"),
        ('{"snapshot_time": "2026-05-02", "resource_type": "t"}', "resource-id-missing", "resource_id is"),
        ('{"snapshot_time": "2026-05-02", "resource_id": "t"}', "resource-type-missing", "resource_type is"),
        (row(SECOND, "x", created_at="May"), "created-at-format", "created_at 'May' is not an ISO 8601"),
        (row(SECOND, "x", tags=["a"]), "tags-not-an-object", 'tags ["a"] is not a JSON object of texts'),
        (row(SECOND, "x", attributes="a"), "attributes-not-an-object", "attributes a is not a JSON object"),
        (row(SECOND, "x", relationships=[{"to": "i"}]), "relationships-format", "relationships [{"),
        (row(SECOND, "vol-1"), "resource-twice", "resource vol-1 is already in this snapshot"),
    ],
)
def test_a_bad_row_is_rejected_the_good_ones_count_and_nothing_ends(
    inventory: Inventory, line: str, reason: str, detail: str
) -> None:
    (inventory.files / "1.jsonl").write_text(row(FIRST, "vol-1") + row(FIRST, "vol-2"))
    inventory.land()
    path = inventory.files / "2.jsonl"
    path.write_text(row(SECOND, "vol-1", tags={"a": "b"}) + line.strip() + "\n" + row(SECOND, "vol-3"))

    landing = inventory.land()

    assert landing.rejected == {reason: 1}
    [(location, file_row, said, why)] = inventory.rows(
        "SELECT location, file_row, record, detail FROM rejected"
    )
    assert (location, file_row, said) == (str(path), 2, line.strip())
    assert why.startswith(detail)
    assert (landing.changes.new, landing.changes.changed, landing.changes.gone) == (1, 1, 0)
    # Put right, it counts, and what is not there has ended.
    path.write_text(row(SECOND, "vol-1", tags={"a": "b"}) + row(SECOND, "vol-3") + "\n\n")
    landing = inventory.land()
    assert (landing.rejected, landing.changes.gone) == ({}, 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [("2.jsonl", b'{"snapshot_time": "\xff\xc3\xbc"}'), ("2.jsonl.gz", b"plain"), ("2.parquet", b"PAR1"),
     ("2.csv", b"a,a\n1,2\n")],
)  # fmt: skip
def test_a_file_that_cannot_be_read_ends_nothing(inventory: Inventory, name: str, content: bytes) -> None:
    (inventory.files / "1.jsonl").write_text(row(FIRST, "vol-1"))
    (inventory.files / name).write_bytes(content)
    landing = inventory.land()
    assert (landing.rejected, landing.changes.present) == ({"unreadable": 1}, 1)
    [(why,)] = inventory.rows("SELECT detail FROM rejected")
    assert why.startswith("the file cannot be read: ")


def test_files_on_s3_and_files_that_are_none(
    inventory: Inventory, s3_client: Any, bucket: str, tmp_path: Any
) -> None:
    s3_client.put_object(Bucket=bucket, Key="inv/prod/1.jsonl", Body=row(FIRST, "vol-1").encode())
    s3_client.put_object(Bucket=bucket, Key="inv/readme.txt", Body=b"x")
    from datetime import UTC, datetime

    landing = land_inventory(
        S3Location(s3_client, bucket, "inv"), (), inventory.landing, datetime(2026, 5, 2, tzinfo=UTC)
    )
    assert landing.files_read == (f"s3://{bucket}/inv/prod/1.jsonl",)
    assert landing.ignored == (f"s3://{bucket}/inv/readme.txt",)
    assert inventory.rows("SELECT scope FROM versions") == [("file:prod",)]


def test_before_the_first_landing_there_is_something_to_read(tmp_path: Any) -> None:
    RESOURCE_VERSIONS.ensure_landing(tmp_path)
    with duckdb.connect() as connection:
        for path in (tmp_path / "inventory").iterdir():
            assert connection.execute(f"SELECT count(*) FROM '{path}'").fetchall() == [(0,)]
