"""Log what happens to the jobs of a queue."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Final, final

from ticketr.jobs._groups import has_only_exceptions
from ticketr.jobs._job import FAILED, PENDING
from ticketr.jobs._record import JobRecord
from ticketr.jobs._values import safe_repr

logger = logging.getLogger("ticketr.jobs")
INFO: Final = logging.INFO
is_enabled_for: Final = logger.isEnabledFor


@final
class LifecycleLog:
    """Logs the steps of jobs to ``ticketr.jobs``: a submit and a start at DEBUG, an end at INFO.

    Each line has the fields ``job_id``, ``job_name``, ``job_key``, ``job_attempt``,
    ``job_event`` and ``job_seconds``. Handlers and filters are user code, which may use the queue.
    If one raises, that is printed as ``logging`` prints an error of a handler.

    Call a method only when the step is done, and the queue is consistent.
    """

    __slots__ = ("_stop_queue",)

    def __init__(self, stop_queue: Callable[[BaseException], None]) -> None:
        self._stop_queue = stop_queue

    def submitted(self, record: JobRecord) -> None:
        """Log that the queue took a job."""
        self._log(logging.DEBUG, record, "submitted", 0.0, "was submitted")

    def started(self, record: JobRecord) -> None:
        """Log that an attempt starts, and for how long the job was due."""
        waited = record.started_at - record.due_at
        self._log(logging.DEBUG, record, "started", waited, f"starts after a wait of {waited:g} s")

    def put_back(self, record: JobRecord, now: float) -> None:
        """Log that an attempt ended and another one follows, unless it was cancelled by now."""
        if record.status is not PENDING:
            return
        ran, pause = now - record.started_at, record.due_at - now
        words = f"is retried in {pause:g} s, the attempt took {ran:g} s"
        self._log(INFO, record, "retry", ran, words)

    def ended(self, record: JobRecord, *, was_running: bool) -> None:
        """Log that a job ended, after how many seconds of running or else of being pending."""
        since = record.started_at if was_running else record.submitted_at
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
                self._stop_queue(error)
            elif logging.raiseExceptions:
                traceback.print_exception(error)
