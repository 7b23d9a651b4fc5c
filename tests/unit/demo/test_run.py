"""The whole demo: through S3 and Dagster to the published marts, compared with the delivered files."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest
from rich.console import Console

from orchestration.demo.delivery import ForeignFilesError, deliver
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
select billing_period, sum(billed_cost), sum(effective_cost)
from customer_costs_daily
group by billing_period
order by billing_period
"""


def _ask(settings: Settings, query: str) -> list[tuple[object, ...]]:
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

    # It ran once more without the server, as `cpc run` and `cpc dev` do it afterwards: nothing changed.
    assert finished_demo.first_snapshot == (settings.published_folder / "current").resolve().name


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
