"""A company billed in EUR and USD and paid in GBP, in one currency: worked out by day in plain decimals."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pytest

from tests.end_to_end.focus_company import record, write_contexts, write_source
from tests.end_to_end.running import Company

DAYS = [date(2026, 10, 1) + timedelta(days) for days in range(31)]
BILLED = DAYS[:5]  # Thursday to Monday: the ECB has no rates for the weekend
SHARES = {  # of 97 requests: to twelve digits, the remainder goes to the largest
    "ada": Decimal("0.309278350515"),
    "bob": Decimal("0.670103092785"),
    "cid": Decimal("0.010309278350"),
    "dan": Decimal("0.010309278350"),
}
REQUESTS = {"ada": 30, "bob": 65, "cid": 1, "dan": 1}
LAST, UNIT = Decimal("1E-24"), Decimal("1E-12")
CONTEXTS = {
    "dimensions/environment.yml": "dimension: environment\ndefault: production\nrules:\n"
    "  - from: {tag: environment}\n",
    "streams.yml": "streams: {requests: {unit: request, granularity: daily}}\n",
    "allocation.yml": "cost_of_goods_sold: {dimension: environment, equals: production}\n"
    "rules:\n"
    "  - {name: dedicated, when: {tag: customer, exists: true}, to: {tag: customer}}\n"
    "  - {by: requests, minimum_share: 0.02}\n",
}


def listed(day: date) -> dict[str, Decimal]:
    """What the ECB lists for one euro on a working day."""
    return {"EUR": Decimal(1), "USD": Decimal("1.08") + day.day * Decimal("0.001"),
            "GBP": Decimal("0.87") + day.day * Decimal("0.0001")}  # fmt: skip


def rate(day: date, currency: str, to: str) -> tuple[Decimal, date]:
    """The rate of the day, on weekends Friday's, and the day that it is of."""
    while day.weekday() > 4:
        day -= timedelta(1)
    with localcontext(prec=60):
        return (listed(day)[to] / listed(day)[currency]).quantize(UNIT, ROUND_DOWN), day


def converted(amount: Decimal, day: date, currency: str, to: str) -> Decimal:
    with localcontext(prec=80):
        exact = amount if currency == to else amount * rate(day, currency, to)[0]
        return exact.quantize(LAST, ROUND_HALF_UP)


def expected_costs(day: date, to: str) -> dict[str, Decimal]:
    """Cost of goods sold per customer on a billed day: 100 EUR by requests, 10 USD of bob's own."""
    costs = {customer: converted(100 * share, day, "EUR", to) for customer, share in SHARES.items()}
    costs["bob"] += converted(Decimal(10), day, "USD", to)
    return costs


def expected_months(to: str) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
    """Revenue, cost of goods sold and other cost of October per customer."""
    days = [expected_costs(day, to) for day in BILLED]
    costs = {customer: sum((day[customer] for day in days), Decimal(0)) for customer in SHARES}
    revenue = sum((converted(Decimal(10), day, "GBP", to) for day in DAYS), Decimal(0))
    other = converted(Decimal(5), BILLED[1], "USD", to)
    months = {customer: (Decimal(0), cost, Decimal(0)) for customer, cost in costs.items()}
    return {
        **months,
        "ada": (revenue, costs["ada"], Decimal(0)),
        "unallocated": (Decimal(0), Decimal(0), other),
    }


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    company = Company(tmp_path_factory.mktemp("currencies") / "company")
    write_contexts(company, CONTEXTS)
    bill = ["date,service,amount,currency,customer,environment"]
    for day in BILLED:
        bill += [f"{day},Compute,100.00,EUR,,", f"{day},Database,10.00,USD,bob,"]
    bill.append(f"{BILLED[1]},Compute,5.00,USD,,test")
    write_source(company, "billing/bill.csv", "\n".join(bill) + "\n")
    usage = [
        record("requests", customer, value, timestamp=f"{day}T00:00:00Z")
        for day in BILLED
        for customer, value in REQUESTS.items()
    ]
    write_source(company, "telemetry/requests.jsonl", "".join(usage))
    write_source(company, "revenue/r.csv", "customer,period,amount,currency\nada,2026-10,310.00,GBP\n")
    rows = [
        f"{day},{listed(day)['USD']},{listed(day)['GBP']},N/A," for day in reversed(DAYS) if day.weekday() < 5
    ]
    write_source(company, "exchange_rates/eurofxref-hist.csv", "\n".join(["Date,USD,GBP,CYP,", *rows]) + "\n")
    good, printed = run_in(company, "reporting_currency: EUR\n")
    assert good, printed
    return company


def run_in(company: Company, settings: str) -> tuple[bool, str]:
    company.settings.workspace.mkdir(exist_ok=True)
    (company.settings.workspace / "settings.yml").write_text(settings)
    return company.run(check_all=True)


@pytest.mark.parametrize("currency", ["EUR", "GBP"])
def test_costs_margins_and_averages_are_in_one_currency(company: Company, currency: str) -> None:
    good, printed = run_in(company, f"reporting_currency: {currency}\n")
    assert good, printed
    rows = company.read(
        "select usage_date, billing_currency, exchange_rate, rate_date, effective_cost, "
        "reported_effective_cost, reported_billed_cost, reporting_currency from customer_costs_reported"
    )
    assert len(rows) == company.read("select count(*) from customer_costs_daily")[0][0] == 5 * 4 + 1
    for day, of, found, rate_date, cost, reported, billed, to in rows:
        assert (found, rate_date) == ((1, day) if of == to else rate(day, of, to))
        assert (reported, billed, to) == (converted(cost, day, of, to),) * 2 + (currency,)
    expected = expected_months(currency)
    margins = company.read(
        "select customer_id, revenue, effective_cost, other_cost, gross_margin, gross_margin_ratio, "
        "reporting_currency from customer_margins_reported"
    )
    assert {customer: amounts for customer, *amounts in margins} == {
        customer: [revenue, cost, other, revenue - cost,
                   ((revenue - cost) / revenue).quantize(UNIT, ROUND_DOWN) if revenue else None,
                   currency]
        for customer, (revenue, cost, other) in expected.items()
    }  # fmt: skip
    costs = [expected[customer][1] for customer in SHARES]
    days = [list(expected_costs(day, currency).values()) for day in BILLED]
    with localcontext(prec=60):
        means = [(sum(each) / 4).quantize(LAST, ROUND_DOWN) for each in (*days, costs)]
    assert company.read(
        "select mean_cost, highest_cost, customer_count from average_customer_cost_reported "
        "where segment is null order by period_grain, period_start"
    ) == [(mean, max(each), 4) for mean, each in zip(means, (*days, costs), strict=True)]


def test_marts_in_the_bills_currencies_are_the_same_with_and_without(company: Company) -> None:
    before = company.marts()
    good, printed = run_in(company, "{}\n")
    assert good, printed
    reported = {name for name in before if name.endswith("_reported")} | {"exchange_rates_daily"}
    assert len(reported) == 4
    assert company.marts() == {name: rows for name, rows in before.items() if name not in reported}


def test_a_missing_rate_names_day_and_pair_and_readers_keep_what_they_have(company: Company) -> None:
    snapshot = company.snapshot()
    path = company.settings.sources / "exchange_rates" / "eurofxref-hist.csv"
    path.write_text("Date,USD,\n2026-09-30,1.08,\n")
    good, printed = run_in(company, "reporting_currency: EUR\nexchange_rate_days: 5\n")
    assert not good
    # The rate of Wednesday holds until Sunday.
    assert (
        "no exchange rate from GBP to EUR for 2026-10-01 or the 4 days before it, nor for 30 other days "
        "until 2026-10-31; add it to the source exchange_rates"
    ) in printed
    assert "no exchange rate from USD to EUR for 2026-10-05 or the 4 days before it; add" in printed
    assert company.snapshot() == snapshot


def test_a_rate_can_be_ones_own(company: Company, tmp_path: Path) -> None:
    own = Company(tmp_path / "own")
    write_contexts(own, CONTEXTS)
    write_source(own, "billing/bill.csv", "date,service,amount,currency\n2026-10-31,Compute,100.00,USD\n")
    write_source(own, "exchange_rates/own.csv", "date,from,to,rate\n2026-10-01,USD,EUR,0.92\n")
    good, printed = run_in(own, "reporting_currency: EUR\nexchange_rate_days: 31\n")
    assert good, printed
    assert own.read(
        "select rate_date::varchar, exchange_rate, reported_effective_cost from customer_costs_reported"
    ) == [("2026-10-01", Decimal("0.92"), Decimal("92"))]
