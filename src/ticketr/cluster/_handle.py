"""The handle of a job that runs in another process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar, cast, final

import trio

from ticketr._errors import JobCancelled, JobFailed, JobTimedOut
from ticketr.cluster._errors import JobLost
from ticketr.cluster._record import RemoteRecord
from ticketr.jobs._job import CancelCause, JobStatus

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ticketr.cluster._mirror import Mirror
    from ticketr.jobs._job import CancelOutcome, JobID, JobSnapshot
    from ticketr.jobs._updates import Updates

T_co = TypeVar("T_co", covariant=True)


@final
class ClusterHandle(Generic[T_co]):
    """A submitted job.

    Its status and snapshots are the newest that this process was told.

    Only a queue makes handles.
    """

    __slots__ = ("__weakref__", "_cancel", "_mirror", "_record")

    def __init__(
        self,
        record: RemoteRecord,
        mirror: Mirror,
        cancel: Callable[[JobID], Awaitable[CancelOutcome]],
    ) -> None:
        self._record = record
        self._mirror = mirror
        self._cancel = cancel

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

    @property
    def worker(self) -> str:
        """The ID of the worker that runs the job, or ran it last; empty if none did."""
        return self._record.worker

    def snapshot(self) -> JobSnapshot[T_co]:
        """Return the job's state as far as it is known here."""
        return cast("JobSnapshot[T_co]", self._record.snapshot())

    async def request_cancel(self) -> CancelOutcome:
        """Stop the job, wherever it is; waits for the server's answer.

        Cancellation:
            The job may have been stopped, or not.
        """
        return await self._cancel(self.id)

    async def cancel_and_wait(self) -> JobSnapshot[T_co]:
        """Stop the job and wait until it has ended.

        Cancellation:
            The job may have been stopped, or not.
        """
        await self.request_cancel()
        return await self.wait()

    def watch(self) -> Updates[JobSnapshot[T_co]]:
        """Read the job's changes as they are told, until its end.

        If the job has ended already, there is one snapshot to read, the final one.
        """
        view = cast("Callable[[RemoteRecord], JobSnapshot[T_co]]", RemoteRecord.snapshot)
        ended = self if self._record.status.is_terminal else None
        return self._mirror.subscriptions.watch_one(self._record, view, ended)

    async def wait(self) -> JobSnapshot[T_co]:
        """Wait until the job has ended, and return its final snapshot.

        Cancellation:
            Does not affect the job.
        """
        if self._record.ended.is_set():
            await trio.lowlevel.checkpoint()
        else:
            await self._record.ended.wait()
        return self.snapshot()

    async def result(self) -> T_co:
        """Wait until the job has ended, and return what its function returned.

        Cancellation:
            Does not affect the job.

        Raises:
            JobFailed: The function raised. The ``__cause__`` is its error, or a ``RemoteError``
                where that cannot be sent.
            JobCancelled: The job was cancelled.
            JobTimedOut: The job's time limit passed.
            JobLost: The workers that ran the job died again and again, or lost their lease; or the
                server has forgotten it.
        """
        await self.wait()
        return cast("T_co", result_of(self._record))

    def __repr__(self) -> str:
        return f"<ClusterHandle of {self.name!r}, id={self.id!r}, {self.status}>"


def result_of(record: RemoteRecord) -> object:
    """Return what the function of an ended job returned, or raise its ``JobError``."""
    if record.status is JobStatus.COMPLETED:
        return record.result
    if record.status is JobStatus.CANCELLED:
        raise JobCancelled(record.id, record.name, str(record.cancel_cause))
    if isinstance(record.exception, JobLost):
        raise record.exception
    if record.cancel_cause is CancelCause.TIMEOUT and isinstance(record.exception, JobTimedOut):
        raise JobTimedOut(record.id, record.name, record.exception.timeout)
    assert record.error is not None  # it has failed
    info = record.error
    failed = JobFailed(record.id, record.name, info.type, info.message)
    failed.add_note(f"The job's own traceback:\n{info.traceback.rstrip()}")
    raise failed from record.exception
