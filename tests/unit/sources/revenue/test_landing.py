"""The revenue landing: which spellings are understood, which rows and files are rejected, and why."""

import gzip
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.settings import Settings
from orchestration.sources.locations import FolderLocation, LocationError
from orchestration.sources.revenue import REVENUE
from orchestration.sources.revenue.landing import RevenueError, ensure_landing, land_revenue
from orchestration.sources.s3_location import S3Location
from tests.unit.sources.in_dagster import landed_in_dagster

HEADER = "customer_id,period,amount,currency\n"


class Revenue:
    """Files on one side, what was landed on the other."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.landing = folder / "landing"
        self.source.mkdir()

    def land(self):
        return land_revenue(FolderLocation(self.source), self.landing)

    def rows(self, file: str = "revenue") -> list[tuple]:
        with duckdb.connect() as connection:
            return connection.execute(f"FROM '{self.landing}/revenue/{file}.parquet'").fetchall()

    def rejected(self) -> list[tuple]:
        return [(file, row, reason) for file, row, reason, _ in self.rows("quarantine")]


@pytest.fixture
def revenue(tmp_path):
    return Revenue(tmp_path)


SEPTEMBER = (date(2026, 9, 1), date(2026, 9, 30))


def test_files_of_every_form_and_spelling_are_one_table(revenue):
    (revenue.source / "a [1].csv").write_text(
        '\ufeffCustomer ID;Revenue Month;Currency;Net Amount;note\r\n007;2026-09;usd;1234.50;"x;\ny"\r\n',
        newline="",
    )
    (revenue.source / "b.csv.gz").write_bytes(
        gzip.compress(
            b"customerId,startDate,end-date,AMOUNT,currencyCode,product\n"
            b"x,2026-09-10,2026-12-09,-0.000000000001,EUR, Search \n"
        )
    )
    typed = pa.table(
        {
            "customer": ["p", "q"],
            "month": pa.array([date(2026, 9, 1)] * 2),
            "revenue": pa.array([Decimal("0.000000000001"), Decimal("-12.5")], pa.decimal128(38, 12)),
            "currency": ["USD", "USD"],
        }
    )
    pq.write_table(typed, revenue.source / "c.parquet")
    landing = revenue.land()
    assert (landing.rows, landing.rejected, landing.changed, len(landing.files)) == (4, 0, True, 3)
    assert revenue.rows() == [
        ("a [1].csv", 1, "007", *SEPTEMBER, Decimal("1234.50"), "USD", None),
        ("b.csv.gz", 1, "x", date(2026, 9, 10), date(2026, 12, 9), Decimal("-1E-12"), "EUR", "Search"),
        ("c.parquet", 1, "p", *SEPTEMBER, Decimal("1E-12"), "USD", None),
        ("c.parquet", 2, "q", *SEPTEMBER, Decimal("-12.5"), "USD", None),
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (" ,2026-09,,,1,USD", "the customer is missing"),
        ("Unallocated,2026-09,,,1,USD", "the customer 'Unallocated' is reserved for costs that no"),
        ("a\x07,2026-09,,,1,USD", "the customer or product has a control character"),
        ("a,,,,1,USD", "the period is missing"),
        ("a,2026-13,,,1,USD", "the month '2026-13' is not written as 2026-09"),
        ("a,2026-09-02,,,1,USD", "the month '2026-09-02' is not written as 2026-09"),
        ("a,2026-09,2026-09-01,,1,USD", "gives both a month and days"),
        ("a,,,2026-09-30,1,USD", "the first day of the period is missing"),
        ("a,,2026-09-01,,1,USD", "the last day of the period is missing"),
        ("a,,01.09.2026,2026-09-30,1,USD", "the first day '01.09.2026' is not written as 2026-09-01"),
        ("a,,2026-09-01,2026-09-31,1,USD", "the last day '2026-09-31' is not written as 2026-09-30"),
        ("a,,2026-09-02,2026-09-01,1,USD", "the period ends on 2026-09-01, before it begins on 2026-09-02"),
        ("a,,2026-09-01,2026-10-01,1,USD", "the last day belongs to the period and would be counted twice: "
         "write 2026-09-30 for 2026-10-01"),
        ("a,,2016-09-01,2026-09-30,1,USD", "the period is longer than ten years"),
        ("a,2026-09,,,,USD", "the amount is missing"),
        ("a,2026-09,,,\"1,23.50\",USD", "the amount '1,23.50' is not a decimal number"),
        ("a,2026-09,,,1_000,USD", "the amount '1_000' is not a decimal number"),
        ("a,2026-09,,,0.1234567890123,USD", "the amount '0.1234567890123' is not a decimal number"),
        ("a,2026-09,,,123456789012345678901234567,USD", "is not a decimal number such as 1234.50"),
        ("a,2026-09,,,NaN,USD", "the amount 'NaN' is not a decimal number"),
        ("a,2026-09,,,1,", "the currency is missing"),
        ("a,2026-09,,,1,$", "the currency '$' is not a code of three letters such as USD"),
        ("a,2026-09,,,1", "has 5 cells, the header has 6"),
        ("a,2026-09,,,1,USD,x", "has 7 cells, the header has 6"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_used_is_rejected_and_the_others_count(revenue, row, reason):
    header = "customer,period,period_start,period_end,amount,currency\n"
    good = "good,2026-09,,,1.000000000000000,USD\n"
    (revenue.source / "a.csv").write_text(f"{header}{good}\n{row}\n{good}")
    landing = revenue.land()
    assert [(file, number) for file, number, *_ in revenue.rows()] == [("a.csv", 1), ("a.csv", 3)]
    [(file, number, told)] = revenue.rejected()
    assert (file, number, landing.rejected) == ("a.csv", 2, 1)
    assert reason in told
    assert revenue.rows("quarantine")[0][3]


def test_a_row_that_was_rejected_can_be_read_again(revenue):
    (revenue.source / "a.csv").write_text(HEADER + "a,soon,1,USD\n")
    revenue.land()
    text = json.loads(revenue.rows("quarantine")[0][3])
    assert {key: value for key, value in text.items() if value} == {
        "customer": "a", "month": "soon", "amount": "1", "currency": "USD",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("b.csv", b"customer_id,period,amount\n", "has no column currency (or currency_code"),
        ("b.csv", b"who,period,amount,currency\n", "has no column customer_id (or customer, account_id"),
        ("b.csv", b"customer_id,amount,currency\n", "has no column period (a month such as 2026-09)"),
        ("b.csv", b"customer,period_start,amount,currency\n", "has no column period_end; its columns are"),
        (
            "b.csv",
            b"customer,period,amount,revenue,currency\n",
            "more than one column for the amount: amount",
        ),
        ("b.csv", b"", "has no column"),
        ("b.csv", b"\xff\xfe\x00", "begins as UTF-16 and is cut or broken"),
        ("b.csv.gz", b"plain", "cannot be read"),
        ("b.parquet", b"PAR1", "cannot be read"),
    ],
)
def test_a_file_that_is_no_revenue_is_refused_and_what_was_landed_stays(revenue, name, content, message):
    (revenue.source / "a.csv").write_text(HEADER + "a,2026-09,1,USD\n")
    revenue.land()
    before = revenue.rows()
    (revenue.source / name).write_bytes(content)
    with pytest.raises(RevenueError) as rejected:
        revenue.land()
    assert str(rejected.value).startswith(f"{revenue.source / name} ")
    assert message in str(rejected.value)
    assert revenue.rows() == before


def test_the_same_content_under_two_names_counts_once(revenue):
    for name in ("2026-09.csv", "copy of 2026-09.csv"):
        (revenue.source / name).write_text(HEADER + "a,2026-09,1,USD\na,2026-09,1,USD\n")
    landing = revenue.land()
    assert landing.repeated == (str(revenue.source / "copy of 2026-09.csv"),)
    assert [(row[0], row[1]) for row in revenue.rows()] == [("2026-09.csv", 1), ("2026-09.csv", 2)]


def test_what_was_landed_is_written_only_when_it_would_say_something_else(revenue):
    path = revenue.source / "a.csv"
    path.write_text(HEADER + "a,2026-09,1,USD\n")
    written = revenue.land().path.stat().st_ino
    path.write_text("period,customer_id,amount,currency\n2026-09,a,1.0,usd\n")
    landing = revenue.land()
    assert (landing.changed, landing.path.stat().st_ino) == (False, written)
    path.write_text(HEADER + "a,2026-09,2,USD\n")
    assert revenue.land().changed


def test_no_file_is_no_revenue_unless_there_was_some(revenue):
    ensure_landing(revenue.landing)
    assert revenue.rows() == revenue.rows("quarantine") == []
    assert revenue.land().rows == 0
    path = revenue.source / "a.csv"
    path.write_text(HEADER + "a,2026-09,1,USD\n")
    revenue.land()
    path.unlink()
    with pytest.raises(RevenueError, match="is empty, although revenue landed from it before"):
        revenue.land()
    (revenue.source / "notes.txt").write_text("x")
    with pytest.raises(RevenueError, match=r"1 objects, such as .*, none of them a list of revenue; name"):
        revenue.land()
    path.write_text(HEADER)
    landing = revenue.land()
    assert (landing.rows, landing.ignored) == (0, (str(revenue.source / "notes.txt"),))


def test_a_folder_that_is_not_there_is_an_error(revenue):
    with pytest.raises(LocationError, match="does not exist"):
        land_revenue(FolderLocation(revenue.source / "nowhere"), revenue.landing)


def test_revenue_on_s3(revenue, s3_client, bucket):
    s3_client.put_object(Bucket=bucket, Key="erp/2026/09.csv", Body=HEADER + "a,2026-09,1,USD\n")
    landing = land_revenue(S3Location(s3_client, bucket, "erp"), revenue.landing)
    assert landing.files == (f"s3://{bucket}/erp/2026/09.csv",)
    assert [row[0] for row in revenue.rows()] == ["2026/09.csv"]


def test_the_assets_show_how_many_rows_there_are(tmp_path):
    settings = Settings(workspace=tmp_path)
    folder = tmp_path / "sources" / "revenue"
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(HEADER + "a,2026-09,1,USD\nb,2026-09,x,USD\nc,2026-09,2,USD\n")
    result = landed_in_dagster(REVENUE, settings)
    shown = {
        event.materialization.asset_key.to_user_string(): event.materialization.metadata[
            "dagster/row_count"
        ].value
        for event in result.get_asset_materialization_events()
    }
    assert shown == {"landing/revenue": 2, "landing/revenue_quarantine": 1}


def test_amounts_are_read_in_the_format_that_all_rows_of_their_file_agree_in(revenue):
    files = {
        "comma.csv": ("customer;month;amount;currency", ["a;2026-09;1.500;EUR", "b;2026-09;1.500,50;EUR"]),
        "spaces.csv": ("customer\tmonth\tamount\tcurrency", ["a\t2026-09\t1\u00a0500,5\tEUR"]),
        "point.csv": ("customer,month,amount,currency", ['a,2026-09,"1,500.50",USD', "b,2026-09,1.500,USD"]),
        "excel.csv": ("sep=;\ncustomer;month;amount;currency", ["a;2026-09;12,5;EUR", ";;;"]),
        "latin.csv": ("customer;month;amount;currency", ["Müller;2026-09;7;EUR"]),
        "minus.csv": (
            "customer,month,amount,currency",
            ['a,2026-09,"(1,500.00)",USD', "b,2026-09,\u2212200.00,USD", "c,2026-09,50.25-,USD"],
        ),
    }
    for name, (header, lines) in files.items():
        text = "\n".join([header, *lines]) + "\n"
        (revenue.source / name).write_bytes(text.encode("cp1252" if name == "latin.csv" else "utf-8"))
    revenue.land()
    assert [(row[0], row[2], row[5]) for row in revenue.rows()] == [
        ("comma.csv", "a", Decimal(1500)),
        ("comma.csv", "b", Decimal("1500.50")),
        ("excel.csv", "a", Decimal("12.5")),
        ("latin.csv", "Müller", Decimal(7)),
        ("minus.csv", "a", Decimal(-1500)),
        ("minus.csv", "b", Decimal(-200)),
        ("minus.csv", "c", Decimal("-50.25")),
        ("point.csv", "a", Decimal("1500.50")),
        ("point.csv", "b", Decimal("1.5")),
        ("spaces.csv", "a", Decimal("1500.5")),
    ]
    assert revenue.rows("quarantine") == []
    (note,) = pq.read_table(revenue.landing / "notes/revenue/all.parquet").to_pylist()
    assert (note["code"], Path(note["place"]).name) == ("assumed-encoding", "latin.csv")


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        (["7", "1.500"], r"a\.csv row 2: the amount '1\.500' has either a decimal sign or thousands"),
        (
            ["1.5", "1,5"],
            r"a\.csv row 1: the amount '1\.5' has a decimal point, and '1,5' in row 2 a decimal",
        ),
    ],
)
def test_amounts_whose_format_cannot_be_known_are_rejected(revenue, amounts, message):
    rows = "".join(f"c{number};2026-09;{amount};EUR\n" for number, amount in enumerate(amounts))
    (revenue.source / "a.csv").write_text(f"customer;month;amount;currency\n{rows}")
    with pytest.raises(RevenueError, match=message):
        revenue.land()


def test_rows_that_two_files_have_are_told_with_their_money(revenue):
    rows = "ada,2026-10,100.00,USD\nbob,2026-10,200.00,USD\nbob,2026-10,200.00,USD\n"
    (revenue.source / "october.csv").write_text(HEADER + rows)
    (revenue.source / "october-final.csv").write_text(
        HEADER
        + "ada,2026-10,5.00,USD\nada,2026-10,100.00,usd\nbob,2026-10,200.00,USD\nbob,2026-11,200.00,USD\n"
    )
    assert revenue.land().rows == 7
    (note,) = pq.read_table(revenue.landing / "notes/revenue/all.parquet").to_pylist()
    assert (note["code"], note["severity"], Path(note["subject"]).name) == (
        *("revenue-twice", "warning"),
        "october.csv",
    )
    assert (note["row_count"], note["billing_currency"], note["effective_cost"]) == (2, "USD", Decimal(300))
    assert "october-final.csv has 2 of the rows of this file too" in note["message"]
    assert note["place"].endswith("october.csv row 1")
