"""`python -m tests.bench`: the whole job and a run after one changed day, on generated data, with figures.

Figures to steer by, not a test: nothing here fails because it is slow. It fails when a total is not exact.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from orchestration.settings import Settings
from tests.bench import generated, measure
from tests.bench.by_hand import make_customer_costs
from tests.bench.job import run_the_job

_REST = "start, contexts, dbt parse"
_SHOWN = {
    "land_billing": "land billing",
    "landing__customers": "land customers",
    "telemetry_landing": "land telemetry",
    "dbt_models": "dbt models and tests",
    "landing__telemetry_quarantine_few_records_in_quarantine": "check quarantine",
    "published__snapshot": "publish",
}
TOTALS = """
select
    usage_date,
    feature,
    service_name,
    sum(billed_cost),
    sum(effective_cost),
    sum(contracted_cost),
    sum(list_cost),
    sum(x_net_effective_cost)
from {costs}
group by all
order by all
"""
CUSTOMERS = "select customer_id, sum(effective_cost) from {costs} group by all order by all"


def main() -> None:
    """Generate, run, change a day, run again, do it by hand, compare."""
    given = _arguments()
    size = generated.Size(given.rows, given.customers, given.features)
    console = Console()
    folder = Path(given.folder or tempfile.mkdtemp(prefix="cpc-bench-"))
    settings = Settings(workspace=folder / "workspace", contexts=folder / "contexts")
    try:
        with console.status(f"Making {size.rows:,} charges and {size.rows:,} usage records"):
            generated.write_sources(settings.sources, size)
            generated.write_contexts(settings.contexts, size)
        whole = _run(settings, console, size, "The whole job")
        by_hand = _by_hand(settings, folder, console, "By hand, the better of two")
        _compare(settings, folder, console)
        console.print(f"  {whole / by_hand:.1f} times the {by_hand:.1f} s of hand-written SQL")

        generated.change_one_day(settings.sources, size)
        changed = _run(settings, console, size, "Again, after one changed day", usage_is_new=False)
        by_hand = _by_hand(settings, folder, console, "By hand, all days, the better of two")
        _compare(settings, folder, console)
        console.print(
            f"  {changed / whole:.2f} of the whole job, {changed / by_hand:.1f} times hand-written SQL"
        )
    finally:
        if given.folder is None:
            shutil.rmtree(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the bill, and of the usage")
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--folder", help="work here and keep everything; by default a temporary folder")
    given = parser.parse_args()
    enough = generated.DAYS * 24 * given.features
    if given.rows < enough or given.customers < 8:
        parser.error(f"at least {enough} rows (one an hour and feature) and 8 customers are needed")
    return given


def _run(
    settings: Settings, console: Console, size: generated.Size, title: str, *, usage_is_new: bool = True
) -> float:
    with console.status(title):
        _, in_all, memory = measure.alone(run_the_job, settings)
    stages = measure.stages_of_last_run(settings)
    rest = in_all.seconds - sum(stage.seconds for stage in stages)
    table = _table(title)
    for stage in stages:
        _add(
            table,
            _SHOWN.get(stage.name, stage.name),
            stage.seconds,
            _rows(stage.name, size, usage_is_new=usage_is_new),
            memory.peak(stage.started, stage.ended),
        )
    _add(table, _REST, rest, None, None)
    _add(table, "in all", in_all.seconds, 2 * size.rows, memory.peak(in_all.started, in_all.ended))
    console.print(table)
    slowest = ", ".join(
        f"{name} {seconds:.1f} s" for name, seconds in measure.slowest_of_last_run(settings, 6)
    )
    console.print(f"  slowest in dbt: {slowest}")
    return in_all.seconds


def _by_hand(settings: Settings, folder: Path, console: Console, title: str) -> float:
    target = folder / "by_hand.duckdb"
    with console.status(title):
        # The first of two also warms what the second finds warm: they differ more than two runs of the job.
        turns = [measure.alone(make_customer_costs, settings.sources, target)[1:] for _ in range(2)]
    in_all, memory = min(turns, key=lambda turn: turn[0].seconds)
    table = _table(title)
    _add(table, "handwritten.sql", in_all.seconds, None, memory.peak(in_all.started, in_all.ended))
    console.print(table)
    return in_all.seconds


def _rows(stage: str, size: generated.Size, *, usage_is_new: bool) -> int | None:
    """The rows that a stage reads, where that says something about its speed."""
    if stage == "land_billing" or (stage == "telemetry_landing" and usage_is_new):
        return size.rows
    return 2 * size.rows if stage == "dbt_models" else None


def _compare(settings: Settings, folder: Path, console: Console) -> None:
    """Both ways must have made the same money of the same bill, to the last digit."""
    published = settings.published_folder / "current.duckdb"
    with closing(duckdb.connect()) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach '{published}' as job (read_only)")
        connection.execute(f"attach '{folder / 'by_hand.duckdb'}' as by_hand (read_only)")
        found = {
            way: [
                connection.execute(query.format(costs=f"{way}.main.customer_costs_daily")).fetchall()
                for query in (TOTALS, CUSTOMERS)
            ]
            for way in ("job", "by_hand")
        }
        rows = [
            connection.execute(f"select count(*) from {way}.main.customer_costs_daily").fetchall()[0][0]
            for way in found
        ]
    job, by_hand = found["job"], found["by_hand"]
    if job[0] != by_hand[0]:
        sys.exit("The job and the hand-written SQL differ in the cost of a day, feature and service.")
    customers = [dict(result[1]) for result in (job, by_hand)]
    if customers[0].keys() != customers[1].keys():
        sys.exit("The job and the hand-written SQL name different customers.")
    # Who gets the rest of a rounding differs: the job gives out a day's, the hand-written SQL each hour's. So
    # a customer may be a few units of the last digit apart; the sums above are the same to the digit.
    apart = max(abs(customers[0][name] - customers[1][name]) for name in customers[0])
    total = sum(customers[0].values(), Decimal(0))
    console.print(
        f"  equal: {len(job[0]):,} sums by day, feature and service in five cost columns; {total:f} in all, "
        f"{rows[0]:,} rows of customer costs ({rows[1]:,} by hand); customers at most {apart:f} apart"
    )


def _table(title: str) -> Table:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    table = Table(title=f"\n{title} ({cores} cores)", title_justify="left", title_style="bold", box=None)
    table.add_column("stage")
    for column in ("seconds", "rows/s", "peak memory, MiB"):
        table.add_column(column, justify="right")
    return table


def _add(table: Table, name: str, seconds: float, rows: int | None, peak: int | None) -> None:
    figures: list[Any] = [
        f"{seconds:.1f}",
        f"{rows / seconds:,.0f}" if rows and seconds else "",
        f"{peak / 2**20:,.0f}" if peak else "",
    ]
    table.add_row(name, *figures)


if __name__ == "__main__":
    main()
