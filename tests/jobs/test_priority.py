"""Which job runs first."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, assert_no_checkpoints, wait_all_tasks_blocked

from ticketr import JobContext, JobQueue, Retry, UnknownJob, open_job_queue


class Order:
    """Jobs that record when they started."""

    def __init__(self) -> None:
        self.started: list[str] = []

    async def job(self, context: JobContext) -> None:
        self.started.append(context.id)
        await trio.sleep(1)


async def test_the_highest_priority_runs_first_then_the_first_submitted(
    autojump_clock: MockClock,
) -> None:
    order = Order()
    async with open_job_queue() as queue:
        for name, priority in [("a", 0), ("b", 1), ("c", 5), ("d", 1), ("e", -1)]:
            queue.submit_nowait(order.job, id=name, priority=priority)
        assert [job.priority for job in queue.jobs()] == [0, 1, 5, 1, -1]

    assert order.started == ["c", "b", "d", "a", "e"]


async def test_equal_priorities_run_by_due_time_then_by_submit(autojump_clock: MockClock) -> None:
    order = Order()

    async def flaky(context: JobContext) -> None:
        await order.job(context)
        if context.attempt == 1:
            raise ValueError

    async with open_job_queue(max_pending=None) as queue:
        queue.submit_nowait(flaky, id="flaky", retry=Retry(2, first=2, jitter=0))  # due at 3
        queue.submit_nowait(order.job, id="late", delay=4)
        queue.submit_nowait(order.job, id="later", delay=4)
        queue.submit_nowait(order.job, id="soon", delay=2)
        await trio.sleep(1)
        queue.pause()
        await trio.sleep(2.5)
        queue.submit_nowait(order.job, id="new")  # at 3.5
        await trio.sleep(1)
        queue.set_priority("later", 1)
        queue.set_priority("later", 0)
        await queue.submit(order.job, id="low", priority=-1)
        queue.resume()

    assert order.started == ["flaky", "soon", "flaky", "new", "late", "later", "low"]


async def test_set_priority_moves_a_waiting_job(autojump_clock: MockClock) -> None:
    order = Order()
    async with open_job_queue() as queue:
        for name in "abcd":
            queue.submit_nowait(order.job, id=name)
        with assert_no_checkpoints():
            assert queue.set_priority("c", 2)
            assert queue.set_priority("a", -2)
        with queue.watch() as updates:
            queue.set_priority("c", 3)
            assert (queue.snapshot("c").priority, queue.snapshot("c").revision) == (3, 3)
            assert (await anext(aiter(updates))).id == "c"
        await queue.wait_idle()

        assert not queue.set_priority("a", 9)
        assert queue.snapshot("a").priority == -2
        with pytest.raises(UnknownJob):
            queue.set_priority("x", 1)

    assert order.started == ["c", "b", "d", "a"]


async def test_waiting_submitters_enter_by_priority_then_arrival(
    autojump_clock: MockClock,
) -> None:
    order = Order()

    async def submit(queue: JobQueue, name: str, priority: int) -> None:
        await queue.submit(order.job, id=name, priority=priority)
        entered.append(name)

    entered: list[str] = []
    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        await queue.submit(order.job, id="runs")
        await wait_all_tasks_blocked()
        await queue.submit(order.job, id="pending")
        for name, priority in [("a", 0), ("b", 2), ("c", 2), ("d", 1)]:
            nursery.start_soon(submit, queue, name, priority)
            await wait_all_tasks_blocked()

    assert entered == ["b", "c", "d", "a"]
    assert order.started == ["runs", "pending", "b", "c", "d", "a"]
