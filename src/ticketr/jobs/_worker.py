"""What a worker does: it waits for a job, runs it in its own scope, and judges how it ended.

The context. A job runs in the context variables of its submitter, but the worker is a
task of its own with a context of its own. Trio enters ``task.context`` anew at each
step of a task, so a worker that sets it and passes one checkpoint has changed sides.
A worker that was idle does not even need that checkpoint: who wakes it has set its
context before, and the wake-up is the change. This costs nothing against a plain
worker loop, where a task for each job would cost a third of the speed. And if neither
context holds a variable, there is no side to change, as long as the worker's is that of
a job that has ended, or its own, made anew: no other job may see what this one leaves
there. The checkpoint is then only for the sake of others, who need none if they had
their turn since the last job began.

Lingering. A worker that finds nothing to do while somebody is about to return from a
submit does not wait on the channel: it looks again one step later, when the next job is
often there, and no wake-up is sent. Until then it counts as the worker that is being
woken.

The verdict. What came out of a job's scope says how it ended, not what was asked for
(a cancel may come too late, or be ignored), and not the type of the exception alone
(``trio.Cancelled`` may come in groups, from a scope outside the queue, or from a
scope that was closed long ago). ``judge`` is that table.

Interrupts. A job is not protected from KeyboardInterrupt, so neither is ``work``, which
calls it; all else that touches the books is. An interrupt that lands in there belongs to
the job that the worker runs by the books. If it runs none, the interrupt leaves by the
worker. Both end the queue. One that comes just before ``retry_or_end`` (CPython
looks for signals at no place in there, but does not promise that) is handled in its place.
"""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import trio
from trio.lowlevel import (
    cancel_shielded_checkpoint,
    checkpoint,
    checkpoint_if_cancelled,
    disable_ki_protection,
    enable_ki_protection,
)

from ticketr._errors import JobTimedOut, RetryLater
from ticketr.jobs._clock import handle_due_times, new_timer_scope
from ticketr.jobs._closing import abandon, warn_of_stuck_jobs
from ticketr.jobs._context import JobContext
from ticketr.jobs._groups import (
    has_only_exceptions,
    leaves,
    make_splittable,
    split_cancelled,
    strip_tracebacks,
    unwrap_single,
)
from ticketr.jobs._job import CANCELLED, COMPLETED, FAILED, CancelCause, JobErrorInfo
from ticketr.jobs._retry import delay_after

if TYPE_CHECKING:
    from ticketr.jobs._core import QueueCore
    from ticketr.jobs._job import JobStatus
    from ticketr.jobs._record import JobRecord
    from ticketr.jobs._recorder import Recorder
    from ticketr.jobs._updates import Subscriptions


logger = logging.getLogger("ticketr.jobs")

NOT_RESCHEDULED: Final = object()
"""Marks a task until it is next rescheduled, which is when Trio takes such a mark away."""
LEFT_OPEN: Final = "a job has left a nursery open: enter it by 'async with trio.open_nursery()'"
CAUGHT: Final = object()
"""Stands for the value if the job's scope caught its cancellation, a time limit included."""


@disable_ki_protection
async def work(core: QueueCore) -> None:  # noqa: ASYNC910 - each turn has a checkpoint
    """Run one job after the other until cancelled."""
    schedule, subscriptions, idle = core.schedule, core.subscriptions, core.idle
    task = trio.lowlevel.current_task()
    core.wait_graph.workers[task] = core
    own_context = task.context
    # Whether the others have had their turn since its last job began, and its context, if that
    # is empty, is free for another job.
    is_free = False
    try:
        while True:  # noqa: ASYNC913 - each turn runs a job or waits for one
            try:
                if schedule.is_time_dependent:
                    handle_due_times(core)
                # The last job is left to the worker that is being woken, if one is.
                record = core.take(task) if schedule.pending > core.wakeup_pending else None
                if record is None:
                    task.context = own = own_context.copy()
                    if core.returning_submits and not core.wakeup_pending:
                        core.wakeup_pending = True  # as if it had been woken
                        idle.appendleft(task)
                        await cancel_shielded_checkpoint()  # an interrupt in here ends the queue
                        idle.popleft()
                    else:
                        idle.append(task)
                        try:
                            await core.wakeup_receiver.receive()
                        finally:
                            idle.remove(task)
                    core.wakeup_pending, is_free = False, task.context is own
                    del own  # the job may leave something in it
                    continue
                value: object = CAUGHT
                with record.scope:
                    # Cancelled before its first step: then it has no first step.
                    if task.context is record.context or (
                        is_free and not task.context and not record.context
                    ):
                        await checkpoint_if_cancelled()
                    else:
                        task.context = record.context
                        await checkpoint()
                    task.custom_sleep_data = NOT_RESCHEDULED
                    value = await call(record, subscriptions, task)
                is_free = task.custom_sleep_data is None
                if value is CAUGHT:
                    retry_or_end(core, task, None)
                else:
                    core.finish(record, COMPLETED, value)
                del record, value  # an idle worker keeps nothing of its last job alive
            except BaseException as error:  # noqa: ASYNC103 - judged, and passed on if need be
                if task.child_nurseries:  # it returned, and the end of its scope failed
                    retry_or_end(core, task, await close_leftovers(task, RuntimeError(LEFT_OPEN)))  # noqa: ASYNC102 - it waits for the tasks of cancelled nurseries alone
                elif not retry_or_end(core, task, error):
                    raise
                is_free = False
    except BaseException as error:  # noqa: ASYNC103 - judged, and passed on if need be
        # The retry rule calls sys.exit(), or an interrupt came just before the other call.
        retry_or_end(core, task, error)
        if not any(error is known for known in core.fatal):  # or it leaves by the block
            raise
    finally:
        del core.wait_graph.workers[task]
        core.request_deadlock_check()  # who keeps the time may have waited for this one to end


async def call(
    record: JobRecord, subscriptions: Subscriptions[JobRecord], worker: trio.lowlevel.Task
) -> object:
    """Call the function of a job, and let out only what its scope can deal with."""
    try:
        if record.args:
            return await record.function(JobContext(record, subscriptions), *record.args)
        # A call without a star takes less time.
        return await record.function(JobContext(record, subscriptions))
    except BaseException as error:
        await reraise_after_cleanup(worker, error)  # noqa: ASYNC102 - it waits for the tasks of cancelled nurseries alone
        raise


async def reraise_after_cleanup(worker: trio.lowlevel.Task, error: BaseException) -> None:
    """Raise what is to go on in the place of a job's error, if that needs mending."""
    whole = await close_leftovers(worker, error)
    if whole is error:
        return
    try:
        raise whole
    finally:
        whole.__context__ = None  # it is in there already, in parts
        del error, whole  # their tracebacks hold this frame


async def close_leftovers(worker: trio.lowlevel.Task, error: BaseException) -> BaseException:
    """Close what a job has left open, and replace an error that Trio could not take apart.

    This is done inside the job's scope, whose end would fail in the middle otherwise.

    Returns:
        The error to go on with, the same one if there is nothing to mend.
    """
    nurseries = worker.child_nurseries
    if not nurseries:
        return make_splittable(error)  # noqa: ASYNC910 - the job has ended
    found = [error]
    if all(type(leaf) is trio.Cancelled for leaf in leaves(error)):
        found.append(RuntimeError(LEFT_OPEN))  # or it would not be told of
    for nursery in reversed(nurseries):
        found += await close_nursery(nursery)
    return make_splittable(error if len(found) == 1 else BaseExceptionGroup(LEFT_OPEN, found))  # noqa: ASYNC910 - the job has ended


async def close_nursery(nursery: trio.Nursery) -> list[BaseException]:
    """Cancel a nursery that was entered and not left, and wait for its tasks.

    Returns:
        What they raised.
    """
    nursery.cancel_scope.cancel("the job has ended without leaving this nursery")
    # What ``async with`` would do, and Trio does it in no other way.
    finish = nursery._nested_child_finished  # noqa: SLF001
    # If an async generator has entered it, its end would do the same, in a task of Trio's, and
    # wait for ever or take a nursery of the worker's next job off its list.
    nursery._nested_child_finished = refuse_to_close  # type: ignore[method-assign, assignment]  # noqa: SLF001
    error = await finish(None)
    kind = None if error is None else type(error)
    try:
        is_done = nursery.cancel_scope.__exit__(kind, error, None)
    except BaseException as rest:  # noqa: ASYNC103, BLE001 - it is told with the job's own
        return [rest]  # noqa: ASYNC104 - it is told with the job's own
    return [] if error is None or is_done else [error]


async def refuse_to_close(_: BaseException | None) -> BaseException | None:
    """Stand for the end of a nursery that is closed already."""
    raise RuntimeError(LEFT_OPEN)


@enable_ki_protection
async def record_history(core: QueueCore, recorder: Recorder) -> None:
    """Write down the jobs that have ended; nothing that a job waits for comes of it."""
    task = trio.lowlevel.current_task()
    core.wait_graph.queue_tasks[task] = core
    try:
        await recorder.write()
    finally:
        del core.wait_graph.queue_tasks[task]


@enable_ki_protection
async def run_timer(core: QueueCore) -> None:
    """Do what it is time for, and notice when the workers are cancelled from outside.

    The workers themselves may notice late, for instance while their jobs clean up.
    """
    task = trio.lowlevel.current_task()
    core.wait_graph.queue_tasks[task] = core
    try:
        while True:
            await wait_for_timer(core)
    except trio.Cancelled:
        abandon(core, CancelCause.SCOPE)
        # Jobs that clean up in a shield may wait for each other, too. This ends as they do.
        with trio.CancelScope(shield=True):  # noqa: ASYNC912 - it ends with the workers
            while core.running and core in core.wait_graph.workers.values():
                await wait_for_timer(core)
        raise
    finally:
        del core.wait_graph.queue_tasks[task]


async def wait_for_timer(core: QueueCore) -> None:
    """Wait until it is time for something, or waits are suspect, and see to it."""
    core.deadline = trio.current_effective_deadline()
    with new_timer_scope(core):
        await trio.sleep_forever()
    handle_due_times(core)
    warn_of_stuck_jobs(core)
    while core.deadlock_check_due:
        core.deadlock_check_due = False
        core.deadline = trio.current_effective_deadline()
        await core.wait_graph.resolve()


@enable_ki_protection
def retry_or_end(core: QueueCore, worker: trio.lowlevel.Task, error: BaseException | None) -> bool:
    """See to a job that gave no value: it is tried again, or it has ended.

    Returns:
        False if the worker has no job, so that the error is its own.
    """
    record = core.running.get(worker)
    if record is None:
        return False
    try:
        verdict = judge(error, asked=record.cancel_requested)
        retry = delay_of_next(core, record, verdict)
    except BaseException as flaw:  # noqa: ASYNC103 - the error's own code may raise anything
        if not has_only_exceptions(flaw):
            raise
        verdict, retry = Verdict(FAILED, error=flaw), None
    try:
        if retry is None or record.cancel_requested:  # the rule may have done anything
            conclude(core, record, verdict)
        else:
            core.put_back(record, retry.delay, is_counted=retry.is_counted)
    finally:
        del error, verdict  # their tracebacks hold this frame
    return True


class Verdict(NamedTuple):
    """How a job without a value ended."""

    status: JobStatus
    cause: CancelCause | None = None
    """A cause to note unless there is one already."""
    error: BaseException | None = None
    """What it failed with; none if its time was over."""
    leaving: BaseException | None = None
    """The Cancelled that goes on to whoever cancelled the workers."""
    is_fatal: bool = False
    """Whether it ends the queue and leaves by its block."""


def judge(error: BaseException | None, *, asked: bool) -> Verdict:
    """Tell how a job ended that gave no value.

    Args:
        error: What came out of its scope; None if the scope caught it all.
        asked: Whether its cancellation was asked for.
    """
    if error is None:
        if asked:
            return Verdict(CANCELLED)
        return Verdict(FAILED, CancelCause.TIMEOUT)
    cancelled, rest = split_cancelled(error)
    outside = trio.current_effective_deadline() == -math.inf
    if not has_only_exceptions(rest):
        return Verdict(FAILED, error=rest, is_fatal=True)
    if (
        rest is not None
        and issubclass(type(unwrap_single(rest)), RetryLater)
        and (asked or outside)
    ):
        # It wanted to stop for now, and it is to stop for good.
        return Verdict(CANCELLED, CancelCause.SCOPE, leaving=cancelled if outside else None)
    if cancelled is not None and not outside:
        # Nobody cancels, so this was saved from a scope closed before. Let out, it would
        # stop the queue without a word.
        return Verdict(FAILED, error=error)
    if rest is not None:
        return Verdict(FAILED, error=rest, leaving=cancelled)
    return Verdict(CANCELLED, CancelCause.SCOPE, leaving=error)


class NextAttempt(NamedTuple):
    """An attempt that follows one that failed."""

    delay: float
    """The seconds until it is due."""
    is_counted: bool
    """Whether the one that failed counts against the job's ``Retry``."""


def delay_of_next(core: QueueCore, record: JobRecord, verdict: Verdict) -> NextAttempt | None:
    """Return the next attempt; None if that was the last one."""
    if verdict.status is not FAILED or verdict.is_fatal or record.cancel_requested:
        return None
    if core.cut_off_cause is not None or trio.current_effective_deadline() == -math.inf:
        return None
    error: BaseException | None
    if verdict.error is None:
        error = JobTimedOut(record.id, record.name, record.timeout)
    else:
        error = split_cancelled(verdict.error)[1]
    if error is None or not issubclass(type(error), Exception):
        return None
    try:
        delay = delay_after(cast("Exception", error), record.retry, record.counted_attempts)
        is_counted = not issubclass(type(unwrap_single(error)), RetryLater)
    except BaseException as flaw:  # noqa: ASYNC103 - the rule is user code
        if not has_only_exceptions(flaw):
            raise
        text = JobErrorInfo.of(flaw).traceback
        logger.error("the retry rule of job %r raised:\n%s", record.id, text)  # noqa: TRY400
        return None  # noqa: ASYNC104 - it is logged, and is no Cancelled
    finally:
        del error, verdict  # their tracebacks hold this frame
    return None if delay is None else NextAttempt(delay, is_counted)


def conclude(core: QueueCore, record: JobRecord, verdict: Verdict) -> None:
    """Write the verdict down, and raise what has to leave the worker."""
    status, cause, error, leaving, is_fatal = verdict
    if cause is CancelCause.SCOPE and core.cut_off_cause is not None:
        cause = core.cut_off_cause
    record.note_cause(cause)
    info = None
    if error is not None:
        info = JobErrorInfo.of(error)
        if not is_fatal:
            strip_tracebacks(error)
    elif status is FAILED:
        info = JobErrorInfo.of(JobTimedOut(record.id, record.name, record.timeout))
    if is_fatal:
        record.mark_outcome_seen()  # it leaves by the block, so it is not silent
    record.set_failure(error, info)
    core.finish(record, status)
    if is_fatal and error is not None:
        core.interrupt(error)
        abandon(core, CancelCause.SHUTDOWN)
    if leaving is not None:
        try:
            raise leaves(leaving)[0]  # which one is all the same, and Trio may look into a group
        finally:
            del error, leaving, verdict
