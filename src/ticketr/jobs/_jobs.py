"""What every kind of queue has in common, whether its jobs run in this process or elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Hashable

    from ticketr.jobs._finished import FinishedJob
    from ticketr.jobs._job import CancelOutcome, JobID, JobSnapshot, JobStatus
    from ticketr.jobs._progress import JobProgress
    from ticketr.jobs._statistics import QueueStatistics
    from ticketr.jobs._updates import Updates


class Jobs(Protocol):
    """The jobs of a queue, to look at and to cancel.

    Both a :class:`JobQueue` and a :class:`ticketr.cluster.ClusterQueue` have these methods, so code
    that needs no more works with either.
    """

    async def request_cancel(self, job_id: JobID, /) -> CancelOutcome:
        """Stop a job."""
        ...

    def status(self, job_id: JobID, /) -> JobStatus:
        """Return the status of a job."""
        ...

    def snapshot(self, job_id: JobID, /) -> JobSnapshot:
        """Return the state of a job."""
        ...

    def jobs(
        self, *, status: JobStatus | None = None, key: Hashable = None, tag: str | None = None
    ) -> list[JobSnapshot]:
        """Return the known jobs."""
        ...

    def watch(self, *, until_idle: bool = False) -> Updates[JobSnapshot]:
        """Read every change of every known job."""
        ...

    def progress(self, *, until_idle: bool = False) -> Updates[JobProgress]:
        """Read what the known jobs report."""
        ...

    def statistics(self) -> QueueStatistics:
        """Return statistics of the known jobs."""
        ...

    async def wait_idle(self) -> None:
        """Wait until no known job is pending or running."""
        ...

    async def history(
        self, *, limit: int = 50, status: JobStatus | None = None
    ) -> list[FinishedJob]:
        """Return the jobs that ended last, the newest first."""
        ...
