"""Ledger of alert deliveries, an SQLite file in the workspace.

A delivery is recorded before its first attempt, and as delivered after the receiver accepted it, so none is
lost and none is repeated. A process killed between acceptance and recording sends once more, with the same
idempotency key: at-least-once delivery, and exactly once for receivers that honour the key.
"""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from orchestration.outputs.alerts.items import AlertItem

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)

_SCHEMA = """
create table if not exists deliveries (
    channel text not null,
    anomaly_id text not null,
    series text not null,
    started_at text not null,
    ended_at text not null,
    attempts integer not null default 0,
    next_attempt_at text not null,
    last_error text,
    delivered_at text,
    primary key (channel, anomaly_id)
)
"""


@dataclass(frozen=True)
class Waiting:
    """A delivery that is due, and the number of previous attempts."""

    channel: str
    anomaly_id: str
    attempts: int


class Ledger:
    """The ledger of one workspace, held by one process at a time (see `open_ledger`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def note(self, channel: str, item: AlertItem, now: datetime) -> bool:
        """Record that `item` is to be sent on `channel`; False if already recorded.

        An overlapping anomaly of the same series is the recorded one, restated.
        """
        known = self._connection.execute(
            "select anomaly_id from deliveries where channel = ? and (anomaly_id = ? or (series = ? "
            "and started_at < ? and ended_at > ?))",
            [channel, item.anomaly_id, item.series, item.ended_at, item.started_at],
        ).fetchone()
        if known:
            # Extend the recorded period, so that a later anomaly of the series counts as new.
            self._connection.execute(
                "update deliveries set ended_at = max(ended_at, ?) where channel = ? and anomaly_id = ?",
                [item.ended_at, channel, known[0]],
            )
        else:
            self._connection.execute(
                "insert into deliveries (channel, anomaly_id, series, started_at, ended_at, next_attempt_at) "
                "values (?, ?, ?, ?, ?, ?)",
                [channel, item.anomaly_id, item.series, item.started_at, item.ended_at, _text(now)],
            )
        self._connection.commit()
        return not known

    def waiting(self) -> set[str]:
        """Ids of recorded anomalies not yet delivered on some channel."""
        rows = self._connection.execute("select anomaly_id from deliveries where delivered_at is null")
        return {anomaly_id for (anomaly_id,) in rows}

    def due(self, now: datetime) -> list[Waiting]:
        """Deliveries due now, in the order they were recorded."""
        rows = self._connection.execute(
            "select channel, anomaly_id, attempts from deliveries "
            "where delivered_at is null and next_attempt_at <= ? order by rowid",
            [_text(now)],
        )
        return [Waiting(*row) for row in rows]

    def delivered(self, delivery: Waiting, now: datetime) -> None:
        """Record a successful delivery."""
        self._update(delivery, "delivered_at = ?, last_error = null, attempts = attempts + 1", [_text(now)])

    def failed(self, delivery: Waiting, error: str, now: datetime) -> datetime:
        """Record a failed delivery and return the time of the next attempt; each wait doubles."""
        wait: timedelta = min(FIRST_WAIT * (1 << min(delivery.attempts, 10)), LONGEST_WAIT)
        self._update(
            delivery,
            "next_attempt_at = ?, last_error = ?, attempts = attempts + 1",
            [_text(now + wait), error[:500]],
        )
        return now + wait

    def withdraw(self, delivery: Waiting) -> None:
        """Drop an undelivered alert whose anomaly no longer exists."""
        self._connection.execute(
            "delete from deliveries where channel = ? and anomaly_id = ? and delivered_at is null",
            [delivery.channel, delivery.anomaly_id],
        )
        self._connection.commit()

    def _update(self, delivery: Waiting, assignments: str, values: list[str]) -> None:
        self._connection.execute(
            f"update deliveries set {assignments} where channel = ? and anomaly_id = ?",
            [*values, delivery.channel, delivery.anomaly_id],
        )
        self._connection.commit()


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger | None]:
    """The ledger, or None while another process holds it, which would send duplicates."""
    with path.with_suffix(".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("pragma synchronous = full")
            connection.execute(_SCHEMA)
            yield Ledger(connection)


def _text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
