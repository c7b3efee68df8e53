"""How long the records of ended jobs are kept, and how unseen failures are reported."""

from __future__ import annotations

import contextvars
import logging
import math
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import FAILED, JobErrorInfo
from ticketr.jobs._values import checked_count, checked_seconds

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jobs._job import JobID, JobSnapshot
    from ticketr.jobs._record import JobRecord

logger = logging.getLogger("ticketr.jobs")


@final
@dataclass(frozen=True, slots=True)
class Keep:
    """How many records of ended jobs a queue keeps, and for how long. Live jobs are never dropped.

    Attributes:
        jobs: The largest number of records; ``math.inf`` for no limit. Surplus records are dropped
            once there are a sixteenth more, or when the queue is asked for a job.
        age: The age in seconds beyond which a record is dropped; ``math.inf`` for no limit. Old
            records are dropped when another job ends, or when the queue is asked for a job.
    """

    jobs: float = 1000
    age: float = 3600.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "jobs", checked_count("jobs", self.jobs, 0))
        object.__setattr__(self, "age", checked_seconds("age", self.age, limit=True))


@final
class FinishedJobs:
    """The records of ended jobs that a queue still keeps.

    Attributes:
        jobs: These records, in the order in which the jobs ended.
        evict_above: Call ``evict`` when there are more records than this.
        evict_after: Call ``evict`` when a job ends after this time.
    """

    __slots__ = (
        "_context",
        "_max_age",
        "_max_jobs",
        "_on_job_error",
        "_records",
        "_stop_queue",
        "evict_above",
        "evict_after",
        "jobs",
    )

    def __init__(
        self,
        records: dict[JobID, JobRecord],
        keep: Keep,
        on_job_error: Callable[[JobSnapshot], object],
        stop_queue: Callable[[BaseException], None],
    ) -> None:
        self._records = records  # all records of the queue, by ID
        self._max_jobs, self._max_age = keep.jobs, keep.age
        # Evicting several at once is faster, and so is comparing with a whole number.
        self.evict_above: float = (
            keep.jobs if keep.jobs == math.inf else int(keep.jobs + keep.jobs / 16)
        )
        self.evict_after: float = -math.inf
        self._on_job_error = on_job_error
        self._stop_queue = stop_queue
        self._context = contextvars.copy_context()  # not that of a job, which may be current later
        self.jobs: deque[JobRecord] = deque()

    def evict(self, now: float) -> None:
        """Drop surplus and old records; report their failures that nobody has seen."""
        jobs = self.jobs
        while jobs and (len(jobs) > self._max_jobs or jobs[0].finished_at < now - self._max_age):
            record = jobs.popleft()
            if self._records.get(record.id) is record:
                del self._records[record.id]
            if record.status is FAILED:
                self.report_unseen_failure(record)
        self.evict_after = jobs[0].finished_at + self._max_age if jobs else -math.inf

    def evict_exactly(self) -> None:
        """Make ``evict`` due as soon as there is one surplus record."""
        self.evict_above = self._max_jobs

    @property
    def kept(self) -> int:
        """The number of ended jobs that can still be asked for."""
        return int(min(len(self.jobs), self._max_jobs))

    def report_unseen_failure(self, record: JobRecord) -> None:
        """Call ``on_job_error`` if the job failed and nobody has seen its outcome."""
        if record.status is not FAILED or record.outcome_seen:
            return
        record.mark_outcome_seen()
        try:
            self._context.copy().run(self._on_job_error, record.snapshot())
        except BaseException as error:  # noqa: ASYNC103, BLE001 - it is user code
            if has_only_exceptions(error):
                text = JobErrorInfo.of(error).traceback
                logger.error("on_job_error raised about job %r:\n%s", record.id, text)  # noqa: TRY400
            else:  # an exit or interrupt ends the queue; later failures are logged
                self._on_job_error = log_failure
                self._stop_queue(error)


def log_failure(snapshot: JobSnapshot) -> None:
    """Log a failure that nobody has seen: the default ``on_job_error``."""
    text = snapshot.error.traceback.rstrip() if snapshot.error is not None else ""
    logger.error("Job %r (%s) failed, and nobody asked:\n%s", snapshot.id, snapshot.name, text)
