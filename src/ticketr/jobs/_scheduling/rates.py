"""Limit how fast attempts start, by token buckets. Pure: no clock of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from ticketr.jobs._values import checked_number, checked_seconds, safe_repr


@final
@dataclass(frozen=True, slots=True)
class Rate:
    """A limit on how fast attempts start.

    A bucket holds ``burst`` starts and is full at first. Each start of an attempt takes one, and
    one comes back every ``per / count`` seconds. ``Rate(10)`` is ten a second: one each tenth of a
    second. Any span shorter than ``per`` seconds has at most ``burst + count - 1`` starts.

    Attributes:
        count: How many starts come back in ``per`` seconds; above 0.
        per: The time in which they come back, in seconds; above 0.
        burst: The starts that may come at once after a rest; at least 1.

    Raises:
        TypeError, ValueError: One of these is no such number.
    """

    count: float
    per: float = 1.0
    burst: float = 1.0

    def __post_init__(self) -> None:
        count = checked_number("count", self.count)
        per = checked_seconds("per", self.per)
        burst = checked_number("burst", self.burst, 1)
        if not 0 < count < math.inf:
            raise ValueError(f"count must be a number above 0, not {count}; None is no limit")
        if per == 0:
            raise ValueError("per must be above 0")
        if burst == math.inf:
            raise ValueError("burst must be finite, not inf")
        if not 0 < per / count < math.inf:
            raise ValueError(f"a start every {per / count} seconds is beyond what can be timed")
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "per", per)
        object.__setattr__(self, "burst", burst)


@final
class Bucket:
    """The starts that a rate has left.

    Times are computed by multiplication from the moment at which the bucket was last full, so
    rounding errors do not grow with the number of starts.
    """

    __slots__ = ("_burst", "_full_at", "_interval", "_taken")

    def __init__(self, rate: Rate, predecessor: Bucket | None = None, now: float = 0.0) -> None:
        """Make a bucket that is full, or that holds what its predecessor holds now."""
        self._burst = rate.burst
        self._interval = rate.per / rate.count
        self._full_at = -math.inf if predecessor is None else now
        level = self._burst if predecessor is None else predecessor.level(now)
        self._taken = max(0.0, self._burst - level)  # since then

    def level(self, now: float) -> float:
        """Return how many starts it holds."""
        taken = self._taken - (now - self._full_at) / self._interval
        return self._burst - max(0.0, taken)

    def ready_at(self) -> float:
        """Return from when on it holds a start; -inf if it always did."""
        return self._full_at + (self._taken + 1 - self._burst) * self._interval

    def take(self, now: float) -> None:
        """Take one start out."""
        if now > self._full_at + self._taken * self._interval:
            self._full_at, self._taken = now, 0.0
        self._taken += 1


def checked_rate(rate: object) -> Rate:
    """Return a rate as it was given; raise ``TypeError`` if it is not a ``Rate``."""
    if not isinstance(rate, Rate):
        raise TypeError(f"rate must be a Rate, such as Rate(10, per=1.0), not {safe_repr(rate)}")
    return rate
