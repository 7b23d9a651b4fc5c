"""Usage is what its records say in the order of their files, however and whenever these were delivered."""

from __future__ import annotations

import json
import os
import random
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from orchestration.sources.locations import FolderLocation
from orchestration.sources.telemetry.batches import land_telemetry
from tests.examples import examples
from tests.properties import usage_by_hand
from tests.properties.rendered_models import rendered

DAY = datetime(2026, 7, 1)
HISTORIES = 400
VALUES = ("0.000000001", "1", "7", "24", "100", "240.5", "0")
FILTERS = (None, '{"feature":["Search"]}', '{"feature":["Ingest","Search"]}')


def random_record(source: random.Random, stream: str, granularity: str) -> dict[str, Any]:
    operation = source.choice(["sum", "sum", "sum", "replace", "delete"])
    value = source.choice(VALUES[: 6 if operation == "sum" else 7])
    if operation == "delete" and source.random() < 0.5:
        value = None  # a delete may say the value that it takes back
    return {
        "stream": stream,
        "stream_granularity": granularity,
        "time": DAY + timedelta(days=source.choice([0, 0, 0, 1]), hours=source.choice([0, 1, 1, 23])),
        "granularity": source.choice([None, None, "hourly", "daily"]),
        "customer": source.choice(["ada", "ada", "bob"]),
        "value": None if value is None else Fraction(value),
        "operation": operation,
        "filter": source.choice(FILTERS) if source.random() < 0.3 else None,
        "record_id": source.choice(["r1", "r2"]) if source.random() < 0.3 else None,
    }


def landed(record: dict[str, Any]) -> dict[str, Any]:
    """A record as the landing writes it, its value as text."""
    value = record["value"]
    return {
        "usage_date": record["time"].date(),
        "usage_timestamp": record["time"],
        "customer_id": record["customer"],
        "value": None if value is None else f"{value.numerator * 10**9 // value.denominator:d}e-9",
        **{name: record[name] for name in ("stream", "operation", "granularity", "filter", "record_id")},
    }


def tables(connection: duckdb.DuckDBPyConnection, streams: dict[str, str]) -> None:
    """What the models read besides records and batches."""
    connection.execute("set TimeZone = 'UTC'; set enable_progress_bar = false")
    connection.execute("create table telemetry_streams (stream varchar, granularity varchar)")
    connection.executemany("insert into telemetry_streams values (?, ?)", list(streams.items()))
    connection.execute(
        "create table dimension_elements as select 'feature' as dimension, ['Search', 'Ingest'] as elements"
    )
    connection.execute(
        "create table stg_customers__aliases "
        "(alias varchar, customer_id varchar, valid_from date, valid_to date)"
    )


def views(connection: duckdb.DuckDBPyConnection) -> None:
    """The models themselves, one on the other."""
    for folder, model in (
        ("staging/telemetry", "stg_telemetry__batches"),
        ("usage", "usage_by_period"),
        ("usage", "usage_by_day"),
        ("usage", "rejected_usage"),
    ):
        connection.execute(f"create or replace view {model} as {rendered(f'{folder}/{model}')}")


def usage_of(connection: duckdb.DuckDBPyConnection) -> usage_by_hand.Usage:
    rows = connection.execute(
        "select stream, usage_period_start, customer_id, filter, usage_quantity from usage_by_period"
    ).fetchall()
    found = {tuple(key): Fraction(quantity) for *key, quantity in rows}
    assert len(found) == len(rows)
    return found


def load(
    connection: duckdb.DuckDBPyConnection, batches: list[tuple[Any, ...]], rows: list[dict[str, Any]]
) -> None:
    """The landed batches (load, id, location, time, status if not loaded) and records, with their places."""
    columns = ("load_id", "batch_id", "batch_location", "object_time", "status")
    named = [dict(zip(columns, (*batch, "loaded")[:5], strict=True)) for batch in batches]
    connection.register("given_batches", pa.Table.from_pylist(named))
    said = [row | landed(row.pop("record")) for row in rows]
    connection.register("given_records", pa.Table.from_pylist(said))
    connection.execute(
        "create table telemetry_batches as select *, 1 as record_count, "
        "0 as quarantined_count, []::date[] as usage_dates from given_batches"
    )
    connection.execute(
        "create table telemetry_records as select * replace (value::decimal(38, 9) as value) "
        "from given_records"
    )
    views(connection)


@pytest.mark.parametrize("seed", range(3))
def test_operations_count_as_plain_python_says(seed: int) -> None:
    source = random.Random(seed)
    histories: dict[str, list[dict[str, Any]]] = {}
    batches, rows = [], []
    for number in range(HISTORIES):
        granularity = source.choice(["hourly", "daily"])
        stream = f"s{number}"
        histories[stream] = []
        for file in range(source.randint(1, 4)):
            name, written = f"{stream}/{source.choice('abc')}{file}", source.choice([1, 2, 2, 3])
            batches.append(
                (f"load-{source.randint(1, 3)}", name, f"/t/{name}", DAY + timedelta(seconds=written))
            )
            # The same content in another place counts from the earlier one; what was replaced says nothing.
            also = source.choice([1, 2, 3]), f"/t/{stream}/{source.choice('abc')}9{file}"
            repeats = source.random() < 0.3
            status = "repeated" if repeats else "superseded"
            batches.append((batches[-1][0], name, also[1], DAY + timedelta(seconds=also[0]), status))
            first = min((written, f"/t/{name}"), also) if repeats else (written, f"/t/{name}")
            for row in range(source.randint(1, 4)):
                record = random_record(source, stream, granularity)
                record["order"] = (*first, row + 1)
                record["place"] = f"/t/{name}"
                histories[stream].append(record)
                place = {"load_id": batches[-1][0], "batch_id": name, "batch_location": f"/t/{name}"}
                rows.append({**place, "batch_row": row + 1, "record": record})
    source.shuffle(rows)
    with duckdb.connect() as connection:
        tables(connection, {name: members[0]["stream_granularity"] for name, members in histories.items()})
        load(connection, batches, rows)
        found = usage_of(connection)
        by_day: dict[Any, Fraction] = {}
        for (stream, start, *who), quantity in found.items():
            key = (stream, start.date(), *who)
            by_day[key] = by_day.get(key, Fraction(0)) + quantity
        days = connection.execute(
            "select stream, usage_date, customer_id, filter, usage_quantity from usage_by_day"
        ).fetchall()
        assert {tuple(key): Fraction(quantity) for *key, quantity in days} == by_day
        assert len(days) == len(by_day)
        rejected = connection.execute(
            "select batch_location, batch_row, reason from rejected_usage order by all"
        ).fetchall()
    assert len(found) > HISTORIES
    for stream, members in histories.items():
        of_stream = {key: quantity for key, quantity in found.items() if key[0] == stream}
        assert of_stream == usage_by_hand.usage(members), members
    conflicts = [
        (record["place"], record["order"][2], "record-id-conflict")
        for members in histories.values()
        for record in usage_by_hand.counted(members)[1]
    ]
    assert len(conflicts) > 50
    assert rejected == sorted(conflicts)


NOWHERE = 'the filter names "Nowhere", which no rule of feature gives'
UNKNOWN = "the filter names the dimension shape, which no file in contexts/dimensions defines"


def test_what_the_contexts_do_not_know_is_rejected_with_its_reason() -> None:
    """Each record with what is said of it; a rejected one does not take its record_id from another."""
    told = [
        (
            {"filter": '{"feature":["Nowhere"],"shape":["flat","round"]}'},
            "unknown-dimension",
            f"{NOWHERE}; {UNKNOWN}",
        ),
        ({"filter": '{"feature":["Nowhere"]}', "record_id": "r"}, "unknown-element", NOWHERE),
        (
            {"filter": '{"feature":["search"]}'},
            "unknown-element",
            'the filter names "search", which no rule of feature gives; write "Search"',
        ),
        ({"stream": "cals"}, "unknown-stream", 'no stream "cals" in contexts/streams.yml'),
        ({"record_id": "r"}, None, None),
        (
            {"record_id": "r", "value": Fraction(2)},
            "record-id-conflict",
            'record_id "r" is another record, in /t/b row 5; a record_id names one record',
        ),
        ({"record_id": "r", "filter": '{"feature":["Nowhere"]}'}, "unknown-element", NOWHERE),
    ]
    record = random_record(random.Random(0), "calls", "hourly") | {
        **{"time": DAY, "granularity": None, "customer": "ada", "value": Fraction(1), "operation": "sum"},
        **{"filter": None, "record_id": None},
    }
    place = {"load_id": "l", "batch_id": "b", "batch_location": "/t/b"}
    rows = [
        {**place, "batch_row": number, "record": record | said} for number, (said, *_) in enumerate(told, 1)
    ]
    with duckdb.connect() as connection:
        tables(connection, {"calls": "hourly"})
        load(connection, [("l", "b", "/t/b", DAY)], rows)
        rejected = connection.execute(
            "select batch_row, reason, detail from rejected_usage order by batch_row"
        ).fetchall()
        # Which problem of a filter is told first does not matter.
        found = [(row, reason, "; ".join(sorted(detail.split("; ")))) for row, reason, detail in rejected]
        assert found == [
            (row, reason, "; ".join(sorted(detail.split("; "))))
            for row, (_, reason, detail) in enumerate(told, 1)
            if reason
        ]
        assert usage_of(connection) == {("calls", DAY, "ada", None): Fraction(1)}


# --- deliveries: the same files, whenever they came ---

STREAMS = {"calls": "hourly", "seats": "daily"}
NOW = datetime(2026, 8, 1, tzinfo=UTC)


def line(record: dict[str, Any]) -> str:
    said = {
        "stream": record["stream"],
        "timestamp": f"{record['time']:%Y-%m-%dT%H:%M:%SZ}",
        "granularity": record["granularity"],
        "customer_id": record["customer"],
        "value": None if record["value"] is None else f"{float(record['value']):.9f}",
        "operation": record["operation"],
        "filter": record["filter"] and json.loads(record["filter"]),
        "record_id": record["record_id"],
    }
    return json.dumps({name: value for name, value in said.items() if value is not None}) + "\n"


class Company:
    """A folder of batches and what was landed of them so far."""

    def __init__(self, folder: Path) -> None:
        self.source, self.landing = folder / "source", folder / "landing"
        self.source.mkdir(parents=True)

    def put(self, name: str, records: list[dict[str, Any]], written: int) -> None:
        path = self.source / name
        path.write_text("".join(map(line, records)))
        os.utime(path, (1_785_000_000 + written, 1_785_000_000 + written))

    def usage(self) -> tuple[usage_by_hand.Usage, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        """Usage, what was rejected, and what tells each day's usage apart from another."""
        land_telemetry(FolderLocation(self.source), self.landing, NOW)
        landed = self.landing / "telemetry"
        with duckdb.connect() as connection:
            tables(connection, STREAMS)
            for name, files in (
                ("telemetry_batches", f"read_parquet('{landed}/batches.parquet')"),
                (
                    "telemetry_records",
                    f"read_parquet('{landed}/records/*/*.parquet', hive_partitioning = true)",
                ),
            ):
                connection.execute(f"create view {name} as select * from {files}")
            views(connection)
            rejected = connection.execute(
                "select parse_filename(batch_location), batch_row, reason from rejected_usage order by all"
            ).fetchall()
            days = connection.execute(
                "select usage_date, list(batch_id order by batch_rank) "
                "from (select unnest(usage_dates) as usage_date, * from stg_telemetry__batches) "
                "group by usage_date order by usage_date"
            ).fetchall()
            return usage_of(connection), rejected, days


@settings(
    max_examples=examples(15), deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate]
)
@given(seed=st.integers(0, 2**32))
def test_any_history_of_deliveries_ends_as_one_fresh_build_of_the_same_files(
    seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Files come early and late, in place of others, twice, touched again, in several runs."""
    source = random.Random(seed)
    root = tmp_path_factory.mktemp("deliveries")
    company = Company(root / "lived")
    files: dict[str, tuple[list[dict[str, Any]], int]] = {}
    contents: list[list[dict[str, Any]]] = []
    for _ in range(source.randint(1, 3)):
        for _ in range(source.randint(1, 4)):
            name = source.choice(["a.jsonl", "b.jsonl", "c.jsonl", "d.jsonl"])
            if contents and source.random() < 0.3:
                records = source.choice(contents)
            else:
                stream = source.choice(list(STREAMS))
                number = source.randint(1, 4)
                records = [random_record(source, stream, STREAMS[stream]) for _ in range(number)]
                contents.append(records)
            files[name] = records, source.randint(1, 5)
            company.put(name, *files[name])
        lived = company.usage()
    fresh = Company(root / "fresh")
    for name in source.sample(sorted(files), len(files)):
        fresh.put(name, *files[name])
    usage, rejected, days = fresh.usage()
    assert lived[0] == usage
    assert lived[2] == days
    assert [(row, reason) for _, row, reason in lived[1]] == [(row, reason) for _, row, reason in rejected]
    told: list[dict[str, Any]] = []
    seen: list[list[dict[str, Any]]] = []
    for name, (records, written) in sorted(files.items(), key=lambda each: (each[1][1], each[0])):
        if records not in seen:  # the same content counts once
            seen.append(records)
            told += [{**record, "order": (written, name, row)} for row, record in enumerate(records)]
    assert usage == usage_by_hand.usage(told)
