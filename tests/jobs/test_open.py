"""What ``open_job_queue`` says where it cannot be entered."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the test is about it
from typing import Any

import pytest
import trio

from ticketr import JobContext, open_job_queue

NEEDS_TRIO = r"open_job_queue\(\) needs Trio: .* trio\.run\(\)"


async def enter() -> None:
    async with open_job_queue():
        pytest.fail("the block was entered")


def test_a_queue_under_asyncio_needs_trio() -> None:
    with pytest.raises(RuntimeError, match=NEEDS_TRIO):
        asyncio.run(enter())


def test_a_queue_in_no_event_loop_needs_trio() -> None:
    with pytest.raises(RuntimeError, match=NEEDS_TRIO):
        enter().send(None)


def test_a_task_of_asyncio_beside_a_guest_run_needs_trio() -> None:
    """In guest mode both libraries run in one thread."""
    seen: list[object] = []

    async def in_trio() -> None:
        async def work(context: JobContext) -> str:
            return "worked"

        async with open_job_queue() as queue:
            seen.append(await queue.run(work))

    async def host() -> None:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        trio.lowlevel.start_guest_run(
            in_trio,
            run_sync_soon_threadsafe=loop.call_soon_threadsafe,
            done_callback=lambda outcome: done.set_result(outcome.unwrap()),
        )
        with pytest.raises(RuntimeError, match=NEEDS_TRIO):
            await enter()
        await done
        assert seen == ["worked"]

    asyncio.run(host())


def test_a_forgotten_async_with_is_named() -> None:
    queue: Any = open_job_queue()

    with pytest.raises(AttributeError, match=r"use `async with open_job_queue\(\.\.\.\) as queue`"):
        queue.submit(None)
    with pytest.raises(TypeError, match="use `async with"), queue:
        pass
