"""Waiting for room in a queue."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._record import JobRecord

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore


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


async def wait_for_room(core: QueueCore, record: JobRecord) -> JobRecord:
    """Wait, as a submitter, until there is room for a job and it has entered.

    Cancellation:
        The job has not entered.

    Returns:
        The record of the job, or of the job that it was joined to.
    """
    schedule = core.schedule
    submission = Submission(record, trio.lowlevel.current_task())

    def give_up(_: object) -> trio.lowlevel.Abort:
        # Too late if the job is being let in, and cancels what its submitter is part of.
        has_left = schedule.withdraw(submission)
        return trio.lowlevel.Abort.SUCCEEDED if has_left else trio.lowlevel.Abort.FAILED

    schedule.add_submission(submission)
    try:
        await trio.lowlevel.wait_task_rescheduled(give_up)
    finally:
        if submission.outcome is not None:
            core.dispatcher.submit_returned()
    outcome = submission.outcome
    assert outcome is not None  # it was resumed
    if isinstance(outcome, Exception):
        await trio.lowlevel.checkpoint_if_cancelled()  # what ends the queue may end this task, too
        raise outcome
    return outcome
