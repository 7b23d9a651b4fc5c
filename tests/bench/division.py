"""`python -m tests.bench.division`: what exact division costs, beside multiplying floating point numbers.

Usage of 5,000 customers and 40 features divides the features' pools in five cost columns: by the project's
own model `usage_allocations`, as dbt compiles it, and by plain multiplication of doubles over the same join,
cast to decimals. Both write the same rows and columns. The sums of the one have to be the pools; how far the
other's are off is printed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb
from rich.console import Console

from orchestration.settings import Settings
from orchestration.warehouse.project import prepare_project
from tests.bench import measure

MEMORY = "12GB"
CUSTOMERS = 5_000
FEATURES = 40
ROUNDS = 3
COST_COLUMNS = ("billed_cost", "effective_cost", "contracted_cost", "list_cost", "x_net_effective_cost")
COLUMNS = (*COST_COLUMNS, "share")
EXACT = "exact"
FLOATING = "floating point"

# What the model reads, with the columns that it reads of it. A set of usage is a feature's hour; so many
# hours are a pool, and each divides its own part of the pool's cost.
_READ = """
create schema rules;
create table rules.allocation_rules (rule_name varchar, minimum_share decimal(38, 12));

create schema allocation;
create table allocation.pool_usage as
select
    md5(feature || '/' || hour // $pool_hours) as pool_id,
    date '2026-01-01' + (hour // $pool_hours)::integer as usage_date,
    'feature ' || feature as allocation_rule,
    'hour' as usage_window,
    feature * 1000000 + hour as usage_set_id,
    $costs,
    cast(0.04 as decimal(38, 12)) as share
from range($features) as features (feature)
cross join range($hours) as hours (hour);

create table allocation.usage_shares as
with
    usage as (
        select
            feature * 1000000 + hour as usage_set_id,
            date '2026-01-01' + (hour // $pool_hours)::integer as usage_date,
            'customer-' || customer as customer_id,
            (hash(feature, hour, customer) % $largest_usage + 1)::hugeint as share_units
        from range($features) as features (feature)
        cross join range($hours) as hours (hour)
        cross join range($customers) as customers (customer)
    ),
    sets as (select usage_set_id, sum(share_units) as total_units from usage group by all)
select
    *,
    cast(share_units as decimal(38, 9)) as usage_quantity,
    cast(total_units as decimal(38, 9)) as total_usage
from usage
inner join sets using (usage_set_id);
"""
_COST = "(hash(feature, hour, '{column}') % 1000000000000)::decimal(38, 12) * 0.0000000001 as {column}"

# As good as plain multiplication gets: a pool's cost is cast once, the share of usage is taken once.
_PART = "cast(sum(pools.{column} * shares.usage_share) as decimal(38, 12)) as {column}"
_FLOATING = f"""
with
    pools as (
        select
            pool_id,
            usage_date,
            usage_window,
            usage_set_id,
            {", ".join(f"cast({column} as double) as {column}" for column in COLUMNS)}
        from warehouse.allocation.pool_usage
    ),

    shares as (
        select *, cast(usage_quantity as double) / cast(total_usage as double) as usage_share
        from warehouse.allocation.usage_shares
    )

select
    pools.pool_id,
    pools.usage_date,
    shares.customer_id,
    sum(shares.usage_quantity) as usage_quantity,
    sum(shares.total_usage) as total_usage,
    any_value(pools.usage_window) as usage_window,
    {", ".join(_PART.format(column=column) for column in COLUMNS)}
from pools
inner join shares using (usage_set_id)
group by pools.pool_id, pools.usage_date, shares.customer_id
"""


@dataclass(frozen=True)
class Size:
    """How much usage there is, and what it is like."""

    records: int
    pool_hours: int
    largest_usage: int

    @property
    def hours(self) -> int:
        """Hours of usage; each customer uses each feature in each."""
        return self.records // (CUSTOMERS * FEATURES)


def main() -> None:
    """Make usage, divide the pools both ways in turn, compare."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.division", description=__doc__)
    parser.add_argument("--records", type=int, default=20_000_000, help="usage records")
    parser.add_argument("--pool-hours", type=int, default=24, help="hours of usage that divide one pool")
    parser.add_argument("--largest-usage", type=int, default=1_000_000, help="most in one record")
    given = parser.parse_args()
    size = Size(given.records, given.pool_hours, given.largest_usage)
    console = Console()
    folder = Path(tempfile.mkdtemp(prefix="cpc-bench-"))
    try:
        ways = {EXACT: compiled_model(folder), FLOATING: _FLOATING}
        with console.status(f"Making {size.records:,} usage records"):
            measure.alone(write_usage, folder, size)
        wall: dict[str, float] = {}
        cpu: dict[str, float] = {}
        peak: dict[str, float] = {}
        for number in range(1, ROUNDS + 1):
            for way, sql in ways.items():
                with console.status(f"Dividing, {way}, {number} of {ROUNDS}"):
                    (seconds, cpu_seconds), in_all, memory = measure.alone(divide, folder, way, sql)
                wall[way] = min(seconds, wall.get(way, seconds))
                cpu[way] = min(cpu_seconds, cpu.get(way, cpu_seconds))
                peak[way] = max((memory.peak(in_all.started, in_all.ended) or 0) / 2**20, peak.get(way, 0))
        for way in ways:
            console.print(
                f"  {way}: {wall[way]:.2f} s, {cpu[way]:.2f} s of CPU, best of {ROUNDS}; "
                f"peak memory {peak[way]:,.0f} MiB"
            )
        compare(folder, console)
        console.print(
            f"  Exact takes {wall[EXACT] / wall[FLOATING]:.2f} times the time and "
            f"{cpu[EXACT] / cpu[FLOATING]:.2f} times the CPU of floating point; {size.records:,} records, "
            f"{size.pool_hours} hours to a pool"
        )
    finally:
        shutil.rmtree(folder)


def compiled_model(folder: Path) -> str:
    """The SQL of `usage_allocations` as the first run has it."""
    workspace = folder / "workspace"
    (workspace / "landing").mkdir(parents=True)
    project = prepare_project(Settings(workspace=workspace))
    command = project.arguments("compile", "--select", "usage_allocations")
    with contextlib.redirect_stdout(io.StringIO()):  # dbt prints what it compiles
        project.resource.cli(command, target_path=folder / "target").wait()
    (compiled,) = (folder / "target").glob("compiled/**/usage_allocations.sql")
    return compiled.read_text(encoding="utf-8")


def write_usage(folder: Path, size: Size) -> None:
    """The tables that both ways read, in a database of their own."""
    sql = _READ.replace("$costs", ", ".join(_COST.format(column=column) for column in COST_COLUMNS))
    numbers = {
        "$pool_hours": size.pool_hours,
        "$features": FEATURES,
        "$hours": size.hours,
        "$customers": CUSTOMERS,
        "$largest_usage": size.largest_usage,
    }
    for name, number in numbers.items():
        sql = sql.replace(name, str(number))
    with duckdb.connect(str(_warehouse(folder))) as connection:
        _bound(connection)
        connection.execute(sql)


def divide(folder: Path, way: str, sql: str) -> tuple[float, float]:
    """The divided pools as a table in a database of its own; seconds, and seconds of CPU, that it took."""
    target = _result(folder, way)
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        _bound(connection)
        connection.execute(f"attach '{_warehouse(folder)}' as warehouse (read_only)")
        started, cpu_started = time.perf_counter(), time.process_time()
        connection.execute(f"create table usage_allocations as {sql}")
        return time.perf_counter() - started, time.process_time() - cpu_started


def compare(folder: Path, console: Console) -> None:
    """What the pools are and what was given out of them: the same to the last digit, or by how much not."""
    off = " + ".join(f"abs(pools.{column} - given.{column})" for column in COLUMNS)
    sums = ", ".join(f"sum({column}) as {column}" for column in COLUMNS)
    with duckdb.connect(str(_warehouse(folder)), read_only=True) as connection:
        _bound(connection)
        found = {}
        for way in (EXACT, FLOATING):
            connection.execute(f"attach '{_result(folder, way)}' as result (read_only)")
            found[way] = connection.execute(
                f"""
                select sum(given.rows), count(*), count(*) filter (where {off} <> 0), sum({off})
                from (select pool_id, {sums} from allocation.pool_usage group by all) as pools
                left join (
                    select pool_id, count(*) as rows, {sums} from result.main.usage_allocations group by all
                ) as given using (pool_id)
                """
            ).fetchall()[0]
            connection.execute("detach result")
    rows, pools, exact_pools_off, _ = found[EXACT]
    _, _, pools_off, cost_off = found[FLOATING]
    if found[EXACT][:2] != found[FLOATING][:2] or exact_pools_off:
        sys.exit(f"The two differ, or pools are not given out whole: {found}")
    console.print(f"  {rows:,} rows. Exact: all {pools:,} pools are given out whole, to the last digit")
    console.print(f"  Floating point: {pools_off:,} of them are not; the sums are {cost_off} off")


def _warehouse(folder: Path) -> Path:
    return folder / "warehouse.duckdb"


def _result(folder: Path, way: str) -> Path:
    return folder / f"{way.replace(' ', '_')}.duckdb"


def _bound(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"set memory_limit = '{MEMORY}'")


if __name__ == "__main__":
    main()
