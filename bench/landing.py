"""`python -m bench.landing`: a large CUR 2.0 month into landed Parquet: rows a second, and peak memory.

What belongs here: the landing of a bill by itself, with few rows and with many, with tags that rows share and
with tags that no two rows do, to see that memory does not follow the rows. What does not: the rest of the job
(`python -m bench`). Fails when a sum is not exact.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

import duckdb
from rich.console import Console
from rich.table import Table

from bench import generated, measure
from orchestration.settings import BillingExport
from orchestration.sources.billing.landing import land_billing
from orchestration.sources.locations import open_location
from tests.unit.sources.billing import bills

ROWS_PER_FILE = 1_000_000
MONTH = f"{generated.FIRST_DAY:%Y-%m}"


def main() -> None:
    """Make one file of the bill, deliver it as many times as asked for under other names, and land it."""
    parser = argparse.ArgumentParser(prog="python -m bench.landing", description=__doc__)
    parser.add_argument("--files", type=int, default=10, help=f"of {ROWS_PER_FILE:,} rows each")
    parser.add_argument("--memory-limit", default="", help="duckdb_memory_limit of the settings, e.g. 2GB")
    parser.add_argument("--folder", help="work here and keep everything; by default a temporary folder")
    given = parser.parse_args()
    console = Console()
    folder = Path(given.folder or tempfile.mkdtemp(prefix="cpc-bench-"))
    try:
        made = folder / "made"
        with console.status(f"Making {ROWS_PER_FILE:,} charges"):
            size = generated.Size(ROWS_PER_FILE, customers=8, features=40)
            source, _, _ = measure.alone(generated.write_bill, made, size)
            own_tags = made / "own-tags.parquet"
            _tag_each_row(source, own_tags)
        table = Table(title=f"Landing CUR 2.0 ({os.cpu_count()} cores)", title_justify="left", box=None)
        for name in ("tags", "files", "rows", "MiB", "seconds", "rows/s", "peak memory, MiB", "difference"):
            table.add_column(name, justify="right")
        for tags, bill in (("shared", source), ("own", own_tags)):
            for files in sorted({1, given.files}):
                with console.status(f"Landing {files * ROWS_PER_FILE:,} charges, tags {tags}"):
                    place = folder / f"{bill.stem}-{files}"
                    table.add_row(tags, *_landed(place, bill, files, given.memory_limit))
        console.print(table)
    finally:
        if given.folder is None:
            shutil.rmtree(folder)


def _tag_each_row(source: Path, target: Path) -> None:
    """The same bill with a tag that no two rows share, as of jobs or pods: the hardest for memory."""
    with duckdb.connect() as connection:
        connection.execute(
            "copy (select * replace (map_concat(resource_tags, map {'user_job': uuid()::varchar}) as "
            f"resource_tags) from read_parquet('{source}')) to '{target}' (format parquet)"
        ).fetchall()


def _landed(folder: Path, source: Path, files: int, memory_limit: str) -> list[str]:
    data = folder / "exports" / "hourly" / "data" / f"BILLING_PERIOD={MONTH}"
    data.mkdir(parents=True)
    keys = []
    for number in range(files):
        (data / f"hourly-{number:05d}.parquet").hardlink_to(source)
        keys.append(f"exports/hourly/data/{data.name}/hourly-{number:05d}.parquet")
    manifest = folder / "exports" / "hourly" / "metadata" / data.name / "hourly-Manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_bytes(bills.export_manifest("bills", keys, "first"))
    (billed, rows), in_all, memory = measure.alone(
        land, str(folder / "exports"), folder / "landing", memory_limit
    )
    wanted = files * generated.billed([source])
    if billed != wanted or rows != files * ROWS_PER_FILE:
        sys.exit(f"{rows:,} rows with {billed} landed of {files * ROWS_PER_FILE:,} with {wanted}.")
    peak = memory.peak(in_all.started, in_all.ended)
    figures: list[object] = [
        f"{files:,}",
        f"{rows:,}",
        f"{files * source.stat().st_size / 2**20:,.0f}",
        f"{in_all.seconds:.1f}",
        f"{rows / in_all.seconds:,.0f}",
        f"{peak / 2**20:,.0f}" if peak else "",
        billed - wanted,
    ]
    return [str(figure) for figure in figures]


def land(location: str, landing: Path, memory_limit: str) -> tuple[Decimal, int]:
    """Land a folder's bill: what the landed days say it bills, and how many rows they hold."""
    result = land_billing(
        [BillingExport(name="bench", location=location)],
        lambda place: open_location(place, lambda: None),  # type: ignore[arg-type, return-value]
        landing,
        memory_limit=memory_limit,
    )
    (delivery,) = result.deliveries
    return delivery.billed_cost["USD"], delivery.row_count


if __name__ == "__main__":
    main()
