"""One request's batch, stored once: what an Idempotency-Key means.

With a key, the request is first noted under `_requests/` (the batch reader passes over names with `_`): the
body's fingerprint and the time by which it is judged. Then the batch is stored under a name made of token and
key. A retry finds the note, judges by the same time, and so has the same batch and the same answer.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any

from orchestration.sources.telemetry.intake import IntakeResult, judge
from orchestration.sources.telemetry.records import EVERY_TIME, UsageLimits
from orchestration.sources.telemetry.spool import Spool


class KeyReusedError(Exception):
    """The Idempotency-Key was used with a different request."""


@dataclass(frozen=True)
class Sent:
    """A request with a known sender. `key` is the Idempotency-Key, or None.

    `keep_rejected`: the batch also holds what is rejected, for a sender that does not read answers.
    """

    token: str
    stream: str
    operation: str
    key: str | None
    records: Sequence[str]
    keep_rejected: bool = False


class BatchStore:
    """Stores requests; thread-safe."""

    def __init__(self, spool: Spool, limits: UsageLimits = EVERY_TIME) -> None:
        self.spool = spool
        self.limits = limits
        self._locks: defaultdict[int, Lock] = defaultdict(Lock)
        self._locks.update({number: Lock() for number in range(64)})

    def receive(self, sent: Sent, now: datetime) -> IntakeResult:
        """Judge and store; accepted records are durable on return. `now` is UTC without zone.

        Raises `KeyReusedError`, and `SpoolError` if it cannot be stored.
        """
        if sent.key is None:
            return self._store(sent, secrets.token_hex(16), now)
        name = _fingerprint([sent.token, sent.key])[:32]
        with self._locks[int(name, 16) % len(self._locks)]:
            return self._store(sent, name, self._noted(sent, name, now))

    def forget_requests(self, before: datetime) -> int:
        """Forget keys first used before then (UTC, with zone), and return how many.

        A request resent after that is stored again; its records keep their identity, so each still counts
        once.
        """
        return self.spool.forget("_requests", before)

    def _noted(self, sent: Sent, name: str, now: datetime) -> datetime:
        """When the request was first seen."""
        body = _fingerprint([sent.stream, sent.operation, *sent.records])
        place = f"_requests/{name[:2]}/{name}.json"
        made = json.dumps({"body": body, "received_at": now.isoformat()}).encode()
        kept = self.spool.read(place)
        if kept is None:
            if self.spool.create(place, made):
                return now
            # A concurrent process was faster; its note counts for both.
            kept = self.spool.read(place) or made
        note: dict[str, Any] = json.loads(kept)
        if note["body"] != body:
            raise KeyReusedError("this Idempotency-Key was used with another request; use a new one")
        return datetime.fromisoformat(note["received_at"])

    def _store(self, sent: Sent, name: str, received_at: datetime) -> IntakeResult:
        judged = judge(sent.records, sent.stream, sent.operation, name, received_at, self.limits)
        # Named by time first, so requests stored within one tick of the object store's clock keep their
        # order.
        place = f"api/{received_at:%Y-%m-%d}/{received_at:%H%M%S.%f}-{name}.jsonl"
        batch = judged.batch
        if sent.keep_rejected:
            kept = (sent.records[each["index"]] for each in judged.rejected)
            batch += "".join(f"{_addressed(record, sent)}\n" for record in kept).encode()
        if batch and not (sent.key is not None and self.spool.exists(place)):
            self.spool.write(place, batch)
        return judged


def _addressed(record: str, sent: Sent) -> str:
    """A record that says its stream, as records of a batch do."""
    return json.dumps({"stream": sent.stream, **json.loads(record)}, ensure_ascii=False)


def _fingerprint(parts: Sequence[str]) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
