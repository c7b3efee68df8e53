"""A job's progress, and how a report changes it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from ticketr.jobs._readers.json import field_of, json_text
from ticketr.jobs._values import checked_number

LARGEST: Final = sys.float_info.max
"""The largest number that can be divided; an ``int`` may be larger."""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """The last report of a job.

    Its ``str()`` is like ``45% (54/120) Pulling tickets``.

    Attributes:
        job_id: The job's ID.
        current: How much is done.
        total: How much there is to do; 0 while that is unknown.
        message: What the job is doing, as the job words it.
        revision: The job's revision at this report; a newer report has a higher one.
    """

    job_id: str
    current: float
    total: float
    message: str
    revision: int

    @property
    def percentage(self) -> float:
        """The percentage that is done, from 0.0 to 100.0; 0.0 while the total is unknown."""
        if self.total <= 0:
            return 0.0
        return min(100.0 * (self.current / self.total), 100.0)

    def as_dict(self) -> dict[str, object]:
        """Return the progress in JSON's types, without the job's ID; with the percentage."""
        return {
            "current": self.current,
            "total": self.total,
            "percentage": self.percentage,
            "message": json_text(self.message),
            "revision": self.revision,
        }

    @classmethod
    def from_dict(cls, job_id: str, data: Mapping[str, object]) -> JobProgress:
        """Return what :meth:`as_dict` gave.

        Raises:
            ValueError: A field is missing, or has a value that ``as_dict`` does not give.
        """
        return cls(
            job_id,
            field_of(data, "current", int, float),
            field_of(data, "total", int, float),
            field_of(data, "message", str),
            field_of(data, "revision", int),
        )

    def __str__(self) -> str:
        if self.total <= 0:
            return f"({self.current}) {self.message}".rstrip()
        percent = int(self.percentage + 0.5)
        if self.current < self.total:
            percent = min(percent, 99)  # 100 % means that all is done
        return f"{percent}% ({self.current}/{self.total}) {self.message}".rstrip()


def advance(
    old_current: float, old_total: float, current: object, total: object
) -> tuple[float, float]:
    """Return the new current and total after a report; never raises.

    While the total stays the same, current does not decrease: child tasks of a job report in any
    order, and a progress bar that jumps back looks like a fault. A new total starts a new phase.
    A value that is not a number, or too large, is ignored.
    """
    if type(current) is type(total) is int and old_current <= current <= total == old_total:
        return current, total  # nearly always
    new_total = _as_finite(total)
    new_total = old_total if new_total is None else max(new_total, 0)
    new = _as_finite(current)
    if new is None or (new_total == old_total and new < old_current):
        new = old_current
    if new_total and new > new_total:
        new = new_total
    return max(new, 0), new_total


def _as_finite(value: Any) -> float | None:
    """Return a value as a number to calculate with; None if that is impossible."""
    if value is None:
        return None
    if type(value) is not int and type(value) is not float:
        try:
            value = checked_number("progress", value)
        except Exception:  # noqa: BLE001 - the value's own code
            return None
    return value if -LARGEST <= value <= LARGEST else None
