"""What the submitter of a job holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast, final

import trio
from trio.lowlevel import enable_ki_protection

from ticketr._errors import JobCancelled, JobFailed, JobTimedOut
from ticketr.jobs._job import CANCELLED, COMPLETED, CancelCause
from ticketr.jobs._record import JobRecord
from ticketr.jobs._values import as_reason
from ticketr.jobs._wait_targets import JobEnd

if TYPE_CHECKING:
    from ticketr.jobs._job import CancelOutcome, JobID, JobSnapshot, JobStatus
    from ticketr.jobs._ledger import Ledger
    from ticketr.jobs._updates import Updates

T_co = TypeVar("T_co", covariant=True)


@final
class JobHandle(Generic[T_co]):
    """One submitted job. It answers for the job even when the queue has forgotten it.

    Queues make handles; there is no other way to get one.
    """

    __slots__ = ("_ledger", "_record")

    def __init__(self, record: JobRecord, ledger: Ledger) -> None:
        self._record = record
        self._ledger = ledger

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
        """Where the job is in its life."""
        return self._record.status

    def snapshot(self) -> JobSnapshot:
        """The job as it is now."""
        return self._record.snapshot()

    def record_in(self, ledger: Ledger) -> JobRecord | None:
        """For the queue itself: the job, unless it is another queue's."""
        return self._record if ledger is self._ledger else None

    @enable_ki_protection
    def cancel(self, *, reason: str | None = None) -> CancelOutcome:
        """Stop the job; never blocks and never raises.

        Args:
            reason: Goes into the ``trio.Cancelled`` that the job sees.
        """
        return self._ledger.cancel(self._record, CancelCause.USER, as_reason(reason))

    @enable_ki_protection
    async def cancel_and_wait(self, *, reason: str | None = None) -> JobSnapshot:
        """Stop the job and wait until it has ended.

        Cancellation:
            The job is cancelled in any case; what is cut short is the waiting.

        Args:
            reason: Goes into the ``trio.Cancelled`` that the job sees.

        Raises:
            WouldDeadlock: A job said this about itself.
        """
        self._ledger.subscriptions.owner_thread.check()
        self._ledger.wait_graph.refuse_wait_inside(self._record, "itself")
        self.cancel(reason=reason)
        return await self.wait()

    @enable_ki_protection
    def watch(self) -> Updates[JobSnapshot]:
        """Read the job's changes as they happen, up to its end.

        Of a job that has ended there is one thing to read: how it ended.
        """
        record = self._record
        return self._ledger.subscriptions.watch_one(
            record, JobRecord.snapshot, ended=record.status.is_terminal
        )

    @enable_ki_protection
    async def wait(self) -> JobSnapshot:
        """Wait until the job has ended, however it did.

        Cancellation:
            Never touches the job.

        Raises:
            WouldDeadlock: Called inside a job that keeps this one from ending.
        """
        await self._until_ended()
        return self._record.snapshot()

    @enable_ki_protection
    async def result(self) -> T_co:
        """Wait until the job has ended, and return what its function returned.

        Cancellation:
            Never touches the job.

        Raises:
            JobFailed: The function raised; the ``__cause__`` is what it raised.
            JobCancelled: The job was cancelled.
            JobTimedOut: The job's time limit passed.
            WouldDeadlock: Called inside a job that keeps this one from ending.
        """
        await self._until_ended()
        record = self._record
        if record.status is COMPLETED:
            return cast("T_co", record.result)
        if record.status is CANCELLED:
            raise JobCancelled(record.id, record.name, str(record.cancel_cause))
        if record.exception is None:
            raise JobTimedOut(record.id, record.name, record.timeout)
        assert record.error is not None
        info = record.error
        failed = JobFailed(record.id, record.name, info.type, info.message)
        # The error itself holds no live traceback any more.
        failed.add_note(f"The job's own traceback:\n{info.traceback.rstrip()}")
        raise failed from record.exception

    async def _until_ended(self) -> None:
        self._ledger.subscriptions.owner_thread.check()
        record = self._record
        if record.status.is_terminal:
            await trio.lowlevel.checkpoint()
        else:
            await self._ledger.wait_graph.wait(JobEnd(self._ledger, record), record.wait_ended)
        record.mark_outcome_seen()

    def __repr__(self) -> str:
        return f"<JobHandle of {self.name!r}, id={self.id!r}, {self.status}>"
