"""How well alarms fit what is wrong in the cases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.evaluation.cases import DAYS, Case
from tests.evaluation.methods import Alarms


@dataclass(frozen=True)
class Result:
    """`precision`: of all anomalies told, those that are events. `recall`: of all events, those told of.
    `delay`: days from the beginning of a found event to the first alarm, the middle and the ninth decile.
    """

    precision: float
    recall: float
    delay: float
    late_delay: float
    false_alarms: int
    events: int

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    def false_alarms_per_series_month(self, cases: Sequence[Case]) -> float:
        """False alarms ÷ months of all series."""
        return self.false_alarms / (len(cases) * DAYS / 30.4)


def score(cases: Sequence[Case], alarms: Alarms) -> Result:
    """Compare; an anomaly told twice in one event counts once and is not false."""
    true, false, events = 0, 0, 0
    delays = []
    for case in cases:
        hits = [a for a in alarms[case.name] if case.first is not None and _meets(case, a)]
        false += len(alarms[case.name]) - len(hits)
        true += len(hits)
        if case.first is not None:
            events += 1
            if hits:
                delays.append(max(min(told for told, _ in hits) - case.first, 0))
    delays.sort()
    return Result(
        precision=true / (true + false) if true + false else 1.0,
        recall=len(delays) / events if events else 1.0,
        delay=median(delays) if delays else float("nan"),
        late_delay=delays[int(0.9 * (len(delays) - 1))] if delays else float("nan"),
        false_alarms=false,
        events=events,
    )


def _meets(case: Case, alarm: tuple[int, int]) -> bool:
    assert case.first is not None
    assert case.last is not None
    return alarm[0] <= case.last and alarm[1] >= case.first
