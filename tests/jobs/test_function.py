"""What can be a job, and what a submit refuses."""

from __future__ import annotations

import functools
import gc
import inspect
import threading
import types
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextvars import Context, ContextVar
from typing import Any

import pytest
import trio
from fakes.small_jobs import sleep
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import JobContext, JobFailed, JobStatus, UnknownJob, in_thread, open_job_queue, plain


class Jobs:
    """A class with methods of every kind."""

    name = "jobs"

    async def execute(self, context: JobContext) -> str:
        return "executed"

    async def method(self, context: JobContext, number: int = 0) -> int:
        return number


anything: Any = plain
anything_in_thread: Any = in_thread


class Client:
    async def get(self, url: str, *, verify: bool = True) -> str:
        await trio.lowlevel.checkpoint()
        return f"{url} {verify}"


class Called:
    async def __call__(self, context: JobContext, number: int) -> int:
        return number


async def add(context: JobContext, a: int, b: int = 2, *, c: int = 3) -> int:
    return a + b + c


async def no_context() -> int:
    return 1


async def get(url: str) -> str:
    return url


async def any_number(context: JobContext, *numbers: int) -> int:
    return sum(numbers)


async def needs(context: JobContext, *, word: str) -> str:
    return word


def wrapped(function: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    def wrapper(*args: object) -> Awaitable[Any]:
        return function(*args)

    return wrapper


def blocking(context: JobContext) -> None:
    pytest.fail("it was called")


def generator(context: JobContext) -> Generator[None]:
    yield


async def async_generator(context: JobContext) -> AsyncGenerator[None]:
    yield


@pytest.mark.parametrize(
    ("job", "args", "value", "name"),
    [
        (add, (1,), 6, "add"),
        (functools.partial(add, b=5), (1,), 9, "add"),
        (functools.partial(needs, word="w"), (), "w", "needs"),
        (any_number, (1, 2, 3), 6, "any_number"),
        (Jobs(), (), "executed", "jobs"),
        (Jobs().method, (4,), 4, "method"),
        (Called(), (7,), 7, "Called"),
        (wrapped(add), (1,), 6, "add"),
        (lambda context, a: add(context, a, 1), (1,), 5, "<lambda>"),
    ],
)
async def test_what_may_be_a_job(
    job: Any, args: tuple[Any, ...], value: object, name: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(job, *args)

        assert await handle.result() == value
        assert handle.name == name


@pytest.mark.parametrize(
    ("job", "args", "words"),
    [
        (Jobs, (), "not its class: make one of <class '.*Jobs'>"),
        (blocking, (), r"blocking\(\) is not one: write it with 'async def'"),
        (generator, (), r"generator\(\) is not one"),
        (async_generator, (), r"async_generator\(\) yields: it is an async generator function"),
        (5, (), "a job is an async function or has an execute method, not 5"),
        (types.SimpleNamespace(execute=5), (), "has an execute method"),
        (types.SimpleNamespace(execute=blocking), (), r"blocking\(\) is not one"),
        (
            add,
            (),
            r"add\(context, a, b, c\) cannot be called: missing a required argument: .a.; a job",
        ),
        (
            add,
            (1, 2, 3),
            "too many positional arguments; a job's function takes a context and the submit's",
        ),
        (needs, (), "missing a required"),
        (Jobs(), (1,), "too many positional arguments"),
        (Called(), (), "missing a required"),
        (no_context, (), r"no_context\(\) .*; if it takes no context, submit plain\(no_context\)$"),
        (get, ("url",), r"get\(url\) cannot .*, submit plain\(get\)$"),
        (plain(add), (), "; a job's function takes the submit's arguments$"),
        (plain(Client().get), (1, 2, 3), "takes the submit's arguments"),
        (anything_in_thread(lambda url: url), (), "takes the submit's arguments"),
        (anything(5), (), "async function .* not 5"),
        (anything(blocking), (), r"submit in_thread\(function\) if it blocks"),
        (anything_in_thread(5), (), "function .* not 5"),
        (anything_in_thread(trio.sleep), (1,), r"is async: use plain\(\)"),
    ],
)
async def test_what_cannot_be_a_job_is_refused_at_the_call(
    job: Any, args: tuple[Any, ...], words: str, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        for submit in (queue.submit, queue.run):
            with pytest.raises(TypeError, match=words):
                await submit(job, *args)
        with pytest.raises(TypeError, match=words):
            queue.submit_nowait(job, *args)

        assert queue.jobs() == []


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("adapter", [lambda job: job, plain, in_thread])
async def test_a_coroutine_is_closed_and_refused(adapter: Any, autojump_clock: MockClock) -> None:
    context: Any = None
    coroutine: Any = add(context, 1)
    async with open_job_queue() as queue:
        with pytest.raises(TypeError, match="do not call it"):
            queue.submit_nowait(adapter(coroutine))

        assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
        assert queue.jobs() == []
    del coroutine
    gc.collect()  # or a warning would come here


def five(context: JobContext) -> Any:
    return 5


@pytest.mark.parametrize("job", [lambda context: 5, wrapped(five), len])
async def test_a_job_that_returns_no_awaitable_fails_with_a_clear_error(
    job: Any, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(job)

        with pytest.raises(JobFailed, match="async function" if job is not len else "len"):
            await handle.result()


async def test_an_option_that_does_not_exist_is_named(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        submit: Any = queue.submit_nowait
        with pytest.raises(
            TypeError, match=r"no option 'prio', only id, name, priority, .*partial"
        ):
            submit(any_number, prio=1)
        with pytest.raises(TypeError, match=r"no option '\\x1b\[0m', only"):
            submit(any_number, **{"\x1b[0m": 1})

        assert queue.jobs() == []


async def test_a_handle_is_taken_where_an_id_is(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2) as queue, open_job_queue() as other:
        handle = queue.submit_nowait(sleep, id="a")
        later = queue.submit_nowait(sleep, id="b", delay=9)
        other.submit_nowait(sleep, id="a")
        await trio.sleep(0.1)

        assert queue.status(handle) == "running"
        assert queue.snapshot(handle).id == "a"
        assert queue.set_priority(handle, 3)
        assert queue.snapshot("a").priority == 3
        assert queue.run_now(later)
        for ask in (other.status, other.snapshot, other.run_now):
            with pytest.raises(UnknownJob, match="'a' is known"):
                ask(handle)
        assert other.cancel(handle) == "unknown"
        assert queue.cancel(handle) == "requested"
        assert other.status("a") == "running"


# Jobs from functions that take no context.


user: ContextVar[str] = ContextVar("user")


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


def test_a_job_sees_no_variable_of_the_task_that_opened_the_queue() -> None:
    async def user_name(_: JobContext) -> str:
        return user.get("none")

    async def main() -> str:
        user.set("the opener")
        async with open_job_queue() as queue:
            await wait_all_tasks_blocked()  # a worker waits for a job
            return await Context().run(queue.submit_nowait, user_name).result()

    assert Context().run(trio.run, main) == "none"


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
