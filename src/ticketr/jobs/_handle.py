"""What stands for a job: a handle where it was submitted, a context in its function."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import TYPE_CHECKING, Generic, Protocol, TypeAlias, TypeVar, cast, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import JobCancelled, JobFailed, JobTimedOut
from ticketr.jobs._deadlock import wait_for_jobs
from ticketr.jobs._job import (
    CANCELLED,
    COMPLETED,
    FAILED,
    RUNNING,
    CancelCause,
    CancelOutcome,
    JobID,
    JobSnapshot,
    JobStatus,
)
from ticketr.jobs._record import JobRecord, snapshot_of
from ticketr.jobs._trio import protect_methods_from_ki
from ticketr.jobs._updates import Updates
from ticketr.jobs._values import checked_seconds, reason_text

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore


T_co = TypeVar("T_co", covariant=True)


@final
@protect_methods_from_ki
class JobHandle(Generic[T_co]):
    """A submitted job.

    It still works when the queue has dropped the job's record. Handles of the same job are equal.

    Only a queue makes handles.
    """

    __slots__ = ("_record",)

    def __init__(self, record: JobRecord) -> None:
        self._record = record

    @property
    def id(self) -> JobID:
        """The job's ID."""
        return self._record.id

    @property
    def name(self) -> str:
        """The job's name."""
        return self._record.name

    @property
    def status(self) -> JobStatus:
        """The job's status."""
        return self._record.status

    def snapshot(self) -> JobSnapshot[T_co]:
        """Return the job's state as it is now."""
        return cast("JobSnapshot[T_co]", snapshot_of(self._record))

    def record_if_of_queue(self, core: QueueCore) -> JobRecord | None:
        """Return the job's record if it is of this queue; internal."""
        return self._record if core is self._record.queue else None

    def cancel(self, *, reason: str | None = None) -> CancelOutcome:
        """Cancel the job; never blocks and never raises.

        A queue with a store writes the end later: see :meth:`JobQueue.request_cancel`.

        Args:
            reason: The reason in the ``trio.Cancelled`` that the job gets.
        """
        return self._record.queue.cancel(self._record, CancelCause.USER, reason_text(reason))

    async def cancel_and_wait(self, *, reason: str | None = None) -> JobSnapshot[T_co]:
        """Cancel the job and wait until it has ended.

        A job that calls this on itself is cancelled at once.

        Cancellation:
            Ends the wait only; the job is cancelled in any case.

        Args:
            reason: The reason in the ``trio.Cancelled`` that the job gets.

        Raises:
            WouldDeadlock: Called inside a job that prevents this one from ending.
        """
        self.cancel(reason=reason)
        return await self.wait()

    def watch(self) -> Updates[JobSnapshot[T_co]]:
        """Read the job's changes as they happen, until its end.

        If the job has ended already, there is one snapshot to read, the final one.
        """
        view = cast("Callable[[JobRecord], JobSnapshot[T_co]]", snapshot_of)
        return self._record.queue.subscriptions.watch(view, self._record)

    async def wait(self) -> JobSnapshot[T_co]:
        """Wait until the job has ended, and return its final snapshot.

        Cancellation:
            Does not affect the job.

        Raises:
            WouldDeadlock: Called inside a job that prevents this one from ending.
        """
        await self._wait_ended_and_written()
        return cast("JobSnapshot[T_co]", snapshot_of(self._record))

    async def result(self) -> T_co:
        """Wait until the job has ended, and return what its function returned.

        Cancellation:
            Does not affect the job.

        Raises:
            JobFailed: The function raised; its error is the ``__cause__``.
            JobCancelled: The job was cancelled.
            JobTimedOut: The job's time limit passed.
            WouldDeadlock: Called inside a job that prevents this one from ending.
        """
        await self._wait_ended_and_written()
        if self._record.status is CANCELLED:
            await trio.lowlevel.checkpoint_if_cancelled()  # by what may have cancelled the job, too
        return cast("T_co", result_of(self._record))

    async def _wait_ended_and_written(self) -> None:
        record, core = self._record, self._record.queue
        core.subscriptions.owner_run.check()
        if record.status.is_terminal:
            await trio.lowlevel.checkpoint()
        else:
            await wait_for_jobs(core, record.live_self, record.wait_ended)
        is_new_failure = record.status is FAILED and not record.extras.outcome_seen
        if is_new_failure:
            record.mark_outcome_seen()
        if core.store is not None:
            try:
                await core.store.wait_end_written(record)
            except BaseException:
                if is_new_failure:  # this wait is cancelled, and gives nobody the failure
                    record.mark_outcome_seen(is_seen=False)
                    core.reporter.report_later_unless_awaited(record)
                raise

    def __eq__(self, other: object) -> bool:
        return type(other) is JobHandle and other._record is self._record

    def __hash__(self) -> int:
        return hash(self._record)

    def __repr__(self) -> str:
        return f"<JobHandle of {self.name!r}, id={self.id!r}, {self.status}>"


def result_of(record: JobRecord) -> object:
    """Return what the function of an ended job returned, or raise its ``JobError``."""
    if record.status is COMPLETED:
        return record.result
    if record.status is CANCELLED:
        raise JobCancelled(record.id, record.name, str(record.extras.cancel_cause))
    if record.exception is None:
        raise JobTimedOut(record.id, record.name, record.last_attempt_limit_seconds)
    assert record.error is not None
    info = record.error
    failed = JobFailed(record.id, record.name, info.type, info.message)
    # The traceback of the error itself was removed, because it keeps the job's frames alive.
    failed.add_note(f"The job's own traceback:\n{info.traceback.rstrip()}")
    raise failed from record.exception


class Job(Protocol[T_co]):
    """An object that can be submitted.

    A plain ``async def fn(context, *args)`` is a job as well.
    """

    @property
    def name(self) -> str:
        """The name of the job, for screens and logs."""
        ...

    async def execute(self, context: JobContext) -> T_co:
        """Do the work and return its value.

        Cancellation:
            Raises ``trio.Cancelled`` at a checkpoint. Clean up, and let it propagate. A job that
            returns a value instead has completed.
        """
        ...


class JobContext:
    """The first argument of a job's function: reports progress, and tells of cancellation.

    A queue makes it. In a test without a queue, :func:`ticketr.testing.make_context` does.

    ::

        async def copy(context: JobContext, files: Sequence[Path]) -> None:
            for number, file in enumerate(files, start=1):
                await copy_one(file)
                context.report(current=number, total=len(files), message=file.name)
    """

    __slots__ = ("_attempt", "_record")

    def __init__(self, record: JobRecord) -> None:
        self._record = record
        self._attempt = record.attempt

    @property
    def id(self) -> JobID:
        """The job's ID."""
        return self._record.id

    @property
    def name(self) -> str:
        """The job's name."""
        return self._record.name

    @property
    def key(self) -> Hashable:
        """The job's key; None if it has none."""
        return self._record.extras.key

    @property
    def tags(self) -> frozenset[str]:
        """The job's tags."""
        return self._record.extras.tags

    @property
    def attempt(self) -> int:
        """The number of this attempt, from 1."""
        return self._attempt

    @property
    def scheduled_at(self) -> datetime | None:
        """The due time that this run of a repeat is for, in UTC; None for any other job."""
        return self._record.extras.scheduled_at

    @property
    def cancel_requested(self) -> bool:
        """Whether the job was asked to stop.

        A job need not check this: its next checkpoint raises ``trio.Cancelled``. Use it in long
        work between checkpoints.
        """
        return self._record.extras.cancel_requested

    @enable_ki_protection
    def report(
        self,
        *,
        current: float | None = None,
        total: float | None = None,
        message: str | None = None,
    ) -> None:
        """Report progress.

        This is not a checkpoint and never blocks. It ignores an argument that is not a number. It
        does nothing once this attempt has ended.

        Args:
            current: How much is done. None keeps the last value. It never exceeds the total, and
                does not decrease while the total stays the same.
            total: How much there is to do; 0 if that is unknown. None keeps the last value.
            message: What the job is doing. None keeps the last value.
        """
        record = self._record
        subscriptions = record.queue.subscriptions
        subscriptions.owner_run.check()
        if record.status is not RUNNING or record.attempt != self._attempt:
            return  # a thread of the job may outlive its attempt
        record.add_report(current, total, message)
        if subscriptions.was_watched:
            subscriptions.notify_changed(record, is_report=True)

    def cleanup(self, seconds: float) -> trio.CancelScope:
        """Return a cancel scope for clean-up: shielded, with a time limit.

        ::

            try:
                ...
            finally:
                with context.cleanup(5):
                    await connection.aclose()

        Args:
            seconds: The most time that the clean-up may take.

        Raises:
            TypeError, ValueError: ``seconds`` is not a number of seconds, or is infinite.
        """
        limit = checked_seconds("the time for clean-up", seconds)
        return trio.CancelScope(relative_deadline=limit, shield=True)

    def __repr__(self) -> str:
        return f"<JobContext of {self._record.name!r}, id={self._record.id!r}>"


MakeAttemptManager: TypeAlias = Callable[[JobContext], AbstractAsyncContextManager[object]]
"""Gives the context manager around an attempt."""
