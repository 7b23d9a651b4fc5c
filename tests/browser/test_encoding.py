"""What Python writes down the page reads back, to the last digit; compared with plain decimals."""

from __future__ import annotations

import random
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any

import pyarrow as pa
import pytest
from playwright.sync_api import Browser, Page

from orchestration.outputs.report.document import page_source
from orchestration.outputs.report.encoding import NotEncodableError, encode

READ = """async (text) => {
    const table = new Table(await inflate(text));
    return Object.keys(table.columns).map((name) => Array.from({ length: table.rows }, (_, row) => {
        const value = table.value(name, row);
        return typeof value === "bigint" ? exactText(value, table.columns[name].scale) : value;
    }));
}"""
MONEY = READ.replace(", table.columns[name].scale", "")


@pytest.fixture(scope="module")
def page(browser: Browser) -> Page:
    page = browser.new_page()
    page.add_script_tag(
        content=page_source("amounts.js") + page_source("columns.js") + page_source("facts.js")
    )
    yield page
    page.close()


def money(chance: random.Random, digits: int, scale: int) -> Decimal:
    with localcontext(prec=60):
        return Decimal(chance.randint(-(10**digits), 10**digits)).scaleb(-scale)


# The money of a bill has twelve digits and what customers carry 24; `exactText` writes both with 24.
@pytest.mark.parametrize("scale", [12, 24])
@pytest.mark.parametrize("digits", [1, 2, 4, 9, 10, 14, 18, 19, 23, 30, 37])
def test_money_of_every_width(page: Page, digits: int, scale: int) -> None:
    chance = random.Random(digits)
    amounts = [None, Decimal(0), *(money(chance, digits, scale) for _ in range(300)), None]
    column = pa.array(amounts, pa.decimal128(38, scale))
    (found,) = page.evaluate(MONEY, encode(pa.table({"a": column})))
    assert found == [None if amount is None else f"{amount:.24f}" for amount in amounts]


@pytest.mark.parametrize("scale", [0, 6, 9])
def test_quantities_keep_their_own_digits(page: Page, scale: int) -> None:
    chance = random.Random(scale)
    amounts = [money(chance, digits, scale) for digits in (1, 9, 20, 30) for _ in range(50)]
    (found,) = page.evaluate(READ, encode(pa.table({"a": pa.array(amounts, pa.decimal128(38, scale))})))
    assert found == [f"{amount:.{scale}f}" for amount in amounts]


def test_texts_days_numbers_and_nothing(page: Page) -> None:
    days = [date(1970, 1, 1) + timedelta(days=n) for n in (0, 20000, 20001, 3, 25000)]
    columns: dict[str, Any] = {
        "text": pa.array(["a", None, "<script>", "é €", "a"]),
        "day": pa.array(days, pa.date32()),
        "number": pa.array([0, -1, 127, 128, 2**46], pa.int64()),
        "small": pa.array([None, -128, 1, 2, 3], pa.int64()),
        "flag": pa.array([True, False, None, True, False]),
        "nothing": pa.array([None] * 5, pa.decimal128(38, 12)),
    }
    found = page.evaluate(READ, encode(pa.table(columns)))
    assert found == [
        ["a", None, "<script>", "é €", "a"],
        [0, 20000, 20001, 3, 25000],
        [0, -1, 127, 128, 2**46],
        [None, -128, 1, 2, 3],
        [1, 0, None, 1, 0],
        [None] * 5,
    ]
    empty = pa.table({name: column[:0] for name, column in columns.items()})
    assert page.evaluate(READ, encode(empty)) == [[]] * 6


def test_a_part_of_a_table_is_that_part(page: Page) -> None:
    amounts = pa.array([Decimal(n) for n in range(10)], pa.decimal128(38, 12))
    (found,) = page.evaluate(MONEY, encode(pa.table({"a": amounts}).slice(3, 4)))
    assert [Decimal(each) for each in found] == [3, 4, 5, 6]


SUM = """async (text) => {
    const table = new Table(await inflate(text));
    const of = { table, rows: table.rows, amount: table.columns.a, period: table.columns.period.numbers };
    of.key = Facts.prototype.key.bind(of);
    of.has = Facts.prototype.has.bind(of);
    const sums = Facts.prototype.sum.call(of, { range: { from: 0, to: 9 } }, ["name"]);
    return Object.fromEntries(sums.map(({ keys, units }) => [keys[0], exactText(units)]));
}"""


@pytest.mark.parametrize("scale", [12, 24])
@pytest.mark.parametrize("digits", [12, 22, 24, 25, 28, 36])
def test_sums_are_exact_however_large_the_amounts(page: Page, digits: int, scale: int) -> None:
    chance = random.Random(digits)
    rows = [(chance.choice("xyz"), money(chance, digits, scale)) for _ in range(500)]
    columns = {
        "name": pa.array([name for name, _ in rows]),
        "a": pa.array([amount for _, amount in rows], pa.decimal128(38, scale)),
        "period": pa.array([1] * len(rows), pa.int64()),
    }
    with localcontext(prec=60):
        wanted = {name: sum((a for each, a in rows if each == name), Decimal(0)) for name in "xyz"}
    assert page.evaluate(SUM, encode(pa.table(columns))) == {n: f"{a:.24f}" for n, a in wanted.items()}


def test_a_type_without_a_form_is_refused() -> None:
    with pytest.raises(NotEncodableError, match="column a of type double"):
        encode(pa.table({"a": pa.array([0.1])}))


def test_amounts_are_rounded_as_people_round_and_percents_are_exact(page: Page) -> None:
    chance = random.Random(5)
    amounts = [money(chance, digits, 24) for digits in range(20, 32) for _ in range(40)]
    amounts += [Decimal(text) for text in ("0.125", "-0.125", "1.005", "-2.675", "999999.995", "0.1")]
    texts = page.evaluate(
        "(amounts) => amounts.map((text) => "
        "shortText(BigInt(text)).replace('\u2212', '-').replaceAll(',', ''))",
        [f"{amount:.24f}".replace(".", "") for amount in amounts],
    )
    for amount, text in zip(amounts, texts, strict=True):
        places = -Decimal(text).as_tuple().exponent
        assert places >= 2
        assert Decimal(text) == amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), (amount, text)
        if abs(amount) >= 1:
            assert places == 2
    assert page.evaluate("[percentOf(1n, 3n), percentOf(5n, 0n), changeOf(9n, 10n), changeOf(1n, 0n)]") == [
        33.333,
        None,
        -10,
        None,
    ]
