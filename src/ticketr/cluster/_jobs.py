"""What users do with the jobs of a cluster that are there: look at them, follow and cancel them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ticketr._errors import UnknownJob
from ticketr.cluster._handle import ClusterHandle
from ticketr.cluster._keys import TaskName
from ticketr.cluster._record import RemoteRecord
from ticketr.cluster._store import pairs
from ticketr.jobs._finished import finished_of_snapshot
from ticketr.jobs._job import CancelCause, CancelOutcome, JobStatus
from ticketr.jobs._values import checked_member, checked_whole

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.cluster._submitter import Submitter
    from ticketr.jobs._finished import FinishedJob
    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._progress import JobProgress
    from ticketr.jobs._statistics import QueueStatistics
    from ticketr.jobs._updates import Updates


class ClusterJobs:
    """The part of a cluster's queue that is about jobs which are there."""

    def __init__(self, submitter: Submitter) -> None:
        self._submitter = submitter
        self._store = submitter.store
        self._mirror = submitter.mirror
        self._events = submitter.events
        self._codec = submitter.codec

    # Cancelling and steering

    async def request_cancel(self, job_id: JobID | ClusterHandle[object]) -> CancelOutcome:
        """Stop a job, whoever submitted it and wherever it runs; waits for the server's answer.

        A pending job has ended when this returns, and its function is never called. A running one
        is interrupted at its next checkpoint.

        Cancellation:
            The job may have been stopped, or not.

        Args:
            job_id: The job's ID, or a handle of it.
        """
        return await self._submitter.cancel(_id_of(job_id), CancelCause.USER)

    async def run_now(self, job_id: JobID | ClusterHandle[object]) -> bool:
        """End a job's delay, or its wait for the next attempt.

        Returns:
            Whether it waited for a time.

        Raises:
            UnknownJob: The server knows no such job.
        """
        answer = await self._store.call_surely("run_now", _id_of(job_id))
        if answer < 0:
            raise UnknownJob(_id_of(job_id))
        return bool(answer)

    # Looking

    async def attach(self, job_id: JobID) -> ClusterHandle[object]:
        """Return a handle of a job that any process has submitted, this one before a restart too.

        Cancellation:
            Changes nothing.

        Raises:
            UnknownJob: The server knows no such job.
        """
        return self._handle(await self._submitter.attach(job_id))

    def handle(self, job_id: JobID) -> ClusterHandle[object]:
        """Return a handle of a job that this process has submitted or attached.

        Raises:
            UnknownJob: It is not known here.
        """
        return self._handle(self._mirror.get(job_id))

    def status(self, job_id: JobID | ClusterHandle[object]) -> JobStatus:
        """Return the status of a job that this process has submitted or attached.

        Raises:
            UnknownJob: It is not known here.
        """
        return self._mirror.get(_id_of(job_id)).status

    def snapshot(self, job_id: JobID | ClusterHandle[object]) -> JobSnapshot:
        """Return the state of a job that this process has submitted or attached.

        Raises:
            UnknownJob: It is not known here.
        """
        return self._mirror.get(_id_of(job_id)).snapshot()

    def jobs(
        self, *, status: JobStatus | None = None, key: Hashable = None, tag: str | None = None
    ) -> list[JobSnapshot]:
        """Return the jobs that this process has submitted or attached, in that order.

        Args:
            status: Only those with this status.
            key: Only those with this key.
            tag: Only those with this tag.
        """
        only = None if status is None else checked_member("status", status, JobStatus)
        return [
            record.snapshot()
            for record in self._mirror
            if (only is None or record.status is only)
            and (key is None or record.key == key)
            and (tag is None or tag in record.tags)
        ]

    def watch(self, *, until_idle: bool = False) -> Updates[JobSnapshot]:
        """Read every change of every job known here; ends when the queue is closed.

        Args:
            until_idle: Whether to end before that, when no job known here is pending or running
                and all is read.
        """
        until = self._mirror if until_idle else None
        return self._mirror.subscriptions.watch(RemoteRecord.snapshot, until)

    def progress(self, *, until_idle: bool = False) -> Updates[JobProgress]:
        """Read what the jobs known here report; ends when the queue is closed.

        Args:
            until_idle: Whether to end before that, when no job known here is pending or running
                and all is read.
        """
        until = self._mirror if until_idle else None
        return self._mirror.subscriptions.read_progress(RemoteRecord.progress, until)

    async def wait_idle(self) -> None:
        """Wait until no job that this process has submitted or attached is pending or running.

        Cancellation:
            Changes nothing.
        """
        await self._mirror.wait_idle()

    def statistics(self) -> QueueStatistics:
        """Return the jobs in numbers that this process has submitted or attached."""
        return self._mirror.statistics()

    async def totals(self) -> dict[JobStatus, int]:
        """Return how many jobs of the whole queue have each status; the ended ones ever.

        Cancellation:
            Changes nothing.
        """
        return dict(zip(JobStatus, await self._store.call_surely("totals"), strict=True))

    async def history(
        self,
        *,
        limit: int = 50,
        status: JobStatus | None = None,
        id: JobID | None = None,  # noqa: A002 - as a submit calls it
    ) -> list[FinishedJob]:
        """Return the jobs of all processes that ended last, the newest first.

        Cancellation:
            Changes nothing.

        Args:
            limit: The most jobs to return.
            status: Only jobs that ended with this status.
            id: Only the job with this ID.
        """
        most = checked_whole("limit", limit, 0, sys.maxsize)
        only = None if status is None else checked_member("status", status, JobStatus)
        if id is not None:
            told = pairs(await self._store.call_surely("attach", id, ""))
            found = [told] if told and JobStatus(told["status"].decode()).is_terminal else []
            if only is not None:
                found = [each for each in found if each["status"].decode() == only.value]
        else:
            raw = await self._store.call_surely("history", most, "" if only is None else only.value)
            found = [pairs(each) for each in raw]
        return [self._finished(told, number) for number, told in enumerate(found[:most])]

    def _finished(self, told: dict[str, bytes], number: int) -> FinishedJob:
        task = TaskName(told["id"].decode(), told["nonce"].decode())
        record = RemoteRecord(task, "", self._events.shift)
        record.describe(told)
        record.apply(told, self._codec)
        return finished_of_snapshot(record.snapshot(), run=self._store.keys.queue, number=-number)

    def _handle(self, record: RemoteRecord) -> ClusterHandle[object]:
        return ClusterHandle(record, self._mirror, self.request_cancel)


def _id_of(job: JobID | ClusterHandle[object]) -> JobID:
    return job.id if isinstance(job, ClusterHandle) else job
