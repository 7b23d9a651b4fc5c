"""Runs killed at every stage's boundary and at random instants: 50 in `make faults`, none in `make test`.

`test_killed_runs.py` has the five that `make test` tries.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end.conftest import kept, restate
from tests.end_to_end.running import Company, kill_when
from tests.examples import LONG

KILLS = LONG if LONG > 1 else 0
FINISH_EVERY = 5
LANDED = ("accounts", "bills", "customers", "deployments", "resources", "revenue", "usage")
LAYERS = ("seeds", "staging", "signals", "usage", "allocation", "anomalies", "marts")

Reached = Callable[[Company, Path], Callable[[], bool]]


def printed(line: str) -> Reached:
    return lambda company, output: lambda: line.encode() in output.read_bytes()


def built(layer: str) -> Reached:
    """A model of the layer has been built."""

    def reached(company: Company, output: Path) -> Callable[[], bool]:
        logs = company.settings.workspace / "dbt_runs"
        before = set(logs.glob("*/dbt.log"))
        words = (f" model {layer}.", f" seed file {layer}.")

        def has() -> bool:
            texts = [log.read_text() for log in set(logs.glob("*/dbt.log")) - before]
            return any(" OK " in text and any(word in text for word in words) for text in texts)

        return has

    return reached


def publishing(step: str) -> Reached:
    def reached(company: Company, output: Path) -> Callable[[], bool]:
        published, audit = company.settings.published_folder, company.settings.warehouse_file
        before = company.snapshot()
        folders = set((published / "snapshots").iterdir())
        checked = audit.with_name(f"{audit.name}.checked")
        begun = checked.read_bytes() if checked.exists() else b""
        return {
            "the audit is withdrawn": lambda: not checked.exists(),
            "the audit is passed": lambda: checked.exists() and checked.read_bytes() != begun,
            "a snapshot is begun": lambda: set((published / "snapshots").iterdir()) > folders,
            "readers are sent to it": lambda: company.snapshot() != before,
        }[step]

    return reached


def after(seconds: float) -> Reached:
    def reached(company: Company, output: Path) -> Callable[[], bool]:
        end = time.monotonic() + seconds
        return lambda: time.monotonic() > end

    return reached


# The first of a company whose marts have passed.
BOUNDARIES: dict[str, Reached] = {
    "the audit is withdrawn": publishing("the audit is withdrawn"),
    **{f"after land {label}": printed(f"land {label}") for label in LANDED},
    **{f"in {layer}": built(layer) for layer in LAYERS},
    **{
        step: publishing(step)
        for step in (
            "the audit is passed",
            "a snapshot is begun",
            "readers are sent to it",
        )
    },
    "after publishing": printed("dbt models and tests, publish"),
    "after the warnings": printed("look for warnings"),
    "after the report": printed("✓ report"),
}


@pytest.mark.skipif(not KILLS, reason="50 killed runs take half an hour: make faults")
@pytest.mark.timeout(0)
def test_every_killed_run_leaves_readers_whole_and_the_next_one_equal(
    restated: Company, built_restated: Company, tmp_path: Path
) -> None:
    company = restated
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    before, expected = company.marts(), built_restated.marts()
    started = time.monotonic()
    assert company.start().wait() == 0
    seconds_of_a_run = time.monotonic() - started
    _put_back(company)
    instants = list(BOUNDARIES.items())[:KILLS]
    for number in range(KILLS - len(instants)):
        seconds = chance.uniform(0, seconds_of_a_run)
        instants.append((f"{number}: after {seconds:.2f} s", after(seconds)))
    killed = ended_first = 0
    for number, (name, instant) in enumerate(instants, 1):
        output = tmp_path / "printed"
        with output.open("wb") as file:
            reached = instant(company, output)
            was_killed = kill_when(company.start(file), reached, with_children=chance.random() < 0.7)
        killed += was_killed
        ended_first += not was_killed
        assert company.marts() in (before, expected), f"killed {name}, seed {seed}"
        print(
            f"{number} of {len(instants)}: {name}: {'killed' if was_killed else 'it had ended'}", flush=True
        )
        # After a run that ended there would be nothing to do, and nothing to kill.
        if number % FINISH_EVERY == 0 or number == len(instants) or not was_killed:
            good, said = company.run()
            assert good, f"after {name}, seed {seed}: {said}"
            assert company.marts() == expected, f"after {name}, seed {seed}"
            _put_back(company)
    print(f"{killed} kills survived of {killed} tried; {ended_first} runs ended before their instant")
    assert killed > KILLS * 0.7


def _put_back(company: Company) -> None:
    shutil.rmtree(company.root)
    Company(kept(company)).copy(company.root)
    restate(company)
