"""What a queue reports: failures that no task waits for, and the steps of its jobs in the log.

Each failure is reported once. The end of a failed job that a task or a map waits for is theirs. Any
other failure is reported a few steps of Trio later, in the same instant of its clock, unless a wait
begins in between: the job may have failed while its submitter could not run.
"""

from __future__ import annotations

import logging
import math
import traceback
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, final

from trio.lowlevel import checkpoint

from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import FAILED, PENDING, JobErrorInfo, JobSnapshot
from ticketr.jobs._record import JobRecord, snapshot_of
from ticketr.jobs._values import safe_repr

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore

logger = logging.getLogger("ticketr.jobs")


INFO: Final = logging.INFO
is_enabled_for: Final = logger.isEnabledFor
CHECKPOINTS_BEFORE_FAILURE_REPORT: Final = 3
"""Trio's steps from a failure until its report.

In the first one its submitter runs, in the second one the wait that the submitter has begun returns.
"""


@final
@dataclass(eq=False)
class FailureAndStepReporter:
    """Calls ``on_job_error`` for failed jobs that no task waits for, and logs the steps of jobs.

    The log is ``ticketr.jobs``: a submit and a start at DEBUG, an end at INFO. Each line has the
    fields ``job_id``, ``job_name``, ``job_key``, ``job_attempt``, ``job_event`` and ``job_seconds``.
    Handlers and filters are user code, which may use the queue. If one raises, that is printed as
    ``logging`` prints an error of a handler. So log a step only when it is done, and the queue is
    consistent.

    Attributes:
        unreported_failures: The failed jobs that are to be reported if no wait begins.
    """

    _core: QueueCore
    _on_job_error: Callable[[JobSnapshot], object]
    # Not that of a job, which may be current later.
    _context: Context = field(default_factory=copy_context)
    unreported_failures: deque[JobRecord] = field(default_factory=deque)

    # Failures

    def report_later_unless_awaited(self, record: JobRecord) -> None:
        """Report a failed job, unless a task waits for it or soon begins to."""
        if not record.is_awaited and not record.extras.outcome_seen:
            self.unreported_failures.append(record)
            self._core.timer.wake_at(-math.inf)

    async def report_unawaited_failures_soon(self) -> None:  # noqa: ASYNC910 - it has a checkpoint
        """Report the failures so far, once their submitters could have waited for them."""
        count = len(self.unreported_failures)
        for _ in range(CHECKPOINTS_BEFORE_FAILURE_REPORT):
            await checkpoint()
        for _ in range(count):
            self.report_if_unseen_failure(self.unreported_failures.popleft())

    def report_unseen_failures(self) -> None:
        """Report every failure that nobody has seen."""
        while self.unreported_failures:
            self.report_if_unseen_failure(self.unreported_failures.popleft())

    def report_if_unseen_failure(self, record: JobRecord) -> None:
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
                self._core.interrupt(error)

    # Steps

    def log_submitted(self, record: JobRecord) -> None:
        """Log that the queue took a job."""
        self._log(logging.DEBUG, record, "submitted", 0.0, "was submitted")

    def log_started(self, record: JobRecord) -> None:
        """Log that an attempt starts, and for how long the job was due."""
        waited = record.attempt_started_at - record.due_at
        self._log(logging.DEBUG, record, "started", waited, f"starts after a wait of {waited:g} s")

    def log_retry(self, record: JobRecord, now: float) -> None:
        """Log that an attempt ended and another one follows, unless it was cancelled by now."""
        if record.status is not PENDING:
            return
        ran, pause = now - record.attempt_started_at, record.due_at - now
        words = f"is retried in {pause:g} s, the attempt took {ran:g} s"
        self._log(INFO, record, "retry", ran, words)

    def log_ended(self, record: JobRecord, *, was_running: bool) -> None:
        """Log that a job ended, after how many seconds of running or else of being pending."""
        since = record.attempt_started_at if was_running else record.submitted_at
        seconds = record.finished_at - since
        words = f"{record.status} after {seconds:g} s"
        if record.status is FAILED and record.error is not None:
            words += f" with {record.error.type}"
        elif (cause := record.extras.cancel_cause) is not None:
            words += f", cause: {cause}"
        self._log(INFO, record, str(record.status), seconds, words)

    def _log(self, level: int, record: JobRecord, event: str, seconds: float, words: str) -> None:
        if not is_enabled_for(level):
            return
        key = record.extras.key
        shown = None if key is None else safe_repr(key)
        facts = {
            "job_id": record.id,
            "job_name": record.name,
            "job_key": key if type(key) is str else shown,
            "job_attempt": record.attempt,
            "job_event": event,
            "job_seconds": seconds,
        }
        try:
            place = "" if shown is None else f" of key {shown}"
            logger.log(level, "Job %r (%s)%s %s", record.id, record.name, place, words, extra=facts)
        except BaseException as error:  # noqa: ASYNC103, BLE001 - a handler or filter is user code
            if not has_only_exceptions(error):
                self._core.interrupt(error)
            elif logging.raiseExceptions:
                traceback.print_exception(error)


def log_failure(snapshot: JobSnapshot) -> None:
    """Log a failure that nobody waits for: the default ``on_job_error``."""
    text = snapshot.error.traceback.rstrip() if snapshot.error is not None else ""
    logger.error(
        "Job %r (%s) failed, and no task waits for it:\n%s", snapshot.id, snapshot.name, text
    )
