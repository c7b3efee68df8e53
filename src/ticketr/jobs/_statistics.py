"""The queue in numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatistics:
    """The queue in numbers.

    Each submitted job is counted in one of ``pending`` to ``cancelled``.

    Attributes:
        workers: The number of workers: how many jobs can run at once.
        pending: The number of jobs that wait to run.
        running: The number of jobs that run.
        completed: The number of completed jobs since the queue was opened.
        failed: The number of failed jobs.
        cancelled: The number of cancelled jobs.
        evicted: The number of ended jobs whose record was dropped.
        submitters_waiting: The number of tasks that wait in ``submit`` for room.
        unrecorded: The number of ended jobs that the history could not keep.
        attempts: How often a worker took a job, retries included.
        wait_seconds: How long jobs that were due waited for their attempts, all together.
        run_seconds: How long the attempts took that have ended, all together.
    """

    workers: int
    pending: int
    running: int
    completed: int
    failed: int
    cancelled: int
    evicted: int
    submitters_waiting: int
    unrecorded: int = 0
    attempts: int = 0
    wait_seconds: float = 0.0
    run_seconds: float = 0.0


@final
class Totals:
    """Sums over all attempts of a queue.

    Also written in ``_core``, for speed.

    Attributes:
        wait_seconds: How long jobs that were due waited for their attempts.
        run_seconds: How long the attempts took that have ended.
        put_back: The number of attempts that another one followed.
        ended_pending: The number of jobs that ended while they were pending.
    """

    __slots__ = ("ended_pending", "put_back", "run_seconds", "wait_seconds")

    def __init__(self) -> None:
        self.wait_seconds: float = 0.0
        self.run_seconds: float = 0.0
        self.put_back: int = 0
        self.ended_pending: int = 0

    def restore_ended(self, jobs: int) -> None:
        """Count no attempts of jobs that have ended in an earlier opening of the queue's store."""
        self.ended_pending += jobs

    def attempts(self, running: int, ended: int) -> int:
        """Return how many attempts were started; to count each one would take time.

        Args:
            running: The number of jobs that run.
            ended: The number of jobs that have ended.
        """
        return running + self.put_back + ended - self.ended_pending
