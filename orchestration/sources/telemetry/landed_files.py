"""Landed Parquet files of telemetry: records by usage day and load, quarantine by load, and the ledger.

A file counts only once the ledger names it; files of unknown loads were left by a killed load and are removed
by the next one.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.sources.telemetry.ledger import SCHEMA as LEDGER_SCHEMA
from orchestration.sources.telemetry.ledger import Batch, Settlement, ledger_table, read_ledger, settlement
from orchestration.sources.telemetry.records import VALUE_TYPE
from orchestration.warehouse.files import commit
from orchestration.warehouse.sql import literal

RECORD_COLUMNS = {
    "load_id": "VARCHAR",
    "batch_id": "VARCHAR",
    "batch_location": "VARCHAR",
    "batch_row": "BIGINT",
    "stream": "VARCHAR",
    "operation": "VARCHAR",
    "usage_timestamp": "TIMESTAMP",
    "granularity": "VARCHAR",
    "customer_id": "VARCHAR",
    "value": VALUE_TYPE,
    "filter": "VARCHAR",
    "record_id": "VARCHAR",
}
"""Columns of a records file; `usage_date` is in the folder's name."""

QUARANTINE_COLUMNS = {
    "load_id": "VARCHAR",
    "batch_id": "VARCHAR",
    "batch_location": "VARCHAR",
    "batch_row": "BIGINT",
    "stream": "VARCHAR",
    "reason": "VARCHAR",
    "detail": "VARCHAR",
    "record": "VARCHAR",
    "quarantined_at": "TIMESTAMP",
}

_WORK = ".load"


def ensure_landing(landing: Path) -> None:
    """Create what readers need before the first load."""
    LandedTelemetry(landing / "telemetry").prepare()


class LandedTelemetry:
    """The files in one folder. Only one load at a time may change them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records = folder / "records"
        self.quarantine = folder / "quarantine"
        self.ledger_file = folder / "batches.parquet"
        self.work = folder / _WORK

    def prepare(self) -> None:
        """Create what readers need before the first load: every file pattern matches an empty file, with all
        columns of this version.

        Changes no file with rows, so it may be called during a load.
        """
        for path, columns in (
            (self.records / "usage_date=1970-01-01" / "none.parquet", RECORD_COLUMNS),
            (self.quarantine / "none.parquet", QUARANTINE_COLUMNS),
        ):
            if not path.exists() or pq.read_schema(path).names != list(columns):
                nothing = ", ".join(f"NULL::{kind} AS {name}" for name, kind in columns.items())
                with duckdb.connect() as connection:
                    self._copy(connection, f"SELECT {nothing} WHERE false", path)
        if not self.ledger_file.exists():
            self.write_ledger([])

    def open_work(self) -> Path:
        """An empty work folder for a load, on the same file system."""
        self.close_work()
        self.work.mkdir(parents=True)
        return self.work

    def close_work(self) -> None:
        """Remove the work folder."""
        if self.work.exists():
            shutil.rmtree(self.work)

    def read_ledger(self) -> list[Batch]:
        """Lines of the ledger."""
        return read_ledger(self.ledger_file)

    def ledger_is_current(self) -> bool:
        """Whether the ledger file has this version's columns."""
        return bool(pq.read_schema(self.ledger_file).equals(LEDGER_SCHEMA))

    def write_ledger(self, lines: Iterable[Batch]) -> None:
        """Replace the ledger: from then on, the load counts."""
        written = self._beside(self.ledger_file)
        pq.write_table(ledger_table(lines), written, compression="zstd")
        commit(written, self.ledger_file)

    def sweep(self, loads: Collection[str]) -> int:
        """Remove files of loads not among `loads`; returns how many."""
        known = {"none", *loads}
        left = [
            path
            for pattern in ("records/usage_date=*/*", "quarantine/*")
            for path in self.folder.glob(pattern)
            if path.stem not in known
        ]
        for path in left:
            path.unlink()
            self._remove_if_empty(path.parent)
        return len(left)

    def write_load(
        self,
        connection: duckdb.DuckDBPyConnection,
        load_id: str,
        days: Iterable[date],
        records: str,
        quarantine: str,
    ) -> None:
        """Write the files of a load; `days` are the usage days in the SQL `records`.

        One day at a time: writing all days at once would hold a part of each in memory.
        """
        for day in days:
            within = f"usage_timestamp >= DATE '{day}' AND usage_timestamp < DATE '{day}' + INTERVAL 1 DAY"
            self._copy(
                connection,
                f"SELECT * FROM ({records}) WHERE {within}",
                self.records / f"usage_date={day}" / f"{load_id}.parquet",
            )
        self._copy(connection, quarantine, self.quarantine / f"{load_id}.parquet", keep_empty=False)

    def copy_loads(self, connection: duckdb.DuckDBPyConnection, loads: Collection[str], load_id: str) -> None:
        """Write the files of all these loads once more, as those of one load."""
        for folder in (*sorted(self.records.iterdir()), self.quarantine):
            files = sorted(str(path) for path in folder.glob("*.parquet") if path.stem in loads)
            if files:
                rows = f"read_parquet([{', '.join(map(literal, files))}], hive_partitioning = false)"
                query = f"SELECT * REPLACE ({literal(load_id)} AS load_id) FROM {rows}"
                self._copy(connection, query, folder / f"{load_id}.parquet")

    def settle(self, connection: duckdb.DuckDBPyConnection, lines: Iterable[Batch]) -> list[Batch]:
        """Apply the unsettled lines to the landed files, then write the ledger with all lines settled.

        If killed in between, the next load repeats it: every step is idempotent.
        """
        lines = list(lines)
        todo = settlement(lines)
        if not todo.empty:
            self._rewrite(connection, todo)
        if any(not line.settled for line in lines):
            lines = [replace(line, settled=True) for line in lines]
            self.write_ledger(lines)
        return lines

    def _rewrite(self, connection: duckdb.DuckDBPyConnection, todo: Settlement) -> None:
        files: set[Path] = set()
        for (load_id, _), line in (*todo.removed.items(), *todo.relocated.items()):
            files.update(
                self.records / f"usage_date={day}" / f"{load_id}.parquet" for day in line.usage_dates
            )
            files.add(self.quarantine / f"{load_id}.parquet")
        connection.register("removed", _pairs(todo.removed.values()))
        connection.register("relocated", _pairs(todo.relocated.values()))
        for path in sorted(files):
            if path.exists():
                self._copy(
                    connection,
                    f"""
                    SELECT rows.* REPLACE (coalesce(relocated.place, rows.batch_location) AS batch_location)
                    FROM read_parquet({literal(path)}, hive_partitioning = false) AS rows
                    ANTI JOIN removed USING (load_id, batch_id)
                    LEFT JOIN relocated USING (load_id, batch_id)
                    """,
                    path,
                    keep_empty=False,
                )
        connection.unregister("removed")
        connection.unregister("relocated")

    def _copy(
        self, connection: duckdb.DuckDBPyConnection, query: str, path: Path, keep_empty: bool = True
    ) -> None:
        written = self._beside(path)
        connection.execute(f"COPY ({query}) TO {literal(written)} (FORMAT parquet, COMPRESSION zstd)")
        if keep_empty or pq.read_metadata(written).num_rows:
            commit(written, path)
        else:
            written.unlink()
            path.unlink(missing_ok=True)
            self._remove_if_empty(path.parent)

    def _beside(self, path: Path) -> Path:
        """Temporary path of a file, hidden from every reader's pattern."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.work.mkdir(parents=True, exist_ok=True)
        return self.work / f"{path.parent.name}-{path.name}"

    def _remove_if_empty(self, folder: Path) -> None:
        if folder != self.quarantine:
            with suppress(OSError):  # not empty
                folder.rmdir()


def _pairs(lines: Iterable[Batch]) -> pa.Table:
    schema = pa.schema([("load_id", pa.string()), ("batch_id", pa.string()), ("place", pa.string())])
    return pa.Table.from_pylist(
        [
            {"load_id": line.load_id, "batch_id": line.batch_id, "place": line.batch_location}
            for line in lines
        ],
        schema=schema,
    )
