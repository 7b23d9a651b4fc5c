"""`python -m tests.evaluation`: precision, recall and delay of the anomalies, beside two common methods.

The two have thresholds, so they are given the ones that score best (F1) on other cases of the same kinds. The
project's SQL has none and is run as it is.
"""

from __future__ import annotations

import argparse
import tempfile
from itertools import product
from pathlib import Path

from tests.evaluation.cases import KINDS, Case, make_cases
from tests.evaluation.methods import Alarms, our_sql, rolling_z_score, stl_residual, stl_scores
from tests.evaluation.scoring import Result, score

WINDOWS = (14, 28, 56)
THRESHOLDS = tuple(number / 4 for number in range(8, 49))


def main() -> None:
    """Tune the rivals on one seed, compare on another, print."""
    parser = argparse.ArgumentParser(prog="python -m tests.evaluation", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of-each", type=int, default=25, help="cases of each kind")
    given = parser.parse_args()
    cases = make_cases(given.seed, given.of_each)
    others = make_cases(given.seed + 1000, given.of_each)

    window, z_threshold = max(
        product(WINDOWS, THRESHOLDS), key=lambda pair: score(others, rolling_z_score(others, *pair)).f1
    )
    other_scores = stl_scores(others)
    stl_threshold = max(
        THRESHOLDS, key=lambda limit: score(others, stl_residual(others, other_scores, limit)).f1
    )
    with tempfile.TemporaryDirectory() as folder:
        methods = {
            "this project (no threshold)": our_sql(cases, Path(folder)),
            f"rolling z-score ({window} days, {z_threshold:g})": rolling_z_score(cases, window, z_threshold),
            f"STL residual ({stl_threshold:g})": stl_residual(cases, stl_scores(cases), stl_threshold),
        }
    events = sum(case.first is not None for case in cases)
    print(f"{len(cases)} series of 240 days, seed {given.seed}; {events} contain an incident\n")
    print(_table(cases, methods))


def _table(cases: list[Case], methods: dict[str, Alarms]) -> str:
    lines = [
        "| Method | Precision | Recall | F1 | Delay, days: median, p90 | False alarms per series-month |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for name, alarms in methods.items():
        result = score(cases, alarms)
        lines.append(
            f"| {name} | {result.precision:.3f} | {result.recall:.3f} | {result.f1:.3f} | "
            f"{result.delay:g}, {result.late_delay:g} | {result.false_alarms_per_series_month(cases):.4f} |"
        )
    lines += ["", f"| Case | {' | '.join(methods)} |", f"| --- |{' ---: |' * len(methods)}"]
    for kind in KINDS:
        of_kind = [case for case in cases if case.kind == kind]
        lines.append(
            f"| {kind} | {' | '.join(_of_kind(score(of_kind, alarms)) for alarms in methods.values())} |"
        )
    return "\n".join(lines)


def _of_kind(result: Result) -> str:
    if not result.events:
        return f"{result.false_alarms} false"
    return f"{result.recall:.2f} found, {result.delay:g} days, {result.false_alarms} false"


if __name__ == "__main__":
    main()
