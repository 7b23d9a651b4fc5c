"""The demo's final output: a few figures queried from the published marts, and where to look next."""

from __future__ import annotations

import shlex
from contextlib import closing
from decimal import Decimal
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.demo.match_summary import SIGNS, explained_cost
from orchestration.outputs.read_only import rows_of
from orchestration.outputs.report.report import FILE_NAME
from orchestration.outputs.sentences import anomaly_sentence
from orchestration.settings import INSTALLED, PROJECT_ROOT, Settings

TOP_CUSTOMERS = """
select
    customer_name,
    segment,
    sum(effective_cost) filter (usage_month = date '2026-09-01') as september,
    sum(effective_cost) filter (usage_month = date '2026-10-01') as october,
    sum(effective_cost) as total
from customer_costs_monthly
where customer_id <> 'unallocated'
group by all
order by total desc, customer_name
limit 8
"""

AVERAGES = """
select period_start, coalesce(segment, 'all'), customer_count, mean_cost, median_cost, p90_cost
from average_customer_cost
where period_grain = 'monthly'
order by period_start, segment is not null, mean_cost desc
"""

WHERE_IT_WENT = """
select
    case
        when unallocated_reason is not null then 'unallocated: ' || unallocated_reason
        else 'to customers: ' || allocation_kind
    end as what,
    sum(effective_cost) as cost
from customer_costs_monthly
group by what
order by what like 'unallocated%', cost desc
"""

ANOMALIES = """
select *
from cost_anomalies
where same_cause_as is null and is_material and verdict is null
order by impact_rank
limit 3
"""

RECONCILIATION = "select count(*), coalesce(max(abs(difference)), 0) from reconciliation"

# Cost of the sample's incident (`company.INCIDENT`) for the customer that caused it.
QUESTION = (
    "pivot (from customer_costs_daily where customer_id = 'cust-017' and usage_date between '2026-10-18' and "
    "'2026-10-23') on feature using round(sum(effective_cost), 2) group by usage_date order by usage_date"
)


def show_result(settings: Settings, console: Console) -> bool:
    """Print the sample's result from the published snapshot; True if every cent is accounted for."""
    published = settings.published_folder / "current.duckdb"
    with closing(duckdb.connect(str(published), read_only=True)) as marts:
        console.print(_top_customers(marts))
        console.print(_averages(marts))
        console.print(_where_it_went(marts))
        console.print("\n[bold]Anomalies[/], largest impact first (mart cost_anomalies)")
        for anomaly in rows_of(marts, ANOMALIES):
            drivers = rows_of(
                marts, "from cost_anomaly_drivers where anomaly_id = $id", {"id": anomaly["anomaly_id"]}
            )
            sentence = anomaly_sentence(anomaly, drivers)
            console.print(f"  {sentence}", soft_wrap=True, highlight=False, markup=False)
        console.print(_explained(settings))
        compared, difference = marts.execute(RECONCILIATION).fetchall()[0]
    exact = bool(compared > 0 and difference == 0)
    mark = "[bold green]✓[/]" if exact else "[bold red]✗[/]"
    console.print(
        f"\n{mark} Reconciliation: {compared:,} sums from the files to the marts, difference {difference:f}",
        highlight=False,
    )
    _where_next(settings, console)
    return exact


def _table(title: str, texts: tuple[str, ...], numbers: tuple[str, ...]) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
        pad_edge=False,
    )
    for column in texts:
        table.add_column(column, no_wrap=True)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _top_customers(marts: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Costliest customers, USD", ("Customer", "Segment"), ("September", "October"))
    for name, segment, september, october, _ in marts.execute(TOP_CUSTOMERS).fetchall():
        table.add_row(name, segment, _money(september), _money(october))
    return table


def _averages(marts: duckdb.DuckDBPyConnection) -> Table:
    numbers = ("Customers", "Mean", "Median", "90th percentile")
    table = _table("Average cost per customer, USD a month", ("Month", "Segment"), numbers)
    for month, segment, customers, *costs in marts.execute(AVERAGES).fetchall():
        table.add_row(f"{month:%Y-%m}", segment, str(customers), *map(_money, costs))
    return table


def _where_it_went(marts: duckdb.DuckDBPyConnection) -> Table:
    table = _table("Where every dollar of the bill went", ("What",), ("USD",))
    total = Decimal(0)
    for what, cost in marts.execute(WHERE_IT_WENT).fetchall():
        table.add_row(what.replace("_", " "), _money(cost))
        total += cost
    table.add_row("[bold]the whole bill, amortised[/]", f"[bold]{_money(total)}[/]")
    return table


def _explained(settings: Settings) -> Table:
    explained = explained_cost(settings)
    tagged = explained.percent(explained.tagged)
    title = f"% of the bill explained by rules, and how; {tagged}% is tagged"
    table = _table(title, ("Dimension",), ("By rules", *(sign.capitalize() for sign in SIGNS)))
    for dimension, by_sign in explained.by_sign.items():
        parts = (f"{explained.percent(by_sign[sign])}" if sign in by_sign else "" for sign in SIGNS)
        table.add_row(dimension, f"{explained.percent(explained.matched(dimension))}", *parts)
    return table


def _money(amount: Any) -> str:
    return "" if amount is None else f"{amount:,.2f}"


def _where_next(settings: Settings, console: Console) -> None:
    published = settings.published_folder / "current.duckdb"
    usual = not INSTALLED and settings.workspace == PROJECT_ROOT / "workspace"
    folder = "" if INSTALLED else ".venv/bin/"
    given = {name: getattr(settings, name) for name in ("workspace", "contexts")}
    option = "".join(
        f" --{name} {shlex.quote(str(place))}"
        for name, place in given.items()
        if place != Settings.model_fields[name].default
    )
    lines = (
        f"marts    {published}, for any BI tool that opens DuckDB; also as Parquet in current/",
        f"Dagster  {'make dev' if usual else f'{folder}cpc dev{option}'}",
        f"rules    {settings.contexts}; edit one, then {folder}cpc run{option}",
        f"files    {settings.sources}: bill, usage and customers as delivered",
        "SQL      a customer's searches surged on 2026-10-20, after a deployment; the cost of that:",
    )
    console.print("\n[bold]Where to look next[/]")
    for line in lines:
        console.print(f"  {line}", soft_wrap=True, highlight=False, markup=False)
    code = f"import duckdb; duckdb.connect('{published}', read_only=True).sql('''{QUESTION}''').show()"
    console.print(f'    {folder}python -c "{code}"', soft_wrap=True, highlight=False, markup=False)
    # Printed last so that it stays in view.
    report = settings.published_folder / FILE_NAME
    console.print("\n[bold]The report[/], one file for any browser")
    console.print(f"  {report}", soft_wrap=True, highlight=False, markup=False)
