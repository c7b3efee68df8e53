"""Retry rules: whether and when a failed job runs again. Pure, apart from random numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

from ticketr._errors import GiveUp, RetryLater
from ticketr.jobs._groups import leaves
from ticketr.jobs._values import (
    check_sync_callable,
    checked_count,
    checked_number,
    checked_seconds,
    safe_repr,
)

ErrorFilter: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


@final
@dataclass(frozen=True, slots=True)
class Retry:
    """How often a job is attempted, and how long to wait between two attempts.

    The wait grows exponentially from ``first`` to ``cap``. It is shortened by a random part, so
    that jobs which failed together are not retried together.

    Attributes:
        attempts: The most calls of the job's function, the first one included; ``math.inf`` for no
            limit. It may be left out if there is a ``total``.
        first: The seconds before the second attempt.
        factor: The factor by which each wait is longer than the one before.
        cap: The longest wait in seconds.
        jitter: The part of the wait that is random, from 0.0 (none of it) to 1.0 (all of it).
        on: The errors after which to retry: a class, a tuple of classes, or a function of the error
            that returns whether to. Of a group, every error must be of the class. The error of a
            timeout is ``JobTimedOut``. If the function raises, its error is logged, and the job is
            not retried.
        total: The seconds for all attempts together, with the waits between them, from the start of
            the first; None or ``math.inf`` for no limit. A wait that would not end before then is
            not begun: the job fails with the error that it has. An attempt that runs by then is
            cut off as by ``timeout``. The waits of ``RetryLater`` count too.
    """

    attempts: float | None = None
    first: float = 1.0
    factor: float = 2.0
    cap: float = 60.0
    jitter: float = 1.0
    on: ErrorFilter = Exception
    total: float | None = None

    def __post_init__(self) -> None:
        if self.attempts is None and self.total is None:
            raise TypeError("a Retry needs a limit: write Retry(attempts=3) or Retry(total=60)")
        attempts, total = self.attempts, self.total
        numbers = {
            "attempts": math.inf if attempts is None else checked_count("attempts", attempts, 1),
            "first": checked_seconds("first", self.first, allow_inf=True),
            "factor": checked_number("factor", self.factor, 1),
            "cap": checked_seconds("cap", self.cap),
            "jitter": checked_number("jitter", self.jitter, 0, 1),
            "total": None if total is None else checked_seconds("total", total, allow_inf=True),
        }
        for name, number in numbers.items():
            object.__setattr__(self, name, number)
        if self.total == 0:
            raise ValueError("total must be above 0")
        kinds = self.on if isinstance(self.on, tuple) else (self.on,)
        if not isinstance(self.on, (type, tuple)):
            check_sync_callable("on", self.on)
        elif not all(isinstance(kind, type) and issubclass(kind, BaseException) for kind in kinds):
            words = "an error class, a tuple of these, or a function"
            raise TypeError(f"on must be {words}, not {safe_repr(self.on)}")

    def delay(self, attempt: int, chance: Callable[[], float] = random.random) -> float:
        """Return the seconds to wait after a failed attempt; the first attempt is number 1.

        Args:
            attempt: The number of the attempt.
            chance: Returns a number from 0.0 to 1.0.
        """
        try:
            wait = min(self.first * self.factor ** (attempt - 1), self.cap)
        except OverflowError:
            wait = self.cap if self.first else 0.0
        return wait * (1 - self.jitter + self.jitter * chance())

    def covers(self, error: Exception) -> bool:
        """Return whether to retry after this error."""
        if isinstance(self.on, (type, tuple)):
            return all(isinstance(leaf, self.on) for leaf in leaves(error))
        return self.on(error)


def delay_after(error: Exception, retry: Retry | None, used: int) -> float | None:
    """Return the seconds until the next attempt; None if there is none.

    Args:
        error: The error of the attempt.
        retry: The job's retry rule.
        used: The number of attempts so far that count.
    """
    only = leaves(error)
    if len(only) == 1 and isinstance(only[0], RetryLater):
        return checked_seconds("the delay of RetryLater", only[0].delay)
    if retry is None or used >= (retry.attempts or math.inf):
        return None
    if len(only) == 1 and isinstance(only[0], GiveUp):
        return None
    return retry.delay(used) if retry.covers(error) else None
