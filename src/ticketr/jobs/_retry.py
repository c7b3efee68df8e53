"""Whether and when a job that failed is tried again. Pure, but for the source of chance."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, final

from ticketr._errors import GiveUp, RetryLater
from ticketr.jobs._groups import leaves
from ticketr.jobs._values import (
    checked_callable,
    checked_count,
    checked_number,
    checked_seconds,
    safe_repr,
)

Failures: TypeAlias = type[Exception] | tuple[type[Exception], ...] | Callable[[Exception], bool]


@final
@dataclass(frozen=True, slots=True)
class Retry:
    """How often to try a job, and how long to wait in between.

    The wait grows exponentially from ``first`` to ``cap``. Of each wait a random part is
    left out, so that jobs which failed together do not come back together.

    Attributes:
        attempts: How often its function is called at most, the first time included;
            ``math.inf`` for no limit.
        first: The seconds before the second attempt.
        factor: By how much each wait is longer than the one before.
        cap: The longest wait in seconds.
        jitter: How much of the wait is random, from 0.0 (none of it) to 1.0 (all of it).
        on: After which errors to try again: a class, several, or a function that is
            asked. Of a group, each error in it must be of the class. A job whose time was
            over failed with ``JobTimedOut``. If the function itself raises, that is logged,
            and the job is not tried again.
        random: Gives a number from 0.0 to 1.0.
    """

    attempts: float
    first: float = 1.0
    factor: float = 2.0
    cap: float = 60.0
    jitter: float = 1.0
    on: Failures = Exception
    random: Callable[[], float] = random.random

    def __post_init__(self) -> None:
        plain: dict[str, object] = {
            "attempts": checked_count("attempts", self.attempts, 1),
            "first": checked_seconds("first", self.first, limit=True),
            "factor": checked_number("factor", self.factor),
            "cap": checked_seconds("cap", self.cap),
            "jitter": checked_number("jitter", self.jitter),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if self.factor < 1:
            raise ValueError(f"factor must be at least 1, not {self.factor}")
        if not 0 <= self.jitter <= 1:
            raise ValueError(f"jitter must be from 0 to 1, not {self.jitter}")
        check_failures(self.on)
        checked_callable("random", self.random)

    def delay(self, attempt: int) -> float:
        """The seconds to wait after that attempt has failed; the first is number 1."""
        try:
            wait = min(self.first * self.factor ** (attempt - 1), self.cap)
        except OverflowError:
            wait = self.cap if self.first else 0.0
        wait *= 1 - self.jitter + self.jitter * checked_number("random()", self.random())
        return max(0.0, min(wait, self.cap))

    def covers(self, error: Exception) -> bool:
        """Whether to try again after this error."""
        if isinstance(self.on, (type, tuple)):
            kinds = self.on
            return all(isinstance(leaf, kinds) for leaf in leaves(error))
        return self.on(error)


def check_failures(on: object) -> None:
    """Refuse what cannot say after which errors to try again."""
    if not issubclass(type(on), (type, tuple)):
        checked_callable("on", on)
        return
    for kind in on if isinstance(on, tuple) else (on,):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError(
                f"on must be an error class, several, or a function that is asked, not {safe_repr(on)}"
            )


def delay_after(error: Exception, retry: Retry | None, used: int) -> float | None:
    """The seconds until the next attempt; None if there is none.

    Args:
        error: What the job failed with.
        retry: What the job was submitted with.
        used: How many attempts count so far.
    """
    only = [*leaves(error)]
    if len(only) == 1 and isinstance(only[0], RetryLater):
        return checked_seconds("the delay of RetryLater", only[0].delay)
    if retry is None or used >= retry.attempts:
        return None
    if len(only) == 1 and isinstance(only[0], GiveUp):
        return None
    return retry.delay(used) if retry.covers(error) else None
