"""Usage as people really send it, one feature of one company for each way: what counts, and what is told."""

from __future__ import annotations

import os
from decimal import Decimal

import pytest

from tests.end_to_end.focus_company import (
    ALLOCATION,
    charge,
    record,
    write_bill,
    write_contexts,
    write_source,
)
from tests.end_to_end.running import Company

HOURLY = ("blanks", "filters", "conflicts", "mixed", "reset", "zeros")
STREAMS = {**dict.fromkeys(HOURLY, "hourly"), "days": "daily"}
FEATURE = "dimension: feature\ndescription: Which way\ndefault: Shared\nrules:\n" + "".join(
    f"  - element: {stream.title()}\n    when: {{tag: app, equals: {stream}}}\n" for stream in STREAMS
)


def usage() -> dict[str, list[str]]:
    daily = {"granularity": "daily"}
    return {
        "1.jsonl": [
            *(record("blanks", customer, 25) for customer in ("ada", "ada ", "Ada", "bob\t")),
            record("filters", "ada", 50, filter={"feature": ["Filters"]}),
            record("filters", "bob", 50, filter={"feature": ["filters"]}),
            record("filters", "bob", 50, filter={"colour": ["red"]}),
            record("conflicts", "ada", 50, record_id="1"),
            *(record("mixed", "ada", 10, hour) for hour in range(24)),
            record("mixed", "bob", 240, 7, **daily),
            *(record("reset", customer, 1, hour) for hour in range(24) for customer in ("ada", "bob")),
            *(record("zeros", customer, 50, operation="replace") for customer in ("ada", "bob")),
            record("days", "ada", 12, 3, granularity="hourly"),
            record("days", "ada", 12, 4, granularity="hourly"),
            record("days", "bob", 24),
        ],
        "2.jsonl": [
            record("conflicts", "bob", 50, record_id="1"),
            record("conflicts", "ada", 50, record_id="1"),
            record("conflicts", "cyd", 50, record_id="2"),
            record("reset", "bob", None, operation="delete", **daily),
            record("zeros", "bob", 0, operation="replace"),
            record("serches", "bob", 1),
        ],
        "3.jsonl": [record("reset", "bob", 72, 5, operation="replace", **daily)],
    }


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    made = Company(tmp_path_factory.mktemp("usage") / "company")
    streams = "".join(
        f"  {stream}: {{unit: u, granularity: {granularity}, description: d}}\n"
        for stream, granularity in STREAMS.items()
    )
    rules = "".join(
        f"  - {{name: {stream}, when: {{dimension: feature, equals: {stream.title()}}}, by: {stream}}}\n"
        for stream in STREAMS
    )
    tags = "  - {name: own, when: {tag: app, equals: own}, to: {tag: customer}}\n"
    fixed = '  - {name: fixed, when: {tag: app, equals: fixed}, shares: {" ada": 0.5, bob: 0.5}}\n'
    write_contexts(
        made,
        {
            "dimensions/feature.yml": FEATURE,
            "streams.yml": f"streams:\n{streams}",
            "allocation.yml": ALLOCATION + tags + fixed + rules,
        },
    )
    write_bill(
        made,
        [
            *(charge("100.00", stream) for stream in STREAMS if stream not in ("mixed", "reset")),
            *(charge("1.00", stream, hour) for stream in ("mixed", "reset") for hour in range(24)),
            charge("3.00", "own", Tags='{"customer": "ada\\u00a0"}'),
            charge("4.00", "own", Tags='{"customer": "\\tbob "}'),
            *(
                charge("8.00", "own", Tags=f'{{"customer": "{name}"}}')
                for name in ("unallocated", "long tail ")
            ),
            charge("2.00", "fixed"),
        ],
    )
    write_source(made, "customers/c.csv", "customer_id,customer_name\nada ,Ada\n bob,Bob\ncyd,Cyd\n")
    for moment, (name, lines) in enumerate(usage().items()):
        path = write_source(made, f"telemetry/{name}", "".join(lines))
        os.utime(path, (1_790_000_000 + moment, 1_790_000_000 + moment))
    good, printed = made.run()
    assert good, printed
    return made


def test_each_customer_carries_what_it_used(company: Company) -> None:
    rows = company.read(
        "select lower(feature), customer_id, sum(effective_cost) from customer_costs_daily "
        "where feature <> 'Shared' group by all order by all"
    )
    half = Decimal(50)
    assert rows == [
        ("blanks", "Ada", 25),
        ("blanks", "ada", half),
        ("blanks", "bob", 25),
        ("conflicts", "ada", half),
        ("conflicts", "cyd", half),
        ("days", "ada", half),
        ("days", "bob", half),
        ("filters", "ada", 100),
        ("mixed", "ada", 12),
        ("mixed", "bob", 12),
        ("reset", "ada", 6),
        ("reset", "bob", 18),
        ("zeros", "ada", 100),
    ]


def test_ids_in_tags_and_shares_are_read_as_those_of_usage(company: Company) -> None:
    rows = company.read(
        "select customer_id, sum(effective_cost) from customer_costs_daily where feature = 'Shared' "
        "group by all order by all"
    )
    assert rows == [("ada", 4), ("bob", 5), ("unallocated", 16)]


def test_a_tag_that_names_a_reserved_customer_stops_no_run(company: Company) -> None:
    rows = company.read(
        "select customer_id, unallocated_reason, sum(effective_cost) from customer_costs_daily "
        "where unallocated_reason is not null group by all"
    )
    assert rows == [("unallocated", "reserved customer id", 16)]


def test_what_does_not_count_is_told(company: Company) -> None:
    rows = company.read(
        "select code, subject, row_count, effective_cost, detail from warnings "
        "where code <> 'month-not-billed-to-its-end' order by code, detail"
    )
    place = company.settings.sources / "telemetry" / "1.jsonl"
    assert [row[:4] for row in rows] == [
        ("customer-capitals", "Ada", 1, Decimal(25)),
        ("customer-id-reserved", None, 1, Decimal(16)),
        ("record-id-conflict", None, 1, None),
        ("unknown-dimension", None, 1, None),
        ("unknown-element", None, 1, None),
        ("unknown-stream", "serches", 1, None),
    ]
    assert f'record_id "1" is another record, in {place} row 8;' in rows[2][4]
    assert rows[4][4] == 'the filter names "filters", which no rule of feature gives; write "Filters"'
