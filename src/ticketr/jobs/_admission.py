"""How a job gets into a queue when its submitter may wait: for room, or for the store."""

from __future__ import annotations

from contextvars import copy_context
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import trio

from ticketr._errors import DuplicateJob
from ticketr.jobs._job import FAILED, OnConflict
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


async def enter_queue(core: QueueCore, record: JobRecord) -> JobRecord:
    """Submit a job, and return its record, or that of the one it joined.

    With a store it is on disk then.

    Cancellation:
        Until the job has entered the queue, nothing is submitted. Then it has no effect.

    Raises:
        StoreFailed: It could not be written, and is not submitted.
    """
    await trio.lowlevel.checkpoint_if_cancelled()
    entered = core.enter(record) or await wait_for_room(core, record)
    core.dispatcher.wake()
    if core.store is not None:
        await core.store.wait_written(entered)
    return entered  # noqa: ASYNC910 - without a store the caller has a checkpoint


async def record_to_retry(core: QueueCore, failed: JobRecord) -> JobRecord:
    """Return a new record of the call of a failed job.

    A retry that waits for room does not run a job again that has completed meanwhile.

    Raises:
        DuplicateJob: The job has not ended.
        ValueError: It has not failed.
        QueueClosed, NotSendable, StoreFailed, UnknownJob: The store does not give its call.
    """
    if not failed.status.is_terminal:
        raise DuplicateJob(failed.id, None)
    if failed.status is not FAILED:
        raise ValueError(
            f"job {failed.id!r} is {failed.status}: only a failed job is retried, so submit it again"
        )
    extras = failed.extras
    if core.store is not None and extras.row is not None:
        record = await core.store.load_failed(failed, extras.row)
    else:
        record = failed.copy(failed.id, copy_context(), extras.scheduled_at)
    record.set_options(
        {
            "id": failed.id,
            "priority": extras.priority,
            "scheduled_at": extras.scheduled_at,
            "uncounted_retries": failed.attempt,
            "on_conflict": OnConflict.REJECT,
            "once": True,
        }
    )
    record.restore(failed.attempt, failed.started_at if failed.attempt else None, None)
    return record  # noqa: ASYNC910 - the caller has a checkpoint


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
