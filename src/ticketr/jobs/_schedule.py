"""What runs next, and who may enter. Pure: it awaits nothing and knows no clock.

A memory channel could not be this: it is first in, first out, nothing can be taken
out of its middle, and closing its last receiver throws away what is in it.

Priorities and ageing. A job's rank is the time at which it was due, less ``AGING``
seconds for each point of its priority. All that wait grow older at the same pace, so
the order of two of them never changes, and a heap will do. Nobody waits for ever: a
job goes before every job of a higher priority that comes late enough after it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.jobs._line import Line

if TYPE_CHECKING:
    import trio

    from ticketr.jobs._job import JobRecord

AGING = 30.0
"""How many seconds of waiting weigh as much as one point of priority."""


@final
@dataclass(eq=False, slots=True)
class Submission:
    """A job whose submitter waits for room.

    Attributes:
        record: The job.
        task: The task that waits.
        refusal: Why the job did not get in after all.
    """

    record: JobRecord
    task: trio.lowlevel.Task
    refusal: Exception | None = None


@final
class Schedule:
    """The pending jobs in the order in which they will run, and the line of those outside.

    As long as somebody is outside there is no room: whoever makes room calls
    :meth:`admit` before anybody else can enter.
    """

    def __init__(self, max_pending: float) -> None:
        self.max_pending = max_pending
        self._ready = Line["JobRecord"]()
        self._outside = Line[Submission]()
        self._numbers = itertools.count()

    @property
    def pending(self) -> int:
        """How many jobs are pending."""
        return len(self._ready)

    @property
    def has_room(self) -> bool:
        """Whether one more job may enter."""
        return len(self._ready) < self.max_pending

    def add(self, record: JobRecord) -> None:
        """Let a job enter."""
        record.number = next(self._numbers)
        self._put(record)

    def _put(self, record: JobRecord) -> None:
        self._ready.push(record, record.due_at - record.priority * AGING, record.number)

    def peek(self) -> JobRecord | None:
        """The job to run next; None if there is none that could."""
        return self._ready.first()

    def take(self) -> JobRecord | None:
        """Take out the job to run next."""
        return self._ready.pop()

    def discard(self, record: JobRecord) -> None:
        """Take out a job that is not to run."""
        self._ready.discard(record)

    def rank_anew(self, record: JobRecord) -> None:
        """Put a job where its priority now has it."""
        self._ready.discard(record)
        self._put(record)

    def jobs(self) -> list[JobRecord]:
        """The pending jobs."""
        return list(self._ready)

    @property
    def outside(self) -> int:
        """How many wait for room."""
        return len(self._outside)

    def line_up(self, submission: Submission) -> None:
        """Wait outside for room: the highest priority enters first, then who came first."""
        self._outside.push(submission, -submission.record.priority, next(self._numbers))

    def leave(self, submission: Submission) -> None:
        """Give up waiting outside."""
        self._outside.discard(submission)

    def admit(self) -> Submission | None:
        """Take the next out of the line if there is room for it; the caller adds its job."""
        return self._outside.pop() if self.has_room else None

    def send_away(self) -> list[Submission]:
        """Dissolve the line."""
        turned_away = list(self._outside)
        self._outside = Line()
        return turned_away
