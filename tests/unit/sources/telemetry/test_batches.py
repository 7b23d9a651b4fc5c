"""Which batches count, and what is left of those that no longer do."""

import gzip
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from orchestration.sources.locations import FolderLocation, LocationError
from orchestration.sources.s3_location import S3Location
from orchestration.sources.telemetry.batches import ensure_landing, land_telemetry


def test_a_batch_is_landed_once_and_seen_again_costs_nothing(telemetry, line):
    telemetry.put(
        "2026/07/a.jsonl", line("c1", 2) + line("c2", 3, timestamp="2026-07-02T00:00:00Z") + "oops\n"
    )

    first = telemetry.land()
    files = telemetry.files()
    again = telemetry.land()

    assert (first.loaded, first.records, first.quarantined) == (1, 2, 1)
    assert first.touched_days == (date(2026, 7, 1), date(2026, 7, 2))
    assert first.quarantined_by_reason == {"not-json": 1}
    assert (again.load_id, again.unchanged, again.touched_days) == (None, 1, ())
    assert telemetry.files() == files
    assert telemetry.records("usage_date, customer_id, value") == [
        (date(2026, 7, 1), "c1", Decimal(2)),
        (date(2026, 7, 2), "c2", Decimal(3)),
    ]
    assert telemetry.quarantine("batch_row, reason, record") == [(3, "not-json", "oops")]


def test_rejected_records_name_their_stream_also_beside_those_of_an_older_version(telemetry, line):
    telemetry.land()
    empty = telemetry.landing / "telemetry" / "quarantine" / "none.parquet"
    pq.write_table(pq.read_table(empty).drop_columns(["stream"]), empty)
    telemetry.put("a.jsonl", line("c1", value="x"))
    telemetry.land()
    assert telemetry.quarantine("stream, reason") == [("searches", "value-not-a-number")]


def test_the_same_content_counts_once_under_whatever_name(telemetry, line):
    telemetry.put("a.jsonl", line())
    telemetry.put("b.jsonl", line())
    assert (telemetry.land().loaded, telemetry.land().unchanged) == (1, 2)
    telemetry.put("c.jsonl", line())

    landing = telemetry.land()

    assert (landing.loaded, landing.repeated, landing.unchanged) == (0, 1, 2)
    assert telemetry.records() == [("c1", 1)]
    assert [row["status"] for row in telemetry.ledger()] == ["loaded", "repeated", "repeated"]


def test_an_overwritten_object_gives_up_what_it_said(telemetry, line):
    telemetry.put("a.jsonl", line("c1") + line("c1", timestamp="2026-07-03T10:00:00Z") + line("c1", value=-1))
    telemetry.put("b.jsonl", line("c2"))
    telemetry.land()
    telemetry.put("a.jsonl", line("c3", timestamp="2026-07-04T10:00:00Z"))

    landing = telemetry.land()

    assert (landing.loaded, landing.superseded, landing.unchanged) == (1, 1, 1)
    assert landing.touched_days == (date(2026, 7, 1), date(2026, 7, 3), date(2026, 7, 4))
    assert telemetry.records("customer_id, usage_date") == [
        ("c2", date(2026, 7, 1)),
        ("c3", date(2026, 7, 4)),
    ]
    assert telemetry.quarantine() == []
    assert not [name for name in telemetry.files() if "usage_date=2026-07-03" in name]


def test_content_stays_as_long_as_one_place_holds_it(telemetry, line):
    telemetry.put("a.jsonl", line("c1"))
    telemetry.put("b.jsonl", line("c1"))
    telemetry.land()
    telemetry.put("a.jsonl", line("c2"))

    landing = telemetry.land()

    assert landing.touched_days == (date(2026, 7, 1),)
    assert telemetry.records("customer_id, parse_filename(batch_location)") == [
        ("c1", "b.jsonl"),
        ("c2", "a.jsonl"),
    ]
    telemetry.put("b.jsonl", line("c3"))
    telemetry.land()
    assert telemetry.records("customer_id") == [("c2",), ("c3",)]


def test_content_that_comes_back_counts_again(telemetry, line):
    for customer in ("c1", "c2", "c1"):
        telemetry.put("a.jsonl", line(customer))
        telemetry.land()
        assert telemetry.records("customer_id") == [(customer,)]


def test_a_touched_object_of_the_same_content_changes_nothing(telemetry, line):
    telemetry.put("a.jsonl", line())
    telemetry.land()
    telemetry.put("a.jsonl", line())
    landing = telemetry.land()
    assert (landing.loaded, landing.superseded, landing.unchanged, landing.touched_days) == (0, 0, 1, ())
    assert telemetry.land().load_id is None


def test_objects_that_vanish_keep_what_they_delivered(telemetry, line):
    telemetry.put("a.jsonl", line())
    telemetry.land()
    (telemetry.source / "a.jsonl").unlink()
    telemetry.land()
    assert telemetry.records() == [("c1", 1)]


@pytest.mark.parametrize(
    ("key", "content", "detail"),
    [
        ("cut.jsonl.gz", gzip.compress(b'{"stream": "searches"}\n' * 9999)[:-20], "gzip is broken"),
        (
            "cut.csv.gz",
            gzip.compress(b"stream,timestamp,customer_id\n" + b"x,y,z\n" * 9999)[:-20],
            "gzip is broken",
        ),
        ("bomb.jsonl.gz", gzip.compress(b"{}\n" * 4_000_000), "it unpacks to more than 200 times its size"),
        (
            "bomb.csv.gz",
            gzip.compress(b"stream,timestamp,customer_id\n" + b"\n" * 20_000_000),
            "it unpacks to more than 200 times its size",
        ),
        ("no.jsonl.gz", b"plain", "gzip is broken"),
        ("no.csv.gz", b"plain", "gzip is broken"),
        ("no.parquet.gz", b"plain", "gzip is broken"),
        ("no.parquet", b"PAR1 is how it begins", "not a readable Parquet file"),
        ("headless.csv", b"searches,2026-07-01,c1,4\n", "no column stream, timestamp, customer_id"),
        ("twice.csv", b"stream,timestamp,customer_id,value,value\n", "named more than once: value"),
        ("records.xlsx", b"PK", "the name does not say a known format"),
    ],
)
def test_an_unreadable_batch_is_one_visible_row_and_the_others_land(telemetry, line, key, content, detail):
    telemetry.put("good.jsonl", line())
    telemetry.put(key, content)
    telemetry.put("good.csv", "stream,timestamp,customer_id,value\nsearches,2026-07-01,c2,5\n")

    landing = telemetry.land()

    assert (landing.loaded, landing.records) == (3, 2)
    assert landing.quarantined_by_reason == {"unreadable-batch": 1}
    [(row, place, reason, said)] = telemetry.quarantine("batch_row, batch_location, reason, detail")
    assert (row, place, reason) == (None, str(telemetry.source / key), "unreadable-batch")
    assert detail in said
    assert telemetry.records() == [("c1", 1), ("c2", 5)]
    assert telemetry.land().load_id is None


def test_a_parquet_file_damaged_inside_does_not_take_its_like_with_it(telemetry, write_parquet):
    write_parquet("a.parquet", customer_id=[f"a{row}" for row in range(9999)])
    write_parquet("b.parquet", customer_id=["b"])
    path = telemetry.source / "a.parquet"
    content = bytearray(path.read_bytes())
    content[200:300] = b"\xff" * 100
    path.write_bytes(content)

    landing = telemetry.land()

    assert (landing.records, landing.quarantined_by_reason) == (1, {"unreadable-batch": 1})
    assert telemetry.records("customer_id") == [("b",)]


def test_an_unreadable_batch_is_tried_again_when_it_changes(telemetry, line):
    telemetry.put("a.jsonl.gz", b"half")
    telemetry.land()
    telemetry.put("a.jsonl.gz", gzip.compress(line().encode()))
    telemetry.land()
    assert telemetry.records() == [("c1", 1)]
    assert telemetry.quarantine() == []


def test_marks_and_hidden_files_are_no_batches(telemetry, line):
    telemetry.put("_SUCCESS", "")
    telemetry.put("_temporary/0.jsonl", line())
    telemetry.put(".a.jsonl.swp", "x")
    assert telemetry.land().load_id is None
    assert telemetry.records() == []


def test_the_ledger_knows_when_each_object_was_written_also_when_it_is_touched(telemetry, line):
    telemetry.put("z.jsonl", line("1"))
    telemetry.put("a.jsonl", line("2"))
    telemetry.land()
    telemetry.put("z.jsonl", line("1"))
    telemetry.land()
    first = datetime(2026, 7, 25, 17, 20, 1)
    assert {Path(row["batch_location"]).name: row["object_time"] - first for row in telemetry.ledger()} == {
        "z.jsonl": timedelta(seconds=2),
        "a.jsonl": timedelta(seconds=1),
    }


def test_a_ledger_of_an_earlier_version_learns_the_times(telemetry, line):
    telemetry.put("a.jsonl", line())
    telemetry.land()
    file = telemetry.landing / "telemetry/batches.parquet"
    known = pq.read_table(file)
    pq.write_table(known.drop_columns("object_time"), file)
    assert telemetry.land().load_id is None
    assert pq.read_table(file) == known


def test_one_file_per_usage_day_and_load_however_many_batches(telemetry, line):
    for number in range(30):
        telemetry.put(f"{number}.jsonl", line(f"c{number}"))
    landing = telemetry.land()
    assert telemetry.files() == {
        "batches.parquet",
        "quarantine/none.parquet",
        "records/usage_date=1970-01-01/none.parquet",
        f"records/usage_date=2026-07-01/{landing.load_id}.parquet",
    }


def test_a_backfill_of_many_days_lands_each_record_on_its_day(telemetry, line):
    days = [date.fromordinal(date(2026, 1, 1).toordinal() + offset) for offset in range(120)]
    telemetry.put(
        "a.jsonl", "".join(line(f"c{day}", timestamp=f"{day}T23:59:59.999999Z") for day in reversed(days))
    )
    landing = telemetry.land()
    assert landing.touched_days == tuple(days)
    assert telemetry.records("usage_date, customer_id, usage_timestamp::DATE") == [
        (day, f"c{day}", day) for day in reversed(days)
    ]


def test_fields_nobody_knows_are_tolerated_and_counted(telemetry, line):
    telemetry.put("a.jsonl", line(plan="gold") + line("c2", plan="gold", note="x"))
    telemetry.put("b.csv", "stream,timestamp,customer_id,value,plan\nsearches,2026-07-01,c3,1,\n")
    landing = telemetry.land()
    assert landing.unknown_fields == {"plan": 3, "note": 1}
    assert landing.records == 3


def test_before_the_first_load_there_is_something_to_read(telemetry):
    ensure_landing(telemetry.landing)
    assert telemetry.records("*") == []
    assert telemetry.quarantine("*") == []
    assert telemetry.ledger() == []


def test_ensuring_the_landing_leaves_a_load_that_goes_on_alone(telemetry, line):
    telemetry.put("a.jsonl", line())
    telemetry.land()
    work = telemetry.landing / "telemetry/.load/in_use"
    work.mkdir(parents=True)
    before = telemetry.records("*")
    ensure_landing(telemetry.landing)
    assert work.exists()
    assert telemetry.records("*") == before


def test_batches_on_s3_are_those_below_the_prefix(telemetry, line, s3_client, bucket):
    s3_client.put_object(Bucket=bucket, Key="usage/a.jsonl", Body=line("c1"))
    s3_client.put_object(Bucket=bucket, Key="usage/day/b.jsonl.gz", Body=gzip.compress(line("c2").encode()))
    s3_client.put_object(Bucket=bucket, Key="usage-old/c.jsonl", Body=line("c3"))
    location = S3Location(s3_client, bucket, "usage")

    landing = telemetry.land(location)

    assert landing.loaded == 2
    assert telemetry.records("customer_id, batch_location") == [
        ("c1", f"s3://{bucket}/usage/a.jsonl"),
        ("c2", f"s3://{bucket}/usage/day/b.jsonl.gz"),
    ]
    assert telemetry.land(location).load_id is None
    s3_client.put_object(Bucket=bucket, Key="usage/a.jsonl", Body=line("c4"))
    assert telemetry.land(location).superseded == 1
    assert telemetry.records("customer_id") == [("c2",), ("c4",)]


def test_a_location_that_refuses_fails_the_load_and_leaves_the_landing(telemetry, line, s3_client):
    telemetry.put("a.jsonl", line())
    telemetry.land()
    with pytest.raises(LocationError, match="there is no bucket 'nobody-made-this'"):
        telemetry.land(S3Location(s3_client, "nobody-made-this"))
    with pytest.raises(LocationError, match="does not exist"):
        telemetry.land(FolderLocation(telemetry.source / "nowhere"))
    assert telemetry.records() == [("c1", 1)]


def test_the_load_tells_how_far_it_is(telemetry, line, tmp_path: Path):
    telemetry.put("a.jsonl", line() + line(timestamp="2026-07-02"))
    told = []
    now = datetime(2026, 8, 5, tzinfo=UTC)
    land_telemetry(FolderLocation(telemetry.source), tmp_path / "other", now, lambda *step: told.append(step))
    assert told == [
        ("fetch batches", 1, 1),
        ("read batches", 1, 1),
        ("write days", 1, 2),
        ("write days", 2, 2),
    ]


def test_a_folder_may_have_letters_that_are_patterns_elsewhere(telemetry, write_parquet):
    write_parquet("day [1]/it's*.parquet", customer_id=["c1"])
    telemetry.land()
    assert telemetry.records("customer_id, batch_location") == [
        ("c1", str(telemetry.source / "day [1]/it's*.parquet"))
    ]
