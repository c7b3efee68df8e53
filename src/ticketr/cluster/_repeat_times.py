"""Which due time of a repeat is to have a run, and which is the next. Pure: no clock of its own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ticketr.jobs._due_times import MAX_STEPS, datetime_after, utc

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

LATEST: Final = 10.0
"""Seconds that a run may be late: so long there may be no worker."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a repeat goes on.

    Attributes:
        is_run: Whether there is to be a run now.
        missed: How many due times had none, and count as missed.
        next_due: The next due time, in seconds since 1970.
    """

    is_run: bool
    missed: int
    next_due: float


def next_step(
    every: float | Callable[[datetime], datetime],
    *,
    first: float,
    due: float,
    since: float,
    now: float,
    is_running: bool,
) -> Step:
    """Return how a repeat goes on that is due.

    The last due time that is past has a run, unless it is too late, or a run has not ended.

    Args:
        every: The seconds between two due times, or the user's function.
        first: The first due time.
        due: The current one, which is past.
        since: Due times before this are skipped, and do not count as missed.
        now: The time on the server's clock.
        is_running: Whether a run has not ended.

    Raises:
        BaseException: What the user's function raises.
        TypeError, ValueError: It gives no later time.
    """
    passed, last, following = _passed(every, first, due, since, now)
    is_whole = following > now  # else there are more steps to go
    is_run = is_whole and passed > 0 and not is_running and now - last <= LATEST
    return Step(is_run, passed - is_run, following)


def _passed(
    every: float | Callable[[datetime], datetime],
    first: float,
    due: float,
    since: float,
    now: float,
) -> tuple[int, float, float]:
    """Return how many due times from ``since`` on are past, the last of them, and the next."""
    if not callable(every):
        last_number = math.floor((now - first) / every + 1e-9)
        from_number = max(round((due - first) / every), math.ceil((since - first) / every - 1e-9))
        passed = max(last_number - from_number + 1, 0)
        return passed, first + last_number * every, first + (last_number + 1) * every
    passed, last, following = 0, due, due
    for _ in range(MAX_STEPS):
        if following > now:
            break
        last = following
        passed += last >= since
        following = datetime_after(every, utc(last)).timestamp()
    return passed, last, following
