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
    wait_seconds: float = 0.0
    run_seconds: float = 0.0
