"""What is remembered of jobs that have ended, and what is told of them."""

from __future__ import annotations

import contextvars
import logging
import math
from collections import deque
from typing import TYPE_CHECKING, final

from ticketr.jobs._groups import is_failure
from ticketr.jobs._job import FAILED, JobErrorInfo
from ticketr.jobs._numbers import log_failure

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
        limit: With more of them it is time to forget some.
        stale_at: After this time it is, too; the oldest is not too old before.
    """

    __slots__ = (
        "_age",
        "_context",
        "_interrupt",
        "_most",
        "_on_job_error",
        "_records",
        "jobs",
        "limit",
        "stale_at",
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
        self.limit: float = keep.jobs if keep.jobs == math.inf else int(keep.jobs + keep.jobs / 16)
        self.stale_at: float = -math.inf
        self._on_job_error = on_job_error
        self._interrupt = interrupt
        self._context = contextvars.copy_context()  # a job's own may be the current one
        self.jobs: deque[JobRecord] = deque()

    def forget(self, now: float) -> None:
        """Drop the records that are too many or too old."""
        jobs = self.jobs
        while jobs and (len(jobs) > self._most or jobs[0].finished_at < now - self._age):
            record = jobs.popleft()
            if self._records.get(record.id) is record:
                del self._records[record.id]
            if record.status is FAILED:
                self.account_for(record)
        self.stale_at = jobs[0].finished_at + self._age if jobs else -math.inf

    def be_exact(self) -> None:
        """From now on it is time to forget some as soon as any are too many."""
        self.limit = self._most

    @property
    def remembered(self) -> int:
        """Of how many jobs anybody can still learn."""
        return int(min(len(self.jobs), self._most))

    def account_for(self, record: JobRecord) -> None:
        """A failure is never silent: tell of one that nobody asked about."""
        if record.status is not FAILED or record.claimed:
            return
        record.claimed = True
        try:
            self._context.copy().run(self._on_job_error, record.snapshot())
        except BaseException as error:  # noqa: ASYNC103, BLE001 - it is user code
            if is_failure(error):
                text = JobErrorInfo.of(error).traceback
                logger.error("on_job_error raised about job %r:\n%s", record.id, text)  # noqa: TRY400
            else:  # it leaves by the block
                self._on_job_error = log_failure  # no further failure may be silent
                self._interrupt(error)
