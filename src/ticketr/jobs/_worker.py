"""One worker: it takes one job after the other, runs it in a scope, and writes its outcome.

The scope of a job. A worker is in a cancel scope, which belongs to the job that it runs. A job that
gives a value, and was not cancelled, leaves the scope as it was, so the next job can have it: to
make, enter and leave one takes two fifths of the time of a small job. After any other end the
worker leaves the scope, and enters a new one.

The context of a job. A worker switches to the context variables of each job (``switch_context``).
It need not if neither context holds a variable (but the queue's own, see ``_deadlock``) and the
worker's is that of a job that has ended, or a new one: no other job can see what this one leaves
there. The checkpoint is then only for the sake of other tasks, which need none if they have run
since the last job began.

Interrupts. Ctrl+C ends the queue. It lands in the job that runs, as an error of it, or in
``run_jobs_in_one_scope`` between two jobs, and leaves by the worker. All else here is protected
from it.

The outcome. It is read from what came out of the job's scope, not from what was asked for: a cancel may
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
import math
from contextvars import Context
from typing import Final, NamedTuple

import trio
from trio.lowlevel import Task, checkpoint, disable_ki_protection, enable_ki_protection

from ticketr._errors import JobTimedOut, RetryLater
from ticketr.jobs._arguments import call_inside
from ticketr.jobs._core import QueueCore
from ticketr.jobs._deadlock import ENCLOSING_QUEUES
from ticketr.jobs._groups import has_only_exceptions, leaves, strip_tracebacks, unwrap_single
from ticketr.jobs._handle import JobContext
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, CancelCause, JobErrorInfo, JobStatus
from ticketr.jobs._record import JobRecord
from ticketr.jobs._retry import delay_after
from ticketr.jobs._shutdown import refuse_and_cancel_pending
from ticketr.jobs._timer import handle_due_times
from ticketr.jobs._trio import (
    NO_CHECKPOINT_YET,
    needs_checkpoint_or_is_cancelled,
    split_cancelled,
    switch_context,
    try_make_scope_reusable,
)

logger = logging.getLogger("ticketr.jobs")


class NoValueOutcome(NamedTuple):
    """What follows from an attempt that gave no value: the status, the error, what is raised."""

    status: JobStatus
    cause: CancelCause | None = None
    """The cause to note unless there is one already."""
    error: BaseException | None = None
    """What the job failed with; None if its time limit passed."""
    outer_cancelled: BaseException | None = None
    """The Cancelled that goes on to the scope outside the queue that was cancelled."""
    is_fatal: bool = False
    """Whether the error ends the queue and leaves by its block."""


class RetryDelay(NamedTuple):
    """How long after a failed attempt the next one is due."""

    delay: float
    """The seconds until then."""
    counts_failed_attempt: bool
    """Whether the one that failed counts against the job's ``Retry``."""


def outcome_of(
    error: BaseException | None,
    *,
    cancel_requested: bool,
    is_cancelled_outside: bool,
    is_out_of_time: bool = False,
) -> NoValueOutcome:
    """Return the outcome of an attempt that gave no value. Pure.

    Args:
        error: What came out of the job's scope; None if the scope caught it all.
        cancel_requested: Whether a cancel of the job was requested.
        is_cancelled_outside: Whether a scope around the workers is cancelled.
        is_out_of_time: Whether the time limit of the attempt has passed.
    """
    if error is None and cancel_requested:
        return NoValueOutcome(CANCELLED)
    if error is None:
        return NoValueOutcome(FAILED, CancelCause.TIMEOUT)
    cancelled, rest = split_cancelled(error)
    if not has_only_exceptions(rest):
        return NoValueOutcome(FAILED, error=rest, is_fatal=True)
    stops = cancel_requested or is_cancelled_outside
    if stops and rest is not None and isinstance(unwrap_single(rest), RetryLater):
        outer_cancelled = cancelled if is_cancelled_outside else None
        return NoValueOutcome(CANCELLED, CancelCause.SCOPE, outer_cancelled=outer_cancelled)
    if cancelled is not None and not is_cancelled_outside:
        return NoValueOutcome(FAILED, error=error)
    if rest is not None:
        cause = CancelCause.TIMEOUT if is_out_of_time else None
        return NoValueOutcome(FAILED, cause, error=rest, outer_cancelled=cancelled)
    return NoValueOutcome(CANCELLED, CancelCause.SCOPE, outer_cancelled=error)


def next_attempt(record: JobRecord, outcome: NoValueOutcome, now: float) -> RetryDelay | None:
    """Return when to retry after an attempt with this outcome, if the job's ``Retry`` asks for it.

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
    if delay is None or record.has_used_up_total(now + delay):
        return None
    return RetryDelay(delay, is_counted)


def timed_out(record: JobRecord) -> JobTimedOut:
    """Return the error of a job whose time limit passed."""
    return JobTimedOut(record.id, record.name, record.last_attempt_limit_seconds)


VALUE_IF_SCOPE_CAUGHT_CANCEL: Final = object()
"""The value of an attempt whose scope caught a cancellation, that of a time limit included."""


@enable_ki_protection
async def work(core: QueueCore) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
    """Run jobs until cancelled: in one cancel scope until a job uses it up, then in the next."""
    task = trio.lowlevel.current_task()
    while True:  # noqa: ASYNC913 - each turn runs a job or waits for one
        value: object = VALUE_IF_SCOPE_CAUGHT_CANCEL
        try:
            with trio.CancelScope() as scope:
                value = await run_jobs_in_one_scope(core, task, scope)
            if value is VALUE_IF_SCOPE_CAUGHT_CANCEL:
                retry_or_end(core, task, None)
            else:
                core.finish(core.running[task], task, COMPLETED, value)
        except BaseException as error:  # noqa: ASYNC103 - it ends the job, or leaves
            if task not in core.running:
                if not isinstance(error, trio.Cancelled):  # Ctrl+C between two jobs
                    core.phase.note_cut_off_cause(CancelCause.SHUTDOWN)
                raise
            retry_or_end(core, task, error)


@disable_ki_protection
async def run_jobs_in_one_scope(core: QueueCore, task: Task, scope: trio.CancelScope) -> object:  # noqa: ASYNC910 - each turn has a checkpoint
    """Run one job after the other in a cancel scope, and return the value of the one that uses it up.

    A job that is cancelled before its first step has no first step.
    """
    schedule, waker, store, around = core.schedule, core.waker, core.store, core.around
    is_blank = False  # whether the worker's context has only the marks, and no other job sees it
    while True:  # noqa: ASYNC913 - each turn runs a job or waits for one
        if schedule.is_time_dependent:
            handle_due_times(core)
        # The last job is left to the worker that is being woken, if one is.
        can_start = schedule.pending > waker.wakeup_pending
        record = core.start_next(task, scope) if can_start else None
        if record is None:
            if not is_blank:
                enter_context(core, task, Context())
            context = task.context
            try:
                await waker.wait_for_wakeup(task)
            finally:
                waker.stop_waiting(task)
            is_blank = task.context is context
            del context  # the job may leave something in it
            continue
        function, args, variables, _ = record.call
        if variables or not is_blank:
            enter_context(core, task, variables)
        if needs_checkpoint_or_is_cancelled(task):
            await checkpoint()
        task.custom_sleep_data = NO_CHECKPOINT_YET  # until it is: Trio writes None
        if store is not None:
            await store.wait_all_written()  # a start is in the file before the call
        if around is not None:
            value = await call_inside(around, function, JobContext(record), args)
        elif args:
            value = await function(JobContext(record), *args)
        else:  # a call without a star takes less time
            value = await function(JobContext(record))
        if not try_make_scope_reusable(scope, task, record):
            return value
        core.finish(record, task, COMPLETED, value)
        del function, args, variables, record, value  # an idle worker keeps nothing of its last job
        is_blank = len(task.context) == 1  # to free the arguments may run the user's own code


def enter_context(core: QueueCore, task: Task, variables: Context) -> None:
    """Let a worker run in these context variables, with the marks of its queue."""
    if task.context is variables:
        ENCLOSING_QUEUES.set(core.marks)
    else:
        variables.run(ENCLOSING_QUEUES.set, core.marks)
        switch_context(task, variables)
        task.custom_sleep_data = NO_CHECKPOINT_YET  # the switch needs a checkpoint


def retry_or_end(core: QueueCore, worker: Task, error: BaseException | None) -> None:
    """Write the outcome of an attempt that gave no value: another one follows, or the job ends."""
    record = core.running[worker]
    is_cancelled_outside = trio.current_effective_deadline() == -math.inf
    if is_cancelled_outside:
        # Before this job ends, whichever task is the first to notice: what starts after it is
        # cancelled for the same reason as all else.
        refuse_and_cancel_pending(core, CancelCause.SCOPE)
    extras, retry = record.extras, None
    outcome = outcome_of(
        error,
        cancel_requested=extras.cancel_requested,
        is_cancelled_outside=is_cancelled_outside,
        is_out_of_time=record.attempt_scope.cancel_called,  # unless a cancel was requested
    )
    if core.phase.cut_off_cause is None and not extras.cancel_requested:
        try:
            retry = next_attempt(record, outcome, core.now())
        except BaseException as flaw:  # noqa: ASYNC103, BLE001 - the rule ends the program
            outcome = NoValueOutcome(FAILED, error=flaw, is_fatal=True)
    try:
        if retry is None or record.extras.cancel_requested:  # the rule may have requested it
            end_job_and_reraise_cancelled(core, record, worker, outcome)
        else:
            core.put_back(record, worker, retry.delay, counts_attempt=retry.counts_failed_attempt)
    finally:
        del error, outcome  # their tracebacks hold this frame


def end_job_and_reraise_cancelled(
    core: QueueCore, record: JobRecord, worker: Task, outcome: NoValueOutcome
) -> None:
    """End a job that gave no value, and raise what has to leave the worker."""
    status, cause, error, outer_cancelled, is_fatal = outcome
    if cause is CancelCause.SCOPE and core.phase.cut_off_cause is not None:
        cause = core.phase.cut_off_cause
    record.note_cause(cause)
    leaves_block = status is FAILED and (is_fatal or core.cancels_on_failed_job)
    info = None
    if error is not None:
        info = JobErrorInfo.of(error)
        if not leaves_block:
            strip_tracebacks(error)
    elif status is FAILED:
        info = JobErrorInfo.of(timed_out(record))
    if leaves_block:
        record.mark_outcome_seen()
    record.set_failure(error, info)
    core.finish(record, worker, status)
    if leaves_block:
        if is_fatal and error is not None:
            core.interrupt(error)
        else:
            core.end_for_failed_job(timed_out(record) if error is None else error)
        refuse_and_cancel_pending(core, CancelCause.SHUTDOWN)
    if outer_cancelled is not None:
        try:
            raise leaves(outer_cancelled)[0]  # any leaf will do, and Trio may look into a group
        finally:
            del error, outer_cancelled, outcome
