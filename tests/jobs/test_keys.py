"""One job of a key at a time, and conflicts about a key or an ID."""

from __future__ import annotations

import math
from typing import Any

import pytest
import trio
from fakes.small_jobs import sleep, starts, tidy, waits
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    CancelOutcome,
    DuplicateJob,
    JobCancelled,
    JobContext,
    JobQueue,
    JobStatus,
    OnConflict,
    QueueFull,
    Rate,
    WouldDeadlock,
    open_job_queue,
)


async def test_one_job_of_a_key_runs_at_a_time_and_holds_up_no_other(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=2) as queue:
        jobs = [queue.submit_nowait(sleep, key=key) for key in ("a", "a", "a", "b", None)]
        await wait_all_tasks_blocked()

        assert waits(*jobs) == [None, "key", "key", None, "worker"]
        assert queue.jobs(key="a") == [job.snapshot() for job in jobs[:3]]
        assert jobs[3].snapshot().key == "b"

    assert starts(*jobs) == [0, 1, 2, 0, 1]


async def test_a_freed_key_goes_to_the_best_that_lives(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=3) as queue:
        first = queue.submit_nowait(sleep, key="k")
        await wait_all_tasks_blocked()
        jobs = [queue.submit_nowait(sleep, key="k", priority=n) for n in (0, 2, 1, 3, 2)]
        jobs[3].cancel()
        jobs[4].cancel()
        queue.set_priority(jobs[0], 4)

    assert starts(first, *jobs) == [0, 1, 2, 3, None, None]


async def test_a_free_key_goes_on_when_the_job_it_was_offered_to_is_cancelled(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=2) as queue:
        first = queue.submit_nowait(sleep, 2, key="k")
        queue.submit_nowait(sleep)
        offered, last = (queue.submit_nowait(sleep, key="k") for _ in range(2))
        await trio.sleep(1.5)
        others = [queue.submit_nowait(sleep, seconds, priority=9) for seconds in (10, 5)]
        await trio.sleep(1.5)  # the key is free, and both workers have others to run
        assert waits(offered) == ["worker"]
        offered.cancel()

    assert starts(first, offered, last) == [0, None, 7]
    assert starts(*others) == [0, 0.5]


async def test_rejecting_a_key(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        first = queue.submit_nowait(sleep, key="k")
        with pytest.raises(DuplicateJob) as caught:
            queue.submit_nowait(sleep, key="k", on_conflict=OnConflict.REJECT)
        assert (caught.value.job_id, caught.value.key) == (first.id, "k")
        assert str(caught.value) == "job 'job-1' of the same key 'k' has not ended"
        await first.wait()
        await queue.submit(sleep, key="k", on_conflict=OnConflict.REJECT)


async def test_joining(autojump_clock: MockClock) -> None:
    async with open_job_queue(max_pending=2) as queue:
        first = queue.submit_nowait(sleep, 3, key="k")
        await wait_all_tasks_blocked()
        queue.submit_nowait(sleep, key="k")
        queue.submit_nowait(sleep, id="x")

        # Without room: there is no new job.
        joined = queue.submit_nowait(sleep, 9, key="k", on_conflict=OnConflict.JOIN)
        assert (joined.id, await joined.result()) == (first.id, 3)
        named = await queue.submit(sleep, 9, id="x", key="k", on_conflict=OnConflict.JOIN)
        assert (named.id, await named.result()) == ("x", 1)
        assert len(queue.jobs()) == 3


async def test_on_conflict_may_be_given_as_text(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        options: dict[str, Any] = {"id": "x", "on_conflict": "join"}
        first = queue.submit_nowait(sleep, 3, id="x")
        assert await queue.run(sleep, 9, **options) == 3
        assert await first.result() == 3

        with pytest.raises(ValueError, match=r"on_conflict must be one of 'wait', .*, not 'merge'"):
            queue.submit_nowait(sleep, **(options | {"on_conflict": "merge"}))


async def test_superseding_a_key(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2, max_pending=1) as queue:
        running = queue.submit_nowait(tidy, key="k")
        await trio.sleep(1)
        pending = queue.submit_nowait(sleep, key="k")
        # It takes the place of the pending one.
        newest = queue.submit_nowait(sleep, key="k", on_conflict=OnConflict.SUPERSEDE)

        assert pending.snapshot().cancel_cause is CancelCause.SUPERSEDED
        assert (pending.status, running.status) == (JobStatus.CANCELLED, JobStatus.RUNNING)
        assert newest.snapshot().waiting_for == "key"
        with pytest.raises(JobCancelled):
            await running.result()
        ended = running.snapshot()
        await newest.wait()
        assert ended.cancel_cause is CancelCause.SUPERSEDED
        assert newest.snapshot().started_at == ended.finished_at == ended.submitted_at + 3


@pytest.mark.parametrize("how", ["submit", "submit_nowait", "run"])
async def test_an_id_does_not_wait(how: str, autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(ValueError, match=r"WAIT is for a key"):
            await getattr(queue, how)(sleep, id="x", on_conflict=OnConflict.WAIT)
        assert queue.jobs() == []

        # With a key as well it is about the key, and the ID is rejected as ever.
        first = queue.submit_nowait(sleep, id="x", key="k", on_conflict=OnConflict.WAIT)
        second = queue.submit_nowait(sleep, id="y", key="k", on_conflict=OnConflict.WAIT)
        with pytest.raises(DuplicateJob):
            queue.submit_nowait(sleep, id="x", key="k", on_conflict=OnConflict.WAIT)

    assert (first.status, second.status) == (JobStatus.COMPLETED, JobStatus.COMPLETED)


async def test_the_job_that_supersedes_an_id_runs_when_the_other_has_ended(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=3) as queue:
        first = queue.submit_nowait(tidy, id="x")
        await trio.sleep(1)
        second = queue.submit_nowait(sleep, id="x", on_conflict=OnConflict.SUPERSEDE)
        third = queue.submit_nowait(sleep, id="x", on_conflict=OnConflict.SUPERSEDE)
        assert third.snapshot().waiting_for == "after"
        # The ID is that of the newest, but the first is listed until it has ended.
        assert (second.status, first.status) == (JobStatus.CANCELLED, JobStatus.RUNNING)
        assert queue.jobs(status=JobStatus.RUNNING) == [first.snapshot()]
        assert queue.snapshot("x") == third.snapshot()
        await third.wait()

        assert {first.snapshot().cancel_cause, second.snapshot().cancel_cause} == {
            CancelCause.SUPERSEDED
        }
        assert third.snapshot().started_at == first.snapshot().finished_at == 3
        assert queue.status("x") is JobStatus.COMPLETED


async def test_an_id_is_taken_until_the_superseded_job_has_ended(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=2) as queue:
        first = queue.submit_nowait(tidy, id="x")
        await trio.sleep(1)
        queue.submit_nowait(sleep, id="x", on_conflict=OnConflict.SUPERSEDE).cancel()

        assert queue.snapshot("x") == first.snapshot()
        with pytest.raises(DuplicateJob):
            queue.submit_nowait(sleep, id="x")
        assert queue.cancel("x") is CancelOutcome.ALREADY_REQUESTED
        last = queue.submit_nowait(sleep, id="x", on_conflict=OnConflict.SUPERSEDE)
        await first.wait()

        assert (await last.wait()).started_at == first.snapshot().finished_at
        assert queue.submit_nowait(sleep, id="x").status is JobStatus.PENDING


# How many jobs of a queue, and of a key, run at once.


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
        with pytest.raises(error, match="key" if key == [] else "^n must be"):
            queue.set_concurrency(n, key)

    with pytest.raises(ValueError, match="key_concurrency must be"):
        open_job_queue(key_concurrency=0)
