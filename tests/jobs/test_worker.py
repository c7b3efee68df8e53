"""How a job ends, in which context it runs, and what it keeps alive afterwards."""

from __future__ import annotations

import contextvars
import gc
import math
import signal
import weakref
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial

import pytest
import trio
from fakes.small_jobs import fail, forever, sleep, tidy
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    CancelOutcome,
    JobCancelled,
    JobContext,
    JobFailed,
    JobHandle,
    JobQueue,
    JobStatus,
    JobTimedOut,
    Retry,
    RetryLater,
    open_job_queue,
    plain,
)


async def nested(context: JobContext, children: int) -> str:
    """Wait in this many child tasks: cancelled, they raise a group, not a Cancelled."""
    async with trio.open_nursery() as nursery:
        for _ in range(children):
            nursery.start_soon(trio.sleep_forever)
        await trio.sleep_forever()
    return "never"


async def swallow(context: JobContext) -> str:
    with trio.CancelScope() as scope:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            scope.cancel()
            await trio.lowlevel.cancel_shielded_checkpoint()
            return "swallowed"
    return "never"


async def untidy(context: JobContext) -> None:
    try:
        await trio.sleep_forever()
    finally:
        raise ValueError("clean-up failed")


async def untidy_group(context: JobContext) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(untidy, context)
        nursery.start_soon(trio.sleep_forever)


async def fail_in_nursery(context: JobContext) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(fail, context)
        nursery.start_soon(trio.sleep_forever)


async def saved_cancelled() -> trio.Cancelled:
    """A Cancelled whose scope is closed."""
    with trio.CancelScope() as scope:
        scope.cancel()
        try:
            await trio.sleep_forever()
        except trio.Cancelled as error:
            saved = error
            raise
    return saved


async def raise_stray(context: JobContext) -> None:
    raise await saved_cancelled()


async def raise_stray_group(context: JobContext) -> None:
    raise BaseExceptionGroup("", [await saved_cancelled(), ValueError("and this")])


async def cancel_self_and_return(context: JobContext) -> str:
    queues[-1].cancel(context.id)
    return "value"


queues: list[JobQueue] = []

CANCELLED = (JobStatus.CANCELLED, CancelCause.USER, None)


@pytest.mark.parametrize(
    ("body", "args", "expected"),
    [
        (forever, (), CANCELLED),
        (nested, (0,), CANCELLED),
        (nested, (1,), CANCELLED),
        (nested, (2,), CANCELLED),
        (nested, (7,), CANCELLED),
        (tidy, (), CANCELLED),
        (swallow, (), (JobStatus.COMPLETED, CancelCause.USER, None)),
        (untidy, (), (JobStatus.FAILED, CancelCause.USER, "ValueError")),
        (untidy_group, (), (JobStatus.FAILED, CancelCause.USER, "ExceptionGroup")),
    ],
)
async def test_a_running_job_that_is_cancelled(
    body: Callable[..., Awaitable[object]],
    args: tuple[int, ...],
    expected: tuple[JobStatus, CancelCause, str | None],
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(body, *args)
        await trio.sleep(1)

        assert handle.cancel() is CancelOutcome.REQUESTED
        assert handle.cancel() is CancelOutcome.ALREADY_REQUESTED
        assert handle.snapshot().cancel_requested
        ended = await handle.wait()

        error = ended.error.type if ended.error else None
        assert (ended.status, ended.cancel_cause, error) == expected
        assert handle.cancel() is CancelOutcome.ALREADY_FINISHED
        assert handle.snapshot() == ended


@pytest.mark.parametrize(
    ("body", "expected", "cause", "error"),
    [
        (fail, JobStatus.FAILED, None, "ValueError"),
        (fail_in_nursery, JobStatus.FAILED, None, "ExceptionGroup"),
        (raise_stray, JobStatus.FAILED, None, "Cancelled"),
        (raise_stray_group, JobStatus.FAILED, None, "BaseExceptionGroup"),
        (forever, JobStatus.FAILED, CancelCause.TIMEOUT, "JobTimedOut"),
        (untidy, JobStatus.FAILED, CancelCause.TIMEOUT, "ValueError"),
        (swallow, JobStatus.COMPLETED, None, None),
        (cancel_self_and_return, JobStatus.COMPLETED, CancelCause.USER, None),
    ],
)
async def test_how_a_job_with_a_limit_ends_without_a_cancel(
    body: Callable[[JobContext], Awaitable[object]],
    expected: JobStatus,
    cause: CancelCause | None,
    error: str | None,
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(timeout=3) as queue:
        queues.append(queue)
        handle = await queue.submit(body)
        ended = await handle.wait()

        assert (ended.status, ended.cancel_cause) == (expected, cause)
        assert (ended.error.type if ended.error else None) == error
        # Whatever it was, the worker goes on.
        after = await queue.submit(swallow)
        assert (await after.wait()).status is JobStatus.COMPLETED
    queues.clear()


async def test_a_pending_job_that_is_cancelled_is_never_called(autojump_clock: MockClock) -> None:
    async def never(context: JobContext) -> None:
        pytest.fail("it was called")

    async with open_job_queue() as queue:
        blocker = await queue.submit(tidy)
        await wait_all_tasks_blocked()
        handle = await queue.submit(never)

        assert handle.cancel() is CancelOutcome.CANCELLED
        ended = handle.snapshot()
        assert (ended.status, ended.cancel_cause) == (JobStatus.CANCELLED, CancelCause.USER)
        assert (ended.started_at, ended.finished_at, ended.attempt) == (None, 0, 0)
        assert handle.cancel() is CancelOutcome.ALREADY_FINISHED
        blocker.cancel()


class CancelOnceTaken(trio.abc.Instrument):
    """Cancels a job when a worker has taken it but has not run since."""

    def __init__(self) -> None:
        self.handle: JobHandle[None] | None = None
        self.outcome: CancelOutcome | None = None

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if self.handle is not None and self.handle.status is JobStatus.RUNNING:
            self.outcome, self.handle = self.handle.cancel(), None


async def test_a_job_cancelled_between_taking_and_first_step_is_not_called(
    autojump_clock: MockClock,
) -> None:
    called = []

    async def note(context: JobContext) -> None:
        called.append(context.id)

    instrument = CancelOnceTaken()
    trio.lowlevel.add_instrument(instrument)
    async with open_job_queue() as queue:
        first = await queue.submit(note)
        second = instrument.handle = await queue.submit(note)

    assert called == [first.id]
    assert instrument.outcome is CancelOutcome.REQUESTED
    assert second.status is JobStatus.CANCELLED


async def test_a_time_limit_runs_from_the_start_not_from_the_submit(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        await queue.submit(forever, timeout=5)
        handle = await queue.submit(forever, timeout=2)

        ended = await handle.wait()

    assert (ended.started_at, ended.finished_at) == (5, 7)


@pytest.mark.parametrize("is_zero", [True, False])
async def test_a_job_whose_time_is_over_before_its_first_step_is_not_called(
    is_zero: bool, autojump_clock: MockClock
) -> None:
    calls: list[float] = []

    async def try_later(context: JobContext) -> None:
        calls.append(trio.current_time())
        await trio.sleep(1)
        raise RetryLater(1)

    async with open_job_queue() as queue:
        await wait_all_tasks_blocked()  # the worker that is woken begins without a step of its own
        if is_zero:
            handle = await queue.submit(try_later, timeout=0)
        else:
            handle = await queue.submit(try_later, retry=Retry(total=3))
            await trio.sleep(1.5)
            queue.pause()
            await trio.sleep(1.5)
            queue.resume()
        ended = await handle.wait()

    assert calls == ([] if is_zero else [0])
    assert (ended.status, ended.cancel_cause) == (JobStatus.FAILED, CancelCause.TIMEOUT)


@pytest.mark.parametrize("limit", [2, math.inf])
@pytest.mark.parametrize("is_late", [True, False])
async def test_the_limit_of_a_job_that_gave_a_value_is_not_that_of_the_next_one(
    limit: float, is_late: bool, autojump_clock: MockClock
) -> None:
    async def work(context: JobContext, seconds: float) -> str:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)
        await trio.lowlevel.cancel_shielded_checkpoint()
        return "value"

    async with open_job_queue() as queue:
        first = await queue.submit(work, 3 if is_late else 1, timeout=2)
        second = await queue.submit(sleep, 1.5, timeout=limit)
        third = await queue.submit(sleep, 9)

    assert [job.status for job in (first, second, third)] == [JobStatus.COMPLETED] * 3
    assert trio.current_time() == (13.5 if is_late else 11.5)


async def test_the_reason_of_a_cancel_reaches_the_job(autojump_clock: MockClock) -> None:
    heard = []

    async def listen(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled as cancelled:
            heard.append(str(cancelled))
            raise

    async with open_job_queue() as queue:
        handle = await queue.submit(listen)
        await wait_all_tasks_blocked()
        queue.cancel(handle.id, reason="user pressed Esc")

    assert "user pressed Esc" in heard[0]


async def test_result_raises_what_became_of_the_job(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=4) as queue:
        failed = await queue.submit(fail)
        cancelled = await queue.submit(forever)
        late = await queue.submit(forever, timeout=2)
        through = await queue.submit(plain(late.result))
        await wait_all_tasks_blocked()
        cancelled.cancel()

        with pytest.raises(JobFailed) as failure:
            await failed.result()
        with pytest.raises(JobCancelled) as cancel:
            await cancelled.result()
        with pytest.raises(JobTimedOut) as timeout:
            await late.result()
        with pytest.raises(JobFailed) as indirect:
            await through.result()

    assert (failure.value.job_id, failure.value.name) == (failed.id, "fail")
    assert (failure.value.error_type, failure.value.message) == ("ValueError", "no good")
    assert isinstance(failure.value.__cause__, ValueError)
    assert cancel.value.cause is not None
    assert cancel.value.cause == CancelCause.USER
    assert timeout.value.timeout == 2
    assert isinstance(indirect.value.__cause__, JobTimedOut)


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


async def test_a_job_sees_the_context_of_its_submitter(autojump_clock: MockClock) -> None:
    seen: list[list[str]] = []

    async def look(context: JobContext) -> None:
        values = [variable.get()]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child, values)
        token = variable.set("of the job")
        await trio.sleep(1)
        values.append(variable.get())
        variable.reset(token)
        seen.append(values)

    async def child(values: list[str]) -> None:
        values.append(variable.get())
        variable.set("of the child")

    async with open_job_queue(workers=2) as queue:
        for name in "abcd":
            variable.set(name)
            await queue.submit(look)
        variable.set("set after the submit")

    assert sorted(seen) == [[name, name, "of the job"] for name in "abcd"]
    assert variable.get() == "set after the submit"


class Big:
    """An object whose end can be observed."""


@pytest.mark.parametrize("end", ["value", "error", "cancel"])
async def test_a_job_that_has_ended_keeps_nothing_alive_but_the_call_of_a_failed_one(
    end: str, autojump_clock: MockClock
) -> None:
    watched: list[weakref.ref[Big]] = []

    def big() -> Big:
        thing = Big()
        watched.append(weakref.ref(thing))
        return thing

    async def hold(context: JobContext, thing: Big) -> None:
        variable.set(big())
        local = big()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(fail_or_sleep, local)

    async def fail_or_sleep(local: Big) -> None:
        try:
            raise KeyError  # noqa: TRY301
        except KeyError as error:
            if end == "error":
                raise ValueError("no good") from error
        await trio.sleep(1)

    variable: contextvars.ContextVar[Big] = contextvars.ContextVar("variable")
    gc.collect()
    gc.disable()  # so that a reference cycle would be noticed
    try:
        async with open_job_queue() as queue:
            handle = await queue.submit(hold, big())
            await wait_all_tasks_blocked()
            if end == "cancel":
                handle.cancel()
            await handle.wait()
            await wait_all_tasks_blocked()

            assert [ref() is not None for ref in watched] == [end == "error", False, False]
    finally:
        gc.enable()


def test_ctrl_c_in_a_job_is_delivered_there_and_nowhere_else() -> None:
    protected = []

    async def child() -> None:
        protected.append(trio.lowlevel.currently_ki_protected())

    async def body(context: JobContext) -> None:
        protected.append(trio.lowlevel.currently_ki_protected())
        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("not interrupted")

    async def main() -> None:
        async with open_job_queue() as queue:
            protected.append(trio.lowlevel.currently_ki_protected())
            await queue.run(body)

    with pytest.raises(KeyboardInterrupt):
        trio.run(main)
    assert protected == [False, False, False]


# How many steps a job takes, which workers it wakes, and in which context the next one runs.


class WorkerSteps(trio.abc.Instrument):
    steps = 0

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.steps += "ticketr worker" in task.name


async def count_steps() -> None:
    async def nothing(context: JobContext) -> None:
        """Do nothing."""

    counter = WorkerSteps()
    trio.lowlevel.add_instrument(counter)
    async with open_job_queue(workers=3, max_pending=5) as queue:
        for _ in range(500):
            await queue.submit(nothing)
        await queue.wait_idle()
        await wait_all_tasks_blocked()
        assert counter.steps < 520
        before = counter.steps
        for _ in range(100):
            await queue.run(nothing)
            await wait_all_tasks_blocked()
        assert counter.steps == before + 100
        before = counter.steps
        for _ in range(500):
            queue.submit_nowait(nothing)
            await trio.lowlevel.checkpoint()
        await queue.wait_idle()
        assert counter.steps - before < 520


@pytest.mark.parametrize("has_variables", [False, True])
def test_a_job_costs_its_worker_one_step(has_variables: bool) -> None:
    context = contextvars.Context()
    if has_variables:
        context.run(variable.set, "of the submitter")
    context.run(partial(trio.run, count_steps, clock=MockClock(autojump_threshold=0)))


def in_no_context(main: Callable[[], Awaitable[object]]) -> None:
    """Run Trio where no context variable is set, not even those around the test."""
    contextvars.Context().run(partial(trio.run, main, clock=MockClock(autojump_threshold=0)))


def test_a_job_that_slept_leaves_its_worker_to_the_next_one_in_the_same_step() -> None:
    async def sleep(context: JobContext) -> None:
        await trio.sleep(1)

    counter = WorkerSteps()

    async def main() -> None:
        trio.lowlevel.add_instrument(counter)
        async with open_job_queue(max_pending=None) as queue:
            for _ in range(100):
                queue.submit_nowait(sleep)

    in_no_context(main)
    assert 100 <= counter.steps < 110


def test_between_two_jobs_that_do_not_sleep_others_have_a_turn() -> None:
    turns = 0

    async def nothing(context: JobContext) -> None:
        """Do nothing."""

    async def main() -> None:
        nonlocal turns
        async with open_job_queue(max_pending=None) as queue:
            for _ in range(100):
                queue.submit_nowait(nothing)
            while queue.statistics().completed != 100:
                await trio.lowlevel.checkpoint()
                turns += 1

    in_no_context(main)
    assert turns >= 99


@pytest.mark.parametrize("left", [None, "left", "left by an argument"])
@pytest.mark.parametrize("names", [(None, "b"), ("a", None), (None, None), ("a", "b")])
def test_the_next_job_sees_its_own_context_only(
    names: tuple[str | None, str | None], left: str | None
) -> None:
    seen: list[str | None] = []

    class Argument:
        def __del__(self) -> None:
            if left == "left by an argument":
                word.set(left)

    async def look(context: JobContext, argument: Argument) -> None:
        seen.append(word.get())
        await trio.sleep(1)
        if left == "left":
            word.set(left)

    async def main() -> None:
        async with open_job_queue() as queue:
            for name in (*names, None, None):
                submitter = contextvars.Context()
                if name is not None:
                    submitter.run(word.set, name)
                submitter.run(queue.submit_nowait, look, Argument())

    word: ContextVar[str | None] = ContextVar("word", default=None)
    in_no_context(main)
    assert seen == [*names, None, None]


def test_what_a_job_leaves_in_its_context_is_freed_while_the_next_one_runs() -> None:
    queue: JobQueue
    seen: list[int] = []
    left = weakref.WeakSet[Big]()

    async def leave(context: JobContext) -> None:
        variable.set(thing := Big())
        left.add(thing)
        contextvars.Context().run(queue.submit_nowait, look)

    async def look(context: JobContext) -> None:
        seen.append(len(left))

    async def main() -> None:
        nonlocal queue
        async with open_job_queue(workers=1) as queue:
            await wait_all_tasks_blocked()  # the worker waits for a job
            contextvars.Context().run(queue.submit_nowait, leave)
            await queue.wait_idle()

    variable: ContextVar[Big] = ContextVar("variable")
    in_no_context(main)
    assert seen == [0]


def test_a_woken_worker_runs_no_job_among_what_another_may_see() -> None:
    """The worker is woken in the context of the first job, and takes the second."""
    seen: list[str | None] = []

    async def look(context: JobContext) -> None:
        seen.append(word.get())
        word.set("left")

    async def main() -> None:
        async with open_job_queue() as queue:
            for _ in range(30):  # depends on which task Trio runs first
                await wait_all_tasks_blocked()
                queue.submit_nowait(look)
                await queue.submit(look, priority=1)

    word: ContextVar[str | None] = ContextVar("word", default=None)
    in_no_context(main)
    assert seen == [None] * 60
