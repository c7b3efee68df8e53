"""A submit that waits for room."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

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
        handle: What the submit returns, once the job has entered or was joined to another one.
        refusal: Why the job did not enter after all.
        is_resumed: Whether the task runs on with its next step.
    """

    record: JobRecord
    task: trio.lowlevel.Task
    handle: Any = None
    refusal: Exception | None = None
    is_resumed: bool = False

    def accept(self, handle: Any) -> None:
        """Note what the submit returns."""
        self.handle = handle

    def refuse(self, error: Exception) -> None:
        """Note why the job does not enter."""
        self.refusal = error

    def resume(self) -> None:
        """Let the submitter run on."""
        self.is_resumed = True
        trio.lowlevel.reschedule(self.task)
