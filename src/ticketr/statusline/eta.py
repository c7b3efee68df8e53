"""How fast a job goes, and when it will be done. Pure arithmetic.

The rate is averaged twice over, each time with weights that fall to a tenth in 15 seconds, so that
work which comes in batches gives a steady answer. Time in which nothing comes counts as no
progress: a job that hangs does not promise to be done soon.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

#: After so many seconds a measurement has a tenth of its weight left.
WINDOW = 15.0
#: Nothing is foretold before so many steps and seconds, nor anything that is further away.
STEPS = 3
SECONDS = 2.0
FAR = 99 * 3600.0

_DECAY = -math.log(10) / WINDOW


def _new_weight(seconds: float) -> float:
    """Give the weight of so many last seconds; the rest, up to 1, is that of all before."""
    return -math.expm1(_DECAY * seconds)


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """The rate of one job in one phase of its work: while its total stays the same.

    Attributes:
        began: when the phase began.
        total: how much there is to do; 0 while that is unknown.
        current: how much was done at the last step.
        at: when that was.
        steps: how many reports brought it forward.
        once: the rate, averaged once; too small by the weight of the time before the beginning.
        twice: the average of those averages, likewise.
    """

    began: float
    total: float
    current: float
    at: float
    steps: int = 0
    once: float = 0.0
    twice: float = 0.0

    def see(self, current: float, total: float, now: float) -> RateEstimate:
        """Take in a report; gives the new pace.

        Another total, or less done than before, begins a new phase.
        """
        if total != self.total or current < self.current:
            return RateEstimate(now, total, current, now)
        if current == self.current:
            return self
        if now <= self.at:  # no time has passed; the next step tells what was done by then
            return replace(self, steps=self.steps + 1)
        new = _new_weight(now - self.at)
        rate = (current - self.current) / (now - self.at)
        once = self.once * (1 - new) + rate * new
        twice = self.twice * (1 - new) + once / _new_weight(now - self.began) * new
        return RateEstimate(self.began, total, current, now, self.steps + 1, once, twice)

    def rate(self, now: float) -> float:
        """Give the steps per second; 0 at the beginning."""
        if now <= self.began:
            return 0.0
        new = _new_weight(max(now - self.at, 0.0))
        whole = _new_weight(now - self.began)
        once = self.once * (1 - new) / whole
        return (self.twice * (1 - new) + once * new) / whole

    def eta(self, current: float, now: float) -> float | None:
        """Give the seconds that are left, or None while nobody can know.

        Args:
            current: how much is done.
            now: the time.
        """
        if current >= self.total > 0:
            return 0.0
        if self.steps < STEPS or now - self.began < SECONDS:
            return None
        rate = self.rate(now)
        left = (self.total - current) / rate if rate > 0 else math.inf
        return left if left <= FAR else None
