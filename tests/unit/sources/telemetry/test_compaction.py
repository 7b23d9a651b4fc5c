"""Landed files of many small loads are merged: the records, the quarantine and their order stay."""

from collections import Counter


def test_landed_files_do_not_grow_with_the_number_of_loads(telemetry, line):
    counts = []
    for number in range(9):
        records = line(f"c{number}") + line("c", timestamp=f"2026-07-0{number + 1}") + "bad\n"
        telemetry.put(f"{number}.jsonl", records)
        telemetry.land(loads_kept=3)
        counts.append(len({row["load_id"] for row in telemetry.ledger()}))
    assert counts == [1, 2, 3, 1, 2, 3, 1, 2, 3]
    assert len([name for name in telemetry.files() if name.startswith("quarantine")]) <= 6 + 1

    assert Counter(telemetry.records("customer_id, value")) == Counter(
        [*((f"c{number}", 1) for number in range(9)), *[("c", 1)] * 9]
    )
    assert telemetry.quarantine() == [(3, "not-json")] * 9
    # What is merged is still superseded by its place, and not landed twice.
    telemetry.put("0.jsonl", line("new"))
    telemetry.land(loads_kept=3)
    assert ("c0",) not in telemetry.records("customer_id")
    assert ("new",) in telemetry.records("customer_id")
    assert telemetry.land(loads_kept=3).load_id is None
    assert len(telemetry.records("customer_id")) == 17
