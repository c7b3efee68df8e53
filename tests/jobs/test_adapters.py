"""Jobs from functions that take no context."""

from __future__ import annotations

import threading
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


@pytest.mark.parametrize("adapter", [plain, in_thread], ids=["plain", "in_thread"])
async def test_what_cannot_be_called_is_refused_at_the_submit(adapter: Any) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(TypeError, match=r"async function .* not 5"):
            await queue.submit(adapter(5))
        with pytest.raises(TypeError, match="do not call it"):
            await queue.submit(adapter(Client().get("/a")))


async def test_each_adapter_refuses_the_functions_of_the_other() -> None:
    def blocking() -> None: ...

    async with open_job_queue() as queue:
        with pytest.raises(TypeError, match=r"is async: use plain\(\)"):
            await queue.submit(anything_in_thread(trio.sleep))
        with pytest.raises(TypeError, match=r"submit in_thread\(function\) if it blocks"):
            await queue.submit(anything(blocking))


async def test_arguments_that_do_not_fit_are_refused_at_the_submit() -> None:
    async with open_job_queue() as queue:
        for adapted in (anything(Client().get), anything_in_thread(lambda url: url)):
            for args in ((), (1, 2, 3)):
                with pytest.raises(TypeError, match=r"takes the submit's arguments"):
                    await queue.submit(adapted, *args)
        assert queue.statistics().pending == 0
