"""Pull usage into batches: one file a pull and day, replaced when the day is read again.

The watermark of a pull, the time up to which it has read, is `_pulls/<name>.json` in the telemetry location.
A pull reads from its `late_days` before the watermark to the last whole hour (day, for a daily stream), and
writes a day's batch only if it differs, so that reading a window twice counts it once.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal, localcontext
from importlib import import_module
from typing import cast

from orchestration.compiler.language.pulls import Pull
from orchestration.compiler.problems import did_you_mean
from orchestration.compiler.reading.program import USAGE_FILE
from orchestration.settings import ExpectedError, Settings
from orchestration.sources.locations import s3_client
from orchestration.sources.source import OpenLocation
from orchestration.sources.telemetry.pulls import has_pulls, readers
from orchestration.sources.telemetry.pulls.readers.reader import Access, PullError, Quantity, Reader, Window
from orchestration.sources.telemetry.spool import Spool, SpoolError, open_spool
from orchestration.warehouse.generate import ContextProblems, compile_project

FIRST_DAYS = 14
"""Days that a first pull reads without `since`: Prometheus keeps 15."""

_STEPS = {"hourly": timedelta(hours=1), "daily": timedelta(days=1)}
_DIGITS = Decimal("1e-9")  # of a usage record


@dataclass(frozen=True)
class PulledDay:
    """The batch of a day: records, customers, sum of usage and the part of it without a customer."""

    day: date
    records: int
    customers: frozenset[str]
    quantity: Decimal
    quantity_without_customer: Decimal
    written: bool


@dataclass(frozen=True)
class PullResult:
    """What a pull read; `error` says why it stopped. The days before that are stored."""

    pull: Pull
    days: tuple[PulledDay, ...]
    remarks: tuple[str, ...] = ()
    error: str | None = None

    @property
    def summary(self) -> str:
        """What was read, in a line."""
        if not self.days:
            return "nothing to read" if self.error is None else "nothing read"
        records = sum(day.records for day in self.days)
        customers = frozenset[str]().union(*(day.customers for day in self.days))
        quantity = sum((day.quantity for day in self.days), Decimal(0))
        lost = sum((day.quantity_without_customer for day in self.days), Decimal(0))
        return (
            f"{self.days[0].day} to {self.days[-1].day}, {records:,} records of {len(customers):,} "
            f"customers, {_plain(quantity, ',')} {self.pull.stream}"
            + (f", of which {_plain(lost, ',')} without a customer" if lost else "")
            + f"; {sum(day.written for day in self.days):,} batches written"
        )


def pull_usage(
    settings: Settings,
    open_location: OpenLocation,
    now: datetime,
    names: Collection[str] = (),
    days: tuple[date, date] | None = None,
) -> Iterator[PullResult]:
    """Run the pulls of `usage.yml`, or those of `names`; `now` is UTC without zone.

    `days`: the first and the last day to read instead of those since the watermark. A pull that fails is a
    result with its error. Raises `ContextProblems`, and `PullError` for a name that is not there.
    """
    if not has_pulls(settings):
        raise PullError(f"{settings.contexts / USAGE_FILE} with pulls does not exist: see docs/pulls.md")
    compilation = compile_project(settings.contexts)
    if compilation.problems:
        raise ContextProblems(compilation.problems)
    program = compilation.program
    known = {pull.name for pull in program.pulls}
    for name in names:
        if name not in known:
            raise PullError(f'no pull "{name}" in {USAGE_FILE}{did_you_mean(name, known)}')
    spool = open_spool(settings.location_of("telemetry"), lambda: s3_client(settings))
    granularities = {stream.name: stream.granularity for stream in program.streams}
    for pull in program.pulls:
        if not names or pull.name in names:
            running = _Running(pull, granularities[pull.stream], spool, Access(settings, open_location))
            yield running.run(now, days)


@dataclass(frozen=True)
class _Running:
    """One pull being run."""

    pull: Pull
    granularity: str
    spool: Spool
    access: Access

    def run(self, now: datetime, days: tuple[date, date] | None) -> PullResult:
        """Read day by day; stops at the first error."""
        done: list[PulledDay] = []
        error = None
        try:
            watermark = self._watermark()
            for window in self._windows(now, watermark, days):
                done.append(self._day(window))
                if watermark is None or window.end > watermark:
                    watermark = window.end
                    self.spool.write(self._note, json.dumps({"pulled_until": str(watermark)}).encode())
        except (ExpectedError, SpoolError) as failed:
            error = str(failed)
        return PullResult(self.pull, tuple(done), tuple(dict.fromkeys(self.access.remarks)), error)

    @property
    def _note(self) -> str:
        return f"_pulls/{self.pull.name}.json"

    def _watermark(self) -> datetime | None:
        kept = self.spool.read(self._note)
        try:
            return datetime.fromisoformat(json.loads(kept)["pulled_until"]) if kept else None
        except (ValueError, KeyError, TypeError) as error:
            raise PullError(
                f"{self._note} is damaged; remove it, and the pull reads all days again"
            ) from error

    def _windows(
        self, now: datetime, watermark: datetime | None, days: tuple[date, date] | None
    ) -> Iterator[Window]:
        step = _STEPS[self.granularity]
        last = datetime.combine(now.date(), time.min)
        last += (now - last) // step * step
        first = self.pull.since or now.date() - timedelta(days=FIRST_DAYS)
        if watermark:
            # The day after a whole day is new; a watermark within a day has that day read again.
            first = max(watermark.date() - timedelta(days=self.pull.late_days), self.pull.since or date.min)
        if days:
            first, last = days[0], min(last, datetime.combine(days[1], time.min) + timedelta(days=1))
        start = datetime.combine(first, time.min)
        while start < last:
            yield Window(start, min(start + timedelta(days=1), last), step)
            start += timedelta(days=1)

    def _day(self, window: Window) -> PulledDay:
        """Read a day and store its batch."""
        reader = cast(Reader, import_module(f"{readers.__name__}.{self.pull.source}"))
        sums = _sums(reader.read(self.pull, window, self.access))
        lines = [self._record(period, customer, value) for (period, customer), value in sorted(sums.items())]
        batch = "".join(f"{line}\n" for line in lines).encode()
        place = f"pull/{self.pull.name}/{window.start:%Y-%m-%d}.jsonl"
        before = self.spool.read(place)
        written = batch != (before or b"")
        if written and not batch:
            # Systems forget: an empty answer never takes away usage that counted.
            self.access.remarks.append(
                f"{place}: nothing is found any more; the batch stays as it was pulled"
            )
            written = False
        if written:
            self.spool.write(place, batch)
        return PulledDay(
            window.start.date(),
            len(lines),
            frozenset(customer for _, customer in sums if customer),
            sum(sums.values(), Decimal(0)),
            sum((value for (_, customer), value in sums.items() if not customer), Decimal(0)),
            written,
        )

    def _record(self, period: datetime, customer: str, value: Decimal) -> str:
        """A usage record. Its id keeps the batches of two pulls apart where they say the same."""
        record = {
            "stream": self.pull.stream,
            "timestamp": f"{period:%Y-%m-%dT%H:%M:%SZ}",
            "granularity": self.granularity,
            "customer_id": customer,
            "value": _plain(value),
            "record_id": f"{self.pull.name} {period:%Y-%m-%dT%H} {customer}",
        }
        if self.pull.filter:
            record["filter"] = {name: list(elements) for name, elements in self.pull.filter.items()}  # type: ignore[assignment]
        return json.dumps(record, ensure_ascii=False)


def _sums(quantities: Iterable[Quantity]) -> dict[tuple[datetime, str], Decimal]:
    """Usage by period and customer ('' for none); no usage is no record."""
    sums: defaultdict[tuple[datetime, str], Decimal] = defaultdict(Decimal)
    with localcontext(prec=100):
        for each in quantities:
            sums[each.period, each.customer or ""] += _exact(each.value)
    return {key: value for key, value in sums.items() if value != 0}


def _plain(value: Decimal, separator: str = "") -> str:
    text = f"{value:{separator}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _exact(value: float | Decimal) -> Decimal:
    """A floating-point number, which has no exact decimal, to the digits of a record."""
    if not isinstance(value, float):
        return Decimal(value)
    number = Decimal(repr(value))
    if not number.is_finite():
        return Decimal("NaN")  # infinities of both signs would not add up
    return number.quantize(_DIGITS) if abs(number) < 10**18 else number
