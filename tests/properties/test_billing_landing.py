"""Any bill lands with exactly the amounts that its files say, against plain Python decimals."""

from __future__ import annotations

import csv
import gzip
import io
import json
import tempfile
import unicodedata
from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.settings import BillingExport
from orchestration.sources.billing.landing import land_billing
from orchestration.sources.locations import open_location
from tests.examples import examples

PLAIN = settings(max_examples=examples(15), deadline=None, suppress_health_check=[HealthCheck.too_slow])

# Amounts as AWS writes them, and worse: signs, exponents, more digits than are kept.
exact = st.decimals(-(10**9), 10**9, places=12).map(str)
scientific = st.builds(
    lambda digits, exponent: f"{digits}E{exponent}",
    st.decimals(-999, 999, places=15, allow_nan=False).map(lambda number: format(number, "f")),
    st.integers(-14, 6),
)
huge = st.sampled_from(
    ["680767383348910751.8172917335", "-99999999999999.9999999999995", "1234567890123456789012345"]
)
# What a row bills is required; an amortised amount is not, where no commitment covers the row.
billed = st.one_of(exact, scientific, huge, st.sampled_from(["-7.0E-10", "0", "0.0000000000005", "-0.0"]))
amount = st.one_of(st.just(""), billed)
# As composed as landed tags are.
words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\0"), max_size=12).map(
    lambda text: unicodedata.normalize("NFC", text)
)
tags = st.dictionaries(st.sampled_from(["app", "CostCenter", "Ünïcode", "aws:x-y"]), words, max_size=4)
days = st.integers(1, 31).map(lambda day: f"2026-07-{day:02d}")
line = st.fixed_dictionaries({"day": days, "cost": billed, "amortised": amount, "tags": tags, "text": words})
bill = st.lists(line, max_size=12)


def money(text: str) -> Decimal | None:
    """What a text amounts to, with 12 digits; None when absent."""
    if text == "":
        return None
    with localcontext() as context:
        context.prec = 60
        return Decimal(text).quantize(Decimal("1E-12"), ROUND_HALF_UP)


def cut_digits(lines: list[dict[str, Any]]) -> dict[str, tuple[Decimal, int]]:
    """What `money` rounds away of what the lines bill, by up to 24 digits, and in how many lines.

    Of values that have no 24 digits in a decimal of 38, rounded or not, nothing is told.
    """
    with localcontext() as context:
        context.prec = 60
        cuts = [
            Decimal(text).quantize(Decimal("1E-24"), ROUND_HALF_UP) - money_of(text)
            for text in (row["cost"] for row in lines)
            if text and max(abs(Decimal(text)), abs(money_of(text))) < 10**14
        ]
    rows = sum(cut != 0 for cut in cuts)
    return {"USD": (sum(cuts, Decimal(0)), rows)} if rows else {}


def money_of(text: str) -> Decimal:
    amount = money(text)
    assert amount is not None
    return amount


def total(values: list[Decimal | None]) -> Decimal | None:
    present = [value for value in values if value is not None]
    with localcontext() as context:
        context.prec = 60
        return sum(present, Decimal(0)) if present else None


def land(
    files: dict[str, bytes], check: Callable[[duckdb.DuckDBPyConnection, str], None]
) -> dict[str, tuple[Decimal, int]]:
    """Land the files and check what has landed; what rounding took from what the only one of them bills."""
    with tempfile.TemporaryDirectory() as name:
        source, landing = Path(name, "source"), Path(name, "landing")
        source.mkdir()
        for file, content in files.items():
            (source / file).write_bytes(content)
        exports = [BillingExport(name="any", location=str(source))]
        result = land_billing(exports, lambda place: open_location(place, lambda: None), landing)
        with duckdb.connect() as connection:
            check(connection, str(landing / "billing"))
    return result.deliveries[0].cut_digits


def legacy_csv(lines: list[dict[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    keys = sorted({key for row in lines for key in row["tags"]})
    writer.writerow(
        ["bill/BillingPeriodStartDate", "lineItem/UsageStartDate", "lineItem/CurrencyCode"]
        + ["lineItem/UnblendedCost", "reservation/EffectiveCost", "lineItem/LineItemDescription"]
        + [f"resourceTags/user:{key}" for key in keys]
    )
    for row in lines:
        writer.writerow(
            [
                "2026-07-01T00:00:00Z",
                f"{row['day']}T23:00:00Z",
                "USD",
                row["cost"],
                row["amortised"],
                row["text"],
            ]
            + [row["tags"].get(key, "") for key in keys]
        )
    return text.getvalue().encode()


def landed_key(key: str) -> str:
    """AWS' renaming rule, written out letter by letter."""
    renamed = ""
    for letter in f"user:{key}":
        if letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            renamed += "_"
        renamed += letter.lower() if letter.isascii() and letter.isalnum() else "_"
    while "__" in renamed:
        renamed = renamed.replace("__", "_")
    return renamed.strip("_")


@PLAIN
@given(bill)
def test_legacy_csv(lines: list[dict[str, Any]]) -> None:
    def check(connection: duckdb.DuckDBPyConnection, landing: str) -> None:
        found = connection.execute(
            "select landed_row, usage_date::varchar, line_item_unblended_cost, reservation_effective_cost, "
            f"line_item_line_item_description, resource_tags from '{landing}/aws_cur/*/*/*.parquet' "
            "order by landed_row"
        ).fetchall()
        assert found == [
            (
                place,
                row["day"],
                money(row["cost"]),
                money(row["amortised"]),
                row["text"] or None,
                {landed_key(key): value for key, value in row["tags"].items() if value},
            )
            for place, row in enumerate(lines, 1)
        ]
        check_days(
            connection,
            landing,
            lines,
            cost="line_item_unblended_cost",
            amortised="reservation_effective_cost",
        )

    assert land({"bill.csv.gz": gzip.compress(legacy_csv(lines))}, check) == cut_digits(lines)


def check_days(
    connection: duckdb.DuckDBPyConnection, landing: str, lines: list[dict[str, Any]], **amounts: str
) -> None:
    """The days' sums; `amounts` says what the file's money columns land as, by their key in `lines`."""
    found = connection.execute(
        "select usage_date::varchar, row_count, source_billed_cost, source_amounts "
        f"from '{landing}/days/*/*/days.parquet' order by usage_date"
    ).fetchall()
    expected = []
    for day in sorted({row["day"] for row in lines}):
        rows = [row for row in lines if row["day"] == day]
        sums = {name: total([money(row[key]) for row in rows]) for key, name in amounts.items()}
        present = {name: amount for name, amount in sums.items() if amount is not None}
        expected.append((day, len(rows), sums[amounts["cost"]], present))
    assert found == expected


doubles = st.one_of(
    st.floats(-1e6, 1e6),
    st.floats(-1e6, 1e6).map(lambda number: round(number, 10)),
    st.floats(-1e-9, 1e-9),
    st.sampled_from(
        [0.1, 4095.999999999999, 4096.0, 5e-13, -7e-10, 1e-300, 0.1 + 0.2, 6.8e17, -123456789012345.67]
    ),
)


@PLAIN
@given(
    st.lists(
        st.tuples(days, doubles, st.dictionaries(st.text("abü ", max_size=3), words, max_size=3)), min_size=1
    )
)
def test_cur_2_parquet(rows: list[tuple[str, float, dict[str, str]]]) -> None:
    """A double counts as the decimal that Python prints for it, too."""
    content = io.BytesIO()
    pq.write_table(
        pa.table(
            {
                "bill_billing_period_start_date": pa.array(["2026-07-01T00:00:00.000Z"] * len(rows)),
                "line_item_usage_start_date": pa.array([f"{day}T01:00:00.000Z" for day, _, _ in rows]),
                "line_item_currency_code": pa.array(["USD"] * len(rows)),
                "line_item_unblended_cost": pa.array([cost for _, cost, _ in rows], pa.float64()),
                "resource_tags": pa.array(
                    [list(tag.items()) for *_, tag in rows], pa.map_(pa.string(), pa.string())
                ),
            }
        ),
        content,
    )
    lines = [{"day": day, "cost": repr(cost), "tags": tag} for day, cost, tag in rows]

    def check(connection: duckdb.DuckDBPyConnection, landing: str) -> None:
        found = connection.execute(
            "select line_item_unblended_cost, resource_tags "
            f"from '{landing}/aws_cur/*/*/*.parquet' order by landed_row"
        ).fetchall()
        assert found == [
            (money(row["cost"]), {key: value for key, value in row["tags"].items() if value}) for row in lines
        ]
        check_days(connection, landing, lines, cost="line_item_unblended_cost")

    assert land({"bill.parquet": content.getvalue()}, check) == cut_digits(lines)


@PLAIN
@given(bill)
def test_focus_csv(lines: list[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(
        ["BillingPeriodStart", "ChargePeriodStart", "BillingCurrency", "BilledCost", "EffectiveCost", "Tags"]
    )
    for row in lines:
        writer.writerow(
            [
                "2026-07-01 00:00:00",
                f"{row['day']} 10:00:00",
                "USD",
                row["cost"] or "NULL",
                row["amortised"],
                json.dumps(row["tags"]) if row["tags"] else "NULL",
            ]
        )

    def check(connection: duckdb.DuckDBPyConnection, landing: str) -> None:
        found = connection.execute(
            f"select billed_cost, effective_cost, tags from '{landing}/focus/*/*/*.parquet' "
            "order by landed_row"
        ).fetchall()
        assert found == [
            (
                money(row["cost"]),
                money(row["amortised"]),
                {key: value for key, value in row["tags"].items() if value},
            )
            for row in lines
        ]
        check_days(connection, landing, lines, cost="billed_cost", amortised="effective_cost")

    assert land({"bill.csv": text.getvalue().encode()}, check) == cut_digits(lines)
