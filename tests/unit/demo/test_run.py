"""The whole demo: through S3 and Dagster to the published marts, compared with the delivered files."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from orchestration.demo import company
from orchestration.demo.delivery import ForeignFilesError, deliver
from orchestration.demo.match_summary import SIGNS, explained_cost
from orchestration.demo.run import run_demo
from orchestration.settings import Settings
from tests.conftest import FinishedDemo

# Amortised and unblended cost straight from the delivered files, by AWS' table of line item types.
BILL = """
with
    lines as (
        select
            strftime(bill_billing_period_start_date, '%Y-%m') as billing_period,
            line_item_line_item_type as type,
            reservation_reservation_a_r_n as reservation,
            exact(line_item_unblended_cost) as unblended,
            exact(savings_plan_savings_plan_effective_cost) as covered,
            exact(savings_plan_total_commitment_to_date) - exact(savings_plan_used_commitment) as unused_plan,
            exact(reservation_effective_cost) as reserved,
            exact(reservation_unused_amortized_upfront_fee_for_billing_period)
                + exact(reservation_unused_recurring_fee) as unused_reservation
        from read_parquet([{files}])
    )
select
    billing_period,
    sum(unblended),
    sum(
        case
            when type = 'SavingsPlanCoveredUsage' then covered
            when type = 'SavingsPlanRecurringFee' then unused_plan
            when type in ('SavingsPlanNegation', 'SavingsPlanUpfrontFee') then 0
            when type = 'DiscountedUsage' then reserved
            when type = 'RIFee' then unused_reservation
            when type = 'Fee' and reservation is not null then 0
            else unblended
        end
    )
from lines
group by billing_period
order by billing_period
"""
MARTS = """
select strftime(billing_month, '%Y-%m') as billing_period, sum(billed_cost), sum(effective_cost)
from customer_costs_daily
group by billing_period
order by billing_period
"""

MATCHED = """
select dimension, sum(effective_cost) filter (coverage = 'rule'), sum(effective_cost)
from context_coverage
group by dimension
order by dimension
"""


def _ask(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.published_folder / "current.duckdb"), read_only=True) as marts:
        return marts.execute(query).fetchall()


@pytest.mark.timeout(900)
def test_the_demo_accounts_for_every_cent_and_outlives_its_server(
    finished_demo: FinishedDemo, delivery_folders: list[Path]
) -> None:
    settings, shown = finished_demo.settings, finished_demo.printed
    assert "difference 0.000000000000" in shown
    assert "Average cost per customer" in shown
    # What one sees last is where the report is.
    report = settings.published_folder / "report.html"
    assert shown.rstrip().splitlines()[-1].strip() == str(report)
    assert report.is_file()

    files = ", ".join(f"'{path}'" for folder in delivery_folders[1:] for path in sorted(folder.iterdir()))
    with duckdb.connect() as connection:
        connection.execute("create macro exact(amount) as amount::varchar::decimal(38, 12)")
        assert _ask(settings, MARTS) == connection.execute(BILL.format(files=files)).fetchall()
    # The customer behind the incident stands out on its two days.
    incident = "usage_date between '2026-10-20' and '2026-10-21'"
    ((costliest,),) = _ask(
        settings,
        f"""select customer_id from customer_costs_daily where {incident} and customer_id <> 'unallocated'
            group by 1 order by sum(effective_cost) desc limit 1""",
    )
    assert costliest == "cust-017"
    _the_incident_is_the_first_anomaly(settings, shown)

    # It ran once more without the server, as `cpc run` and `cpc dev` do it afterwards: nothing changed.
    assert finished_demo.first_snapshot == (settings.published_folder / "current").resolve().name


def _the_incident_is_the_first_anomaly(settings: Settings, shown: str) -> None:
    """Found by itself: the right customer, feature, hours and drivers; what it did elsewhere refers to it."""
    incident = company.INCIDENT
    ((anomaly_id, customer, name, element, kind, started, ended, impact, usage, rate),) = _ask(
        settings,
        """select anomaly_id, customer_id, customer_name, element, granularity, started_at, ended_at,
            cost_impact, usage_effect, rate_effect from cost_anomalies where impact_rank = 1""",
    )
    assert (customer, element, kind) == (incident.customer_id, "Search", "hourly")
    assert started == incident.starts_at.replace(tzinfo=None)
    assert ended == incident.ends_at.replace(tzinfo=None)
    ((cost,),) = _ask(
        settings,
        f"""select sum(effective_cost) from customer_costs_hourly where customer_id = '{customer}'
            and feature = 'Search' and usage_hour >= '{started}' and usage_hour < '{ended}'""",
    )
    assert 0.9 * float(cost) < float(impact) < float(cost)  # type: ignore[arg-type]
    assert usage + rate == impact  # type: ignore[operator]
    drivers = _ask(
        settings,
        f"""select driver_kind, driver, cost_impact from cost_anomaly_drivers
            where anomaly_id = '{anomaly_id}'
            order by driver_kind, abs(cost_impact) desc nulls last""",
    )
    assert ("usage", incident.stream, usage) in drivers
    services = [driver for driver in drivers if driver[0] == "service"]
    assert services[0][1] == "Amazon OpenSearch Service"
    assert sum(driver[2] for driver in services) == impact  # type: ignore[misc]
    sentence = f"Search for {name} (cust-017) cost {impact:.2f} USD more than expected"
    assert f"{sentence} from 2026-10-20 14:00 to " in shown.replace("\n", " ")
    told_twice = _ask(
        settings,
        f"""select anomaly_id from cost_anomalies where same_cause_as is null and impact_rank > 1
            and (customer_id = '{customer}' or element = 'Search') and started_at between '2026-10-20' and
            '2026-10-22'""",
    )
    assert told_twice == []


@pytest.mark.timeout(900)
def test_the_contexts_explain_a_bill_of_which_less_than_half_is_tagged(finished_demo: FinishedDemo) -> None:
    settings = finished_demo.settings
    matched = {dimension: (by_rules, total) for dimension, by_rules, total in _ask(settings, MATCHED)}
    assert list(matched) == ["environment", "feature", "product", "region", "team"]
    explained = explained_cost(settings)
    for dimension, (by_rules, total) in matched.items():
        assert by_rules > Decimal("0.95") * total, dimension
        # The table that the demo shows says the same as the mart.
        assert (explained.matched(dimension), explained.total) == (by_rules, total)
        assert set(explained.by_sign[dimension]) <= set(SIGNS)
    assert 0 < explained.tagged < explained.total / 2
    for dimension in ("environment", "feature", "team"):
        assert explained.by_sign[dimension]["relation"] > 0
    assert explained.by_sign["environment"]["account"] > explained.total / 3


def test_a_workspace_with_a_bill_of_its_own_is_not_touched(tmp_path: Path) -> None:
    settings = Settings(workspace=tmp_path)
    bill = settings.sources / "billing" / "bill.csv"
    bill.parent.mkdir(parents=True)
    bill.write_text("lineItem/UnblendedCost\n1\n")
    console = Console(file=io.StringIO(), width=200)
    assert not run_demo(settings, console)
    assert "billing/bill.csv" in console.file.getvalue()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [bill]
    with pytest.raises(ForeignFilesError):
        deliver(settings.sources, seed=7)
