"""`python -m bench`: the whole job on generated data, and again after small changes, beside a yardstick.

The yardstick is hand-written SQL in the same arithmetic (`yardstick.sql`), run in the same minutes. Figures
to steer by, not a test: nothing here fails because it is slow. It fails when a sum is not exact.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
from rich.console import Console
from rich.table import Table

from bench import generated, measure
from orchestration.settings import Settings

SIZES = {"small": 2_000_000, "medium": 20_000_000, "large": 100_000_000}
# What a run that has anything to do may cost beside its work, and what its work may, in yardsticks.
FIXED_SECONDS = 15
ALLOWED = {"full": 1.5, "one day": 0.35, "usage": 0.1}
_SHOWN = {
    "billing_landing": "land billing",
    "customers_landing": "land customers",
    "telemetry_landing": "land telemetry",
    "dbt_models": "dbt models and tests",
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


@dataclass
class Bench:
    """One bench: where it works, at what size, and the figures so far."""

    folder: Path
    size: generated.Size
    console: Console
    figures: list[dict[str, Any]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings of the company that is measured."""
        return Settings(workspace=self.folder / "workspace", contexts=self.folder / "contexts")

    def record(self, name: str, measured: measure.Measured, stages: list[measure.Stage]) -> None:
        """Keep the figures of a run and show them."""
        rows = 2 * self.size.rows
        figure: dict[str, Any] = {
            "run": name,
            "rows": rows,
            "seconds": round(measured.stage.seconds, 2),
            "cpu_seconds": round(measured.cpu_seconds, 2),
            "rows_per_second": round(rows / measured.stage.seconds),
            "peak_memory_mib": measured.peak >> 20,
            "written_mib": measured.written >> 20,
            "disk_peak_mib": measured.disk_peak >> 20,
            "stages": [
                {
                    "stage": _SHOWN.get(stage.name, stage.name),
                    "seconds": round(stage.seconds, 2),
                    "peak_memory_mib": (measured.memory.peak(stage.started, stage.ended) or 0) >> 20,
                }
                for stage in stages
            ],
        }
        self.figures.append(figure)
        self._show(figure)

    def _show(self, figure: dict[str, Any]) -> None:
        table = Table(title=f"\n{figure['run']}", title_justify="left", title_style="bold", box=None)
        table.add_column("stage")
        for column in ("seconds", "peak memory, MiB"):
            table.add_column(column, justify="right")
        for stage in figure["stages"]:
            if stage["seconds"] >= 0.05:
                table.add_row(stage["stage"], f"{stage['seconds']:.1f}", f"{stage['peak_memory_mib']:,}")
        table.add_row("in all", f"{figure['seconds']:.1f}", f"{figure['peak_memory_mib']:,}")
        self.console.print(table)
        self.console.print(
            f"  {figure['cpu_seconds']:.1f} s of CPU, {figure['rows_per_second']:,} rows/s, "
            f"{figure['written_mib']:,} MiB written, on disk at most {figure['disk_peak_mib']:,} MiB"
        )


def main() -> None:
    """Generate, measure, change a little, measure again, compare."""
    given = _arguments()
    size = generated.Size(given.rows or SIZES[given.size], given.customers, given.features)
    folder = Path(given.folder or tempfile.mkdtemp(prefix="cpc-bench-"))
    bench = Bench(folder, size, Console())
    try:
        _measure_all(bench, given.days_at_once)
        for library in given.dataframes:
            _dataframes(bench, library)
    finally:
        if given.json:
            Path(given.json).write_text(json.dumps(bench.figures, indent=2) + "\n", encoding="utf-8")
        if given.folder is None:
            shutil.rmtree(folder)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="small", help="2, 20 or 100 million rows of each")
    parser.add_argument("--rows", type=int, help="rows of the bill, and of the usage, instead of a size")
    parser.add_argument("--customers", type=int, default=5_000)
    parser.add_argument("--features", type=int, default=40)
    parser.add_argument("--days-at-once", type=int, default=generated.DAYS, help="of the yardstick")
    parser.add_argument("--dataframes", nargs="*", choices=["pandas", "polars"], default=[], help="as well")
    parser.add_argument("--folder", help="work here and keep everything; by default a temporary folder")
    parser.add_argument("--json", help="write the figures into this file, for machines")
    given = parser.parse_args()
    enough = generated.DAYS * 24 * given.features
    if (given.rows or SIZES[given.size]) < enough or given.customers < 8:
        parser.error(f"at least {enough} rows (one an hour and feature) and 8 customers are needed")
    return given


def _measure_all(bench: Bench, days_at_once: int) -> None:
    sources, size = bench.settings.sources, bench.size
    if not sources.is_dir():
        with bench.console.status(f"Making {size.rows:,} charges and {size.rows:,} usage records"):
            generated.write_sources(sources, size)
            generated.write_contexts(bench.settings.contexts, size)
    bench.console.print(f"{measure.size_of(sources) >> 20:,} MiB of sources in {bench.folder}")
    yardstick = min(_yardstick(bench, days_at_once) for _ in range(2))
    _compare(bench, _job(bench, "full build"), yardstick, "full")
    _job(bench, "nothing changed")

    with bench.console.status("Delivering the month again, with one day changed"):
        generated.deliver_again(sources, size)
    seconds = _job(bench, "one changed day of a re-delivered month")
    _yardstick(bench, days_at_once)
    _compare(bench, seconds, yardstick, "one day")

    generated.send_late_usage(sources, size)
    seconds = _job(bench, "late usage of one day")
    _yardstick(bench, days_at_once)
    _compare(bench, seconds, yardstick, "usage")


def _job(bench: Bench, name: str) -> float:
    settings = bench.settings
    options = ["--workspace", str(settings.workspace), "--contexts", str(settings.contexts)]
    with bench.console.status(name):
        measured = measure.command(
            [str(Path(sys.executable).with_name("cpc")), "run", *options], settings.workspace
        )
    bench.record(name, measured, measure.stages_of_last_run(settings))
    slowest = ", ".join(
        f"{name} {seconds:.1f} s" for name, seconds in measure.slowest_of_last_run(settings, 8)
    )
    bench.console.print(f"  slowest in dbt: {slowest}")
    return measured.stage.seconds


def _yardstick(bench: Bench, days_at_once: int) -> float:
    target = bench.folder / "yardstick.duckdb"
    with bench.console.status("the yardstick"):
        measured = measure.command(
            [
                *(sys.executable, "-m", "bench.yardstick", str(bench.settings.sources), str(target)),
                *("--days-at-once", str(days_at_once)),
            ]
        )
    bench.record(f"yardstick.sql, {days_at_once} days at once", measured, [])
    return measured.stage.seconds


def _dataframes(bench: Bench, library: str) -> None:
    try:
        measured = measure.command(
            [sys.executable, "-m", "bench.dataframes", library, str(bench.settings.sources)]
        )
    except measure.CommandFailedError as error:
        bench.console.print(f"  {library} did not get through: {str(error)[-300:]}")
        return
    bench.record(library, measured, [])
    bench.console.print(f"  {measured.printed.strip()}")


def _compare(bench: Bench, seconds: float, yardstick: float, kind: str) -> None:
    """Both ways must have made the same money of the same files, to the last digit."""
    published = bench.settings.published_folder / "current.duckdb"
    with closing(duckdb.connect()) as connection:
        connection.execute("set enable_progress_bar = false")
        connection.execute(f"attach '{published}' as job (read_only)")
        connection.execute(f"attach '{bench.folder / 'yardstick.duckdb'}' as yardstick (read_only)")
        found = {
            way: [
                connection.execute(query.format(costs=f"{way}.main.customer_costs_daily")).fetchall()
                for query in (TOTALS, CUSTOMERS)
            ]
            for way in ("job", "yardstick")
        }
    if found["job"][0] != found["yardstick"][0]:
        sys.exit("The job and the yardstick differ in the cost of a day, feature and service.")
    if found["job"][1] != found["yardstick"][1]:
        sys.exit("The job and the yardstick differ in what a customer carries.")
    allowed = ALLOWED[kind] * yardstick + FIXED_SECONDS
    bench.console.print(
        f"  equal to the yardstick in {len(found['job'][0]):,} sums by day, feature and service and "
        f"{len(found['job'][1]):,} customers; {seconds:.1f} s where {ALLOWED[kind]} x {yardstick:.1f} s + "
        f"{FIXED_SECONDS} s = {allowed:.1f} s are the goal"
    )


if __name__ == "__main__":
    main()
