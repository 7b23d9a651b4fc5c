"""The list of customers: what is a list, what is refused, and when the landed file changes."""

import gzip
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.sources.customers.landing import CustomersError, ensure_landing, land_customers
from orchestration.sources.locations import FolderLocation, LocationError
from orchestration.sources.s3_location import S3Location


class Customers:
    """Lists on one side, the landed customers on the other."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.landing = folder / "landing"
        self.source.mkdir()

    def land(self):
        return land_customers(FolderLocation(self.source), self.landing)

    def rows(self) -> list[tuple]:
        with duckdb.connect() as connection:
            return connection.execute(
                "SELECT customer_id, customer_name, segment, plan, aliases.apply(lambda given: given.alias) "
                f"FROM '{self.landing}/customers/customers.parquet'"
            ).fetchall()

    def aliases(self) -> list[tuple]:
        with duckdb.connect() as connection:
            return connection.execute(
                "SELECT customer_id, unnest(aliases, recursive := true) "
                f"FROM '{self.landing}/customers/customers.parquet'"
            ).fetchall()


@pytest.fixture
def customers(tmp_path):
    return Customers(tmp_path)


def test_ids_and_aliases_have_one_form_of_each_letter(customers):
    """An é of one character or of two; the second is how macOS writes it."""
    one, two = "\u00e9", "e\u0301"
    (customers.source / "a.csv").write_text(f"customer_id,aliases\ncaf{two},a{one};a{two}; b{two} \n")
    (customers.source / "b.jsonl").write_text(
        f'{{"customer_id": "x{two}", "aliases": [{{"alias": "y{two}"}}]}}\n'
    )
    customers.land()
    assert [(row[0], row[4]) for row in customers.rows()] == [
        (f"caf{one}", [f"a{one}", f"b{one}"]),
        (f"x{one}", [f"y{one}"]),
    ]
    (customers.source / "c.csv").write_text(f"customer_id\ncaf{one}\n")
    with pytest.raises(CustomersError, match="is already the customer_id in"):
        customers.land()


def test_lists_of_every_form_are_one_list(customers):
    (customers.source / "a [1].csv").write_text(
        '\ufeffcustomer_id,customer_name,aliases,owner\r\n007,"Acme, Inc", acme-west;acme;acme ,x\r\n'
    )
    (customers.source / "b.jsonl.gz").write_bytes(
        gzip.compress(
            b'{"customer_id": 12, "aliases": ["t", "12"]}\n'
            b'{"customer_id": "x", "aliases": "u;v", "plan": "pro"}\n'
        )
    )
    table = {"customer_id": ["p"], "segment": ["large"], "aliases": [["w", " "]]}
    pq.write_table(pa.table(table), customers.source / "c.parquet")

    landing = customers.land()

    assert (landing.customers, landing.changed, len(landing.files)) == (4, True, 3)
    assert customers.rows() == [
        ("007", "Acme, Inc", None, None, ["acme", "acme-west"]),
        ("12", None, None, None, ["t"]),
        ("p", None, "large", None, ["w"]),
        ("x", None, None, "pro", ["u", "v"]),
    ]


def test_a_list_of_a_spreadsheet_is_read_as_it_was_saved(customers):
    text = 'sep=;\r\ncustomer_id;customer_name;aliases\r\n ada\u00a0;Müller;"a1;a2 "\r\n;;\r\n'
    (customers.source / "excel.csv").write_bytes(text.encode("cp1252"))
    (customers.source / "unicode.csv").write_bytes("customer_id\tcustomer_name\nbob\tBöb\n".encode("utf-16"))
    customers.land()
    assert customers.rows() == [
        ("ada", "Müller", None, None, ["a1", "a2"]),
        ("bob", "Böb", None, None, []),
    ]
    (note,) = pq.read_table(customers.landing / "notes/customers/all.parquet").to_pylist()
    assert (note["code"], note["severity"]) == ("assumed-encoding", "note")


def test_aliases_have_days_in_every_form(customers):
    (customers.source / "a.csv").write_text(
        "customer_id,aliases\na,always;until  ..2026-06-30;from 2026-07-01..; moved 2026-01-01..2026-06-30\n"
    )
    (customers.source / "b.jsonl").write_text(
        '{"customer_id": "b", "aliases": [7, "moved 2026-07-01..", '
        '{"alias": "x y", "valid_from": "2026-02-01", "valid_to": null}]}\n'
    )
    days = [{"alias": "p", "valid_from": date(2026, 1, 1)}, {"alias": "q", "valid_from": None}]
    pq.write_table(pa.table({"customer_id": ["c"], "aliases": [days]}), customers.source / "c.parquet")

    customers.land()

    june, july = date(2026, 6, 30), date(2026, 7, 1)
    assert customers.aliases() == [
        ("a", "always", None, None),
        ("a", "from", july, None),
        ("a", "moved", date(2026, 1, 1), june),
        ("a", "until", None, june),
        ("b", "7", None, None),
        ("b", "moved", july, None),
        ("b", "x y", date(2026, 2, 1), None),
        ("c", "p", date(2026, 1, 1), None),
        ("c", "q", None, None),
    ]


def test_the_landed_file_is_written_only_when_it_would_say_something_else(customers):
    path = customers.source / "a.csv"
    path.write_text("customer_id,plan\na,free\nb,pro\n")
    landed = customers.land().path
    written = landed.stat().st_ino
    path.write_text("plan,customer_id\npro,b\nfree,a\n")
    assert not customers.land().changed
    assert landed.stat().st_ino == written
    path.write_text("customer_id,plan\na,pro\n")
    assert customers.land().changed
    assert [row[0] for row in customers.rows()] == ["a"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("b.csv", "customer_id\nz\na\n", "b.csv row 2: {id} 'a' is already the {id} in {a} row 1"),
        ("b.csv", "customer_id,aliases\nz,al\n", "b.csv row 1: alias 'al' is already the alias in {a} row 1"),
        ("b.csv", "customer_id,aliases\nz,a\n", "b.csv row 1: alias 'a' is already the {id} in {a} row 1"),
        ("b.csv", "customer_id\nUnallocated\n", "b.csv row 1: customer_id 'Unallocated' is reserved"),
        ("b.jsonl", '{"customer_id": "z", "aliases": ["unallocated"]}', "b.jsonl row 1: alias 'unallocated'"),
        ("b.jsonl", r'{"customer_id": "z\u0000"}', "b.jsonl row 1: customer_id has a control character"),
        ("b.csv", "customer_id,aliases\nz,a\x1f\n", "b.csv row 1: alias has a control character"),
        ("b.csv", "customer_id\nLong Tail\n", "b.csv row 1: customer_id 'Long Tail' is reserved"),
        ("b.csv", "customer_id\nal\n", "a.csv row 1: alias 'al' is already the {id} in {b} row 1; a"),
        (
            "b.csv",
            "customer_id,aliases\nz,moved 2026-01-01..2026-06-30\ny,moved 2026-06-30..\n",
            "b.csv row 2: alias 'moved' is already the alias in {b} row 1 on some of its days",
        ),
        ("b.csv", "customer_id,aliases\nz,q 2026-02-30..\n", "b.csv row 1: the days of alias 'q' are not"),
        ("b.csv", "customer_id,aliases\nz,q 1.2.2026..\n", "b.csv row 1: the days of alias 'q 1.2.2026..'"),
        ("b.csv", "customer_id,aliases\nz,q 2026-03-01..2026-02-01\n", "b.csv row 1: alias 'q' ends on 2026"),
        (
            "b.jsonl",
            '{"customer_id": "z", "aliases": [{"alias": "q", "from": "2026-01-01"}]}',
            "b.jsonl row 1: the days of alias 'q' are not written as YYYY-MM-DD: unknown key from",
        ),
        ("b.jsonl", '{"customer_id": "z", "aliases": [{"valid_to": null}]}', "b.jsonl row 1: an alias has"),
        ("b.csv", "customer_id,plan\n ,free\n", "b.csv row 1: customer_id is missing"),
        ("b.csv", "id,plan\nz,free\n", "b.csv has no column customer_id; its columns are id, plan"),
        ("b.csv", "customer_id,plan,plan\n", "b.csv names a column more than once: plan"),
        ("b.csv", "customer_id,plan\nz,free,x\n", "b.csv cannot be read: Invalid Input Error: CSV Error on"),
        ("b.jsonl", '{"customer_id": "z"}\n{"customer_id"\n', "b.jsonl cannot be read"),
        ("b.parquet", "PAR1", "b.parquet cannot be read"),
        ("b.csv.gz", "plain", "b.csv.gz cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_list_is_refused_and_the_landed_list_stays(customers, name, text, message):
    (customers.source / "a.csv").write_text("customer_id,aliases\na,al\n")
    customers.land()
    before = customers.rows()
    (customers.source / name).write_text(text)

    with pytest.raises(CustomersError) as refused:
        customers.land()

    places = {"a": customers.source / "a.csv", "b": customers.source / "b.csv", "id": "customer_id"}
    assert f"{customers.source}/{message.format(**places)}" in str(refused.value)
    assert customers.rows() == before


def test_all_problems_are_told_at_once(customers):
    (customers.source / "a.csv").write_text("customer_id\n" + "same\n" * 30)
    with pytest.raises(CustomersError) as refused:
        customers.land()
    told = str(refused.value).splitlines()
    assert len(told) == 21
    assert told[-1] == "... and 9 more"


def test_no_list_is_no_customers_unless_there_were_some(customers):
    (customers.source / "_README").write_text("put lists here")
    assert customers.land().customers == 0
    assert customers.rows() == []
    path = customers.source / "a.csv"
    path.write_text("customer_id\na\n")
    customers.land()
    path.unlink()
    with pytest.raises(CustomersError, match="is empty, although customers landed from it before"):
        customers.land()
    assert [row[0] for row in customers.rows()] == ["a"]
    path.write_text("customer_id\n")
    assert customers.land().customers == 0


def test_objects_that_are_no_lists_are_named(customers):
    (customers.source / "notes.txt").write_text("x")
    with pytest.raises(CustomersError, match=r"1 objects, such as .*, none .* list of customers; name"):
        customers.land()
    (customers.source / "a.csv").write_text("customer_id\na\n")
    assert customers.land().ignored == (str(customers.source / "notes.txt"),)


def test_a_folder_that_is_not_there_is_an_error(customers):
    with pytest.raises(LocationError, match="does not exist"):
        land_customers(FolderLocation(customers.source / "nowhere"), customers.landing)


def test_before_the_first_landing_there_is_something_to_read(customers):
    ensure_landing(customers.landing)
    assert customers.rows() == []


def test_a_list_on_s3(customers, s3_client, bucket):
    s3_client.put_object(Bucket=bucket, Key="crm/customers.csv", Body="customer_id\na\n")
    landing = land_customers(S3Location(s3_client, bucket, "crm"), customers.landing)
    assert landing.files == (f"s3://{bucket}/crm/customers.csv",)
    assert [row[0] for row in customers.rows()] == ["a"]
