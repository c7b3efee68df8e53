"""Jobs from functions that take no context."""

from __future__ import annotations

import threading
import time
from contextvars import ContextVar
from typing import Any

import pytest
import trio

from ticketr import JobStatus, in_thread, open_job_queue, plain

user: ContextVar[str] = ContextVar("user")
anything: Any = plain
anything_in_thread: Any = in_thread


class Client:
    async def get(self, url: str, *, verify: bool = True) -> str:
        await trio.lowlevel.checkpoint()
        return f"{url} {verify}"


async def test_a_function_without_context_is_a_job_by_plain() -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(plain(Client().get), "/a")

        assert await handle.result() == "/a True"
        assert handle.name == "get"


async def test_a_blocking_function_runs_in_a_thread_with_the_submitters_variables() -> None:
    def name_and_thread(word: str) -> tuple[str, bool]:
        return user.get() + word, threading.current_thread() is threading.main_thread()

    user.set("ann")
    async with open_job_queue() as queue:
        handle = await queue.submit(in_thread(name_and_thread), "!")

        assert await handle.result() == ("ann!", False)
        assert handle.name == "name_and_thread"


async def test_a_cancelled_thread_is_waited_for_unless_it_asks() -> None:
    release, started = threading.Event(), threading.Event()

    def stubborn() -> str:
        started.set()
        release.wait(10)
        return "done"

    def asking() -> None:
        started.set()
        while not release.wait(0.001):
            trio.from_thread.check_cancelled()

    async with open_job_queue() as queue:
        for job, status in ((stubborn, JobStatus.COMPLETED), (asking, JobStatus.CANCELLED)):
            handle = await queue.submit(in_thread(job))
            await trio.to_thread.run_sync(started.wait)
            handle.cancel()
            if job is stubborn:
                await trio.testing.wait_all_tasks_blocked()
                assert handle.status is JobStatus.RUNNING
                release.set()
            assert (await handle.wait()).status is status
            started.clear()
            release.clear()


async def test_a_thread_that_may_be_abandoned_holds_up_no_cancel() -> None:
    release, started = threading.Event(), threading.Event()

    def work() -> None:
        started.set()
        release.wait(10)

    async with open_job_queue() as queue:
        handle = await queue.submit(in_thread(work, abandon_on_cancel=True))
        await trio.to_thread.run_sync(started.wait)
        assert (await handle.cancel_and_wait()).status is JobStatus.CANCELLED
    release.set()


async def test_a_limiter_bounds_the_threads() -> None:
    limiter = trio.CapacityLimiter(1)
    inside: list[int] = []

    def count() -> int:
        inside.append(1)
        time.sleep(0.001)  # noqa: TID251 - a function that blocks
        return len(inside) - (inside.pop() - 1)

    async with open_job_queue(workers=3) as queue:
        job = in_thread(count, limiter=limiter)
        handles = [await queue.submit(job) for _ in range(3)]
        assert [await handle.result() for handle in handles] == [1, 1, 1]


@pytest.mark.parametrize("adapter", [plain, in_thread], ids=["plain", "in_thread"])
async def test_what_cannot_be_called_is_refused_at_once(adapter: Any) -> None:
    with pytest.raises(TypeError, match=r"takes a function, not 5"):
        adapter(5)
    with pytest.raises(TypeError, match="do not call it"):
        adapter(Client().get("/a"))


async def test_each_adapter_refuses_the_functions_of_the_other() -> None:
    def blocking() -> None: ...

    with pytest.raises(TypeError, match=r"is async: use plain\(\)"):
        anything_in_thread(trio.sleep)
    async with open_job_queue() as queue:
        with pytest.raises(TypeError, match=r"submit in_thread\(function\) if it blocks"):
            await queue.submit(anything(blocking))


async def test_arguments_that_do_not_fit_are_refused_at_the_submit() -> None:
    async with open_job_queue() as queue:
        for adapted in (anything(Client().get), anything_in_thread(lambda url: url)):
            for args in ((), (1, 2, 3)):
                with pytest.raises(TypeError, match=r"takes the submit's arguments"):
                    await queue.submit(adapted, *args)
        assert queue.statistics().pending == 0


async def test_a_limiter_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match=r"must be a trio.CapacityLimiter, not 3"):
        anything_in_thread(len, limiter=3)
