"""The handle of a submitted job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar, cast, final

import trio

from ticketr._errors import JobCancelled, JobFailed, JobTimedOut
from ticketr.jobs._deadlock import wait_for_jobs
from ticketr.jobs._job import (
    CANCELLED,
    COMPLETED,
    FAILED,
    CancelCause,
    CancelOutcome,
    JobID,
    JobSnapshot,
    JobStatus,
)
from ticketr.jobs._record import JobRecord, snapshot_of
from ticketr.jobs._trio_internals import protect_methods
from ticketr.jobs._updates import Updates
from ticketr.jobs._values import as_reason

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore

T_co = TypeVar("T_co", covariant=True)


@final
@protect_methods
class JobHandle(Generic[T_co]):
    """A submitted job.

    It still works when the queue has dropped the job's record. Handles of the same job are equal.

    Only a queue makes handles.
    """

    __slots__ = ("_core", "_record")

    def __init__(self, record: JobRecord, core: QueueCore) -> None:
        self._record = record
        self._core = core

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

    def record_in(self, core: QueueCore) -> JobRecord | None:
        """Return the job's record if it is of this queue; internal."""
        return self._record if core is self._core else None

    def cancel(self, *, reason: str | None = None) -> CancelOutcome:
        """Cancel the job; never blocks and never raises.

        A queue with a store writes the end later: see :meth:`JobQueue.request_cancel`.

        Args:
            reason: The reason in the ``trio.Cancelled`` that the job gets.
        """
        return self._core.cancel(self._record, CancelCause.USER, as_reason(reason))

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
        self._core.subscriptions.owner_thread.check()
        self.cancel(reason=reason)
        return await self.wait()

    def watch(self) -> Updates[JobSnapshot[T_co]]:
        """Read the job's changes as they happen, until its end.

        If the job has ended already, there is one snapshot to read, the final one.
        """
        view = cast("Callable[[JobRecord], JobSnapshot[T_co]]", snapshot_of)
        return self._core.subscriptions.watch(view, self._record)

    async def wait(self) -> JobSnapshot[T_co]:
        """Wait until the job has ended, and return its final snapshot.

        Cancellation:
            Does not affect the job.

        Raises:
            WouldDeadlock: Called inside a job that prevents this one from ending.
        """
        await self._until_ended()
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
        await self._until_ended()
        if self._record.status is CANCELLED:
            await trio.lowlevel.checkpoint_if_cancelled()  # by what may have cancelled the job, too
        return cast("T_co", result_of(self._record))

    async def _until_ended(self) -> None:
        self._core.subscriptions.owner_thread.check()
        record = self._record
        if record.status.is_terminal:
            await trio.lowlevel.checkpoint()
        else:
            await wait_for_jobs(self._core, record.unended, record.wait_ended)
        is_new_failure = record.status is FAILED and not record.extras.outcome_seen
        if is_new_failure:
            record.mark_outcome_seen()
        if self._core.store is not None:
            try:
                await self._core.store.wait_end_written(record)
            except BaseException:
                if is_new_failure:  # this wait is cancelled, and gives nobody the failure
                    self._core.failures.unmark_seen(record)
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
        raise JobTimedOut(record.id, record.name, record.time_limit)
    assert record.error is not None
    info = record.error
    failed = JobFailed(record.id, record.name, info.type, info.message)
    # The traceback of the error itself was removed, because it keeps the job's frames alive.
    failed.add_note(f"The job's own traceback:\n{info.traceback.rstrip()}")
    raise failed from record.exception
