"""Estimate the rate of a job and its time to completion. Pure arithmetic.

The rate is smoothed exponentially twice, with weights that fall to a tenth in 15 seconds, so that
progress in batches gives a steady estimate. Time without reports counts as no progress, so the
estimate for a job that hangs grows. A stalled job has no estimate: it has made no progress for twice
its longest step, for example since a server is down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

#: Seconds after which the weight of a measurement has fallen to a tenth.
WINDOW = 15.0
#: The fewest steps and seconds for an estimate, and the longest estimate in seconds.
MIN_STEPS = 3
MIN_SECONDS = 2.0
MAX_ETA = 99 * 3600.0
#: A job is stalled after so many times the longest time that it took for a step.
PATIENCE = 2.0

_DECAY = -math.log(10) / WINDOW


def _new_weight(seconds: float) -> float:
    """Return the weight, from 0 to 1, of the last seconds against all the time before."""
    return -math.expm1(_DECAY * seconds)


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """The rate of one job in one phase of its work, in which its total stays the same.

    Attributes:
        began: The time at which the phase began.
        total: The amount to do; 0 if unknown.
        current: The amount that was done at the last step.
        at: The time of the last step.
        steps: The number of reports with progress.
        single: The rate, smoothed once; too low by the weight of the time before the phase.
        double: The rate, smoothed twice; too low in the same way.
        longest: The longest time for a step. One for which the job was stalled counts in part, so
            that one outage does not make the next one look usual.
    """

    began: float
    total: float
    current: float
    at: float
    steps: int = 0
    single: float = 0.0
    double: float = 0.0
    longest: float = 0.0

    def update(self, current: float, total: float, now: float) -> RateEstimate:
        """Return the estimate after a report.

        Another total, or a lower current amount, begins a new phase.
        """
        if total != self.total or current < self.current:
            return RateEstimate(now, total, current, now)
        if current == self.current:
            return self
        if now <= self.at:  # no time has passed; the next step counts this progress, too
            return replace(self, steps=self.steps + 1)
        new = _new_weight(now - self.at)
        rate = (current - self.current) / (now - self.at)
        single = self.single * (1 - new) + rate * new
        double = self.double * (1 - new) + single / _new_weight(now - self.began) * new
        took = now - self.at
        longest = max(self.longest, took if self.steps < MIN_STEPS else min(took, self.patience))
        return RateEstimate(
            self.began, total, current, now, self.steps + 1, single, double, longest
        )

    @property
    def patience(self) -> float:
        """The seconds without progress after which the job is stalled."""
        return max(MIN_SECONDS, PATIENCE * self.longest)

    def rate(self, now: float) -> float:
        """Return the amount per second; 0 at the beginning."""
        if now <= self.began:
            return 0.0
        new = _new_weight(max(now - self.at, 0.0))
        whole = _new_weight(now - self.began)
        single = self.single * (1 - new) / whole
        return (self.double * (1 - new) + single * new) / whole

    def eta(self, current: float, now: float) -> float | None:
        """Return the seconds to completion, or None if there is no estimate.

        Args:
            current: The amount that is done.
            now: The time.
        """
        if current >= self.total > 0:
            return 0.0
        if self.steps < MIN_STEPS or now - self.began < MIN_SECONDS:
            return None
        if now - self.at > self.patience:
            return None
        rate = self.rate(now)
        left = (self.total - current) / rate if rate > 0 else math.inf
        return left if left <= MAX_ETA else None
