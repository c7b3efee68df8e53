"""A submit that waits for room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import trio

if TYPE_CHECKING:
    from ticketr.jobs._record import JobRecord


@final
@dataclass(eq=False, slots=True)
class Submission:
    """A job whose submitter waits for room.

    Attributes:
        record: The job.
        task: The task that waits.
        outcome: The record of the job that has entered or was joined, or why none has; None while
            the task waits.
    """

    record: JobRecord
    task: trio.lowlevel.Task
    outcome: JobRecord | Exception | None = None

    def resume(self, outcome: JobRecord | Exception) -> None:
        """Let the submitter run on, with this outcome."""
        self.outcome = outcome
        trio.lowlevel.reschedule(self.task)
