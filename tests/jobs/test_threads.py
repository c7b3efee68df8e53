"""The queue used from real threads, by way of `trio.from_thread`."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import trio
import trio.testing

from ticketr import CancelOutcome, JobContext, JobQueue, JobStatus, open_job_queue


async def double(context: JobContext, number: int) -> int:
    await trio.lowlevel.checkpoint()
    return number * 2


async def endless(context: JobContext) -> None:
    await trio.sleep_forever()


def in_foreign_thread(function: Callable[[], object]) -> object:
    """Return what a function returns or raises in a thread that Trio did not start."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(function)
        return future.exception() or future.result()


async def test_a_thread_submits_a_job_and_waits_for_its_result() -> None:
    def use(queue: JobQueue) -> int:
        handle = trio.from_thread.run(queue.submit, double, 4)
        return trio.from_thread.run(handle.result)

    async with open_job_queue() as queue:
        result = await trio.to_thread.run_sync(use, queue)

    assert result == 8


async def test_a_thread_that_waits_for_a_job_is_woken_by_the_cancellation_of_its_own_task() -> None:
    waiting = trio.Event()
    woken: list[BaseException] = []

    def use(queue: JobQueue) -> None:
        handle = trio.from_thread.run(queue.submit, endless)
        trio.from_thread.run_sync(waiting.set)
        try:
            trio.from_thread.run(handle.wait)
        except trio.Cancelled as error:
            woken.append(error)
            raise

    async with open_job_queue() as queue:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(trio.to_thread.run_sync, use, queue)
            await waiting.wait()
            nursery.cancel_scope.cancel()
        (job,) = queue.jobs()
        queue.cancel(job.id)

    assert len(woken) == 1
    assert job.status is JobStatus.RUNNING


async def test_a_foreign_thread_submits_and_cancels_with_a_token() -> None:
    token = trio.lowlevel.current_trio_token()

    def use(queue: JobQueue) -> tuple[int, CancelOutcome]:
        result = trio.from_thread.run(queue.run, double, 4, trio_token=token)
        handle = trio.from_thread.run(queue.submit, endless, trio_token=token)
        outcome = trio.from_thread.run_sync(queue.cancel, handle.id, trio_token=token)
        trio.from_thread.run(handle.wait, trio_token=token)
        return result, outcome

    async with open_job_queue() as queue:
        got = await trio.to_thread.run_sync(in_foreign_thread, partial(use, queue))

    assert got == (8, CancelOutcome.REQUESTED)


def test_a_thread_gets_a_clear_error_once_the_trio_run_has_ended() -> None:
    async def main() -> tuple[JobQueue, trio.lowlevel.TrioToken, str]:
        async with open_job_queue() as queue:
            handle = await queue.submit(double, 1)
        return queue, trio.lowlevel.current_trio_token(), handle.id

    queue, token, job_id = trio.run(main)
    for call in (
        partial(trio.from_thread.run, queue.submit, double, 1),
        partial(trio.from_thread.run, queue.run, double, 1),
        partial(trio.from_thread.run_sync, queue.submit_nowait, double, 1),
        partial(trio.from_thread.run_sync, queue.cancel, job_id),
        partial(trio.from_thread.run_sync, queue.status, job_id),
        partial(trio.from_thread.run_sync, queue.watch),
    ):
        with pytest.raises(trio.RunFinishedError):
            call(trio_token=token)

    assert queue.status(job_id) is JobStatus.COMPLETED
