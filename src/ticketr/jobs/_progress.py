"""A job's progress, how a report changes it, and the fields of what was JSON. Pure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ticketr.jobs._values import checked_number, safe_repr, utf8_escaped

MAX_FLOAT: Final = sys.float_info.max
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
        return 0.0 if self.total <= 0 else max(0.0, min(100.0 * (self.current / self.total), 100.0))

    def as_dict(self) -> dict[str, object]:
        """Return the progress in JSON's types, without the job's ID; with the percentage."""
        return {
            "current": self.current,
            "total": self.total,
            "percentage": self.percentage,
            "message": utf8_escaped(self.message),
            "revision": self.revision,
        }

    @classmethod
    def from_dict(cls, job_id: str, data: Mapping[str, object]) -> JobProgress:
        """Return what :meth:`as_dict` gave.

        Raises:
            ValueError: A field is missing, or has a value that ``as_dict`` does not give.
        """
        current, total = (checked_field(data, name, int, float) for name in ("current", "total"))
        message = checked_field(data, "message", str)
        return cls(job_id, current, total, message, checked_field(data, "revision", int))

    def __str__(self) -> str:
        if self.total <= 0:
            return f"({self.current}) {self.message}".rstrip()
        percent = int(self.percentage + 0.5)
        if self.current < self.total:
            percent = min(percent, 99)  # 100 % means that all is done
        return f"{percent}% ({self.current}/{self.total}) {self.message}".rstrip()


def advance_ignoring_invalid(
    old_current: float, old_total: float, current: object, total: object
) -> tuple[float, float]:
    """Return the new current and total after a report; never raises.

    While the total stays the same, current does not decrease: child tasks of a job report in any
    order, and a progress bar that jumps back looks like a fault. A new total starts a new phase.
    A value that is not a number, or too large, is ignored.
    """
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
    return value if -MAX_FLOAT <= value <= MAX_FLOAT else None


def iso_time(at: float | None, offset: float | None) -> str | None:
    """Return a time on Trio's clock as a date in UTC, as text; None if it is not known.

    Args:
        at: The time.
        offset: The difference between wall-clock time and Trio's clock, in seconds.
    """
    if at is None or offset is None:
        return None
    try:
        return datetime.fromtimestamp(at + offset, UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError, OSError):
        return None  # a clock of a test may be anywhere


def checked_field(data: Mapping[str, object], name: str, *kinds: type) -> Any:
    """Return a field of a dict that was JSON.

    Raises:
        ValueError: It is missing, or not an object of one of these classes.
    """
    what = "this is not a job as as_dict() gives it"
    if name not in data:
        raise ValueError(f"{what}: {name!r} is missing")
    value = data[name]
    if kinds and type(value) not in kinds:
        raise ValueError(f"{what}: {name!r} is {safe_repr(value)}")
    return value
