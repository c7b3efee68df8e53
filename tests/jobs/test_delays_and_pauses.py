"""Delays, latest starts and pauses."""

from __future__ import annotations

import pytest
import trio
from fakes.small_jobs import sleep, starts
from trio.testing import MockClock, assert_no_checkpoints, wait_all_tasks_blocked

from ticketr import CancelCause, CancelOutcome, JobContext, JobStatus, UnknownJob, open_job_queue


async def test_a_delayed_job_starts_when_it_is_due_and_holds_no_worker(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        late = queue.submit_nowait(sleep, delay=5)
        later = queue.submit_nowait(sleep, delay=7, priority=9)
        now = queue.submit_nowait(sleep)

        job = late.snapshot()
        assert (job.waiting_for, job.due_at) == ("time", job.submitted_at + 5)

    assert starts(late, later, now) == [5, 7, 0]


async def test_run_now_ends_a_delay(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        late = queue.submit_nowait(sleep, delay=5)
        await trio.sleep(1)
        with assert_no_checkpoints():
            assert queue.run_now(late.id)
            assert not queue.run_now(late.id)
        assert late.snapshot().due_at == trio.current_time()
        await late.wait()

        assert not queue.run_now(late.id)
        with pytest.raises(UnknownJob):
            queue.run_now("x")

    assert starts(late) == [1]


@pytest.mark.parametrize("why", ["worker", "key", "time", "paused"])
async def test_a_job_that_did_not_start_in_time_is_cancelled(
    why: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue(workers=2 if why == "key" else 1) as queue:
        queue.submit_nowait(sleep, 10, key="k")
        await wait_all_tasks_blocked()
        if why == "paused":
            queue.pause()
        due = trio.current_time() + 3
        late = queue.submit_nowait(
            sleep, key="k" if why == "key" else None, start_by=due, delay=9 if why == "time" else 0
        )
        early = queue.submit_nowait(sleep, start_by=trio.current_time() + 99)
        assert late.snapshot().waiting_for == why
        job = await late.wait()
        queue.resume()

    assert (job.status, job.cancel_cause) == (JobStatus.CANCELLED, CancelCause.EXPIRED)
    assert (job.finished_at, job.attempt, job.cancel_requested) == (due, 0, False)
    assert early.status is JobStatus.COMPLETED


async def test_within_and_start_by_do_not_go_together(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(ValueError, match="give start_by or within, not both"):
            queue.submit_nowait(sleep, within=3, start_by=3)
        queue.submit_nowait(sleep, within=None, start_by=3)
        queue.submit_nowait(sleep, within=3, start_by=None)

    assert queue.statistics().completed == 2


async def test_a_bounded_shutdown_cancels_what_waits_for_a_time(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        running, due = queue.submit_nowait(sleep, 3), queue.submit_nowait(sleep)
        late = queue.submit_nowait(sleep, delay=1)
        queue.pause()
        await trio.sleep(0.5)
        await queue.shutdown(grace=10)

    assert [job.status for job in (running, due)] == [JobStatus.COMPLETED] * 2
    assert late.snapshot().cancel_cause is CancelCause.SHUTDOWN
    assert late.snapshot().finished_at == late.snapshot().submitted_at + 0.5


async def test_a_paused_queue_starts_nothing_and_resumes_in_order(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        running = queue.submit_nowait(sleep, 2)
        await wait_all_tasks_blocked()
        with assert_no_checkpoints():
            queue.pause()
        a, b = queue.submit_nowait(sleep), queue.submit_nowait(sleep, priority=1)
        timed = queue.submit_nowait(sleep, delay=99)
        assert [job.snapshot().waiting_for for job in (a, b, timed)] == ["paused"] * 3
        await trio.sleep(5)
        assert running.status is JobStatus.COMPLETED
        assert starts(a, b) == [None, None]
        queue.resume()
        await a.wait()
        assert starts(b, a) == [5, 6]
        timed.cancel()


async def test_a_paused_key_holds_up_its_own_jobs_alone(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        queue.pause("k")
        a, b = queue.submit_nowait(sleep, key="k"), queue.submit_nowait(sleep, key="k", priority=1)
        other = queue.submit_nowait(sleep, key="other")
        await trio.sleep(3)
        assert a.snapshot().waiting_for == "paused"
        assert other.status is JobStatus.COMPLETED
        queue.resume()  # of the queue, not of the key
        await trio.sleep(3)
        assert starts(a) == [None]
        queue.resume("k")
        await a.wait()
        assert starts(b, a) == [6, 7]


async def test_leaving_the_block_lifts_pauses_for_good(autojump_clock: MockClock) -> None:
    async def job(context: JobContext) -> None:
        queue.pause()
        queue.pause("k")

    async with open_job_queue() as queue:
        queue.pause()
        queue.pause("k")
        jobs = [queue.submit_nowait(job, key="k"), queue.submit_nowait(job, key="k")]

    assert {job.status for job in jobs} == {JobStatus.COMPLETED}


async def test_cancel_all(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        ended = queue.submit_nowait(sleep, key="k")
        await ended.wait()
        for name, key, tags in [("a", "k", "x"), ("b", "k", "y"), ("c", None, "x"), ("d", 1, "z")]:
            queue.submit_nowait(sleep, id=name, key=key, tags=[tags])
        await wait_all_tasks_blocked()

        assert queue.cancel_all(key="k", tag="x") == {"a": CancelOutcome.REQUESTED}
        assert queue.cancel_all(key="k") == {
            "a": CancelOutcome.ALREADY_REQUESTED,
            "b": CancelOutcome.CANCELLED,
        }
        assert queue.cancel_all(tag="x", reason="why")["c"] is CancelOutcome.CANCELLED
        assert set(queue.cancel_all()) == {"a", "d"}
        await queue.wait_idle()
        assert queue.cancel_all() == {}
