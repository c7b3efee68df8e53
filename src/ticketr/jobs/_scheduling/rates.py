"""Limit how fast attempts start, by token buckets. Pure: no clock of its own.

A bucket that has no start left is empty until its ``ready_at``, when ``RateLimits.refill`` is to be
called. So whether a job may start does not depend on the time, and is asked without a clock.

A bucket computes its times by multiplication from the moment at which it was last full. It never
adds up intervals, so rounding errors do not grow with the number of starts.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from ticketr.jobs._scheduling.priority_queue import PriorityQueue
from ticketr.jobs._values import checked_number, checked_seconds, safe_repr

K = TypeVar("K")


@final
@dataclass(frozen=True, slots=True)
class Rate:
    """A limit on how fast attempts start.

    A bucket holds ``burst`` starts and is full at first. Each start of an attempt takes one, and
    one comes back every ``per / count`` seconds. So any span of ``per`` seconds has at most
    ``burst + count`` starts. ``Rate(10)`` is ten a second; ``Rate(10, burst=1)`` is one each tenth
    of a second.

    Attributes:
        count: How many starts come back in ``per`` seconds; above 0.
        per: The time in which they come back, in seconds; above 0.
        burst: The starts that may come at once after a rest; at least 1. None is ``count``, or 1 if
            that is less.

    Raises:
        TypeError, ValueError: One of these is no such number.
    """

    count: float
    per: float = 1.0
    burst: float | None = None

    def __post_init__(self) -> None:
        count = checked_number("count", self.count)
        per = checked_seconds("per", self.per)
        burst = max(1.0, count) if self.burst is None else checked_number("burst", self.burst)
        if not 0 < count < math.inf:
            raise ValueError(f"count must be a number above 0, not {count}; None is no limit")
        if not per > 0:
            raise ValueError(f"per must be a number of seconds above 0, not {per}")
        if not 1 <= burst < math.inf:
            raise ValueError(f"burst must be a number from 1, not {burst}")
        if not 0 < per / count < math.inf:
            raise ValueError(f"a start every {per / count} seconds is beyond what can be timed")
        object.__setattr__(self, "count", count)
        object.__setattr__(self, "per", per)
        object.__setattr__(self, "burst", burst)


@final
class Bucket:
    """The starts that a rate has left.

    Attributes:
        rate: The rate.
    """

    __slots__ = ("_burst", "_full_at", "_interval", "_taken", "rate")

    def __init__(self, rate: Rate, predecessor: Bucket | None = None, now: float = 0.0) -> None:
        """Make a bucket that is full, or that holds what its predecessor holds now."""
        assert rate.burst is not None
        self.rate = rate
        self._burst = rate.burst
        self._interval = rate.per / rate.count
        self._full_at = -math.inf if predecessor is None else now
        self._taken = 0.0  # since then
        if predecessor is not None:
            self._taken = max(0.0, self._burst - predecessor.level(now))

    def level(self, now: float) -> float:
        """Return how many starts it holds."""
        if self._full_at == -math.inf:
            return self._burst
        taken = self._taken - (now - self._full_at) / self._interval
        return min(self._burst, self._burst - taken)

    def ready_at(self) -> float:
        """Return from when on it holds a start; -inf if it always did."""
        return self._full_at + (self._taken + 1 - self._burst) * self._interval

    def take(self, now: float) -> None:
        """Take one start out."""
        if now > self._full_at + self._taken * self._interval:
            self._full_at, self._taken = now, 0.0
        self._taken += 1


@final
class RateLimits(Generic[K]):
    """The rates of a queue and of its keys; None stands for the queue.

    Attributes:
        empty: The queue and the keys that have no start left, by the time at which they get one.
    """

    __slots__ = ("_buckets", "_numbers", "empty")

    def __init__(self) -> None:
        self._buckets: dict[K | None, Bucket] = {}
        self._numbers = itertools.count()
        self.empty: PriorityQueue[K | None] = PriorityQueue()

    def __contains__(self, key: K | None) -> bool:
        return key in self._buckets

    def set(self, key: K | None, rate: Rate | None, now: float) -> None:
        """Give a key, or the queue, another rate; None for no limit."""
        if key in self.empty:
            self.empty.discard(key)
        if rate is None:
            self._buckets.pop(key, None)
        else:
            self._buckets[key] = Bucket(rate, self._buckets.get(key), now)
            self._note_if_empty(key, now)

    def take(self, key: K | None, now: float) -> None:
        """Take one start of the queue, and one of a key unless that is None."""
        for limited in (None,) if key is None else (None, key):
            if limited in self._buckets:
                self._buckets[limited].take(now)
                self._note_if_empty(limited, now)

    def _note_if_empty(self, key: K | None, now: float) -> None:
        if (time := self._buckets[key].ready_at()) > now:
            self.empty.push(key, time, next(self._numbers))

    def blocks(self, key: K | None) -> bool:
        """Tell whether the queue, or this key, has no start left."""
        return None in self.empty or key in self.empty

    def refill(self, now: float) -> list[K | None]:
        """Return the queue and the keys that have a start again."""
        refilled: list[K | None] = []
        while self.empty.first_rank() <= now:
            refilled.append(self.empty.pop())
        return refilled


def checked_rate(rate: object) -> Rate:
    """Return a rate as it was given; raise ``TypeError`` if it is not a ``Rate``."""
    if type(rate) is not Rate:
        raise TypeError(f"rate must be a Rate, such as Rate(10, per=1.0), not {safe_repr(rate)}")
    return rate
