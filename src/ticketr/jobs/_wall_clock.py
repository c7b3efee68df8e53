"""The difference between wall-clock time and Trio's clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_DRIFT: Final = 1.0
"""The difference in seconds by which the two clocks may drift apart unnoticed."""


@final
class WallClock:
    """Tells how far wall-clock time is from a Trio clock; from any thread, and after the run.

    The difference stays the same while the clocks agree within ``MAX_DRIFT``, so that the jitter
    between two readings does not move a job's times. It changes if a clock was set, or if the
    machine slept.
    """

    __slots__ = ("_now", "_offset")

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._offset: float = time.time() - now()

    def offset(self) -> float:
        """Return wall-clock time minus the Trio clock's, in seconds."""
        new = time.time() - self._now()
        if not abs(new - self._offset) <= MAX_DRIFT:
            self._offset = new
        return self._offset
