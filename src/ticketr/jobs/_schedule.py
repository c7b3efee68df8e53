"""What runs next, and who may enter. Pure: it awaits nothing and knows no clock.

A memory channel could not be this: it is first in, first out, nothing can be taken
out of its middle, and closing its last receiver throws away what is in it.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

if TYPE_CHECKING:
    import trio

    from ticketr.jobs._job import JobRecord


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
        # Ordered dicts, because a dict finds its first key slowly once many before it were deleted.
        self._ready: OrderedDict[JobRecord, None] = OrderedDict()
        self._outside: OrderedDict[Submission, None] = OrderedDict()

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
        self._ready[record] = None

    def peek(self) -> JobRecord | None:
        """The job to run next; None if there is none that could."""
        return next(iter(self._ready), None)

    def take(self) -> JobRecord | None:
        """Take out the job to run next."""
        return self._ready.popitem(last=False)[0] if self._ready else None

    def discard(self, record: JobRecord) -> None:
        """Take out a job that is not to run."""
        del self._ready[record]

    def jobs(self) -> list[JobRecord]:
        """The pending jobs in the order in which they would run."""
        return list(self._ready)

    @property
    def outside(self) -> int:
        """How many wait for room."""
        return len(self._outside)

    def line_up(self, submission: Submission) -> None:
        """Wait outside for room."""
        self._outside[submission] = None

    def leave(self, submission: Submission) -> None:
        """Give up waiting outside."""
        del self._outside[submission]

    def admit(self) -> Submission | None:
        """Take the next out of the line if there is room for it; the caller adds its job."""
        if self._outside and self.has_room:
            return self._outside.popitem(last=False)[0]
        return None

    def send_away(self) -> list[Submission]:
        """Dissolve the line."""
        turned_away = list(self._outside)
        self._outside.clear()
        return turned_away
