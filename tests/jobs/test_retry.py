"""Retries."""

from __future__ import annotations

import contextvars
import inspect
import math
from typing import Any

import pytest
import trio
from fakes.small_jobs import quiet, sleep
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    GiveUp,
    JobContext,
    JobFailed,
    JobStatus,
    JobTimedOut,
    Retry,
    RetryLater,
    open_job_queue,
)

THRICE = Retry(3, jitter=0)


class Trial:
    """A job that raises the given errors in turn, each after one second."""

    def __init__(self, *failures: BaseException | None) -> None:
        self.failures = failures
        self.attempts: list[int] = []
        self.times: list[float] = []

    async def job(self, context: JobContext) -> str:
        self.attempts.append(context.attempt)
        self.times.append(trio.current_time())
        await trio.sleep(1)
        failure = self.failures[len(self.attempts) - 1]
        if failure is not None:
            raise failure
        return "done"

    @property
    def gaps(self) -> list[float]:
        """Return the seconds from the end of each attempt to the start of the next."""
        return [b - a - 1 for a, b in zip(self.times, self.times[1:], strict=False)]


def test_waits_grow_up_to_the_cap() -> None:
    retry = Retry(9, first=2, factor=3, cap=50, jitter=0)

    assert [retry.delay(attempt) for attempt in (1, 2, 3, 4, 5)] == [2, 6, 18, 50, 50]
    assert Retry(9).delay(9, lambda: 0.0) == 0
    assert Retry(9).delay(9, lambda: 1.0) == 60


def test_a_wait_too_long_for_a_number_is_the_cap() -> None:
    assert Retry(9, factor=10, cap=50, jitter=0).delay(10**6) == 50
    assert Retry(9, first=math.inf, cap=50, jitter=0).delay(1) == 50


@pytest.mark.parametrize(("jitter", "low"), [(1.0, 0.0), (0.5, 4.0), (0.0, 8.0)])
def test_jitter_is_the_part_that_is_random(jitter: float, low: float) -> None:
    assert Retry(9, first=8, jitter=jitter).delay(1, lambda: 0.0) == low
    assert Retry(9, first=8, jitter=jitter).delay(1, lambda: 1.0) == 8


@pytest.mark.parametrize(
    "options",
    [
        {"attempts": 0},
        {"first": -1},
        {"first": math.nan},
        {"factor": 0.5},
        {"factor": math.nan},
        {"jitter": math.nan},
        {"cap": math.inf},
        {"jitter": 1.1},
        {"total": 0},
        {"total": math.nan},
    ],
    ids=str,
)
def test_nonsense_is_refused(options: dict[str, Any]) -> None:
    (name,) = options

    with pytest.raises(ValueError, match=f"^{name} must be"):
        Retry(**{"attempts": 1, **options})


@pytest.mark.parametrize("on", [3, int, (OSError, int), (OSError, 3)], ids=str)
def test_what_is_no_error_class_is_refused(on: Any) -> None:
    with pytest.raises(TypeError, match=r"^on must be"):
        Retry(1, on=on)


async def test_a_job_is_tried_until_it_gives_a_value(autojump_clock: MockClock) -> None:
    trial = Trial(ValueError(), OSError(), None)
    async with open_job_queue() as queue:
        handle = await queue.submit(trial.job, retry=THRICE)

        assert await handle.result() == "done"
        job = handle.snapshot()

    assert (trial.attempts, trial.gaps) == ([1, 2, 3], [1, 2])
    assert (job.status, job.attempt, job.error) == (JobStatus.COMPLETED, 3, None)
    assert (job.due_at, job.started_at) == (job.submitted_at + 5, job.submitted_at + 5)


async def test_the_last_failure_counts(autojump_clock: MockClock) -> None:
    last = OSError("last")
    trial = Trial(ValueError(), ValueError(), last)
    async with open_job_queue(retry=THRICE) as queue:
        with pytest.raises(JobFailed) as caught:
            await queue.run(trial.job)
        assert caught.value.__cause__ is last

        never = Trial(ValueError())
        with pytest.raises(JobFailed):
            await queue.run(never.job, retry=Retry(attempts=1))
        assert queue.statistics().failed == 2


async def test_a_job_between_attempts_holds_neither_worker_nor_key_nor_room(
    autojump_clock: MockClock,
) -> None:
    trial = Trial(ValueError(), None)
    async with open_job_queue(max_pending=1) as queue:
        handle = queue.submit_nowait(trial.job, key="k", retry=Retry(2, first=5, jitter=0))
        await wait_all_tasks_blocked()
        other = queue.submit_nowait(sleep, 2, key="k")
        await other.wait()
        job = handle.snapshot()
        assert (job.status, job.waiting_for, job.attempt) == (JobStatus.PENDING, "time", 1)
        assert other.snapshot().started_at == job.submitted_at + 1
        assert queue.statistics().pending == 1
        assert await handle.result() == "done"

    assert trial.gaps == [5]
    assert queue._core.registry.keys == {}


@pytest.mark.parametrize("error", [ValueError(), RetryLater(1)], ids=repr)
async def test_after_a_cancel_there_is_no_further_attempt(
    error: Exception, autojump_clock: MockClock
) -> None:
    attempts: list[int] = []

    async def job(context: JobContext) -> None:
        attempts.append(context.attempt)
        try:
            await trio.sleep_forever()
        finally:
            raise error

    async with open_job_queue(on_job_error=quiet) as queue:
        handle = queue.submit_nowait(job, retry=THRICE)
        await trio.sleep(1)
        ended = await handle.cancel_and_wait()

    is_later = isinstance(error, RetryLater)
    assert ended.status is (JobStatus.CANCELLED if is_later else JobStatus.FAILED)
    assert ended.cancel_cause is CancelCause.USER
    assert attempts == [1]


@pytest.mark.parametrize("error", [ValueError(), RetryLater(1)], ids=repr)
async def test_under_an_outer_cancel_there_is_no_further_attempt(
    error: Exception, autojump_clock: MockClock
) -> None:
    async def job(context: JobContext) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.sleep_forever)
            try:
                await trio.sleep_forever()
            finally:
                raise error

    with trio.move_on_after(1) as scope:
        async with open_job_queue(on_job_error=quiet) as queue:
            handle = queue.submit_nowait(job, retry=THRICE)

    assert scope.cancelled_caught
    is_later = isinstance(error, RetryLater)
    assert handle.status is (JobStatus.CANCELLED if is_later else JobStatus.FAILED)
    assert handle.snapshot().attempt == 1


async def test_trying_later_uses_up_no_attempt(autojump_clock: MockClock) -> None:
    later = ExceptionGroup("", [ExceptionGroup("", [RetryLater(7)])])
    trial = Trial(ValueError(), later, RetryLater(3), ValueError(), None)
    async with open_job_queue() as queue:
        assert await queue.run(trial.job, retry=THRICE) == "done"

    assert trial.gaps == [1, 7, 3, 2]


@pytest.mark.parametrize("error", [GiveUp("no"), ExceptionGroup("", [GiveUp("no")])], ids=repr)
async def test_a_job_may_give_up(error: Exception, autojump_clock: MockClock) -> None:
    trial = Trial(error)
    async with open_job_queue() as queue:
        with pytest.raises(JobFailed) as caught:
            await queue.run(trial.job, retry=THRICE)

    assert caught.value.__cause__ is error
    assert trial.attempts == [1]


@pytest.mark.parametrize(
    ("on", "error", "attempts"),
    [
        (OSError, ConnectionError(), 2),
        (OSError, ValueError(), 1),
        ((OSError, ValueError), ValueError(), 2),
        (OSError, ExceptionGroup("", [OSError(), ConnectionError()]), 2),
        (OSError, ExceptionGroup("", [OSError(), ValueError()]), 1),
        (lambda error: error.args == (1,), ValueError(1), 2),
        (lambda error: error.args == (1,), ValueError(2), 1),
    ],
    ids=lambda value: "rule" if inspect.isfunction(value) else repr(value),
)
async def test_which_errors_are_tried_again(
    on: type[Exception], error: Exception, attempts: int, autojump_clock: MockClock
) -> None:
    trial = Trial(error, error)
    async with open_job_queue() as queue:
        with pytest.raises(JobFailed):
            await queue.run(trial.job, retry=Retry(2, on=on))

    assert len(trial.attempts) == attempts


async def test_a_rule_that_exits_ends_the_program_and_the_job(autojump_clock: MockClock) -> None:
    def rule(error: Exception) -> bool:
        raise SystemExit(3)

    queue = None
    with pytest.raises(SystemExit):
        async with open_job_queue() as queue:
            await queue.run(Trial(ValueError()).job, retry=Retry(2, on=rule))

    assert queue is not None
    [ended] = queue.jobs(status=JobStatus.FAILED)
    assert ended.error is not None
    assert ended.error.type == "SystemExit"


async def test_a_job_whose_time_is_over_is_tried_again(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> int:
        await trio.sleep(10 if context.attempt == 1 else 1)
        return context.attempt

    async with open_job_queue(timeout=2) as queue:
        handle = queue.submit_nowait(job, retry=Retry(2, on=JobTimedOut, jitter=0))
        assert await handle.result() == 2
        assert handle.snapshot().cancel_cause is None
        ended = await queue.submit_nowait(sleep, 9, retry=Retry(2, jitter=0)).wait()

    assert (ended.status, ended.cancel_cause) == (JobStatus.FAILED, CancelCause.TIMEOUT)
    assert ended.finished_at == ended.submitted_at + 2 + 1 + 2


async def test_each_attempt_begins_afresh(autojump_clock: MockClock) -> None:
    variable = contextvars.ContextVar("variable", default="mine")
    seen: list[str] = []

    async def job(context: JobContext) -> None:
        seen.append(variable.get())
        variable.set("changed")
        context.report(current=9 if context.attempt == 1 else 2, total=10, message="m")
        await trio.sleep(1)
        if context.attempt < 3:
            raise ValueError

    async with open_job_queue() as queue:
        handle = queue.submit_nowait(job, retry=THRICE)
        await handle.wait()
        progress = handle.snapshot().progress

    assert seen == ["mine"] * 3
    assert progress is not None
    assert progress.current == 2


@pytest.mark.parametrize("when", [0.5, 1.5])
async def test_a_bounded_shutdown_waits_for_no_further_attempt(
    when: float, autojump_clock: MockClock
) -> None:
    trial = Trial(ValueError(), None)
    async with open_job_queue() as queue:
        handle = queue.submit_nowait(trial.job, retry=Retry(2, jitter=0))
        await trio.sleep(when)
        await queue.shutdown(grace=60)

    job = handle.snapshot()
    assert (job.status, job.cancel_cause) == (JobStatus.CANCELLED, CancelCause.SHUTDOWN)
    assert job.finished_at == job.submitted_at + max(when, 1)
    assert trial.attempts == [1]


# A limit for all attempts together


async def test_no_attempt_begins_after_the_total(autojump_clock: MockClock) -> None:
    trial = Trial(*[OSError()] * 9)

    async with open_job_queue() as queue:
        # Attempts of one second from 0, 3, 6 and 9 on; the next would begin at 12.
        retry = Retry(9, first=2, factor=1, jitter=0, total=12)
        ended = await queue.submit_nowait(trial.job, retry=retry).wait()

    assert (ended.status, ended.finished_at, ended.cancel_cause) == (JobStatus.FAILED, 10, None)
    assert trial.times == [0, 3, 6, 9]


async def test_total_cuts_the_attempt_that_runs(autojump_clock: MockClock) -> None:
    trial = Trial(*[OSError()] * 9)
    retry = Retry(9, first=2, factor=1, jitter=0, total=9.5)

    async with open_job_queue() as queue:
        handle = await queue.submit(trial.job, retry=retry, timeout=5)
        with pytest.raises(JobTimedOut, match=r"timed out after 9\.5 s") as caught:
            await handle.result()

    assert trio.current_time() == 9.5
    assert caught.value.timeout == 9.5
    assert handle.snapshot().cancel_cause is CancelCause.TIMEOUT
    assert handle.snapshot().attempt == 4


async def test_the_limit_that_was_closer_is_named(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(JobTimedOut, match="timed out after 3 s"):
            await queue.run(sleep, 9, retry=Retry(1, total=9), timeout=3)


def test_rule_without_a_limit_says_so() -> None:
    with pytest.raises(TypeError, match=r"Retry\(attempts=3\) or Retry\(total=60\)"):
        Retry()
    assert Retry(math.inf).total is None
    assert Retry(3, total=math.inf).covers(OSError())
