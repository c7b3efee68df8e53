"""Reporting failures, so that none is silent."""

from __future__ import annotations

import contextvars
import logging
from typing import TYPE_CHECKING, final

from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import FAILED, JobErrorInfo

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jobs._job import JobSnapshot
    from ticketr.jobs._record import JobRecord

logger = logging.getLogger("ticketr.jobs")


@final
class FailureReporter:
    """Calls ``on_job_error`` for failed jobs whose outcome nobody has seen."""

    __slots__ = ("_context", "_on_job_error", "_stop_queue")

    def __init__(
        self,
        on_job_error: Callable[[JobSnapshot], object] | None,
        stop_queue: Callable[[BaseException], None],
    ) -> None:
        self._on_job_error = log_failure if on_job_error is None else on_job_error
        self._stop_queue = stop_queue
        self._context = contextvars.copy_context()  # not that of a job, which may be current later

    def report_if_unseen(self, record: JobRecord) -> None:
        """Report a job if it failed and nobody has seen its outcome."""
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
