"""Waiting for room in a queue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from ticketr.jobs._submission import Submission

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._record import JobRecord


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
    if schedule.is_time_dependent:
        core.timer.wake_at(schedule.next_time())
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
