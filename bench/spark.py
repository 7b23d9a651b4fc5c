"""`python -m bench.spark`: the same days in one process and on Spark; and a plan for large companies.

The first part measures: it builds the models of a generated month twice from the same landing and compares
every mart with `=`. The second (`--plan`) computes: tasks of Spark on many executors, from seconds per row.
"""

from __future__ import annotations

import argparse
import heapq
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import duckdb

from bench import generated
from bench.measure import descendants
from orchestration.automation.run import run_job
from orchestration.settings import Settings, SparkSettings
from orchestration.warehouse.project import prepare_project
from orchestration.warehouse.spark.build import build_on_spark

_SECONDS_BETWEEN_LOOKS = 0.3
# Part of a task's work in each wave: from the models' times in docs/bench.md.
WAVES = (0.35, 0.02, 0.45, 0.18)


def measure(rows: int, slices: int, master: str) -> None:
    """Build a month of `rows` charges and as many usage records both ways, and print what it took."""
    with tempfile.TemporaryDirectory(prefix="bench-spark-") as folder:
        size = generated.Size(rows=rows, customers=1000, features=20)
        one = Settings(workspace=Path(folder, "one"), contexts=Path(folder, "contexts"))
        generated.write_sources(one.sources, size)
        generated.write_contexts(one.contexts, size)
        assert run_job(one)
        landed = {"contexts": one.contexts, "landing": one.landing_folder}
        again = Settings(workspace=Path(folder, "again"), **landed)
        many = Settings(
            workspace=Path(folder, "many"),
            **landed,
            engine="spark",
            batch_rows=2 * rows // slices,
            spark=SparkSettings(master=master),
        )
        _timed("one process", lambda: prepare_project(again).dbt("build", folder=Path(folder, "dbt")))
        said: list[tuple[float, str]] = []
        say = lambda line: said.append((time.monotonic(), line))  # noqa: E731
        started = time.monotonic()
        _timed(
            f"Spark, {master}, {slices} slices",
            lambda: build_on_spark(many, prepare_project(many), Path(folder, "dbt2"), lambda _: None, say),
        )
        print(f"first slice after {said[0][0] - started:.1f} s, last after {said[-1][0] - started:.1f} s")
        _compare(again, many)


def _timed(name: str, work: Callable[[], Any]) -> None:
    used: dict[int, float] = {}
    done = threading.Event()
    watcher = threading.Thread(target=_watch_cpu, args=(used, done))
    before = _cpu_seconds()
    started = time.monotonic()
    watcher.start()
    result = work()
    seconds = time.monotonic() - started
    done.set()
    watcher.join()
    assert result.is_success, result.error
    cpu = sum(used.values()) - sum(before.values())
    print(f"{name}: {seconds:.1f} s, {cpu:.1f} s of CPU in this process and those below it")


def _watch_cpu(used: dict[int, float], done: threading.Event) -> None:
    while not done.wait(_SECONDS_BETWEEN_LOOKS):
        used |= _cpu_seconds()
    used |= _cpu_seconds()


def _cpu_seconds() -> dict[int, float]:
    """Seconds of CPU of this process and its descendants, by process; Linux only."""
    used = {}
    for pid in descendants({os.getpid()}):
        with suppress(OSError):  # it ended while we looked
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used[pid] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return used


def _compare(one: Settings, other: Settings) -> None:
    with closing(duckdb.connect()) as connection:
        for name, each in {"one": one, "other": other}.items():
            connection.execute(f"attach '{each.warehouse_file}' as {name} (read_only)")
        for mart in ("customer_costs_daily", "customer_costs_monthly", "unit_costs_daily", "reconciliation"):
            for first, second in (("one", "other"), ("other", "one")):
                missing = f"from {first}.marts.{mart} except all from {second}.marts.{mart}"
                assert connection.execute(f"{missing} limit 1").fetchall() == [], mart
            rows = connection.execute(f"select count(*) from one.marts.{mart}").fetchall()[0][0]
            print(f"{mart}: {rows:,} rows, 0 differences")


def wave_seconds(tasks: Sequence[float], slots: int, lost: float, choices: random.Random) -> float:
    """Seconds until tasks of these lengths have run in so many slots, handed out as Spark does: in order,
    each to the slot that is free first. With the probability `lost` a task is lost midway, and runs again.
    """
    free = [0.0] * slots
    waiting = list(tasks)
    end = 0.0
    while waiting:
        task = waiting.pop(0)
        start = heapq.heappop(free)
        fails = choices.random() < lost
        ended = start + (task * choices.random() if fails else task)
        heapq.heappush(free, ended)
        if fails:
            waiting.append(task)
        end = max(end, ended)
    return end


def plan(charges: float, days: int, executors: int, cores: int, core_seconds: float, lost: float) -> None:
    """Print minutes and dollars for `days` of `charges` each, a day a task, an executor a task."""
    choices = random.Random(7)  # noqa: S311
    # Of the ideal; DuckDB does not use every core all the time.
    used = 0.7
    day = charges / 1e6 * core_seconds / cores / used
    runs = []
    for _ in range(200):
        total = 0.0
        for part in WAVES:
            lengths = [day * part * choices.lognormvariate(0, 0.15) + 2 for _ in range(days)]
            total += wave_seconds(lengths, executors, lost, choices)
        runs.append(total + 90)  # executors start
    runs.sort()
    median, slow = runs[100], runs[190]
    memory = 7.5 * cores
    dollars = executors * median / 3600 * (cores * 0.052624 + memory * 0.0057785)
    print(
        f"{days} days of {charges:,.0f} charges, {executors} executors of {cores} vCPU and {memory:.0f} GB, "
        f"{lost:.0%} of tasks lost: {median / 60:.0f} min (95% of nights: {slow / 60:.0f}), ${dollars:.2f}"
    )


def main() -> None:
    """Measure, or plan."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000, help="charges and usage records")
    parser.add_argument("--slices", type=int, default=6)
    parser.add_argument("--master", default="local-cluster[2,1,1024]")
    parser.add_argument("--plan", action="store_true", help="only compute the plan of docs/spark.md")
    parser.add_argument("--core-seconds", type=float, default=14.0, help="of a million charges and records")
    given = parser.parse_args()
    if given.plan:
        for days, executors, lost in ((1, 1, 0), (3, 3, 0), (3, 3, 0.02), (30, 10, 0.02), (30, 30, 0.02)):
            plan(1e9, days, executors, 16, given.core_seconds, lost)
    else:
        measure(given.rows, given.slices, given.master)


if __name__ == "__main__":
    main()
