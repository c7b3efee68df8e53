"""How many jobs of a queue, and of a key, run at once."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import JobContext, JobHandle, JobQueue, QueueFull, Rate, WouldDeadlock, open_job_queue


async def sleep(context: JobContext, seconds: float = 1) -> None:
    await trio.sleep(seconds)


def starts(*handles: JobHandle[object]) -> list[float | None]:
    """Return when jobs started, in seconds from the submit of the first."""
    first = handles[0].snapshot().submitted_at
    times = [handle.snapshot().started_at for handle in handles]
    return [None if time is None else time - first for time in times]


def waits(*handles: JobHandle[object]) -> list[str | None]:
    return [handle.snapshot().waiting_for for handle in handles]


async def test_as_many_jobs_of_a_key_run_at_once_as_the_queue_was_opened_with(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=9, key_concurrency=2) as queue:
        jobs = [queue.submit_nowait(sleep, key="k") for _ in range(5)]
        other = queue.submit_nowait(sleep, key="l")
        await wait_all_tasks_blocked()
        assert waits(*jobs) == [None, None, "key", "key", "key"]

    assert starts(*jobs, other) == [0, 0, 1, 1, 2, 0]


async def test_a_key_without_a_limit_takes_all_workers(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=3, max_pending=2) as queue:
        queue.set_concurrency(math.inf, key="k")
        jobs = [await queue.submit(sleep, key="k") for _ in range(5)]
        await wait_all_tasks_blocked()
        assert waits(*jobs) == [None, None, None, "worker", "worker"]
        with pytest.raises(QueueFull):  # they wait for a worker, so they take room
            queue.submit_nowait(sleep, key="k")


async def test_the_limit_of_a_key_changes_while_jobs_run(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=9) as queue:
        jobs = [queue.submit_nowait(sleep, 2, key="k") for _ in range(8)]
        await trio.sleep(1)
        queue.set_concurrency(3, key="k")
        await trio.sleep(0.5)
        queue.set_concurrency(None, key="k")  # interrupts nothing

    assert starts(*jobs) == [0, 1, 1, 3, 5, 7, 9, 11]


async def test_fewer_jobs_run_at_once_than_there_are_workers(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=3) as queue:
        queue.set_concurrency(1)
        jobs = [queue.submit_nowait(sleep, 2) for _ in range(6)]
        await trio.sleep(1)
        assert waits(*jobs) == [None, *["worker"] * 5]
        queue.set_concurrency(None)
        await trio.sleep(0.5)
        queue.set_concurrency(2)

    assert starts(*jobs) == [0, 1, 1, 3, 3, 5]


async def test_the_best_jobs_of_a_key_run_first(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2, key_concurrency=2) as queue:
        queue.pause()
        jobs = [queue.submit_nowait(sleep, key="k", priority=n) for n in (0, 1, 2, 3)]
        queue.set_priority(jobs[0], 9)
        await wait_all_tasks_blocked()
        queue.resume()

    assert starts(*jobs) == [0, 1, 1, 0]


async def test_a_rate_of_a_key_spaces_the_jobs_that_its_concurrency_allows(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=9, key_concurrency=3) as queue:
        queue.set_rate(Rate(1, per=5, burst=2), key="k")
        jobs = [queue.submit_nowait(sleep, 99, key="k") for _ in range(4)]
        await wait_all_tasks_blocked()
        assert waits(*jobs) == [None, None, "rate", "rate"]
        await trio.sleep(6)
        assert waits(*jobs) == [None, None, None, "key"]

    assert starts(*jobs) == [0, 0, 5, 99]


async def test_a_limit_outlives_the_jobs_of_its_key(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=9) as queue:
        queue.set_concurrency(2, key="k")
        await queue.run(sleep, key="k")
        jobs = [queue.submit_nowait(sleep, key="k") for _ in range(3)]

    assert starts(*jobs) == [0, 0, 1]


@pytest.mark.parametrize("is_held_by_two", [True, False])
async def test_a_wait_for_a_job_whose_key_is_used_up_by_jobs_that_wait(
    is_held_by_two: bool, autojump_clock: MockClock
) -> None:
    refused: list[str] = []

    async def wait_for_last(context: JobContext, queue: JobQueue, delay: float) -> None:
        await trio.sleep(delay)
        try:
            await queue.handle("last").wait()
        except WouldDeadlock:
            refused.append(context.id)

    async with open_job_queue(workers=9, key_concurrency=2) as queue:
        queue.submit_nowait(wait_for_last, queue, 1, key="k", id="first")
        if is_held_by_two:
            queue.submit_nowait(wait_for_last, queue, 2, key="k", id="second")
        else:
            queue.submit_nowait(sleep, 5, key="k")
        queue.submit_nowait(sleep, key="k", id="last")

    assert refused == (["second"] if is_held_by_two else [])


@pytest.mark.parametrize(
    ("n", "key", "error"),
    [
        (0, None, ValueError),
        (4, None, ValueError),
        (0, "k", ValueError),
        (1.5, "k", TypeError),
        ("2", "k", TypeError),
        (1, [], TypeError),
    ],
)
async def test_what_is_no_limit_is_refused(n: Any, key: Any, error: type[Exception]) -> None:
    async with open_job_queue(workers=3) as queue:
        with pytest.raises(error):
            queue.set_concurrency(n, key)

    with pytest.raises(ValueError, match="key_concurrency must be"):
        open_job_queue(key_concurrency=0)
