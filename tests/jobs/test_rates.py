"""Rates and their buckets."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from fakes.small_jobs import nothing, sleep, starts, waits
from hypothesis import given, strategies as st
from trio.testing import MockClock

from ticketr import CancelCause, JobContext, JobStatus, Rate, Retry, RetryLater, open_job_queue
from ticketr.jobs._scheduling.schedule import Bucket


def take_starts(bucket: Bucket, number: int, now: float = 0.0) -> list[float]:
    """Take starts as soon as the bucket holds one, and return the times."""
    times: list[float] = []
    for _ in range(number):
        now = max(now, bucket.ready_at())
        bucket.take(now)
        times.append(now)
    return times


def test_rounding_errors_do_not_add_up() -> None:
    assert take_starts(Bucket(Rate(10, burst=1)), 100_001)[-1] == 100_000 * 0.1


@given(
    count=st.integers(1, 50),
    per=st.floats(0.01, 100),
    burst=st.integers(1, 50),
    pauses=st.lists(st.floats(0, 200), max_size=60),
)
def test_no_span_has_more_than_the_burst_and_the_count(
    count: int, per: float, burst: int, pauses: list[float]
) -> None:
    bucket, now, times = Bucket(Rate(count, per, burst)), 0.0, []
    for pause in pauses:
        now += pause
        times += take_starts(bucket, 3, now)
        now = times[-1]

    for index, start in enumerate(times):
        within = [time for time in times[index:] if time < start + per * (1 - 1e-6)]
        assert len(within) <= burst + count - 1


# Rates of a queue and of keys: when jobs start, and what else they wait for.


async def test_a_burst_starts_at_once_and_then_one_job_each_interval(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=9, rate=Rate(4, per=2.0, burst=2)) as queue:
        jobs = [queue.submit_nowait(nothing) for _ in range(5)]
        await trio.sleep(0.1)

        assert waits(*jobs) == [None, None, "rate", "rate", "rate"]

    assert starts(*jobs) == [0, 0, 0.5, 1.0, 1.5]


async def test_the_rate_of_a_key_holds_up_no_job_of_another_key(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        queue.set_rate(Rate(1, per=5.0), key="a")
        first = queue.submit_nowait(nothing, key="a")
        second = queue.submit_nowait(nothing, key="a", priority=9)
        others = [queue.submit_nowait(nothing, key=key) for key in ("b", None, "b")]
        await trio.sleep(1)

        assert waits(first) == ["rate"]

    assert starts(second, first, *others) == [0, 5, 0, 0, 0]


async def test_the_rates_of_the_queue_and_of_a_key_both_hold(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=9, rate=Rate(1, per=1.0)) as queue:
        queue.set_rate(Rate(1, per=2.5), key="a")
        keyed = [queue.submit_nowait(nothing, key="a") for _ in range(2)]
        others = [queue.submit_nowait(nothing) for _ in range(3)]

    # The queue's starts are at 0, 1, 2, 3 and 4; the key's second one is not before 2.5.
    assert starts(*keyed) == [0, 3]
    assert starts(*others) == [1, 2, 4]


async def test_each_attempt_takes_a_start(autojump_clock: MockClock) -> None:
    starts: list[float] = []

    async def job(context: JobContext) -> None:
        starts.append(trio.current_time())
        if context.attempt == 1:
            raise RetryLater(0)
        if context.attempt == 2:
            raise ValueError("no good yet")

    async with open_job_queue(rate=Rate(1, per=4.0)) as queue:
        queue.submit_nowait(job, retry=Retry(2, first=1.0, jitter=0), key="a")

    assert starts == [0, 4, 8]


async def test_what_a_job_waits_for_is_the_first_that_holds(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2) as queue:
        queue.set_rate(Rate(1, per=99.0), key="a")
        queue.submit_nowait(sleep, 5, key="a")
        job = queue.submit_nowait(nothing, key="a", delay=3)
        queue.pause("a")
        seen = waits(job)
        queue.resume("a")
        for seconds in (1, 3, 2):
            await trio.sleep(seconds)
            seen += waits(job)
        queue.set_rate(None, key="a")
        queue.submit_nowait(sleep, 5)
        queue.submit_nowait(sleep, 5, priority=9)
        seen += waits(job)

    assert seen == ["paused", "time", "key", "rate", "worker"]


@pytest.mark.parametrize("key", [None, "a"])
async def test_a_faster_rate_and_none_wake_what_may_run_now(
    key: str | None, autojump_clock: MockClock
) -> None:
    async with open_job_queue(workers=9) as queue:
        queue.set_rate(Rate(1, per=100.0), key)
        jobs = [queue.submit_nowait(nothing, key=key) for _ in range(4)]
        await trio.sleep(50)
        queue.set_rate(Rate(1, per=60.0), key)  # half a start is left
        await trio.sleep(40)
        queue.set_rate(Rate(1, per=5.0, burst=9), key)
        await trio.sleep(5)
        queue.set_rate(None, key)

    assert starts(*jobs) == [0, 80, 90 + 5 * 5 / 6, 95]


@pytest.mark.parametrize("key", [None, "a"])
async def test_a_slower_rate_keeps_count_of_the_starts_so_far(
    key: str | None, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        queue.set_rate(Rate(4, burst=1), key)
        await queue.run(nothing, key=key)
        queue.set_rate(Rate(1, per=60.0), key)
        jobs = [queue.submit_nowait(nothing, key=key) for _ in range(2)]

    assert starts(*jobs) == [60, 120]


async def test_the_rate_of_a_key_outlives_its_jobs(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        queue.set_rate(Rate(1, per=10.0), key="a")
        await queue.run(nothing, key="a")
        job = queue.submit_nowait(nothing, key="a")

    assert starts(job) == [10]


async def test_a_bounded_shutdown_cancels_what_waits_for_a_rate(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2) as queue:
        queue.set_rate(Rate(1, per=2.0), key="a")
        holder = queue.submit_nowait(sleep, 1, key="a")
        behind_the_key = queue.submit_nowait(nothing, key="a")
        queue.set_rate(Rate(1, per=2.0), key="b")
        await queue.run(nothing, key="b")
        limited = queue.submit_nowait(nothing, key="b")
        other = queue.submit_nowait(sleep, 5)
        await queue.shutdown(grace=9)

    assert [job.status for job in (holder, other)] == [JobStatus.COMPLETED] * 2
    for job in (limited, behind_the_key):
        snapshot = job.snapshot()
        assert (snapshot.cancel_cause, snapshot.finished_at) == (CancelCause.SHUTDOWN, 0)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"count": 0}, ValueError),
        ({"count": "10"}, TypeError),
        ({"count": 1, "per": 0}, ValueError),
        ({"count": 1, "per": math.inf}, ValueError),
        ({"count": 1, "burst": 0.5}, ValueError),
        ({"count": 1, "burst": math.inf}, ValueError),
        ({"count": 1e300, "per": 1e-300}, ValueError),
    ],
)
def test_what_is_no_rate_is_refused(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Rate(**arguments)


@pytest.mark.parametrize("value", [1, "10", Retry(2), True])
async def test_a_queue_takes_rates_alone(value: Any, autojump_clock: MockClock) -> None:
    with pytest.raises(TypeError, match="rate must be a Rate, such as"):
        open_job_queue(rate=value)
    async with open_job_queue() as queue:
        with pytest.raises(TypeError, match="rate must be a Rate, such as"):
            queue.set_rate(value)
        with pytest.raises(TypeError, match="hashable"):
            queue.set_rate(Rate(1), key=[])  # type: ignore[arg-type]
    queue.set_rate(Rate(1))  # of no consequence in a queue that is closed
