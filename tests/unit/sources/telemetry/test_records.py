"""Each rule of a record, by an example of what it refuses and of what it still allows."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import duckdb
import pytest

from orchestration.sources.telemetry.records import (
    EVERY_TIME,
    FIELDS,
    RULES,
    UNREADABLE,
    UsageLimits,
    judged_records,
)

GOOD = {"stream": "searches", "timestamp": "2026-07-01T10:00:00Z", "customer_id": "c1", "value": "1"}
REJECTED = {
    "stream-missing": [{"stream": None}, {"stream": " \t"}],
    "stream-name": [{"stream": "Searches"}, {"stream": "2x"}, {"stream": "a-b"}],
    "operation-unknown": [{"operation": "add"}, {"operation": "SUM"}],
    "timestamp-missing": [{"timestamp": None}],
    "timestamp-format": [
        {"timestamp": "1.7.2026"},
        {"timestamp": "2026-02-30"},
        {"timestamp": "2026-07-01T24:00"},
    ],
    "timestamp-too-early": [
        {"timestamp": "1999-12-31T23:59:59.999999Z"},
        {"timestamp": "2000-01-01T00:00:00+01:00"},
    ],
    "timestamp-in-future": [{"timestamp": "2026-08-06T12:00:00.000001Z"}],
    "granularity-unknown": [{"granularity": "weekly"}],
    "customer-id-missing": [{"customer_id": None}, {"customer_id": ""}],
    "customer-id-not-text": [{"customer_id": '{"id": 1}'}, {"customer_id": "[1]"}],
    "customer-id-reserved": [{"customer_id": "unallocated "}, {"customer_id": "Unallocated"}],
    "control-character": [
        {"customer_id": "a\0b"},
        {"record_id": "\x1b[31m"},
        {"filter": r'{"feature": ["\u0000"]}'},
    ],
    "value-missing": [{"value": None}, {"value": None, "operation": "replace"}],
    "value-not-a-number": [{"value": "1,5"}, {"value": "NaN"}, {"value": "0x10"}, {"value": "true"}],
    "value-not-positive": [
        *({"value": value} for value in ("0", "-1", "0.000e9", "-0")),
        {"value": "-1", "operation": "replace"},
    ],
    "value-too-precise": [
        {"value": "0.0000000001"},
        {"value": "1e-10"},
        {"value": "1.0000000001"},
        {"value": "0.00000000012345678901234567"},
    ],
    "value-too-large": [{"value": "1e27"}, {"value": "1" + "0" * 27}, {"value": "9e999"}],
    "filter-not-an-object": [
        {"filter": "feature"},
        {"filter": '["Search"]'},
        {"filter": '{"a": ["x"], "a": ["y"]}'},
    ],
    "filter-dimension": [{"filter": '{"Feature": ["Search"]}'}, {"filter": '{"": ["Search"]}'}],
    "filter-elements": [
        {"filter": '{"feature": []}'},
        {"filter": '{"feature": [1]}'},
        {"filter": '{"feature": ""}'},
    ],
}


def judge(limits: UsageLimits = EVERY_TIME, **said: str | None) -> dict:
    fields = dict.fromkeys(FIELDS) | GOOD | said
    columns = ", ".join(f"${name}::VARCHAR AS {name}" for name in FIELDS)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        query = judged_records(
            f"SELECT NULL::VARCHAR AS read_error, true AS point_is_usual, 'as it came' AS raw, {columns}"
        )
        result = connection.execute(query, {**fields, **limits.parameters(datetime(2026, 8, 5, 12))})
        return dict(zip([column[0] for column in result.description], result.fetchone(), strict=True))


@pytest.mark.parametrize(("code", "said"), [(code, said) for code, many in REJECTED.items() for said in many])
def test_refused(code, said):
    judged = judge(**said)
    assert (judged["reason"], judged["raw"]) == (code, "as it came")
    [(field, text)] = list(said.items())[:1]
    assert text is None or not text.strip() or text in judged["detail"] or field in judged["detail"]


def test_every_rule_has_an_example():
    assert {rule.code for rule in RULES} - {rule.code for rule in UNREADABLE} == set(REJECTED)
    assert len({rule.code for rule in RULES}) == len(RULES)


@pytest.mark.parametrize(
    ("said", "landed"),
    [
        ({"value": "9" * 27 + "." + "9" * 9}, {"value": Decimal("9" * 27 + "." + "9" * 9)}),
        ({"value": "123456789012345678901234567e-9"}, {"value": Decimal("123456789012345678.901234567")}),
        ({"value": "1.0000000000000"}, {"value": Decimal(1)}),
        ({"value": "1e-9"}, {"value": Decimal("0.000000001")}),
        ({"value": "+.5"}, {"value": Decimal("0.5")}),
        ({"value": repr(0.1 + 0.2)}, {"value": Decimal("0.3")}),
        ({"value": repr(2 / 3)}, {"value": Decimal("0.666666667")}),
        ({"value": repr(0.1 + 0.7 - 0.79998)}, {"value": Decimal("0.000020000")}),
        ({"value": "0", "operation": "replace"}, {"value": Decimal(0), "operation": "replace"}),
        ({"value": "-0.0", "operation": "delete"}, {"value": Decimal(0), "operation": "delete"}),
        ({"customer_id": "\tada\u00a0\r", "value": " 7 "}, {"customer_id": "ada", "value": Decimal(7)}),
        (
            {
                "customer_id": "Zoe\u0308 ",
                "filter": '{"a": ["e\u0301", "\u00e9", "\\u0065\\u0301"], "b": "e\u0301"}',
            },
            {"customer_id": "Zo\u00eb", "filter": '{"a":["\u00e9"],"b":["\u00e9"]}'},
        ),
        ({"value": None, "operation": "delete"}, {"value": None, "operation": "delete"}),
        ({"timestamp": "2026-07-01"}, {"usage_timestamp": datetime(2026, 7, 1)}),
        ({"timestamp": "2026-07-01 01:30"}, {"usage_timestamp": datetime(2026, 7, 1, 1, 30)}),
        ({"timestamp": "2026-07-01T01:30:00+02:00"}, {"usage_timestamp": datetime(2026, 6, 30, 23, 30)}),
        ({"timestamp": "2026-08-06T12:00:00Z"}, {"usage_timestamp": datetime(2026, 8, 6, 12)}),
        ({"filter": '{"b": ["y", "x", "y"], "a": "z"}'}, {"filter": '{"a":["z"],"b":["x","y"]}'}),
        ({"filter": "{}"}, {"filter": None}),
        ({}, {"operation": "sum"} | dict.fromkeys(("granularity", "filter", "record_id", "raw", "detail"))),
    ],
)  # fmt: skip
def test_landed(said, landed):
    judged = judge(**said)
    assert judged["reason"] is None
    assert {name: judged[name] for name in landed} == landed


def test_a_message_quotes_what_the_record_says_whatever_it_holds():
    assert judge(stream="it's {value}")["detail"].startswith("stream 'it's {value}' is not a name")


def test_a_deployment_sets_its_own_limits_and_the_message_says_them() -> None:
    limits = UsageLimits(date(2026, 8, 1), future_hours=0)
    early = judge(limits, timestamp="2026-07-31T23:59:59.999999Z")
    assert (early["reason"], early["detail"]) == (
        "timestamp-too-early",
        "timestamp '2026-07-31T23:59:59.999999Z' is before 2026-08-01T00:00Z, the earliest that is taken "
        "(usage_earliest_day)",
    )
    late = judge(limits, timestamp="2026-08-05T12:00:01Z")
    assert (late["reason"], late["detail"]) == (
        "timestamp-in-future",
        "timestamp '2026-08-05T12:00:01Z' is after 2026-08-05T12:00Z, the latest that is taken now "
        "(usage_future_hours)",
    )
    assert judge(limits, timestamp="2026-08-01")["reason"] is None
    assert judge(limits, timestamp="2026-08-05T12:00:00Z")["reason"] is None
