"""The submits that wait for room. Pure: it awaits nothing and knows no clock."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, final

from ticketr.jobs._scheduling.priority_queue import PriorityQueue

if TYPE_CHECKING:
    from ticketr.jobs._submission import Submission


@final
class WaitingSubmissions:
    """The submits that wait for room.

    They enter by priority, then by arrival.

    Attributes:
        count: How many there are.
        by_deadline: Those whose jobs must have started by a time, in the order of these times.
    """

    __slots__ = ("_arrivals", "_by_priority", "by_deadline", "count")

    def __init__(self) -> None:
        self.count: int = 0
        self.by_deadline: PriorityQueue[Submission] = PriorityQueue()
        self._by_priority = PriorityQueue["Submission"]()
        self._arrivals = itertools.count()

    def add(self, submission: Submission) -> None:
        """Add a submit that waits for room."""
        self.count += 1
        number, start_by = next(self._arrivals), submission.record.extras.start_by
        self._by_priority.push(submission, -submission.record.extras.priority, number)
        if start_by is not None:
            self.by_deadline.push(submission, start_by, number)

    def withdraw(self, submission: Submission) -> bool:
        """Remove a submit that gives up; return False if it has been admitted already."""
        if submission not in self._by_priority:
            return False
        self._by_priority.discard(submission)
        self._note_removed(submission)
        return True

    def pop(self) -> Submission | None:
        """Remove and return the next submit."""
        submission = self._by_priority.pop()
        if submission is not None:
            self._note_removed(submission)
        return submission

    def _note_removed(self, submission: Submission) -> None:
        self.count -= 1
        if submission in self.by_deadline:
            self.by_deadline.discard(submission)

    def expired(self, now: float) -> Submission | None:
        """Return a submission whose job should have started by now."""
        entry = self.by_deadline.first()
        return entry[3] if entry is not None and entry[0] <= now else None

    def clear(self) -> list[Submission]:
        """Remove and return all submits."""
        turned_away = list(self._by_priority)
        self._by_priority, self.by_deadline = PriorityQueue(), PriorityQueue()
        self.count = 0
        return turned_away
