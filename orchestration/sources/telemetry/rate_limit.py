"""Rate limit per token: a bucket of requests that refills over time."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class RateLimit:
    """`burst` requests at once and `per_second` over time, per name."""

    per_second: float
    burst: int
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def seconds_to_wait(self, name: str, now: float) -> int:
        """0 if the request is allowed, and it counts; else the whole seconds to wait. `now` must be
        monotonic.
        """
        left, since = self._left.get(name, (float(self.burst), now))
        left = min(float(self.burst), left + (now - since) * self.per_second)
        if left < 1:
            self._left[name] = left, now
            return max(1, math.ceil((1 - left) / self.per_second))
        self._left[name] = left - 1, now
        return 0
