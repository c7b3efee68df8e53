"""When the runs of a repeat are due. Pure: no clock of its own.

An interval computes its due times by multiplication, so rounding errors do not add up. The other
kind asks the user's function for each due time and works in wall-clock time; each due time becomes a
time on Trio's clock when the wait for it begins.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, TypeAlias, final

from ticketr.jobs._values import check_sync_callable, checked_number, safe_repr

MIN_INTERVAL_SECONDS: Final = 0.001
MAX_INTERVAL_SECONDS: Final = 1e9
MAX_SKIPPED_AT_ONCE: Final = 100
"""How many due times in the past are skipped at a time: each is a call of the user's function."""


@final
class Interval:
    """The due times ``first_at + n * every``, beginning with the one nearest to a time.

    Attributes:
        first_at: The due time that the others are counted from, on Trio's clock.
    """

    __slots__ = ("_every", "_number", "first_at")

    def __init__(self, first_at: float, every: float, due_at: float | None = None) -> None:
        self.first_at: Final = first_at
        self._every = every
        self._number = 0 if due_at is None else round((due_at - first_at) / every)

    @property
    def due_at(self) -> float:
        """The current due time, on Trio's clock."""
        return self._due_time(self._number)

    def advance(self, now: float, offset: float) -> int:
        """Go on to the first due time behind the current one that is not past.

        Args:
            now: The time on Trio's clock.
            offset: Wall-clock time minus Trio's, in seconds.

        Returns:
            The number of due times that were skipped.
        """
        last = self._number
        number = max(last + 1, math.floor((now - self.first_at) / self._every))
        while self._due_time(number) < now:
            number += 1
        self._number = number
        return number - last - 1

    def due_utc(self, wall_clock_offset: float) -> datetime:
        """Return the current due time as a UTC datetime."""
        return utc(self.due_at + wall_clock_offset)

    def due_utc_before_current(self, wall_clock_offset: float) -> datetime:
        """Return the due time before the current one, once that is not the first."""
        return utc(self._due_time(self._number - 1) + wall_clock_offset)

    def _due_time(self, number: int) -> float:
        return self.first_at + number * self._every


@final
class DueTimesFromFunction:
    """The due times that a function gives, each from the one before; otherwise as :class:`Interval`.

    ``advance`` may stop at a due time that is past, after ``MAX_SKIPPED_AT_ONCE``. It raises what
    the function raises, and ``TypeError`` or ``ValueError`` for what is no later time.
    """

    __slots__ = ("_due", "_next", "_previous", "due_at", "first_at")

    def __init__(
        self, first: datetime, following: Callable[[datetime], datetime], offset: float
    ) -> None:
        self._next = following
        self._due = self._previous = first
        self.due_at: float = first.timestamp() - offset
        self.first_at: Final = self.due_at

    def advance(self, now: float, offset: float) -> int:
        previous, due, due_at = self._due, self._due, -math.inf
        steps = 0
        while due_at < now and steps < MAX_SKIPPED_AT_ONCE:
            following = checked_as_utc("the datetime that every() returns", self._next(due))
            previous, due = due, following
            if due <= previous:
                raise ValueError(
                    "every() must return a later time than it is given: for"
                    f" {previous.isoformat()} it returned {due.isoformat()}"
                )
            due_at = due.timestamp() - offset
            steps += 1
        self._previous, self._due, self.due_at = previous, due, due_at
        return steps - 1

    def due_utc(self, wall_clock_offset: float) -> datetime:
        return self._due

    def due_utc_before_current(self, wall_clock_offset: float) -> datetime:
        return self._previous


DueTimes: TypeAlias = Interval | DueTimesFromFunction


def make_due_times(
    every: object, first: object, now: float, offset: float, call: Callable[..., datetime]
) -> DueTimes:
    """Return the due times of a new repeat.

    Args:
        every: What the user gave: seconds, or a function from a due datetime to the next.
        first: The first due time: seconds from now, or an aware datetime.
        now: The time on Trio's clock.
        offset: Wall-clock time minus Trio's, in seconds.
        call: Calls the function, as ``call(every, due)``.

    Raises:
        TypeError, ValueError: One of these is invalid.
    """
    if issubclass(type(first), datetime):
        start = checked_as_utc("first", first)
        first_at = start.timestamp() - offset
    else:
        first_at = now + checked_number("first", first, 0, MAX_INTERVAL_SECONDS)
        start = utc(first_at + offset)
    if callable(every):
        check_sync_callable("every", every)
        return DueTimesFromFunction(start, lambda due: call(every, due), offset)
    seconds = checked_number("every", every, MIN_INTERVAL_SECONDS, MAX_INTERVAL_SECONDS)
    return Interval(first_at, seconds)


def checked_as_utc(what: str, value: object) -> datetime:
    """Return an aware datetime in UTC.

    Raises:
        TypeError, ValueError: The value is not a datetime, or has no time zone.
    """
    if not isinstance(value, datetime):
        raise TypeError(f"{what} must be a datetime, not {safe_repr(value)}")
    if value.utcoffset() is None:
        raise ValueError(
            f"{what} must have a time zone, such as datetime.now(UTC), and {safe_repr(value)} has"
            " none: where clocks are set for summer, it may be two times or none"
        )
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{what} must be a time in UTC, and {value} is beyond its years") from None


def utc(seconds: float) -> datetime:
    """Return wall-clock seconds since 1970 as a UTC datetime."""
    return datetime.fromtimestamp(seconds, UTC)
