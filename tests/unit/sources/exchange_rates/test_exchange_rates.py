"""Exchange rates: a list of one's own, the ECB's files, and what is rejected."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orchestration.settings import Settings
from orchestration.sources.exchange_rates import EXCHANGE_RATES
from orchestration.sources.exchange_rates.landing import rates_file, rejected_file
from tests.unit.sources.in_dagster import landed_in_dagster

OWN = "date,from,to,rate\n2026-07-01,usd,EUR,0.92\n"
HISTORY = "Date,USD,JPY,BGN,\n2026-07-02,1.0843,161.3,N/A,\n2026-07-01,1.08,160.95,1.9558,\n"
DAILY = "Date, USD, JPY, \n02 July 2026, 1.0843, 161.3, \n"
XML = """<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"><Cube><Cube time='2026-07-02'>
<Cube currency='USD' rate='1.0843'/><Cube currency="JPY" rate="161.3"/></Cube></Cube></gesmes:Envelope>
"""
OF_THE_SECOND = [("2026-07-02", "EUR", "JPY", "161.3"), ("2026-07-02", "EUR", "USD", "1.0843")]


def zipped(name: str, text: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, text)
    return packed.getvalue()


def landed(tmp_path: Path, **files: str | bytes) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rates and rejected rows of the files, named by their stem and ending."""
    settings = Settings(workspace=tmp_path)
    folder = settings.sources / "exchange_rates"
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert landed_in_dagster(EXCHANGE_RATES, settings).success
    with duckdb.connect() as connection:
        rates = connection.execute(
            "SELECT rate_date::VARCHAR, from_currency, to_currency, rtrim(exchange_rate::VARCHAR, '0') "
            f"FROM '{rates_file(settings.landing_folder)}' ORDER BY ALL"
        ).fetchall()
        rejected = connection.execute(
            "SELECT parse_filename(location), file_row, reason, detail "
            f"FROM '{rejected_file(settings.landing_folder)}' ORDER BY ALL"
        ).fetchall()
    return rates, rejected


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("eurofxref__csv", DAILY),
        ("eurofxref__zip", zipped("eurofxref.csv", DAILY)),
        ("eurofxref-daily__xml", XML),
        ("own__jsonl", '{"date": "2026-07-02", "from": "EUR", "to": "JPY", "rate": "161.3"}\n'
         '{"date": "2026-07-02", "from": "EUR", "to": "USD", "rate": 1.0843}\n'),
    ],
)  # fmt: skip
def test_rates_are_read_from_every_form(tmp_path: Path, name: str, content: str | bytes) -> None:
    assert landed(tmp_path, **{name: content}) == (OF_THE_SECOND, [])


def test_the_history_of_the_ecb_stands_beside_the_day_and_a_list_of_ones_own(tmp_path: Path) -> None:
    history = zipped("eurofxref-hist.csv", HISTORY)
    rates, rejected = landed(tmp_path, own__csv=OWN, history__zip=history, day__csv=DAILY)
    assert rates == [
        ("2026-07-01", "EUR", "BGN", "1.9558"),
        ("2026-07-01", "EUR", "JPY", "160.95"),
        ("2026-07-01", "EUR", "USD", "1.08"),
        ("2026-07-01", "USD", "EUR", "0.92"),
        *OF_THE_SECOND,
    ]
    assert rejected == []


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("1.7.2026,USD,EUR,0.92", "date-format", "date '1.7.2026' is not a day such as 2026-07-31"),
        ("2026-07-01,$,EUR,0.92", "from-not-a-currency", "from '$' is not a code of three letters"),
        ("2026-07-01,USD,,0.92", "to-not-a-currency", "to '' is not a code of three letters such as USD"),
        ("2026-07-01,EUR,eur,1", "same-currency", "from and to are the same currency"),
        ('2026-07-01,USD,EUR,"0,92"', "rate-format", "rate '0,92' is not a decimal number above 0"),
        ("2026-07-01,USD,EUR,0", "rate-format", "rate '0' is not a decimal number above 0"),
        ("2026-07-01,USD,EUR,0.9212345678901", "rate-format", "rate '0.9212345678901' is not"),
        ("2026-07-01,USD,EUR,0.93", "rate-differs", "the rate of this day and pair is 0.920000000000 in"),
    ],
)
def test_a_bad_row_is_rejected_and_the_good_ones_count(
    tmp_path: Path, row: str, reason: str, detail: str
) -> None:
    rates, [(file, file_row, code, said)] = landed(tmp_path, own__csv=f"{OWN}{row}\n")
    assert rates == [("2026-07-01", "USD", "EUR", "0.92")]
    assert (file, file_row, code) == ("own.csv", 2, reason)
    assert said.startswith(detail)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bad__zip", b"PK\x03\x04 cut"),
        ("bad__zip", zipped("readme.txt", "no rates")),
        ("bad__xml", XML[: len(XML) // 2]),
        ("bad__xml", "<rates/>"),
    ],
    ids=["cut zip", "another zip", "cut XML", "another XML"],
)
def test_a_broken_file_is_rejected_as_a_whole(tmp_path: Path, name: str, content: str | bytes) -> None:
    rates, [(file, _, reason, _)] = landed(tmp_path, own__csv=OWN, **{name: content})
    assert rates == [("2026-07-01", "USD", "EUR", "0.92")]
    assert (file, reason) == (name.replace("__", "."), "unreadable")
