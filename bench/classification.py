"""`python -m bench.classification`: charges through 500 rules, compiled and written by hand.

Ten dimensions of fifty rules (`many_rules`) over as many charges as are asked for, in one scan of a database
file, with bounded memory; the same classification by hand beside it. Both have to give the same rows.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import duckdb
from rich.console import Console

from bench import many_rules, measure
from orchestration.compiler import compile_contexts
from orchestration.compiler.language.charge_columns import CHARGE_COLUMNS
from tests.compiler.charges_table import COLUMN_TYPES, runnable

MEMORY = "4GB"
BATCH = 1_000_000
_COST = "cast(hash(i, 10) % 1000000 as decimal(38, 12)) * 0.000001"
_MADE = {
    "charge_id": "md5(i::varchar)",
    "x_source_name": "'aws_cur'",
    "billing_period": "'2026-01'",
    "billing_currency": "'USD'",
    "provider_name": "'AWS'",
    "charge_category": "'Usage'",
    "sub_account_id": "600 + hash(i, 1) % 100",
    "usage_date": "date '2026-01-01' + (i * 30 // $rows)::integer",
    "charge_period_start": "timestamp '2026-01-01' + to_hours((i * 720 // $rows)::integer)",
    "charge_period_end": "timestamp '2026-01-01' + to_hours((i * 720 // $rows + 1)::integer)",
    "service_name": "'Service ' || hash(i, 2) % 1000",
    "region_id": "'region-' || hash(i, 3) % 4",
    "resource_id": "'arn:aws:ec2:600:instance/' || hash(i, 4) % 4000 || '/i-' || hash(i, 5) % 1000000",
    "x_usage_type": "'BoxUsage:' || hash(i, 6) % 2000",
    "x_operation": "'Operation' || hash(i, 7) % 1000",
    "x_kubernetes_namespace": "if(hash(i, 8) % 4 = 0, 'ns-' || hash(i, 9) % 2000 || '-prod', null)",
    "billed_cost": _COST,
    "effective_cost": _COST,
    "contracted_cost": _COST,
    "list_cost": _COST,
    "x_net_effective_cost": _COST,
    "tags": """map {
        'app': 'app-' || hash(i, 11) % 3000,
        'team': if(hash(i, 12) % 3 = 0, '', 'team-' || hash(i, 13) % 2000),
        'environment': 'Stage-' || hash(i, 14) % 2000,
        'account': (hash(i, 15) % 3000)::varchar,
        'owner': if(hash(i, 16) % 2 = 0, ' Owner_' || hash(i, 17) % 100, ''),
        'name': 'host-' || hash(i, 18) % 100000
    }""",
    "cost_categories": "map {}",
    "x_kubernetes_labels": "map {}",
}


def main() -> None:
    """Make charges, classify them both ways, compare."""
    parser = argparse.ArgumentParser(prog="python -m bench.classification", description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000_000, help="charges")
    parser.add_argument("--folder", help="work here and keep everything; by default a temporary folder")
    given = parser.parse_args()
    console = Console()
    folder = Path(given.folder or tempfile.mkdtemp(prefix="cpc-bench-"))
    folder.mkdir(parents=True, exist_ok=True)
    compilation = compile_contexts(many_rules.contexts(), {})
    if compilation.problems:
        sys.exit("\n".join(map(str, compilation.problems)))
    ways = {
        "compiled": runnable(compilation.files["models/context/charges_in_context.sql"], compilation),
        "by hand": many_rules.by_hand(),
    }
    try:
        with console.status(f"Making {given.rows:,} charges"):
            measure.alone(write_charges, folder, given.rows)
        cpu = {}
        for way, sql in ways.items():
            with console.status(f"Classifying them {way}"):
                cpu[way], in_all, memory = measure.alone(classify, folder, way, sql)
            peak = (memory.peak(in_all.started, in_all.ended) or 0) / 2**20
            console.print(
                f"  {way}: {in_all.seconds:.1f} s, {cpu[way]:.1f} s of CPU, peak memory {peak:,.0f} MiB"
            )
        compare(folder, list(ways))
        console.print(
            f"  {cpu['compiled'] / cpu['by hand']:.2f} times the CPU of hand-written SQL; the same "
            f"{given.rows:,} rows"
        )
    finally:
        if given.folder is None:
            shutil.rmtree(folder)


def write_charges(folder: Path, rows: int) -> None:
    """The table `charges` in a database of its own: every column, and values for the rules to tell apart."""
    columns = ", ".join(
        f"cast({_MADE.get(name, 'null')} as {COLUMN_TYPES[name]}) as {name}"
        for name in (*CHARGE_COLUMNS, "tags", "cost_categories", "x_kubernetes_labels")
    ).replace("$rows", str(rows))
    with duckdb.connect(str(folder / "charges.duckdb")) as connection:
        _bound(connection)
        connection.execute(f"create or replace table charges as select {columns} from range(0) as rows (i)")
        for first in range(0, rows, BATCH):
            last = min(first + BATCH, rows)
            connection.execute(
                f"insert into charges select {columns} from range({first}, {last}) as rows (i)"
            )


def classify(folder: Path, way: str, sql: str) -> float:
    """The classified charges as a table in a database of its own; seconds of CPU that it took."""
    target = _result(folder, way)
    target.unlink(missing_ok=True)
    with duckdb.connect(str(target)) as connection:
        _bound(connection)
        connection.execute(f"attach '{folder / 'charges.duckdb'}' as source (read_only)")
        started = time.process_time()
        connection.execute("set search_path = 'main,source.main'")
        connection.execute(f"create table charges_in_context as {sql}")
        return time.process_time() - started


def compare(folder: Path, ways: list[str]) -> None:
    """Both have the same rows."""
    with duckdb.connect() as connection:
        _bound(connection)
        sums = []
        for way in ways:
            connection.execute(f"attach '{_result(folder, way)}' as result (read_only)")
            query = "select count(*), sum(hash(found)::hugeint) from result.main.charges_in_context as found"
            sums.append(connection.execute(query).fetchone())
            connection.execute("detach result")
    if sums[0] != sums[1]:
        sys.exit(f"The two differ: {sums}")


def _result(folder: Path, way: str) -> Path:
    return folder / f"{way.replace(' ', '_')}.duckdb"


def _bound(connection: duckdb.DuckDBPyConnection) -> None:
    connection.execute("set enable_progress_bar = false")
    connection.execute(f"set memory_limit = '{MEMORY}'")


if __name__ == "__main__":
    main()
