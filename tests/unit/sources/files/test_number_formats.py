"""The number format of a file, against a plain Python reading of every value in both formats."""

from __future__ import annotations

import random
import re
from decimal import Decimal

import duckdb
import pytest

from orchestration.sources.files import number_formats


def read(text: str, decimal: str, group: str) -> Decimal | None:
    """The number that a text is in one format, None where it is none; groups of three digits or none."""
    sign = -1 if text.startswith("-") else 1
    body = text.removeprefix("-").removeprefix("+")
    whole, _, fraction = body.partition(decimal)
    for mark in (group, " ", "\u00a0", "\u202f", "'", "\u2019"):
        groups = whole.split(mark)
        if len(groups) > 1:
            if not re.fullmatch(r"[1-9]\d{0,2}", groups[0]) or any(len(part) != 3 for part in groups[1:]):
                return None
            whole = "".join(groups)
            break
    if not re.fullmatch(r"\d*", whole) or not re.fullmatch(r"\d*", fraction) or not whole + fraction:
        return None
    return sign * Decimal(f"{whole or '0'}.{fraction or '0'}")


def expected(values: list[str], point_is_usual: bool) -> str:
    readings = [(read(value, ".", ","), read(value, ",", ".")) for value in values]
    point = any(one is not None and other is None for one, other in readings)
    comma = any(one is None and other is not None for one, other in readings)
    if point and comma:
        return "mixed"
    if point or comma:
        return "point" if point else "comma"
    unclear = any(one is not None and other is not None and one != other for one, other in readings)
    return "unknown" if unclear and not point_is_usual else "point"


@pytest.mark.parametrize("point_is_usual", [True, False])
def test_the_format_is_found_from_all_values(point_is_usual: bool) -> None:
    source = random.Random(point_is_usual)
    forms = (
        *("1500", "-3", "1.500", "1,500", "0.125", "0,125", "12.5", "12,5", "1.500,50", "1,500.50"),
        *("1.500.000", "1,500,000", "1 500,5", "1'500.5", "1\u202f500", "1.50.0", "x", "12.3456", "+7", ".5"),
    )
    files = [[source.choice(forms) for _ in range(source.randint(1, 4))] for _ in range(300)]
    with duckdb.connect() as connection:
        connection.execute("create table given (file integer, value varchar)")
        literals = ", ".join(
            f"({number}, '{value.replace(chr(39), chr(39) * 2)}')"
            for number, values in enumerate(files)
            for value in values
        )
        connection.execute(f"insert into given values {literals}")
        found = dict(
            connection.execute(
                f"select file, {number_formats.format_of('value', str(point_is_usual).lower())} "
                "from given group by file"
            ).fetchall()
        )
        plain = connection.execute(
            f"select value, form, {number_formats.plain('value', 'form')} "
            "from (select distinct value from given), (values ('point'), ('comma')) as forms(form)"
        ).fetchall()
    assert found == {number: expected(values, point_is_usual) for number, values in enumerate(files)}
    assert {"point", "comma", "mixed", *(() if point_is_usual else ("unknown",))} == set(found.values())
    for value, form, text in plain:
        number = read(value, *(".,") if form == "point" else ",.")
        assert text == value if number is None else Decimal(text) == number, (value, form)
