"""What is remembered of jobs that have ended, and what is told of them."""

from __future__ import annotations

import contextvars
import logging
from collections import deque
from typing import TYPE_CHECKING, final

from ticketr.jobs._job import FAILED

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jobs._job import JobID, JobRecord, JobSnapshot
    from ticketr.jobs._numbers import Keep

logger = logging.getLogger("ticketr.jobs")


@final
class Past:
    """The jobs that have ended and are not forgotten.

    Attributes:
        jobs: Those jobs, in the order in which they ended.
    """

    __slots__ = ("_age", "_context", "_most", "_on_job_error", "_records", "jobs")

    def __init__(
        self,
        records: dict[JobID, JobRecord],
        keep: Keep,
        on_job_error: Callable[[JobSnapshot], object],
    ) -> None:
        self._records = records  # by ID, which a forgotten job leaves too
        self._most, self._age = keep.jobs, keep.age
        self._on_job_error = on_job_error
        self._context = contextvars.copy_context()  # a job's own may be the current one
        self.jobs: deque[JobRecord] = deque()

    def forget(self, now: float) -> None:
        """Drop the records that are too many or too old."""
        jobs, most, records = self.jobs, self._most, self._records
        oldest = now - self._age
        while jobs and (len(jobs) > most or jobs[0].finished_at < oldest):
            record = jobs.popleft()
            if records.get(record.id) is record:
                del records[record.id]
            if record.status is FAILED:
                self.account_for(record)

    def account_for(self, record: JobRecord) -> None:
        """A failure is never silent: tell of one that nobody asked about."""
        if record.status is not FAILED or record.claimed:
            return
        record.claimed = True
        try:
            self._context.copy().run(self._on_job_error, record.snapshot())
        except Exception:
            logger.exception("on_job_error raised about job %r", record.id)
