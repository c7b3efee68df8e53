"""What users of a job queue ask it about its jobs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import trio
from trio.lowlevel import enable_ki_protection

from ticketr.jobs._job import JobStatus
from ticketr.jobs._lookup import find, id_of, known, refresh, unknown
from ticketr.jobs._snapshot import progress_of, snapshot_of
from ticketr.jobs._sqlite.recorder import finished_in_memory
from ticketr.jobs._statistics import QueueStatistics
from ticketr.jobs._values import checked_member, checked_whole

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._handle import JobHandle
    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._progress import JobProgress
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._sqlite.finished import FinishedJob
    from ticketr.jobs._updates import Updates


class QueueQueries:
    """The part of a job queue that users ask about its jobs; nothing here changes one."""

    def __init__(self, core: QueueCore) -> None:
        self._core = core

    @enable_ki_protection
    def _find(self, job_id: JobID | JobHandle[object]) -> JobRecord:
        record = find(self._core, job_id)
        if record is None:
            raise unknown(job_id)
        return record

    @enable_ki_protection
    def handle(self, job_id: JobID | JobHandle[object]) -> JobHandle[object]:
        """Return a handle of a job that is known by its ID.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        handle: JobHandle[object] = self._core.handle_of(self._find(job_id))
        return handle

    def status(self, job_id: JobID | JobHandle[object]) -> JobStatus:
        """Return the status of a job.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return self._find(job_id).status

    def snapshot(self, job_id: JobID | JobHandle[object]) -> JobSnapshot:
        """Return the state of a job as it is now.

        Raises:
            UnknownJob: No job with this ID is known.
        """
        return snapshot_of(self._find(job_id))

    @enable_ki_protection
    def jobs(
        self, *, status: JobStatus | None = None, key: Hashable = None, tag: str | None = None
    ) -> list[JobSnapshot]:
        """Return the known jobs in the order in which they were submitted.

        Args:
            status: Only those with this status.
            key: Only those with this key.
            tag: Only those with this tag.

        Raises:
            TypeError, ValueError: An argument is invalid.
        """
        only = None if status is None else checked_member("status", status, JobStatus)
        return [
            snapshot_of(record)
            for record in known(self._core, key, tag)
            if only is None or record.status is only
        ]

    @enable_ki_protection
    def watch(self, *, until_idle: bool = False) -> Updates[JobSnapshot]:
        """Read every change of every job as it happens; ends when the queue is closed.

        Args:
            until_idle: Whether to end before that, when no job is pending or running and all is
                read.
        """
        return self._core.subscriptions.watch(snapshot_of, self._core if until_idle else None)

    @enable_ki_protection
    def progress(self, *, until_idle: bool = False) -> Updates[JobProgress]:
        """Read what the jobs report as they report it; ends when the queue is closed.

        Args:
            until_idle: Whether to end before that, when no job is pending or running and all is
                read.
        """
        return self._core.subscriptions.read_progress(
            progress_of, self._core if until_idle else None
        )

    @enable_ki_protection
    async def history(
        self,
        *,
        limit: int = 50,
        status: JobStatus | None = None,
        id: JobID | JobHandle[object] | None = None,  # noqa: A002 - as a submit calls it
    ) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first, those of earlier runs included.

        Without a history these are the ones that the queue itself remembers.

        Cancellation:
            Changes nothing.

        Args:
            limit: The most jobs to return.
            status: Return only jobs that ended with this status.
            id: Return only jobs with this ID, or with that of this handle. Jobs of earlier runs may
                have had the same ID. A handle of another queue is an unknown ID.

        Raises:
            HistoryFailed: The history could not be read.
            TypeError, ValueError: An argument is invalid.
        """
        core = self._core
        core.subscriptions.owner_thread.check()
        limit = checked_whole("limit", limit, 0, sys.maxsize)
        status = None if status is None else checked_member("status", status, JobStatus)
        job_id = None if id is None else id_of(core, id)
        if job_id == "":
            limit = 0
        if core.recorder is not None:
            return await core.recorder.read(limit=limit, status=status, job_id=job_id)
        await trio.lowlevel.checkpoint()
        refresh(core)
        ended = core.registry.finished.jobs
        return finished_in_memory(ended, limit=limit, status=status, job_id=job_id)

    def statistics(self) -> QueueStatistics:
        """Return the queue in numbers."""
        core = self._core
        return QueueStatistics(
            workers=core.workers,
            pending=core.schedule.pending,
            running=len(core.running),
            completed=core.registry.completed,
            failed=core.registry.unsuccessful[JobStatus.FAILED],
            cancelled=core.registry.unsuccessful[JobStatus.CANCELLED],
            evicted=core.registry.evicted,
            submitters_waiting=core.schedule.submissions.count,
            unrecorded=core.recorder.lost if core.recorder is not None else 0,
            attempts=core.totals.attempts(len(core.running), core.registry.ended),
            wait_seconds=core.totals.wait_seconds,
            run_seconds=core.totals.run_seconds,
        )

    def __repr__(self) -> str:
        core = self._core
        state = "closed" if core.phase.closed else "closing" if core.phase.refusing else "open"
        return (
            f"<JobQueue {state}: {len(core.running)} running, "
            f"{core.schedule.pending} pending, {core.workers} workers>"
        )
