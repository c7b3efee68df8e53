"""Test what holds of every kind of queue: one in memory, and a cluster's with a worker here."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import open_cluster, read_all, until, until_waiting

from ticketr import (
    CancelCause,
    CancelOutcome,
    DuplicateJob,
    JobCancelled,
    JobFailed,
    JobStatus,
    JobTimedOut,
    OnConflict,
    QueueClosed,
    Rate,
    Retry,
    UnknownJob,
    open_job_queue,
)

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Generator

    from ticketr import Jobs


@pytest.fixture(params=["memory", "cluster"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@asynccontextmanager
async def opened(kind: str, url: str, **options: Any) -> AsyncGenerator[Any, None]:
    """Open a queue of this kind with two workers."""
    if kind == "memory":
        async with open_job_queue(workers=2, max_pending=None, **options) as queue:
            yield queue
    else:
        async with open_cluster(url, workers=2, **options) as queue:
            yield queue


async def maybe(awaitable: Awaitable[None] | None) -> None:
    """Wait for what a cluster's queue returns, and one in memory does at once."""
    if awaitable is not None:
        await awaitable


async def test_a_result_comes_from_submit_and_from_run(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        handle = await queue.submit(jobs.echo, 1, id="a", name="me", tags=["t"])
        assert await handle.result() == 1
        assert await queue.run(jobs.echo, 2) == 2
        assert queue.status("a") is JobStatus.COMPLETED
        snapshot = queue.snapshot("a")
        assert (snapshot.name, snapshot.tags, snapshot.result) == ("me", {"t"}, 1)
        assert (snapshot.attempt, snapshot.waiting_for) == (1, None)
        assert snapshot.submitted_at <= snapshot.started_at <= snapshot.finished_at
        assert queue.jobs(tag="t") == [snapshot]
        with pytest.raises(UnknownJob):
            queue.status("none")


async def test_what_a_job_raises_is_the_cause(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        with pytest.raises(JobFailed, match="ValueError: no") as caught:
            await queue.run(jobs.fail, "no")
        assert type(caught.value.__cause__) is ValueError
        (snapshot,) = queue.jobs(status=JobStatus.FAILED)
        assert snapshot.error.type == "ValueError"
        assert "cluster_jobs.py" in snapshot.error.traceback


async def test_the_five_outcomes_of_a_cancel(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        running = await queue.submit(jobs.stubborn)
        await until(running, JobStatus.RUNNING)
        pending = await queue.submit(jobs.echo, delay=1000)

        assert await queue.request_cancel("none") is CancelOutcome.UNKNOWN
        assert await queue.request_cancel(pending.id) is CancelOutcome.CANCELLED
        outcomes = [await queue.request_cancel(running.id) for _ in range(2)]
        assert outcomes[0] is CancelOutcome.REQUESTED
        assert outcomes[1] in (CancelOutcome.ALREADY_REQUESTED, CancelOutcome.ALREADY_FINISHED)
        assert await running.result() == "a value wins"
        assert await queue.request_cancel(running.id) is CancelOutcome.ALREADY_FINISHED
        with pytest.raises(JobCancelled, match="cause: user"):
            await pending.result()
        assert (await pending.wait()).attempt == 0


async def test_retries_limits_and_times(kind: str, url: str) -> None:
    async with opened(kind, url, retry=Retry(3, first=0.001), timeout=60) as queue:
        assert await queue.run(jobs.good_at, 3) == 3
        assert await queue.run(jobs.later, 2, retry=Retry(1)) == 3
        assert (await (await queue.submit(jobs.give_up)).wait()).attempt == 1
        with pytest.raises(JobTimedOut):
            await queue.run(jobs.forever, timeout=0.01, retry=Retry(1))
        late = await queue.submit(jobs.echo, delay=1000, within=0.01)
        assert (await late.wait()).cancel_cause is CancelCause.EXPIRED


async def test_keys_and_conflicts(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        first = await queue.submit(jobs.forever, key="k")
        await until(first, JobStatus.RUNNING)
        second = await queue.submit(jobs.echo, 2, key="k")
        assert second.snapshot().waiting_for == "key"
        with pytest.raises(DuplicateJob):
            await queue.submit(jobs.echo, key="k", on_conflict=OnConflict.REJECT)
        joined = await queue.submit(jobs.echo, key="k", on_conflict=OnConflict.JOIN)
        assert joined.id == first.id
        last = await queue.submit(jobs.echo, 3, key="k", on_conflict=OnConflict.SUPERSEDE)
        assert await last.result() == 3
        for handle in (first, second):
            assert (await handle.wait()).cancel_cause is CancelCause.SUPERSEDED


async def test_jobs_after_others(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        gate = await queue.submit(jobs.forever)
        second = await queue.submit(jobs.echo, after=[gate.id])
        third = await queue.submit(jobs.echo, 3, after=[gate.id], after_any_end=True)
        assert second.snapshot().waiting_for == "after"
        await queue.request_cancel(gate.id)
        assert (await second.wait()).cancel_cause is CancelCause.DEPENDENCY
        assert await third.result() == 3


async def test_readers_see_the_end_and_the_last_progress(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        with queue.watch(until_idle=True) as watch, queue.progress(until_idle=True) as progress:
            handle = await queue.submit(jobs.count, 30)
            snapshots = [snapshot async for snapshot in watch]
            reports = [report.current async for report in progress]
        assert snapshots[-1].status is JobStatus.COMPLETED
        assert snapshots[-1].progress.current == 30
        assert reports[-1] == 30
        assert [snapshot.status async for snapshot in handle.watch()] == [JobStatus.COMPLETED]


async def test_run_that_is_cancelled_cancels_its_job(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        with queue.watch() as updates:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(queue.run, jobs.with_children)
                async for snapshot in updates:
                    if snapshot.status is JobStatus.RUNNING:
                        nursery.cancel_scope.cancel()
                        break
        (snapshot,) = queue.jobs()
        assert (snapshot.status, snapshot.cancel_cause) == (
            JobStatus.CANCELLED,
            CancelCause.SCOPE,
        )


async def test_the_end_of_the_block_waits_for_the_jobs(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        handle = await queue.submit(jobs.count, 20)
    assert handle.status is JobStatus.COMPLETED
    with pytest.raises(QueueClosed):
        await queue.submit(jobs.echo)


async def test_code_for_any_queue_looks_at_jobs(kind: str, url: str) -> None:
    async def look(queue: Jobs) -> list[str]:
        await queue.wait_idle()
        numbers = queue.statistics()
        assert (numbers.pending, numbers.running, numbers.completed) == (0, 0, 2)
        return [job.id for job in await queue.history(limit=5)]

    async with opened(kind, url) as queue:
        await queue.run(jobs.echo, id="a")
        await queue.run(jobs.echo, id="b")
        assert await look(queue) == ["b", "a"]


async def test_a_map_gives_the_values_in_the_order_of_the_items(kind: str, url: str) -> None:
    async def some() -> AsyncGenerator[int, None]:
        for number in range(5):
            yield number

    async with opened(kind, url) as queue:
        assert await read_all(queue.map(jobs.echo, range(40), tags=["t"])) == [*range(40)]
        assert len(queue.jobs(tag="t")) == 40
        assert sorted(await read_all(queue.map(jobs.echo, some(), ordered=False))) == [*range(5)]
        assert await read_all(queue.map(jobs.echo, [])) == []


async def test_a_failure_in_a_map_cancels_the_rest(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        with pytest.raises(JobFailed, match="ValueError: 0"):
            await read_all(queue.map(jobs.forever_or_fail, [3, 0, 3, 3]))
        assert sorted(job.status for job in queue.jobs()) == ["cancelled"] * 3 + ["failed"]
        causes = {job.cancel_cause for job in queue.jobs(status=JobStatus.CANCELLED)}
        assert causes == {CancelCause.SCOPE}


async def test_a_map_gives_outcomes_and_goes_on(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        found = await read_all(queue.map(jobs.good_at, [1, 2, 1], outcomes=True))
    assert [(job.status, job.result) for job in found] == [
        (JobStatus.COMPLETED, 1),
        (JobStatus.FAILED, None),
        (JobStatus.COMPLETED, 1),
    ]


async def test_leaving_a_map_early_cancels_the_rest(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        with queue.watch() as updates:
            async with queue.map(jobs.forever_or_fail, [1, 2, 3], ordered=False):
                async for snapshot in updates:
                    if snapshot.status is JobStatus.RUNNING:
                        break
        assert {job.cancel_cause for job in queue.jobs()} == {CancelCause.SCOPE}
        assert {job.status for job in queue.jobs()} == {JobStatus.CANCELLED}


async def test_an_error_of_the_items_cancels_all_and_comes_out_bare(kind: str, url: str) -> None:
    raised = trio.Event()

    def items() -> Generator[int, None, None]:
        yield 1
        raised.set()
        raise KeyError("mine")

    async with opened(kind, url) as queue:
        with pytest.raises(KeyError, match="mine"):
            await read_all(queue.map(jobs.forever_or_fail, items()))
        raised = trio.Event()
        with pytest.raises(KeyError, match="mine"):
            async with queue.map(jobs.forever_or_fail, items()):
                await raised.wait()
        assert not queue.jobs(status=JobStatus.RUNNING)


async def test_a_paused_queue_starts_no_job(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        await maybe(queue.pause())
        handle = await queue.submit(jobs.echo, 1)
        assert handle.snapshot().waiting_for == "paused"
        await maybe(queue.resume())
        assert await handle.result() == 1


async def test_a_paused_key_holds_up_no_other(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        await maybe(queue.pause("k"))
        first = await queue.submit(jobs.echo, 1, key="k")
        second = await queue.submit(jobs.echo, 2, key="k")
        assert await queue.run(jobs.echo, 3, key="other") == 3
        assert await queue.run(jobs.echo, 4) == 4
        assert first.snapshot().waiting_for == "paused"
        await maybe(queue.resume())  # that of the queue
        assert first.status is JobStatus.PENDING
        await maybe(queue.resume("k"))
        assert [await first.result(), await second.result()] == [1, 2]


async def test_a_rate_limits_the_starts(kind: str, url: str) -> None:
    async with opened(kind, url, rate=Rate(1, per=3600)) as queue:
        assert await queue.run(jobs.echo, 1) == 1
        handle = await queue.submit(jobs.echo, 2)
        await until_waiting(handle, "rate")
        assert handle.status is JobStatus.PENDING
        await maybe(queue.set_rate(None))
        assert await handle.result() == 2


async def test_a_rate_of_a_key_holds_up_no_other(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        await maybe(queue.set_rate(Rate(1, per=3600), "k"))
        assert await queue.run(jobs.echo, 1, key="k") == 1
        handle = await queue.submit(jobs.echo, 2, key="k")
        assert await queue.run(jobs.echo, 3, key="other") == 3
        await until_waiting(handle, "rate")
        await maybe(queue.set_rate(Rate(1000), "k"))
        assert await handle.result() == 2


async def test_starts_come_back_with_time(kind: str, url: str) -> None:
    async with opened(kind, url, rate=Rate(100, burst=1)) as queue:
        handles = [await queue.submit(jobs.echo, number) for number in range(4)]
        for handle in handles:
            await handle.wait()
    starts = sorted(handle.snapshot().started_at for handle in handles)
    assert starts[-1] - starts[0] > 0.0299


async def test_a_shutdown_waits_for_the_jobs_and_takes_no_more(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        handle = await queue.submit(jobs.count, 20)
        await queue.shutdown()
        assert handle.status is JobStatus.COMPLETED
        with pytest.raises(QueueClosed):
            await queue.submit(jobs.echo)
        await queue.shutdown(grace=1)


async def test_a_shutdown_with_a_grace_cancels_what_is_left(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        running = await queue.submit(jobs.forever)
        await until(running, JobStatus.RUNNING)
        delayed = await queue.submit(jobs.echo, delay=1000)
        await queue.shutdown(grace=0.01)
        for handle in (running, delayed):
            assert handle.snapshot().cancel_cause is CancelCause.SHUTDOWN
        with pytest.raises(ValueError, match="grace"):
            await queue.shutdown(grace=-1)


async def test_a_job_takes_the_place_of_one_of_its_id(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        first = await queue.submit(jobs.forever, id="mine")
        await until(first, JobStatus.RUNNING)
        assert await queue.run(jobs.echo, 3, id="mine", on_conflict=OnConflict.SUPERSEDE) == 3
        assert (await first.wait()).cancel_cause is CancelCause.SUPERSEDED


async def test_a_job_waits_for_one_of_its_id(kind: str, url: str) -> None:
    async with opened(kind, url) as queue:
        first = await queue.submit(jobs.forever, id="mine")
        await until(first, JobStatus.RUNNING)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(first.cancel_and_wait)
            assert await queue.run(jobs.echo, 3, id="mine", on_conflict=OnConflict.WAIT) == 3
        assert first.snapshot().cancel_cause is CancelCause.USER
