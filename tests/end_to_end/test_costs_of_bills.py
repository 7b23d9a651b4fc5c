"""A cost that a bill lacks is never 0, and the fees of commitments count once: many small bills, one run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from orchestration.settings import BillingExport
from orchestration.sources.billing.errors import BillingError
from orchestration.sources.billing.landing import land_billing
from orchestration.sources.locations import open_location
from tests.end_to_end.bills_of_commitments import BILLS, REJECTED, Bill
from tests.end_to_end.running import Company
from tests.properties.amortised_costs import COST_COLUMNS

CONTEXTS = {
    "allocation.yml": "allocate_to: customer\ncost_of_goods_sold: everything\nrules:\n"
    "  - name: dedicated\n    when: {tag: customer, exists: true}\n    to: {tag: customer}\n",
    "dimensions/feature.yml": "dimension: feature\ndescription: Product feature\ndefault: Shared\nrules:\n"
    "  - from: {tag: app}\n",
    "streams.yml": "streams:\n  requests: {unit: request, granularity: hourly, description: Requests}\n",
}


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """One run over all bills, an export each."""
    company = Company(tmp_path_factory.mktemp("bills"))
    for name, text in CONTEXTS.items():
        (company.root / "contexts" / name).parent.mkdir(parents=True, exist_ok=True)
        (company.root / "contexts" / name).write_text(text)
    folder = company.root / "bills"
    for bill in BILLS:
        bill.write(folder)
    (company.root / "workspace").mkdir()
    exports = "".join(f"  - {{name: {bill.name}, location: '{folder / bill.name}'}}\n" for bill in BILLS)
    (company.root / "workspace" / "settings.yml").write_text(
        # The bills are made up one by one, and some lines of one account are the same in two of them.
        f"billing_exports:\n{exports}billing_overlaps: count\n"
    )
    good, printed = company.run()
    assert good, printed
    return company


@pytest.mark.parametrize("bill", BILLS, ids=lambda bill: bill.name)
def test_a_bill_comes_to_what_was_worked_out_by_hand(company: Company, bill: Bill) -> None:
    sums = ", ".join(f"sum({column})" for column in COST_COLUMNS)
    found = company.read(f"select {sums} from customer_costs_daily where x_source_name = '{bill.name}'")
    assert dict(zip(COST_COLUMNS, found[0], strict=True)) == bill.expected
    by_month = company.read(
        "select strftime(billing_month, '%Y-%m'), sum(effective_cost) from customer_costs_daily "
        f"where x_source_name = '{bill.name}' group by 1"
    )
    assert bill.months == {} or dict(by_month) == {m: Decimal(c) for m, c in bill.months.items()}


@pytest.mark.parametrize("bill", BILLS, ids=lambda bill: bill.name)
def test_the_bridge_leads_from_billed_to_effective_cost(company: Company, bill: Bill) -> None:
    found = company.read(
        f"select cause, sum(amount) from cost_bridge where x_source_name = '{bill.name}' group by 1"
    )
    ends = {"billed cost": bill.costs["billed_cost"], "effective cost": bill.costs["effective_cost"]}
    if bill.bridge or ends["billed cost"] == ends["effective cost"]:
        assert dict(found) == {cause: Decimal(amount) for cause, amount in (ends | bill.bridge).items()}


@pytest.mark.parametrize("bill", BILLS, ids=lambda bill: bill.name)
def test_what_a_bill_lacks_is_told_with_its_money(company: Company, bill: Bill) -> None:
    found = company.read(
        "select code, subject, sum(row_count)::int, sum(effective_cost), min(place) from warnings "
        "where code in ('cost-missing', 'effective-cost-unexplained', 'commitment-not-used') "
        f"and subject || ':' like '{bill.name}:%' group by code, subject"
    )
    told = {(code, subject): (rows, cost) for code, subject, rows, cost, _ in found}
    wanted = {about: (rows, Decimal(cost)) for about, (rows, cost) in bill.warned.items()}
    if bill.warned:
        assert told == wanted
    else:
        assert {code for code, _ in told} <= {"cost-missing"}
    files = [place for code, *_, place in found if code != "effective-cost-unexplained"]
    assert all(f"{bill.name}-0000" in place and ".csv row " in place for place in files)


def test_columns_that_no_row_has_a_value_for_are_told(company: Company) -> None:
    """Those that every bill has, and those that a rule names, as the rule of the allocation does tags."""
    found = company.read(
        "select subject, severity, billing_month::varchar from warnings where code = 'column-without-values' "
        "and subject like 'provider: %' order by 1"
    )
    assert found == [(f"provider: {name}", "warning", "2026-10-01") for name in ("provider_name", "tags")]


def test_every_hop_reconciles(company: Company) -> None:
    assert company.read("from reconciliation where difference <> 0") == []


@pytest.mark.parametrize("kind", REJECTED)
def test_a_bill_that_leaves_an_amortised_cost_unknown_is_rejected(kind: str, tmp_path: Path) -> None:
    rows, column = REJECTED[kind]
    Bill("bill", [rows], {}).write(tmp_path)
    with pytest.raises(BillingError, match=rf"have no [\w ]*{column}\b.* bill \d.*USD") as rejected:
        land_billing(
            [BillingExport(name="bill", location=str(tmp_path / "bill"))],
            lambda location: open_location(location, lambda: None),
            tmp_path / "landing",
        )
    assert f"data row {len(rows)};" in str(rejected.value) or len(rows) == 1
    assert list((tmp_path / "landing" / "billing").glob("days/source_name=bill/*/days.parquet")) == []
