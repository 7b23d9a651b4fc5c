"""One load: read new batches, judge their records, and write them as landed Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from orchestration.sources.landing.notes import note_assumed_encodings
from orchestration.sources.telemetry.file_forms import decide
from orchestration.sources.telemetry.formats.batch_file import BatchFile
from orchestration.sources.telemetry.landed_files import QUARANTINE_COLUMNS, RECORD_COLUMNS, LandedTelemetry
from orchestration.sources.telemetry.ledger import Arrival, Batch, LoadPlan, Status
from orchestration.sources.telemetry.readers import Reading, plan_readings
from orchestration.sources.telemetry.records import UsageLimits, judged_records

UNREADABLE = "unreadable-batch"
"""The reason of the one quarantine row that stands for a file of which nothing can be read."""

_JUDGED = """
    CREATE TABLE judged (
        batch INTEGER, batch_row BIGINT, unknown_fields VARCHAR[],
        point_is_usual BOOLEAN, has_point BOOLEAN,
        said_timestamp VARCHAR, said_value VARCHAR, said_filter VARCHAR,
        reason VARCHAR, detail VARCHAR, raw VARCHAR,
        stream VARCHAR, operation VARCHAR, usage_timestamp TIMESTAMP, granularity VARCHAR,
        customer_id VARCHAR, value DECIMAL(38, 9), filter VARCHAR, record_id VARCHAR
    )
"""
# Each day is read from the judged records; if there are many days, from a sorted copy.
DAYS_OF_FEW = 40
_ORDERED = """
    CREATE TABLE ordered AS SELECT * FROM judged ORDER BY usage_timestamp;
    DROP TABLE judged;
    ALTER TABLE ordered RENAME TO judged
"""
# DuckDB has no single class for damaged files; these are its errors of the machine.
_MACHINE_AT_FAULT = (
    duckdb.IOException,
    duckdb.OutOfMemoryException,
    duckdb.InternalException,
    duckdb.FatalException,
    duckdb.InterruptException,
)


class Progress(Protocol):
    """Progress callback of a load."""

    def __call__(self, step: str, done: int, total: int) -> None:
        """`done` of `total` units of `step` are finished."""


@dataclass(frozen=True)
class TelemetryLanding:
    """Result of a load. Batch counts are of objects: one place with one content."""

    load_id: str | None
    """None when there was nothing to land."""
    loaded: int = 0
    repeated: int = 0
    superseded: int = 0
    unchanged: int = 0
    records: int = 0
    quarantined: int = 0
    quarantined_by_reason: Mapping[str, int] = field(default_factory=dict)
    unknown_fields: Mapping[str, int] = field(default_factory=dict)
    """Fields that no record has, and in how many rows they were seen."""
    touched_days: tuple[date, ...] = ()
    """Usage days whose landed records changed."""


class Load:
    """One load, from files to landed Parquet."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        landed: LandedTelemetry,
        plan: LoadPlan,
        at: datetime,
        limits: UsageLimits,
        progress: Progress,
    ) -> None:
        self.connection = connection
        self.landed = landed
        self.plan = plan
        self.at = at
        self.limits = limits
        self.progress = progress
        self.first_sequence = 1 + max((line.batch_sequence for line in plan.ledger), default=0)
        # The first sequence number makes it unique even if two loads share a second.
        self.load_id = f"{at:%Y%m%dT%H%M%SZ}-{self.first_sequence:06d}"
        self.lines: list[Batch] = []

    def land(self, paths: Sequence[Path]) -> list[Batch]:
        """Write records and quarantine of the new batches; returns the new ledger."""
        files = [
            BatchFile(number, arrival.batch_location, path)
            for number, (arrival, path) in enumerate(zip(self.plan.to_land, paths, strict=True))
        ]
        self._register_batches()
        self.connection.execute(_JUDGED)
        if files:
            self._judge(files)
        self.lines = self._loaded_lines()
        if files:
            days = sorted({day for line in self.lines for day in line.usage_dates})
            if len(days) > DAYS_OF_FEW:
                self.connection.execute(_ORDERED)
            self.landed.write_load(
                self.connection,
                self.load_id,
                self._each("write days", days),
                self._records(),
                self._quarantine(),
            )
        self.lines += self._repeated_lines()
        return [*self.plan.ledger, *self.lines]

    def result(self, unchanged: int) -> TelemetryLanding:
        """Result of the load."""
        loaded = [line for line in self.lines if line.status == "loaded"]
        gone = [
            line
            for line in self.plan.superseded
            if line.batch_id not in {kept.batch_id for kept in self.plan.ledger if kept.status == "loaded"}
        ]
        return TelemetryLanding(
            load_id=self.load_id,
            loaded=len(loaded),
            repeated=len(self.plan.repeats),
            superseded=len(self.plan.superseded),
            unchanged=unchanged,
            records=sum(line.record_count for line in loaded),
            quarantined=sum(line.quarantined_count for line in loaded),
            quarantined_by_reason=self._counted("SELECT reason FROM judged WHERE reason IS NOT NULL"),
            unknown_fields=self._counted("SELECT unnest(unknown_fields) FROM judged"),
            touched_days=tuple(sorted({day for line in (*loaded, *gone) for day in line.usage_dates})),
        )

    def _register_batches(self) -> None:
        arrivals = self.plan.to_land
        self.connection.register(
            "batches",
            pa.table(
                {
                    "batch": pa.array(range(len(arrivals)), pa.int32()),
                    "batch_id": pa.array([arrival.batch_id for arrival in arrivals], pa.string()),
                    "batch_location": pa.array([arrival.batch_location for arrival in arrivals], pa.string()),
                }
            ),
        )

    def _judge(self, files: Sequence[BatchFile]) -> None:
        plan = plan_readings(files, self.landed.work)
        done = 0
        for reading in plan.readings:
            try:
                self._insert(reading, reading.files)
            except _MACHINE_AT_FAULT:
                raise
            except duckdb.Error:
                # One of the files is damaged: read each on its own, so that the others still land.
                for file in reading.files:
                    try:
                        self._insert(reading, [file])
                    except _MACHINE_AT_FAULT:
                        raise
                    except duckdb.Error as error:
                        plan.unreadable[file.batch] = str(error).partition("\n")[0]
            if plan.failures:
                raise plan.failures[0]
            done += len(reading.files)
            self.progress("read batches", done, len(files))
        decide(self.connection, self.limits.parameters(self.at))
        note_assumed_encodings(
            self.landed.folder.parent,
            "telemetry",
            read={file.key for file in files},
            assumed={file.key for file in files if file.batch in plan.assumed_encodings},
        )
        if plan.unreadable:
            rejected = pa.table(
                {
                    "batch": pa.array(plan.unreadable.keys(), pa.int32()),
                    "detail": pa.array(plan.unreadable.values(), pa.string()),
                }
            )
            self.connection.register("rejected", rejected)
            self.connection.execute("DELETE FROM judged WHERE batch IN (SELECT batch FROM rejected)")
            self.connection.execute(
                "INSERT INTO judged BY NAME SELECT batch, $reason AS reason, detail FROM rejected",
                {"reason": UNREADABLE},
            )

    def _insert(self, reading: Reading, files: Sequence[BatchFile]) -> None:
        if reading.lines is not None:
            self.connection.register("lines", reading.lines(files))
        self.connection.execute(
            f"INSERT INTO judged BY NAME {judged_records(reading.query(files), wait_for_file=True)}",
            self.limits.parameters(self.at),
        )

    def _records(self) -> str:
        chosen = ", ".join(
            f"'{self.load_id}' AS load_id" if name == "load_id" else name for name in RECORD_COLUMNS
        )
        return f"SELECT {chosen} FROM judged JOIN batches USING (batch) WHERE reason IS NULL"

    def _quarantine(self) -> str:
        columns = {
            "load_id": f"'{self.load_id}'",
            "record": "raw",
            "quarantined_at": f"TIMESTAMP '{self.at}'",
        }
        chosen = ", ".join(f"{columns.get(name, name)} AS {name}" for name in QUARANTINE_COLUMNS)
        return f"""
            SELECT {chosen}
            FROM judged JOIN batches USING (batch)
            WHERE reason IS NOT NULL
            ORDER BY batch, batch_row
        """

    def _loaded_lines(self) -> list[Batch]:
        counts = self.connection.execute(
            """
            SELECT
                batch,
                count(*) FILTER (reason IS NULL),
                count(reason),
                list_sort(coalesce(list(DISTINCT usage_timestamp::DATE) FILTER (reason IS NULL), []))
            FROM judged
            GROUP BY batch
            """
        ).fetchall()
        counted = {batch: (records, quarantined, days) for batch, records, quarantined, days in counts}
        lines = []
        for number, arrival in enumerate(self.plan.to_land):
            records, quarantined, days = counted.get(number, (0, 0, []))
            lines.append(
                replace(
                    self._line(arrival, self.first_sequence + number, "loaded"),
                    record_count=records,
                    quarantined_count=quarantined,
                    usage_dates=tuple(days),
                )
            )
        return lines

    def _repeated_lines(self) -> list[Batch]:
        lines = (*self.plan.ledger, *self.lines)
        sequences = {line.batch_id: line.batch_sequence for line in lines if line.status == "loaded"}
        return [self._line(arrival, sequences[arrival.batch_id], "repeated") for arrival in self.plan.repeats]

    def _line(self, arrival: Arrival, sequence: int, status: Status) -> Batch:
        """Ledger line of a batch without accepted records."""
        return Batch(
            batch_id=arrival.batch_id,
            batch_location=arrival.batch_location,
            object_version=arrival.object_version,
            object_time=arrival.object_time,
            load_id=self.load_id,
            batch_sequence=sequence,
            record_count=0,
            quarantined_count=0,
            usage_dates=(),
            status=status,
            loaded_at=self.at,
        )

    def _each(self, step: str, days: Sequence[date]) -> Iterator[date]:
        for done, day in enumerate(days, 1):
            yield day
            self.progress(step, done, len(days))

    def _counted(self, query: str) -> dict[str, int]:
        rows = self.connection.execute(
            f"SELECT name, count(*) FROM ({query}) AS counted(name) GROUP BY name ORDER BY 2 DESC, 1"
        ).fetchall()
        return dict(rows)
