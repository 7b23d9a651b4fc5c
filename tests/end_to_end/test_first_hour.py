"""What a new user does in the first hour, with the commands that the README and `cpc --help` name."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from orchestration.cli.app import app
from tests.end_to_end.small_company import BILL, DAYS, MONTHS, SEARCH, write_bill

TOTAL = len(DAYS) * sum(BILL.values(), Decimal(0))
CUT = Decimal("0.0000000000004")
UNKNOWN_COLUMN = f"lineItem/Novel: {len(DAYS) * len(BILL)} values on rows that bill {TOTAL:,.2f} USD"
CUT_DIGITS = f"sums to {len(DAYS) * CUT:.24f} USD, in {len(DAYS)} rows"


def cpc(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """`cpc init` from a bill that lies somewhere else, with a column that AWS does not document."""
    bill = tmp_path_factory.mktemp("downloads")
    write_bill(bill, MONTHS[0], SEARCH + CUT, more={"lineItem/Novel": "x"})
    folder = tmp_path_factory.mktemp("new") / "company"
    return folder, cpc("init", folder, "--bill", bill)


def test_init_proposes_dimensions_from_the_bill(begun: tuple[Path, Result]) -> None:
    folder, done = begun
    assert done.exit_code == 0, done.output
    assert "Billed cost (after a run: effective cost)" in done.stdout
    assert ["tag", "app", "search-api", "30,150.00", "99.6", "USD"] in [
        line.split() for line in done.stdout.splitlines()
    ]
    dimensions = folder / "contexts" / "dimensions"
    assert {path.stem for path in dimensions.iterdir()} == {"environment", "feature", "product"}
    assert "- from: {tag: environment}" in (dimensions / "environment.yml").read_text()
    assert "A guess by the tag's name: app is on 100% of the cost" in (dimensions / "product.yml").read_text()
    assert (folder / "examples" / "customers.csv").read_text().startswith("customer_id,customer_name,segment")
    assert cpc("check", "--workspace", folder).exit_code == 0


def test_init_keeps_what_was_written(begun: tuple[Path, Result]) -> None:
    folder, _ = begun
    feature = folder / "contexts" / "dimensions" / "feature.yml"
    before = feature.read_text()
    feature.write_text("dimension: feature\n")
    assert "wrote" not in cpc("init", folder).stdout
    assert feature.read_text() == "dimension: feature\n"
    feature.write_text(before)


def test_without_a_bill_init_says_where_to_put_it(tmp_path: Path) -> None:
    done = cpc("init", tmp_path / "company")
    assert done.exit_code == 0, done.output
    assert f"put a bill (CUR, FOCUS or plain files) into {tmp_path}/company/sources/billing" in done.stdout
    assert cpc("check", "--workspace", tmp_path / "company").exit_code == 0
    refused = cpc("tags", "--workspace", tmp_path / "company")
    assert refused.exit_code == 1
    assert refused.stderr.startswith("No bill found in ")


def test_a_file_that_is_no_bill_is_told(tmp_path: Path) -> None:
    sheet = tmp_path / "bill.xlsx"
    sheet.write_text("x")
    refused = cpc("init", tmp_path / "company", "--bill", sheet)
    assert refused.exit_code == 1
    assert refused.stderr.splitlines()[-1].startswith(f"{sheet}: is not a readable bill; bills are CUR")


def test_the_run_ends_with_the_money_that_nobody_carries(begun: tuple[Path, Result]) -> None:
    folder, _ = begun
    usage = folder / "sources" / "telemetry" / "usage.jsonl"
    record = {"stream": "requsts", "timestamp": "2026-03-01T00:00:00Z", "customer_id": "acme", "value": 1}
    usage.write_text(json.dumps(record) + "\n")
    first = cpc("run", "--workspace", folder)
    assert first.exit_code == 0, first.output
    lines = first.stdout.splitlines()
    assert f"  {'unallocated: no rule':<36}{TOTAL:>20,.2f}   100.0%" in lines
    assert f"  1 unknown-stream in {usage} (telemetry)" in lines
    at = lines.index(f"! No customer carries {TOTAL:,.2f} USD, 100.0% of the cost")
    assert lines[at + 1 : at + 4] == [
        f"! Missing: no allocation rule says who pays: add one to {folder}/contexts/allocation.yml",
        "! Missing: no usage to divide cost by: every record is rejected, for the reasons above",
        "! Missing: no customer list, so no names and segments: put a file like examples/customers.csv "
        f"(of cpc init) into {folder}/sources/customers",
    ]
    for title, end in (("Columns that the provider", UNKNOWN_COLUMN), ("Digits after", CUT_DIGITS)):
        (at,) = (place for place, line in enumerate(lines) if line.startswith(title))
        assert lines[at + 1].endswith(end)
    assert lines[-3].startswith("! Published snapshot")
    assert lines[-1].strip() == str(folder / "published" / "report.html")

    again = cpc("run", "--workspace", folder, "--json")
    assert again.exit_code == 0, again.output
    summary = json.loads(again.stdout)
    assert summary["changed"] is False
    assert len(summary["missing"]) == 3
    assert [line[-len(UNKNOWN_COLUMN) :] for line in summary["unknown_columns"]] == [UNKNOWN_COLUMN]
    assert [line[-len(CUT_DIGITS) :] for line in summary["cut_digits"]] == [CUT_DIGITS]
    # The list for people is the same as after the run that landed them.
    told = [line for line in lines if line.startswith(("  ", "!")) and "snapshot" not in line]
    assert [line for line in told if line not in again.stderr.splitlines()] == []
    [cost] = summary["costs"]
    assert Decimal(cost["total"]) == Decimal(cost["unallocated"]["no rule"]) == TOTAL
    assert summary["rejected"] == [
        {"source": "telemetry", "reason": "unknown-stream", "file": str(usage), "row_count": 1}
    ]

    looked = cpc("doctor", "--workspace", folder)
    assert looked.exit_code == 0, looked.output
    assert "✓ bills landed: 1 month, 2026-03" in looked.stdout
    assert "newest day of cost 2026-03-03, of usage none" in looked.stdout
    tags = cpc("tags", "--workspace", folder, "--key", "app", "--csv")
    assert tags.stdout.splitlines()[1] == "tag,app,search-api,USD,30150.000000000000"


def test_an_error_leads_with_the_file_and_row(begun: tuple[Path, Result]) -> None:
    folder, _ = begun
    file = folder / "sources" / "customers" / "customers.csv"
    file.write_text("customer_id,customer_name\nacme,Acme Inc.\nacme,Acme GmbH\n")
    done = cpc("run", "--workspace", folder)
    file.unlink()
    assert done.exit_code == 1
    said = [line for line in done.stdout.splitlines() if line[:1] not in {"", "✓"}]
    assert said[1].startswith(
        f"✗ {file} row 2: customer_id 'acme' is already the customer_id in {file} row 1"
    )
    assert said[2].startswith("Nothing was published; readers keep the last snapshot.")
    assert "Dependencies" not in done.stdout


def test_the_doctor_says_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "settings.yml").write_text("customers_location: /nowhere/customers\n")
    done = cpc("doctor", "--workspace", tmp_path)
    assert done.exit_code == 1
    assert "✗ customers: /nowhere/customers does not exist" in done.stdout


def test_the_version_is_told() -> None:
    assert cpc("--version").stdout.startswith("cpc 0.")
