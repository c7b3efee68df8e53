"""Failures that no task waits for: each is reported once.

The end of a failed job that a task or a map waits for is theirs. Any other failure is reported a few
steps of Trio later, in the same instant of its clock, unless a wait begins in between: the job may
have failed while its submitter could not run.
"""

from __future__ import annotations

import contextvars
import logging
from collections import deque
from collections.abc import Callable
from typing import Final, final

from trio.lowlevel import checkpoint

from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import FAILED, JobErrorInfo, JobSnapshot
from ticketr.jobs._record import JobRecord, snapshot_of

logger = logging.getLogger("ticketr.jobs")


STEPS: Final = 3
"""Trio's steps from a failure until its report.

In the first one its submitter runs, in the second one the wait that the submitter has begun returns.
"""


@final
class FailureReporter:
    """Calls ``on_job_error`` for failed jobs that no task waits for.

    Attributes:
        cancels_queue: Whether the next job that fails cancels the others.
        fatal: The error of the job whose failure cancelled the others.
        unreported: The failed jobs that are to be reported if no wait begins.
    """

    __slots__ = (
        "_context",
        "_on_job_error",
        "_stop_queue",
        "_wake_timer",
        "cancels_queue",
        "fatal",
        "unreported",
    )

    def __init__(
        self,
        on_job_error: Callable[[JobSnapshot], object] | None,
        stop_queue: Callable[[BaseException], None],
        wake_timer: Callable[[], None],
        *,
        cancels_queue: bool,
    ) -> None:
        self._on_job_error = log_failure if on_job_error is None else on_job_error
        self._stop_queue = stop_queue
        self._wake_timer = wake_timer
        self.cancels_queue: bool = cancels_queue
        self.fatal: BaseException | None = None
        self._context = contextvars.copy_context()  # not that of a job, which may be current later
        self.unreported: deque[JobRecord] = deque()

    def cancel_queue(self, error: BaseException) -> None:
        """Note the first failure of a queue that it cancels; later ones are reported."""
        self.cancels_queue = False
        self.fatal = error

    def job_failed(self, record: JobRecord) -> None:
        """Report a failed job, unless a task waits for it or soon begins to."""
        if not record.is_awaited and not record.extras.outcome_seen:
            self.unreported.append(record)
            self._wake_timer()

    def unmark_seen(self, record: JobRecord) -> None:
        """Report a failed job after all, as the only wait for it was cancelled."""
        record.mark_outcome_unseen()
        self.job_failed(record)

    async def report_soon(self) -> None:  # noqa: ASYNC910 - STEPS is not 0
        """Report the failures so far, once their submitters could have waited for them."""
        count = len(self.unreported)
        for _ in range(STEPS):
            await checkpoint()
        for _ in range(count):
            self.report_if_unseen(self.unreported.popleft())

    def report_all(self) -> None:
        """Report every failure that nobody has seen."""
        while self.unreported:
            self.report_if_unseen(self.unreported.popleft())

    def report_if_unseen(self, record: JobRecord) -> None:
        """Report a job if it failed and nobody has seen its outcome."""
        if record.status is not FAILED or record.extras.outcome_seen:
            return
        record.mark_outcome_seen()
        try:
            self._context.copy().run(self._on_job_error, snapshot_of(record))
        except BaseException as error:  # noqa: ASYNC103, BLE001 - it is user code
            if has_only_exceptions(error):
                text = JobErrorInfo.of(error).traceback
                logger.error("on_job_error raised about job %r:\n%s", record.id, text)  # noqa: TRY400
            else:  # an exit or interrupt ends the queue; later failures are logged
                self._on_job_error = log_failure
                self._stop_queue(error)


def log_failure(snapshot: JobSnapshot) -> None:
    """Log a failure that nobody waits for: the default ``on_job_error``."""
    text = snapshot.error.traceback.rstrip() if snapshot.error is not None else ""
    logger.error(
        "Job %r (%s) failed, and no task waits for it:\n%s", snapshot.id, snapshot.name, text
    )
