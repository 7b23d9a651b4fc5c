"""A load killed at any of its steps, by a real SIGKILL, leaves nothing that the next one does not mend."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

# Runs the load again and again, each time on a copy of the landing, in a process that kills itself just
# before the n-th time that a file takes its name or goes; until a load comes through.
_KILLED_LOADS = """
import os, shutil, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from orchestration.sources.locations import FolderLocation
from orchestration.sources.telemetry.batches import land_telemetry

def killed_load(source, landing, left):
    def hook(event, arguments):
        nonlocal left
        if event in ("os.rename", "os.remove", "os.rmdir"):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
    sys.addaudithook(hook)
    land_telemetry(FolderLocation(source), landing, datetime(2026, 8, 5, 12, tzinfo=UTC), loads_kept=1)
    os._exit(0)

source, landing, copies = map(Path, sys.argv[1:])
steps, status = 0, -1
while status != 0:
    copy = copies / str(steps)
    shutil.copytree(landing, copy)
    child = os.fork()
    if child == 0:
        killed_load(source, copy, steps)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(status, flush=True)
    steps += 1
"""


def _landed(telemetry):
    records = telemetry.records("* EXCLUDE (load_id, batch_location), parse_filename(batch_location)")
    quarantine = telemetry.quarantine("batch_id, batch_row, reason, record, parse_filename(batch_location)")
    ledger = [(Path(row["batch_location"]).name, row["status"], row["settled"]) for row in telemetry.ledger()]
    return records, quarantine, sorted(ledger), telemetry.files()


def test_the_next_load_makes_whole_what_a_killed_one_began(telemetry, line, tmp_path):
    telemetry.put("a.jsonl", line("a") + line("a", timestamp="2026-07-02") + "bad\n")
    telemetry.put("b.jsonl", line("b"))
    telemetry.put("c.jsonl", line("b"))
    telemetry.land()
    # One batch is replaced, one content is left to another place, one batch is new.
    telemetry.put("a.jsonl", line("a2") + "worse\n")
    telemetry.put("b.jsonl", line("b2", timestamp="2026-07-03"))
    telemetry.put("d.jsonl", line("d"))

    copies = tmp_path / "copies"
    killed = subprocess.run(
        [sys.executable, "-c", _KILLED_LOADS, str(telemetry.source), str(telemetry.landing), str(copies)],
        check=True,
        capture_output=True,
        text=True,
    )
    ends = [int(end) for end in killed.stdout.split()]

    telemetry.land(loads_kept=1)
    unbroken = _landed(telemetry)
    assert [row for row in unbroken[2] if row[1] == "superseded"] == [
        ("a.jsonl", "superseded", True),
        ("b.jsonl", "superseded", True),
    ]
    assert ends == [-signal.SIGKILL] * (len(ends) - 1) + [0]
    assert len(ends) > 8
    for copy in range(len(ends)):
        shutil.rmtree(telemetry.landing)
        shutil.move(copies / str(copy), telemetry.landing)
        telemetry.land(loads_kept=1)
        assert _landed(telemetry) == unbroken, f"killed before step {copy + 1}"
        assert telemetry.land(loads_kept=1).load_id is None
