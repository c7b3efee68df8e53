"""The difference between wall-clock time and Trio's clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from trio.abc import Clock

MAX_DRIFT: Final = 1.0
"""The difference in seconds by which the two clocks may drift apart unnoticed."""


@final
class WallClock:
    """Tells how far wall-clock time is from a Trio clock; from any thread, and after the run.

    The difference stays the same while the clocks agree within ``MAX_DRIFT``, so that the jitter
    between two readings does not move a job's times. It changes if a clock was set, or if the
    machine slept. Of a Trio clock that is not in step with real time, as in tests, it stays the
    same from the start. It is then exact in microseconds, as datetimes are.
    """

    __slots__ = ("_is_fixed", "_now", "_offset")

    def __init__(self, now: Callable[[], float], *, is_fixed: bool = False) -> None:
        self._now = now
        self._is_fixed = is_fixed
        offset = time.time() - now()
        self._offset: float = round(offset * 64) / 64 if is_fixed else offset

    def offset(self) -> float:
        """Return wall-clock time minus the Trio clock's, in seconds."""
        if self._is_fixed:
            return self._offset
        new = time.time() - self._now()
        if not abs(new - self._offset) <= MAX_DRIFT:
            self._offset = new
        return self._offset


def is_virtual(clock: Clock) -> bool:
    """Tell whether a second on a Trio clock takes other than a second, as on a ``MockClock``."""
    return not abs(clock.deadline_to_sleep_time(clock.current_time() + 1.0) - 1.0) < MAX_DRIFT / 2
