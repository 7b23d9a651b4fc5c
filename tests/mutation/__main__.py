"""`python -m tests.mutation`: changes one operator of the SQL at a time and asks whether a test notices.

Works on a copy of the project, one mutant after another, and runs for each the tests that are there to notice
it, the quickest first. Ends with 1 if a mutant survived; each survivor is a test to write, a piece of SQL to
remove, or, if the change means the same, a line in `equivalent.py` with the reason.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.equivalent import EQUIVALENT
from tests.mutation.mutants import Mutant, mutants_of, sample

PROJECT = Path(__file__).parents[2]
COPIED = ("orchestration", "dbt_project", "contexts", "tests", "bench", "pyproject.toml")
# No plugin but this one: loading the others takes longer than most mutants do.
PYTEST = ("-q", "-x", "-n", "0", "-p", "no:cacheprovider", "-p", "pytest_timeout", "-p", "xdist")
SURVIVED, NOTICED, NOT_SQL = "survived", "noticed", "not SQL"
# Noticing a text that no database reads shows nothing.
_NOT_SQL = re.compile(r"(Parser|Binder|Catalog) Error|SyntaxError")


@dataclass(frozen=True)
class Layer:
    """A part of the SQL and the tests that hold it to its meaning: quick ones, and whole runs of the job."""

    name: str
    sql: tuple[str, ...]
    quick: tuple[str, ...]
    whole: tuple[str, ...]


LAYERS = (
    Layer(
        "allocation",
        (
            "dbt_project/models/allocation/*.sql",
            "dbt_project/models/marts/customer_costs_daily.sql",
            "dbt_project/macros/shares.sql",
            "dbt_project/macros/exact_arithmetic.sql",
            "dbt_project/macros/customer_costs.sql",
        ),
        ("tests/properties/test_shares.py",),
        ("tests/properties/test_allocation.py", "tests/end_to_end/test_days.py"),
    ),
    Layer(
        "usage",
        (
            "dbt_project/models/usage/usage_by_*.sql",
            "dbt_project/models/staging/telemetry/*.sql",
            "dbt_project/macros/judged_usage.sql",
            "dbt_project/macros/customer_aliases.sql",
        ),
        (
            "tests/properties/test_usage.py::test_operations_count_as_plain_python_says",
            "tests/properties/test_usage.py::test_what_the_contexts_do_not_know_is_rejected_with_its_reason",
        ),
        (
            "tests/properties/test_usage.py",
            "tests/properties/test_shares.py",
            "tests/end_to_end/test_usage_as_sent.py",
        ),
    ),
    Layer(
        "splits",
        ("dbt_project/models/usage/split_*.sql",),
        ("tests/properties/test_split_shares.py",),
        ("tests/properties/test_several_stages.py",),
    ),
    Layer(
        "staging",
        (
            "dbt_project/models/staging/billing/*.sql",
            "dbt_project/macros/aws_costs.sql",
            "dbt_project/macros/focus_costs.sql",
            "dbt_project/macros/spread_over_days.sql",
        ),
        (
            "tests/properties/test_staged_charges.py::test_staging_alone_gives_what_aws_formulas_make_of_a_line",
        ),
        ("tests/end_to_end/test_charge_days.py", "tests/end_to_end/test_costs_of_bills.py"),
    ),
    Layer(
        "telemetry",
        ("orchestration/sources/telemetry/*.py",),
        (
            "tests/unit/sources/telemetry/test_records.py",
            "tests/unit/sources/telemetry/test_formats.py",
            "tests/unit/sources/telemetry/test_api.py::test_ndjson_and_gzip",
            "tests/unit/sources/telemetry/test_api.py::test_other_wrong_requests",
        ),
        (
            "tests/unit/sources/telemetry/test_batches.py",
            "tests/unit/sources/telemetry/test_api.py",
            "tests/properties/test_telemetry_landing.py",
        ),
    ),
    Layer(
        "times of charges",
        ("orchestration/sources/billing/formats/times.py",),
        ("tests/unit/sources/billing/test_charge_times.py",),
        ("tests/properties/test_billing_landing.py",),
    ),
    Layer(
        "doubles of bills",
        (
            "orchestration/sources/billing/charge_keys.py",
            "orchestration/sources/billing/chunks.py",
            "orchestration/sources/billing/counted_once.py",
            "orchestration/sources/billing/overlaps.py",
            "orchestration/sources/billing/restated.py",
            "orchestration/sources/billing/different_names.py",
        ),
        ("tests/unit/sources/billing/test_counted_once.py",),
        (),
    ),
    Layer(
        "bills",
        ("orchestration/sources/billing/*.py", "orchestration/sources/billing/formats/*.py"),
        (
            "tests/unit/sources/billing/test_focus_files.py",
            "tests/unit/sources/billing/test_formats.py",
            "tests/unit/sources/billing/test_landing_errors.py",
        ),
        ("tests/properties/test_billing_landing.py", "tests/unit/sources/billing"),
    ),
)


def main() -> None:
    """Try the mutants and say which survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--of-each", type=int, default=20, help="mutants of each layer")
    parser.add_argument("--layer", choices=[layer.name for layer in LAYERS], help="only this layer")
    parser.add_argument("--only", nargs="*", default=[""], help="only mutants with one of these texts")
    parser.add_argument("--quick", action="store_true", help="without whole runs of the job")
    given = parser.parse_args()
    verdicts: Counter[str] = Counter()
    survivors: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="cpc-mutation-") as folder:
        copy = Path(folder) / "project"
        _copy_project(copy)
        for layer in LAYERS:
            if given.layer not in (None, layer.name):
                continue
            if failing := _failing_test(copy, layer.quick)[0]:
                sys.exit(f"{failing} fails without any mutant; mend that first.")
            tests = layer.quick if given.quick else layer.quick + layer.whole
            mutants = [
                each for each in _mutants(copy, layer) if any(text in str(each) for text in given.only)
            ]
            for mutant in sample(mutants, given.of_each):
                verdict = _try(copy, tests, mutant)
                verdicts[verdict] += 1
                if verdict == SURVIVED:
                    survivors.append(mutant)
    _say(
        f"{verdicts.total()} mutants: "
        + ", ".join(f"{n} {verdict}" for verdict, n in sorted(verdicts.items()))
    )
    for mutant in survivors:
        _say(f"{SURVIVED}: {mutant}")
    sys.exit(1 if survivors else 0)


def _copy_project(copy: Path) -> None:
    for name in COPIED:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "target"))
        else:
            copy.mkdir(exist_ok=True)
            shutil.copy(source, copy / name)


def _mutants(project: Path, layer: Layer) -> list[Mutant]:
    """The mutants of a layer but the equivalent ones, which must all be there."""
    of_others = {path for other in LAYERS if other is not layer for path in other.sql}
    paths = [
        path.relative_to(project).as_posix() for each in layer.sql for path in sorted(project.glob(each))
    ]
    paths = [path for path in paths if path not in of_others]
    mutants = [mutant for path in paths for mutant in mutants_of(project, path)]
    stale = [each for each in EQUIVALENT if each.path in paths and not any(map(each.is_of, mutants))]
    if stale:
        sys.exit(f"No longer there, remove it from equivalent.py: {stale[0]}")
    return [mutant for mutant in mutants if not any(each.is_of(mutant) for each in EQUIVALENT)]


def _try(project: Path, tests: tuple[str, ...], mutant: Mutant) -> str:
    started = time.monotonic()
    before = mutant.apply(project)
    try:
        failing, shown = _failing_test(project, tests)
    finally:
        (project / mutant.path).write_text(before, encoding="utf-8")
    verdict = SURVIVED if failing is None else NOT_SQL if _NOT_SQL.search(shown) else NOTICED
    _say(f"{verdict} {time.monotonic() - started:4.0f} s  {mutant}  {failing or ''}")
    return verdict


def _failing_test(project: Path, tests: tuple[str, ...]) -> tuple[str | None, str]:
    """The first test that fails, or None, and what was printed."""
    command = [sys.executable, "-m", "pytest", *PYTEST, "--timeout", "900", *tests]
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=project, env=alone, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return None, done.stdout
    failed = re.findall(r"^(?:FAILED|ERROR) \S*/(\S+)", done.stdout, re.MULTILINE)
    return (failed[0] if failed else "no test ran"), done.stdout


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
