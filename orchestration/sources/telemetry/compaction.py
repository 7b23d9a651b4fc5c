"""Merge the landed files of many small loads, so that files do not grow with the number of runs."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

import duckdb

from orchestration.sources.telemetry.landed_files import LandedTelemetry
from orchestration.sources.telemetry.ledger import Batch


def loads_to_merge(lines: Iterable[Batch], kept: int) -> set[str]:
    """Loads of one size (as many digits in their number of records), if there are more than `kept` of it.

    A record is copied once per size that its load grows through, not at every merge.
    """
    records: Counter[str] = Counter()
    for line in lines:
        records[line.load_id] += line.record_count if line.status == "loaded" else 0
    by_size: defaultdict[int, set[str]] = defaultdict(set)
    for load_id, count in records.items():
        by_size[len(str(count))].add(load_id)
    return max(by_size.values(), key=len) if any(len(loads) > kept for loads in by_size.values()) else set()


def merge_loads(
    landed: LandedTelemetry, connection: duckdb.DuckDBPyConnection, lines: list[Batch], kept: int
) -> None:
    """Merge loads, if there are too many, into one with an id that no load had.

    The merged files count once the ledger names them, and the old ones no longer: after a kill in between,
    the next load sweeps what does not count.
    """
    merged = loads_to_merge(lines, kept)
    if not merged:
        return
    name = f"{max(merged)}m"
    landed.copy_loads(connection, merged, name)
    lines = [replace(line, load_id=name) if line.load_id in merged else line for line in lines]
    landed.write_ledger(lines)
    landed.sweep({line.load_id for line in lines})
