"""What each file format makes of a record's fields before the rules see them."""

import gzip
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.sources.telemetry.formats.lines import BLOCK_BYTES


def test_json_numbers_keep_every_digit(telemetry):
    values = [
        "123456789012345678.123456789",
        "0.1",
        "1E3",
        "1.5e-7",
        "12345678901234567890123456",
        "5.000000000000",
    ]
    telemetry.put(
        "a.jsonl",
        "".join(
            f'{{"stream":"s","timestamp":"2026-07-01","customer_id":"c",'
            f'"value":{value},"x":"\\"value\\": 9"}}\n'
            for value in values
        ),
    )
    assert telemetry.land().quarantined == 0
    assert telemetry.records("value") == [(Decimal(value),) for value in values]


def test_a_line_longer_than_a_block_is_one_record(telemetry, line):
    telemetry.put("a.jsonl", line("c1") + line("c2", note="x" * (BLOCK_BYTES + 9)) + line("c3"))
    assert telemetry.land().records == 3
    assert telemetry.records("customer_id, batch_row") == [("c1", 1), ("c2", 2), ("c3", 3)]


def test_rows_are_numbered_across_blocks(telemetry, line):
    good = line(note="y" * 200)
    count = 2 * BLOCK_BYTES // len(good) + 9
    telemetry.put("a.jsonl.gz", gzip.compress((good * count + "bad\n\n" + good).encode(), 1))
    landing = telemetry.land()
    assert (landing.records, landing.quarantined) == (count + 1, 1)
    rows = [row for (row,) in telemetry.records("batch_row")]
    assert rows == [*range(1, count + 1), count + 3]
    assert telemetry.quarantine() == [(count + 1, "not-json")]


def test_bytes_that_are_no_utf_8_cost_their_line_only(telemetry, line):
    telemetry.put(
        "a.jsonl", line("c1").encode() + b'{"stream": "\xff"}\n' + line("u").replace('"u"', '"ü"').encode()
    )
    telemetry.land()
    assert telemetry.records("customer_id") == [("c1",), ("ü",)]
    assert telemetry.quarantine("batch_row, reason, record") == [(2, "not-utf-8", '{"stream": "\ufffd"}')]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
def test_a_file_of_windows_1252_is_read_as_it(telemetry, line, name):
    """The first letter that is not ASCII may stand in a late block; the note stays until the file changes."""
    if name == "a.jsonl":
        content = line("c1") + line("c1", note="x" * (BLOCK_BYTES + 9)) + line("Zoe").replace("Zoe", "Zoë")
    else:
        content = "customer_id;value;timestamp;stream;größe\nMüller;1,5;2026-07-01;s;\nZoë;2;2026-07-01;s;\n"
    written = content.encode("cp1252")
    telemetry.put(name, gzip.compress(written) if name.endswith("gz") else written)
    landing = telemetry.land()
    assert landing.quarantined == 0
    assert telemetry.records("customer_id")[-1] == ("Zoë",)
    notes = telemetry.landing / "notes/telemetry/encodings.parquet"
    (note,) = pq.read_table(notes).to_pylist()
    assert (note["code"], note["subject"]) == ("assumed-encoding", str(telemetry.source / name))
    telemetry.put("b.jsonl", line("c2"))
    telemetry.land()
    assert pq.read_table(notes).num_rows == 1
    telemetry.put(name, gzip.compress(content.encode()) if name.endswith("gz") else content)
    telemetry.land()
    assert pq.read_table(notes).num_rows == 0


def test_a_csv_file_from_a_spreadsheet(telemetry):
    telemetry.put(
        "a.csv",
        "\ufeffcustomer_id,value,timestamp,stream,filter\r\n"
        '"Acme, ""West""",1.5,2026-07-01,s,"{""feature"": [""Search""]}"\r\n'
        "\r\n"
        "c2,2,2026-07-01,s,\r\n"
        "c3,1,5,2026-07-01,s,\r\n"
        'c4,"1,2026-07-01,s,\r\n'
        "c5,3,2026-07-01,s,",
    )
    telemetry.land()
    assert telemetry.records("customer_id, value, filter, batch_row") == [
        ('Acme, "West"', Decimal("1.5"), '{"feature":["Search"]}', 1),
        ("c2", Decimal(2), None, 3),
        ("c5", Decimal(3), None, 6),
    ]
    assert telemetry.quarantine("batch_row, reason, record") == [
        (4, "column-count", "c3,1,5,2026-07-01,s,"),
        (5, "csv-quotes", 'c4,"1,2026-07-01,s,'),
    ]


def test_a_csv_file_of_a_header_or_of_nothing_is_a_batch_of_no_records(telemetry):
    telemetry.put("a.csv", "stream,timestamp,customer_id,value")
    telemetry.put("b.csv", "")
    landing = telemetry.land()
    assert (landing.loaded, landing.records, landing.quarantined) == (2, 0, 0)


def test_parquet_columns_of_a_producers_own_types(telemetry, write_parquet):
    moment = datetime(2026, 7, 1, 10, 30, tzinfo=UTC)
    local = pa.timestamp("us", tz="Europe/Berlin")
    write_parquet(
        "doubles.parquet",
        value=[0.1 + 0.2, 1e-9, 1e20],
        timestamp=pa.array([moment.astimezone(timezone(timedelta(hours=2)))] * 3, local),
    )
    write_parquet(
        "decimals.parquet",
        value=pa.array([Decimal("123456789012345678.123456789")], pa.decimal128(38, 9)),
        timestamp=pa.array([moment.replace(tzinfo=None)], pa.timestamp("ns")),
        filter=pa.array([[("feature", ["b", "a"])]], pa.map_(pa.string(), pa.list_(pa.string()))),
    )
    write_parquet(
        "structs.parquet",
        customer_id=pa.array([7, 8], pa.int64()),
        value=pa.array([1, 2], pa.int32()),
        timestamp=pa.array([moment.date()] * 2, pa.date32()),
        filter=pa.array([{"feature": ["a"], "region": None}, None]),
    )
    assert telemetry.land().quarantined_by_reason == {}
    assert telemetry.records("customer_id, value, usage_timestamp, filter") == [
        ("c1", Decimal("0.3"), moment.replace(tzinfo=None), None),
        ("c1", Decimal("1e-9"), moment.replace(tzinfo=None), None),
        ("c1", Decimal("1e20"), moment.replace(tzinfo=None), None),
        ("c1", Decimal("123456789012345678.123456789"), moment.replace(tzinfo=None), '{"feature":["a","b"]}'),
        ("7", Decimal(1), datetime(2026, 7, 1), '{"feature":["a"]}'),
        ("8", Decimal(2), datetime(2026, 7, 1), None),
    ]


def test_a_refused_parquet_row_is_shown_as_json(telemetry, write_parquet):
    write_parquet("a.parquet", customer_id=["c1", None], region=["eu", "us"])
    telemetry.land()
    [(row, reason, record)] = telemetry.quarantine("batch_row, reason, record")
    assert (row, reason) == (2, "customer-id-missing")
    assert '"region":"us"' in record
    assert '"customer_id":null' in record


def test_numbers_and_times_are_read_in_the_form_that_all_rows_of_a_file_agree_in(telemetry):
    head = "stream;timestamp;customer_id;value"
    ten = 1_782_900_000  # 2026-07-01T10:00:00Z
    files = {
        "comma.csv": (head, [f"s;{ten};a;1.500", f"s;{ten};b;1.500,5"]),
        "excel.csv": (f"sep=;\r\n;;;\r\n{head}", [f"s;{ten}000;a;3,5\r", ";;;\r", "\r"]),
        "thousands.csv": ("Stream, Timestamp,CUSTOMER_ID,value", [f's,{ten}.0,a,"3,000"', f"s,{ten},b, 5 "]),
        "said.jsonl": ('{"stream":"s","timestamp":1782900000,"customer_id":"a","value":"3,000"}', []),
        "unclear.csv": (head, [f"s;{ten};a;1.500", f"s;{ten};b;7"]),
        "both.csv": (head, [f"s;{ten};a;1,5", f"s;{ten};b;1.5"]),
        "times.csv": (head, [f"s;{ten};a;1", "s;2026-07-01T10:00:00Z;b;1"]),
        "epochs.csv": (head, [f"s;{ten};a;1", f"s;{ten}000;b;1"]),
    }
    for name, (header, lines) in files.items():
        telemetry.put(name, "\n".join([header, *lines]) + "\n")
    landing = telemetry.land()
    read = telemetry.records("parse_filename(batch_location), customer_id, value, usage_timestamp")
    assert {time for *_, time in read} == {datetime(2026, 7, 1, 10)}
    assert [row[:3] for row in read] == [
        ("comma.csv", "a", Decimal(1500)),
        ("comma.csv", "b", Decimal("1500.5")),
        ("excel.csv", "a", Decimal("3.5")),
        ("thousands.csv", "a", Decimal(3000)),
        ("thousands.csv", "b", Decimal(5)),
        ("said.jsonl", "a", Decimal(3000)),
        ("unclear.csv", "b", Decimal(7)),
        ("both.csv", "b", Decimal("1.5")),
        ("times.csv", "b", Decimal(1)),
    ]
    # Where the values of a file cannot be told, no value of the kind is guessed.
    assert telemetry.quarantine("parse_filename(batch_location), reason") == [
        ("both.csv", "number-format"),
        ("epochs.csv", "timestamp-format"),
        ("epochs.csv", "timestamp-format"),
        ("times.csv", "timestamp-format"),
        ("unclear.csv", "number-format"),
    ]
    assert landing.quarantined == 5
