"""Readers that end when no job is pending or running: ``watch(until_idle=True)``."""

from __future__ import annotations

from typing import Any

import pytest
import trio
from trio.testing import MockClock

from ticketr import JobContext, JobQueue, open_job_queue


async def count(context: JobContext, seconds: int) -> None:
    for second in range(seconds):
        await trio.sleep(1)
        context.report(current=second + 1, total=seconds)


def read(queue: JobQueue, kind: str) -> Any:
    return queue.watch(until_idle=True) if kind == "watch" else queue.progress(until_idle=True)


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_reader_ends_with_the_last_job(autojump_clock: MockClock, kind: str) -> None:
    async with open_job_queue(workers=2) as queue:
        with read(queue, kind) as updates:
            await queue.submit(count, 3)
            await queue.submit(count, 5)
            await queue.submit(count, 1, delay=9)
            found = [update async for update in updates]

        assert trio.current_time() == 10
        assert found[-1].revision == queue.jobs()[-1].revision - (kind == "progress")
        await queue.submit(count, 1)


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_reader_of_an_idle_queue_ends_at_once(autojump_clock: MockClock, kind: str) -> None:
    async with open_job_queue() as queue:
        with read(queue, kind) as updates:
            assert [update async for update in updates] == []
        with read(queue, kind) as updates, pytest.raises(trio.EndOfChannel):
            updates.receive_nowait()

    assert trio.current_time() == 0


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_late_reader_gets_what_is_unread_before_the_end(
    autojump_clock: MockClock, kind: str
) -> None:
    async with open_job_queue() as queue:
        with read(queue, kind) as updates:
            await queue.submit(count, 2)
            await queue.wait_idle()
            await trio.sleep(10)
            assert len([update async for update in updates]) == 1

    assert trio.current_time() == 12


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_submit_that_waits_for_room_keeps_a_reader(
    autojump_clock: MockClock, kind: str
) -> None:
    async with open_job_queue(max_pending=1) as queue, trio.open_nursery() as nursery:
        queue.pause()
        first = await queue.submit(count, 1)
        nursery.start_soon(queue.submit, count, 2)
        with read(queue, kind) as updates:
            await trio.sleep(1)
            first.cancel()
            queue.resume()
            async for _ in updates:
                pass

        assert trio.current_time() == 3
