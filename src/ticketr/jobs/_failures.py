"""Failures that nobody has asked about: each is reported once nobody can ask about it.

The handle of a job stands for the possibility to ask. There is at most one handle object for a job
(``QueueCore.handle_of``), and whatever may still ask holds it: the program, a submit that has not
returned, a reader that has the job's end unread. So a failure is reported at the job's end if there
is no handle by then, else when the handle goes. That may happen in any thread and between any two
lines, so the weak reference's callback only notes it and wakes the timer task, which reports the
failure in the same instant of Trio's clock.
"""

from __future__ import annotations

import contextvars
import logging
import weakref
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, final

import trio

from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import FAILED, JobErrorInfo
from ticketr.jobs._snapshot import snapshot_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ticketr.jobs._job import JobSnapshot
    from ticketr.jobs._record import JobRecord

logger = logging.getLogger("ticketr.jobs")


@final
class FailureReporter:
    """Calls ``on_job_error`` for failed jobs whose outcome nobody has seen.

    Attributes:
        cancels_queue: Whether the next job that fails cancels the others.
        fatal: The error of the job whose failure cancelled the others.
    """

    __slots__ = (
        "_context",
        "_gone",
        "_on_job_error",
        "_stop_queue",
        "_token",
        "_unreported",
        "_wake_timer",
        "cancels_queue",
        "fatal",
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
        self._token = trio.lowlevel.current_trio_token()
        self._unreported: dict[JobRecord, weakref.ref[object]] = {}
        self._gone: deque[JobRecord] = deque()

    def cancel_queue(self, error: BaseException) -> None:
        """Note the first failure of a queue that it cancels; later ones are reported."""
        self.cancels_queue = False
        self.fatal = error

    def job_failed(self, record: JobRecord, reference: weakref.ref[object] | None) -> None:
        """Report a job that has failed once its handle is gone, unless its outcome is seen.

        Args:
            record: The job's record.
            reference: Refers to the job's handle, if it has one.
        """
        handle = None if reference is None else reference()
        if handle is None:
            self.report_if_unseen(record)
        else:
            self._unreported[record] = weakref.ref(handle, partial(self._note_gone, record))

    def handle_of(self, record: JobRecord) -> object:
        """Return the handle that the report of a failed job waits for."""
        reference = self._unreported.get(record)
        return None if reference is None else reference()

    def _note_gone(self, record: JobRecord, _: object) -> None:
        """Note that a handle is gone, in any thread, and wake the timer task."""
        self._gone.append(record)
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._wake_timer, idempotent=True)

    @property
    def is_report_due(self) -> bool:
        """Whether the handle of a failed job is gone."""
        return bool(self._gone)

    def report_gone(self) -> None:
        """Report the failures about which nobody can ask now."""
        while self._gone:
            record = self._gone.popleft()
            if self._unreported.pop(record, None) is not None:
                self.report_if_unseen(record)

    def report_all(self) -> None:
        """Report every failure that nobody has seen."""
        for record in [*self._unreported]:
            self.report_if_unseen(record)
        self._unreported.clear()

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
    """Log a failure that nobody has seen: the default ``on_job_error``."""
    text = snapshot.error.traceback.rstrip() if snapshot.error is not None else ""
    logger.error("Job %r (%s) failed, and nobody asked:\n%s", snapshot.id, snapshot.name, text)
