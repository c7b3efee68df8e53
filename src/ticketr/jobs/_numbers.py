"""How much is remembered, the queue in numbers, and what is said of a failure."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.jobs._values import checked_count, checked_seconds

if TYPE_CHECKING:
    from ticketr.jobs._job import JobSnapshot

logger = logging.getLogger("ticketr.jobs")


@final
@dataclass(frozen=True, slots=True)
class Keep:
    """How much is remembered of jobs that have ended. Live jobs are never dropped.

    Attributes:
        jobs: Of how many jobs at most; ``math.inf`` for no limit. Those that are too many are dropped when they are a
            sixteenth more, or when somebody asks for a job.
        age: For how many seconds at most; ``math.inf`` for no limit. Those that are too old are dropped when another job
            ends, or when somebody asks for one.
    """

    jobs: float = 1000
    age: float = 3600.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "jobs", checked_count("jobs", self.jobs, 0))
        object.__setattr__(self, "age", checked_seconds("age", self.age, limit=True))


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatistics:
    """The queue in numbers. Every job ever submitted is in one of the middle five.

    Attributes:
        workers: How many jobs can run at once.
        pending: How many jobs wait to run.
        running: How many jobs run.
        completed: How many have completed since the queue was opened.
        failed: How many have failed.
        cancelled: How many were cancelled.
        evicted: Of how many ended jobs the record was dropped.
        submitters_waiting: How many tasks wait in ``submit`` for room.
        unrecorded: How many ended jobs the history could not keep.
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


def log_failure(snapshot: JobSnapshot) -> None:
    """What is done about a failure that nobody asked for, unless ``on_job_error`` is given."""
    text = snapshot.error.traceback.rstrip() if snapshot.error is not None else ""
    logger.error("Job %r (%s) failed, and nobody asked:\n%s", snapshot.id, snapshot.name, text)
