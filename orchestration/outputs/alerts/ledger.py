"""What was told to whom: an SQLite file in the workspace that outlives every process.

A delivery is noted before its first attempt and as delivered after the receiver said yes. So none is
forgotten, and what was delivered is never sent again. Between the receiver's yes and the note lies an
instant: a process that is killed in it sends once more, under the same idempotency key. That is at least
once, and exactly once with receivers that heed the key.
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
    """A delivery that is due; `attempts` were made before."""

    channel: str
    anomaly_id: str
    attempts: int


class Ledger:
    """The notes of one workspace, held by one process at a time (see `open_ledger`)."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def note(self, channel: str, news: AlertItem, now: datetime) -> bool:
        """Note that `news` is to be told on `channel`; False when it was noted before.

        An anomaly of the same series whose time overlaps with one that was noted is that one, restated.
        """
        known = self._connection.execute(
            "select anomaly_id from deliveries where channel = ? and (anomaly_id = ? or (series = ? "
            "and started_at < ? and ended_at > ?))",
            [channel, news.anomaly_id, news.series, news.ended_at, news.started_at],
        ).fetchone()
        if known:
            # How long it has been going on, for what begins where it ends to be told apart.
            self._connection.execute(
                "update deliveries set ended_at = max(ended_at, ?) where channel = ? and anomaly_id = ?",
                [news.ended_at, channel, known[0]],
            )
        else:
            self._connection.execute(
                "insert into deliveries (channel, anomaly_id, series, started_at, ended_at, next_attempt_at) "
                "values (?, ?, ?, ?, ?, ?)",
                [channel, news.anomaly_id, news.series, news.started_at, news.ended_at, _text(now)],
            )
        self._connection.commit()
        return not known

    def waiting(self) -> set[str]:
        """The ids of what is noted and has not arrived on some channel."""
        rows = self._connection.execute("select anomaly_id from deliveries where delivered_at is null")
        return {anomaly_id for (anomaly_id,) in rows}

    def due(self, now: datetime) -> list[Waiting]:
        """What is to be sent now, in the order in which it was noted."""
        rows = self._connection.execute(
            "select channel, anomaly_id, attempts from deliveries "
            "where delivered_at is null and next_attempt_at <= ? order by rowid",
            [_text(now)],
        )
        return [Waiting(*row) for row in rows]

    def delivered(self, delivery: Waiting, now: datetime) -> None:
        """The receiver has it: never again."""
        self._update(delivery, "delivered_at = ?, last_error = null, attempts = attempts + 1", [_text(now)])

    def failed(self, delivery: Waiting, error: str, now: datetime) -> datetime:
        """The receiver has not taken it; when it is tried again. Each wait is twice the one before."""
        wait: timedelta = min(FIRST_WAIT * (1 << min(delivery.attempts, 10)), LONGEST_WAIT)
        self._update(
            delivery,
            "next_attempt_at = ?, last_error = ?, attempts = attempts + 1",
            [_text(now + wait), error[:500]],
        )
        return now + wait

    def withdraw(self, delivery: Waiting) -> None:
        """What a later run no longer finds, and nobody was told, is not told."""
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
    """The ledger, or None while another process holds it: two would send the same."""
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
