"""How far a job is, and the arithmetic of it."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final

from ticketr.jobs._values import as_real

LARGEST: Final = sys.float_info.max
"""Beyond it there are whole numbers, but nobody can divide them."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """What a job last reported about itself.

    ``str()`` of it reads ``45% (54/120) Pulling tickets``.

    Attributes:
        job_id: The job's ID.
        current: How much is done.
        total: How much there is to do; 0 while that is unknown.
        message: What the job is doing, in its own words.
        revision: The job's revision at this report: of two reports the newer has the higher one.
    """

    job_id: str
    current: float
    total: float
    message: str
    revision: int

    @property
    def percentage(self) -> float:
        """From 0.0 to 100.0; 0.0 while the total is unknown."""
        if self.total <= 0:
            return 0.0
        return min(100.0 * (self.current / self.total), 100.0)

    def __str__(self) -> str:
        if self.total <= 0:
            return f"({self.current}) {self.message}".rstrip()
        percent = int(self.percentage + 0.5)
        if self.current < self.total:
            percent = min(percent, 99)  # 100 % is a promise, not a rounding
        return f"{percent}% ({self.current}/{self.total}) {self.message}".rstrip()


def advance(
    old_current: float, old_total: float, current: object, total: object
) -> tuple[float, float]:
    """Fold a report into the progress so far; never raises.

    While the total stays the same the count does not go down, because children of
    one job report in any order and a bar that jumps back reads as a fault. A new
    total is a new phase and counts afresh. What is no number, or beyond all bounds, is not
    taken over.
    """
    new_total = _counted(total)
    new_total = old_total if new_total is None else max(new_total, 0)
    new = _counted(current)
    if new is None or (new_total == old_total and new < old_current):
        new = old_current
    if new_total and new > new_total:
        new = new_total
    return max(new, 0), new_total


def _counted(value: object) -> float | None:
    """A number that can be counted with; None if it is none."""
    number = as_real(value) if value is not None else None
    return number if number is not None and -LARGEST <= number <= LARGEST else None
