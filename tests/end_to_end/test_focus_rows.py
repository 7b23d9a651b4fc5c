"""What each customer carries, as FOCUS 1.2 rows: its columns, its rules, and the bill to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb
import pytest

from tests.conftest import FinishedDemo
from tests.end_to_end.focus_1_2 import COLUMNS, RULES

# What a customer carries of an amount has 24 digits after the point, a quantity 12.
TYPES = {
    "decimal": "DECIMAL(38,12)",
    "cost": "DECIMAL(38,24)",
    "text": "VARCHAR",
    "time": "TIMESTAMP",
    "json": "VARCHAR",
}
COSTS = {
    "BilledCost": "billed_cost",
    "EffectiveCost": "effective_cost",
    "ContractedCost": "contracted_cost",
    "ListCost": "list_cost",
    "x_NetEffectiveCost": "x_net_effective_cost",
}


@pytest.fixture(scope="module")
def marts(finished_demo: FinishedDemo) -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(str(finished_demo.published), read_only=True)) as connection:
        yield connection


@pytest.fixture(scope="module")
def columns(marts: duckdb.DuckDBPyConnection) -> dict[str, str]:
    described = marts.execute("describe focus_customer_costs").fetchall()
    return {name: kind for name, kind, *_ in described}


def test_it_has_the_columns_of_focus_and_marks_its_own(columns: dict[str, str]) -> None:
    assert {name for name, column in COLUMNS.items() if column.level == "Mandatory"} <= columns.keys()
    assert [name for name in columns if name not in COLUMNS and not name.startswith("x_")] == []
    assert {name: kind for name, kind in columns.items() if name in COLUMNS} == {
        name: TYPES["cost" if name in COSTS else COLUMNS[name].kind] for name in columns if name in COLUMNS
    }


def test_values_are_there_where_focus_wants_them_and_are_those_it_allows(
    marts: duckdb.DuckDBPyConnection, columns: dict[str, str]
) -> None:
    broken = []
    for name in columns:
        column = COLUMNS.get(name)
        if column is None:
            continue
        if not column.nullable:
            broken.append((name, "is null", f"{name} is null"))
        if column.values:
            allowed = ", ".join(f"'{value}'" for value in column.values)
            broken.append((name, "is not allowed", f"{name} not in ({allowed})"))
    count = "select count(*) from focus_customer_costs where "
    assert [rule for *rule, wrong in broken if marts.execute(count + wrong).fetchone() != (0,)] == []


@pytest.mark.parametrize("rule", RULES)
def test_rules_of_focus_hold(marts: duckdb.DuckDBPyConnection, rule: str) -> None:
    assert marts.execute(f"from focus_customer_costs where {RULES[rule]} limit 3").fetchall() == []


def test_every_category_of_charge_and_a_correction_are_among_the_rows(
    marts: duckdb.DuckDBPyConnection,
) -> None:
    found = marts.execute("select distinct ChargeCategory, ChargeClass from focus_customer_costs").fetchall()
    assert {("Usage", None), ("Purchase", None), ("Tax", None), ("Credit", None)} <= set(found)
    assert "Correction" in {charge_class for _, charge_class in found}


def test_a_service_is_of_one_category(marts: duckdb.DuckDBPyConnection) -> None:
    categories = dict(
        marts.execute(
            "select ServiceName, string_agg(distinct ServiceCategory, ', ') from focus_customer_costs "
            "group by all"
        ).fetchall()
    )
    assert categories["Amazon Elastic Compute Cloud"] == "Compute"
    assert categories["AmazonCloudWatch"] == "Management and Governance"
    assert [name for name, category in categories.items() if "," in category] == []


def test_rows_add_up_to_every_customers_day(marts: duckdb.DuckDBPyConnection) -> None:
    sums = ", ".join(f"sum({focus})" for focus in COSTS)
    same = ", ".join(f"sum({column})" for column in COSTS.values())
    differing = marts.execute(
        f"""
        (select cast(ChargePeriodStart as date), cast(BillingPeriodStart as date), x_CustomerId,
            ServiceName, BillingCurrency, x_AllocationKind, {sums} from focus_customer_costs group by all
         except all
         select usage_date, billing_month, customer_id, service_name, billing_currency, allocation_kind,
            {same} from customer_costs_daily group by all)
        """
    ).fetchall()
    assert differing == []
    totals = [
        marts.execute(f"select {wanted} from {mart}").fetchone()
        for wanted, mart in ((sums, "focus_customer_costs"), (same, "customer_costs_daily"))
    ]
    assert totals[0] == totals[1]
