"""How an attempt ended, and whether another one follows.

The outcome is read from what came out of the job's scope, not from what was asked for: a cancel may
come too late, or be ignored. Nor does the type of the exception tell enough: ``trio.Cancelled`` may
come in groups, from a scope outside the queue, or from a scope that was closed long ago. A value is
COMPLETED, even if a cancel was requested. For all else this is the table; the first row that
applies counts. "Cancelled" means ``trio.Cancelled``, alone or as the only leaves of groups.

====================================================================  =========  =================
What came out of the scope                                            Status     Leaves the worker
====================================================================  =========  =================
Nothing: the scope caught a requested cancellation                    CANCELLED  nothing
Nothing, and no cancel was requested: the time limit passed           FAILED     nothing
Any leaf that is not an ``Exception``, such as KeyboardInterrupt      FAILED     it, by the block
``RetryLater``, after a cancel of the job or around the queue         CANCELLED  Cancelled, if outer
Cancelled, while nothing is cancelled around the queue: it was saved  FAILED     nothing
from a scope that is closed, and would stop the queue silently
An ``Exception``                                                      FAILED     Cancelled beside it
Cancelled                                                             CANCELLED  it
====================================================================  =========  =================
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from ticketr._errors import JobTimedOut, RetryLater
from ticketr.jobs._arguments.retry import delay_after
from ticketr.jobs._exceptions import split_cancelled
from ticketr.jobs._groups import has_only_exceptions, unwrap_single
from ticketr.jobs._job import CANCELLED, FAILED, CancelCause, JobErrorInfo

if TYPE_CHECKING:
    from ticketr.jobs._job import JobStatus
    from ticketr.jobs._record import JobRecord

logger = logging.getLogger("ticketr.jobs")


class Outcome(NamedTuple):
    """What follows from an attempt that gave no value: the status, the error, what is raised."""

    status: JobStatus
    cause: CancelCause | None = None
    """The cause to note unless there is one already."""
    error: BaseException | None = None
    """What the job failed with; None if its time limit passed."""
    leaving: BaseException | None = None
    """The Cancelled that goes on to the scope outside the queue that was cancelled."""
    is_fatal: bool = False
    """Whether the error ends the queue and leaves by its block."""


class NextAttempt(NamedTuple):
    """An attempt that follows one that failed."""

    delay: float
    """The seconds until it is due."""
    is_counted: bool
    """Whether the one that failed counts against the job's ``Retry``."""


def outcome_of(
    error: BaseException | None,
    *,
    cancel_requested: bool,
    is_cancelled_outside: bool,
    is_out_of_time: bool = False,
) -> Outcome:
    """Return the outcome of an attempt that gave no value. Pure.

    Args:
        error: What came out of the job's scope; None if the scope caught it all.
        cancel_requested: Whether a cancel of the job was requested.
        is_cancelled_outside: Whether a scope around the workers is cancelled.
        is_out_of_time: Whether the time limit of the attempt has passed.
    """
    if error is None and cancel_requested:
        return Outcome(CANCELLED)
    if error is None:
        return Outcome(FAILED, CancelCause.TIMEOUT)
    cancelled, rest = split_cancelled(error)
    if not has_only_exceptions(rest):
        return Outcome(FAILED, error=rest, is_fatal=True)
    stops = cancel_requested or is_cancelled_outside
    if stops and rest is not None and isinstance(unwrap_single(rest), RetryLater):
        leaving = cancelled if is_cancelled_outside else None
        return Outcome(CANCELLED, CancelCause.SCOPE, leaving=leaving)
    if cancelled is not None and not is_cancelled_outside:
        return Outcome(FAILED, error=error)
    if rest is not None:
        cause = CancelCause.TIMEOUT if is_out_of_time else None
        return Outcome(FAILED, cause, error=rest, leaving=cancelled)
    return Outcome(CANCELLED, CancelCause.SCOPE, leaving=error)


def next_attempt(record: JobRecord, outcome: Outcome, now: float) -> NextAttempt | None:
    """Return the attempt that follows one with this outcome, if the job's ``Retry`` asks for one.

    Calls the user's rule; an error of it is logged.
    """
    if outcome.status is not FAILED or outcome.is_fatal:
        return None
    if outcome.error is None:
        error: BaseException | None = timed_out(record)
    else:
        error = split_cancelled(outcome.error)[1]
    if error is None or not isinstance(error, Exception):
        return None
    try:
        delay = delay_after(error, record.retry, record.counted_attempts)
        is_counted = not isinstance(unwrap_single(error), RetryLater)
    except BaseException as flaw:  # noqa: ASYNC103 - the rule is user code
        if not has_only_exceptions(flaw):
            raise
        text = JobErrorInfo.of(flaw).traceback
        logger.error("the retry rule of job %r raised:\n%s", record.id, text)  # noqa: TRY400
        return None  # noqa: ASYNC104 - it is logged, and is not a Cancelled
    finally:
        del error, outcome  # their tracebacks hold this frame
    if delay is None or record.has_used_total(now + delay):
        return None
    return NextAttempt(delay, is_counted)


def timed_out(record: JobRecord) -> JobTimedOut:
    """Return the error of a job whose time limit passed."""
    return JobTimedOut(record.id, record.name, record.timeout)
