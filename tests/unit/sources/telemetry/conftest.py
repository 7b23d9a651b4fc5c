"""A source folder, a landing folder, and what stands in them, read with nothing but DuckDB and pyarrow."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.sources.locations import FolderLocation, Location
from orchestration.sources.telemetry.batches import TelemetryLanding, land_telemetry

NOW = datetime(2026, 8, 5, 12, tzinfo=UTC)


class Telemetry:
    """Batches on one side, landed rows on the other."""

    def __init__(self, folder: Path) -> None:
        self.source = folder / "source"
        self.landing = folder / "landing"
        self.source.mkdir()
        self.moment = 1_785_000_000

    def put(self, key: str, content: bytes | str) -> None:
        """A file arrives, later than all before it."""
        path = self.source / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.moment += 1
        os.utime(path, (self.moment, self.moment))

    def land(self, location: Location | None = None, loads_kept: int = 32) -> TelemetryLanding:
        place = location or FolderLocation(self.source)
        return land_telemetry(place, self.landing, NOW, loads_kept=loads_kept)

    def records(self, columns: str = "customer_id, value") -> list[tuple]:
        arrived = f"SELECT batch_id, batch_sequence FROM '{self.landing}/telemetry/batches.parquet'"
        order = f"(SELECT min(batch_sequence) FROM ({arrived}) AS b WHERE b.batch_id = r.batch_id), batch_row"
        return self._rows(columns, "records/*/*.parquet", order)

    def quarantine(self, columns: str = "batch_row, reason") -> list[tuple]:
        return self._rows(columns, "quarantine/*.parquet", "batch_location, batch_row")

    def ledger(self) -> list[dict[str, Any]]:
        return pq.read_table(self.landing / "telemetry/batches.parquet").to_pylist()

    def files(self) -> set[str]:
        return {
            str(path.relative_to(self.landing / "telemetry"))
            for path in (self.landing / "telemetry").rglob("*")
            if path.is_file()
        }

    def _rows(self, columns: str, pattern: str, order: str) -> list[tuple]:
        with duckdb.connect() as connection:
            return connection.execute(
                f"SELECT {columns} "
                f"FROM read_parquet('{self.landing}/telemetry/{pattern}', hive_partitioning = true) AS r "
                f"ORDER BY {order}"
            ).fetchall()


@pytest.fixture
def telemetry(tmp_path: Path) -> Telemetry:
    return Telemetry(tmp_path)


@pytest.fixture
def line() -> Callable[..., str]:
    """One JSONL line of a good record, with what is given changed; None leaves a field out."""

    def write(customer_id: str = "c1", value: object = 1, **fields: object) -> str:
        record = {
            "stream": "searches",
            "timestamp": "2026-07-01T10:00:00Z",
            "customer_id": customer_id,
            "value": value,
        }
        record |= fields
        return json.dumps({name: said for name, said in record.items() if said is not None}) + "\n"

    return write


@pytest.fixture
def write_parquet(telemetry: Telemetry) -> Callable[..., None]:
    """A Parquet batch of good records, with the columns that are given in place of the usual ones."""

    def write(key: str, **columns: Any) -> None:
        rows = len(next(iter(columns.values())))
        usual = {"stream": "searches", "timestamp": "2026-07-01T10:00:00Z", "customer_id": "c1", "value": "1"}
        content = io.BytesIO()
        pq.write_table(pa.table({name: [said] * rows for name, said in usual.items()} | columns), content)
        telemetry.put(key, content.getvalue())

    return write
