"""What is remembered of jobs that have ended, and what is told of them."""

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

    from ticketr.jobs._job import JobID, JobRecord, JobSnapshot

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
class FinishedJobs:
    """The jobs that have ended and are not forgotten.

    Attributes:
        jobs: Those jobs, in the order in which they ended.
        evict_above: With more of them it is time to forget some.
        evict_after: After this time it is, too; the oldest is not too old before.
    """

    __slots__ = (
        "_age",
        "_context",
        "_interrupt",
        "_most",
        "_on_job_error",
        "_records",
        "evict_above",
        "evict_after",
        "jobs",
    )

    def __init__(
        self,
        records: dict[JobID, JobRecord],
        keep: Keep,
        on_job_error: Callable[[JobSnapshot], object],
        interrupt: Callable[[BaseException], None],
    ) -> None:
        self._records = records  # by ID, which a forgotten job leaves too
        self._most, self._age = keep.jobs, keep.age
        # Several at once, which takes less time; a whole number, which is compared faster.
        self.evict_above: float = (
            keep.jobs if keep.jobs == math.inf else int(keep.jobs + keep.jobs / 16)
        )
        self.evict_after: float = -math.inf
        self._on_job_error = on_job_error
        self._interrupt = interrupt
        self._context = contextvars.copy_context()  # a job's own may be the current one
        self.jobs: deque[JobRecord] = deque()

    def evict(self, now: float) -> None:
        """Drop the records that are too many or too old."""
        jobs = self.jobs
        while jobs and (len(jobs) > self._most or jobs[0].finished_at < now - self._age):
            record = jobs.popleft()
            if self._records.get(record.id) is record:
                del self._records[record.id]
            if record.status is FAILED:
                self.report_unseen_failure(record)
        self.evict_after = jobs[0].finished_at + self._age if jobs else -math.inf

    def evict_exactly(self) -> None:
        """From now on it is time to forget some as soon as any are too many."""
        self.evict_above = self._most

    @property
    def kept(self) -> int:
        """Of how many jobs anybody can still learn."""
        return int(min(len(self.jobs), self._most))

    def report_unseen_failure(self, record: JobRecord) -> None:
        """A failure is never silent: tell of one that nobody asked about."""
        if record.status is not FAILED or record.outcome_seen:
            return
        record.outcome_seen = True
        try:
            self._context.copy().run(self._on_job_error, record.snapshot())
        except BaseException as error:  # noqa: ASYNC103, BLE001 - it is user code
            if has_only_exceptions(error):
                text = JobErrorInfo.of(error).traceback
                logger.error("on_job_error raised about job %r:\n%s", record.id, text)  # noqa: TRY400
            else:  # it leaves by the block
                self._on_job_error = log_failure  # no further failure may be silent
                self._interrupt(error)


def log_failure(snapshot: JobSnapshot) -> None:
    """What is done about a failure that nobody asked for, unless ``on_job_error`` is given."""
    text = snapshot.error.traceback.rstrip() if snapshot.error is not None else ""
    logger.error("Job %r (%s) failed, and nobody asked:\n%s", snapshot.id, snapshot.name, text)
