"""`python -m bench.soak`: 90 days of daily runs in one workspace, as a growing company has them.

Every day brings another day of the bill and its usage. Now and then a month is restated, usage comes late,
customers join and a rule changes. After every run the published marts must reconcile to 0 and hold exactly
the bill; after the last they must equal those of a workspace that saw all files at once. Run time and disk
are written day by day, to see that neither grows with the number of runs.
"""

from __future__ import annotations

import argparse
import csv
import json
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from tests.end_to_end import small_company
from tests.end_to_end.running import Company

FIRST_DAY = date(2026, 3, 1)
SETTINGS = "runs_kept: 20\ntelemetry_loads_kept: 8\nsnapshots_kept: 3\n"
_PLACES = ("landing", "days", "published", "dagster_home", "dbt_projects", "dbt_runs", "warehouse.duckdb")


@dataclass(frozen=True)
class Day:
    """One day's run: what came, how long it took, what it left. Disk in MB (`du`), files counted."""

    day: date
    changes: str
    seconds: float
    cpu_seconds: float
    disk: float
    landing: float
    days: float
    published: float
    dagster_home: float
    warehouse: float
    files: int


class GrowingCompany:
    """Delivers one day after the other, and knows by hand what the bill holds."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.sources = company.settings.sources
        self.prices: dict[str, Decimal] = {}
        self.days: dict[str, int] = {}
        self.customers = dict(small_company.SEARCHES)

    def deliver(self, number: int) -> str:
        """Everything that arrives on a day; returns what is new besides the day itself."""
        day = FIRST_DAY + timedelta(days=number)
        month = f"{day:%Y-%m}"
        changes = []
        self.prices.setdefault(month, small_company.SEARCH)
        self.days[month] = day.day
        if number % 10 == 7:
            restated = min(self.prices)
            self.prices[restated] += Decimal("0.01")
            self._bill(restated)
            changes.append("restated month")
        self._bill(month)
        if number % 5 == 4:
            self.customers[f"customer-{number}"] = number
            small_company.write_customers(self.sources / "customers", *list(self.customers)[3:])
            changes.append("new customer")
        self._usage(f"usage-{day}", day)
        if number % 3 == 2 and number > 3:
            self._usage(f"late-{day}", day - timedelta(days=3), late=True)
            changes.append("late usage")
        if number % 15 == 14:
            rules = self.company.settings.contexts / "dimensions" / "feature.yml"
            rules.write_text(
                rules.read_text()
                + f"  - element: Feature {number}\n    when: {{tag: app, equals: a{number}}}\n"
            )
            changes.append("changed rules")
        return ", ".join(changes)

    def total(self) -> Decimal:
        """What the bill holds, by hand."""
        others = sum(small_company.BILL.values()) - small_company.SEARCH
        idle = small_company.BILL["idle", "production"]
        return sum(
            (
                (others + self.prices[month]) * (days - (days >= small_company.IDLE_DAY))
                + idle * (days >= small_company.IDLE_DAY)
                for month, days in self.days.items()
            ),
            start=Decimal(0),
        )

    def _bill(self, month: str) -> None:
        days = tuple(range(1, self.days[month] + 1))
        small_company.write_bill(self.sources / "billing", month, self.prices[month], days)

    def _usage(self, name: str, day: date, *, late: bool = False) -> None:
        telemetry = self.sources / "telemetry"
        telemetry.mkdir(parents=True, exist_ok=True)
        lines = [
            json.dumps(
                {"stream": "searches", "timestamp": f"{day}T00:00:00Z", "customer_id": name, "value": value}
            )
            for name, value in (list(self.customers.items())[:2] if late else self.customers.items())
        ]
        (telemetry / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


def main() -> None:
    """Run the days, print and write the figures; ends with 1 at the first sum that is not exact."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--csv", type=Path, default=Path("soak.csv"))
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cpc-soak-"))
    print(f"in {folder}, which is kept if a day fails")
    measured = []
    with given.csv.open("w", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Day)])
        writer.writeheader()
        for day in soak(folder, given.days):
            measured.append(day)
            writer.writerow(asdict(day))
            file.flush()
            print(f"{day.day} {day.cpu_seconds:5.1f} s, {day.disk:6.1f} MB, {day.files} files  {day.changes}")
    _print_summary(measured)
    shutil.rmtree(folder)


def soak(folder: Path, days: int) -> Iterator[Day]:
    """Each day's run in one workspace; then compare with all at once."""
    company = Company(folder / "soaked")
    small_company.write_contexts(company.root / "contexts")
    company.settings.workspace.mkdir()
    (company.settings.workspace / "settings.yml").write_text(SETTINGS)
    growing = GrowingCompany(company)
    for number in range(days):
        changes = growing.deliver(number)
        used, started = _cpu(), time.monotonic()
        with (folder / "printed").open("w+b") as printed:
            ended = company.start(printed).wait()
            printed.seek(0)
            _require(ended == 0, f"the run of day {number} failed: {printed.read().decode(errors='replace')}")
        seconds, cpu = time.monotonic() - started, _cpu() - used
        differences = company.read("select count(*) from reconciliation where difference <> 0")
        _require(differences == [(0,)], f"day {number} does not reconcile: {differences}")
        published = company.read("select sum(effective_cost) from customer_costs_daily")
        _require(published == [(growing.total(),)], f"day {number}: {published} is not {growing.total()}")
        sizes = {name: _megabytes(company.settings.workspace / name) for name in _PLACES}
        yield Day(
            FIRST_DAY + timedelta(days=number),
            changes,
            round(seconds, 1),
            round(cpu, 1),
            round(sum(sizes.values()), 1),
            sizes["landing"],
            sizes["days"],
            sizes["published"],
            sizes["dagster_home"],
            sizes["warehouse.duckdb"],
            sum(1 for path in company.settings.workspace.rglob("*") if path.is_file()),
        )
    at_once = Company(folder / "at_once")
    shutil.copytree(company.root / "contexts", at_once.root / "contexts")
    shutil.copytree(company.settings.sources, at_once.settings.sources)
    good, printed = at_once.run()
    _require(good, printed)
    expected, found = at_once.marts(), company.marts()
    different = [name for name in expected if expected[name] != found[name]]
    _require(not different, f"after {days} days these marts differ from those made at once: {different}")
    rows = sum(map(len, expected.values()))
    print(f"{len(expected)} marts with {rows:,} rows equal those of one run over all files")


def _print_summary(measured: list[Day]) -> None:
    plain = [day for day in measured if "rules" not in day.changes and "restated" not in day.changes]
    third = len(plain) // 3
    for name, part in (("first", plain[:third]), ("last", plain[-third:])):
        cpu = statistics.median(day.cpu_seconds for day in part)
        disk = statistics.median(day.disk for day in part)
        files = statistics.median(day.files for day in part)
        print(f"{name} third of ordinary days, medians: {cpu:.1f} CPU s, {disk:.1f} MB, {files:.0f} files")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _megabytes(place: Path) -> float:
    paths = place.rglob("*") if place.is_dir() else [place]
    inodes = {found.st_ino: found.st_blocks * 512 for path in paths for found in [path.lstat()]}
    return round(sum(inodes.values()) / 1e6, 2)


def _require(is_true: bool, text: str) -> None:
    if not is_true:
        sys.exit(text)


if __name__ == "__main__":
    main()
