"""`python -m tests.mutation`: changes one operator of the SQL at a time and asks whether a test notices.

Works on a copy of the project, one mutant after another, and runs for each the tests that are there to notice
it. Ends with 1 if a mutant survived; each survivor is a test to write, or a piece of SQL to remove.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.mutants import Mutant, mutants_of, sample

PROJECT = Path(__file__).parents[2]
COPIED = ("orchestration", "dbt_project", "contexts", "tests", "bench", "pyproject.toml")


@dataclass(frozen=True)
class Layer:
    """A part of the SQL and the tests that hold it to its meaning, the quickest first."""

    name: str
    sql: tuple[str, ...]
    tests: tuple[str, ...]


LAYERS = (
    Layer(
        "allocation",
        ("dbt_project/models/allocation/*.sql", "dbt_project/models/marts/customer_costs_daily.sql"),
        ("tests/properties/test_shares.py", "tests/properties/test_allocation.py"),
    ),
    Layer(
        "usage",
        ("dbt_project/models/usage/*.sql",),
        ("tests/properties/test_usage.py", "tests/properties/test_several_stages.py"),
    ),
    Layer(
        "landing",
        ("dbt_project/models/staging/billing/*.sql", "dbt_project/models/staging/telemetry/*.sql"),
        (
            "tests/properties/test_staged_charges.py::test_staging_alone_gives_what_aws_formulas_make_of_a_line",
            "tests/properties/test_usage.py",
        ),
    ),
)


def main() -> None:
    """Try the mutants and say which survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--of-each", type=int, default=20, help="mutants of each layer")
    parser.add_argument("--layer", choices=[layer.name for layer in LAYERS], help="only this layer")
    given = parser.parse_args()
    survivors: list[Mutant] = []
    tried = 0
    with tempfile.TemporaryDirectory(prefix="cpc-mutation-") as folder:
        copy = Path(folder) / "project"
        for name in COPIED:
            source = PROJECT / name
            if source.is_dir():
                shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__", "target"))
            else:
                copy.mkdir(exist_ok=True)
                shutil.copy(source, copy / name)
        for layer in LAYERS:
            if given.layer in (None, layer.name):
                if not _notices_nothing(copy, layer):
                    sys.exit(f"The tests of {layer.name} fail without any mutant; mend that first.")
                for mutant in sample(_mutants(copy, layer), given.of_each):
                    tried += 1
                    if _survives(copy, layer, mutant):
                        survivors.append(mutant)
    _say(f"{tried - len(survivors)} of {tried} mutants noticed")
    for mutant in survivors:
        _say(f"survived: {mutant}")
    sys.exit(1 if survivors else 0)


def _mutants(project: Path, layer: Layer) -> list[Mutant]:
    paths = [path for pattern in layer.sql for path in sorted(project.glob(pattern))]
    return [mutant for path in paths for mutant in mutants_of(project, path.relative_to(project).as_posix())]


def _survives(project: Path, layer: Layer, mutant: Mutant) -> bool:
    started = time.monotonic()
    before = mutant.apply(project)
    try:
        survived = _notices_nothing(project, layer)
    finally:
        (project / mutant.path).write_text(before, encoding="utf-8")
    _say(f"{'SURVIVED' if survived else 'noticed '} {time.monotonic() - started:5.0f} s  {mutant}")
    return survived


def _notices_nothing(project: Path, layer: Layer) -> bool:
    tests = [test for test in layer.tests if (project / test.split("::")[0]).exists()]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-x",
        "-p",
        "no:cacheprovider",
        "--timeout",
        "900",
        *tests,
    ]
    return subprocess.run(command, cwd=project, capture_output=True, check=False).returncode == 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
