"""The context manager around each attempt."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

import pytest
import trio
from fakes.small_jobs import fail, forever
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import CancelCause, JobContext, JobFailed, JobStatus, Retry, open_job_queue

span = ContextVar[str]("span", default="none")


class Around:
    """Counts, and does at each end what a test asks for.

    Attributes:
        seen: What happened, in order.
        errors: Raised on entering and on leaving, by the names "enter" and "leave".
        swallows: Whether it swallows what the function raises.
        seconds: How long entering and leaving take.
    """

    def __init__(
        self,
        *,
        errors: dict[str, BaseException] | None = None,
        swallows: bool = False,
        seconds: float = 0,
    ) -> None:
        self.seen: list[object] = []
        self.errors, self.swallows, self.seconds = errors or {}, swallows, seconds

    @asynccontextmanager
    async def __call__(self, context: JobContext) -> AsyncGenerator[None]:
        self.seen.append(f"enter {context.id} {context.attempt}")
        span.set(context.id)
        await trio.sleep(self.seconds)
        if "enter" in self.errors:
            raise self.errors["enter"]
        try:
            yield
        except BaseException as error:
            self.seen.append(type(error))
            if not self.swallows:
                raise
        finally:
            with trio.CancelScope(shield=True):
                await trio.sleep(self.seconds)
            self.seen.append(f"leave {context.id}")
            if "leave" in self.errors:
                raise self.errors["leave"]


async def value(context: JobContext, *args: object) -> object:
    await trio.sleep(1)
    return args or span.get()


async def test_each_attempt_is_inside_a_manager_of_its_own(autojump_clock: MockClock) -> None:
    around = Around()

    async def second_time(context: JobContext) -> int:
        around.seen.append(context.attempt)
        if context.attempt == 1:
            raise OSError
        return 7

    async with open_job_queue(around=around, retry=Retry(2)) as queue:
        assert await queue.run(second_time, id="a") == 7
        assert await queue.run(value, 1, 2, id="b") == (1, 2)

    assert around.seen == [
        *("enter a 1", 1, OSError, "leave a"),
        *("enter a 2", 2, "leave a"),
        *("enter b 1", "leave b"),
    ]


async def test_the_job_sees_its_context_variables_and_no_other_job_does(
    autojump_clock: MockClock,
) -> None:
    async def in_child(context: JobContext) -> str:
        seen: list[str] = []

        async def child() -> None:
            seen.append(span.get())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(child)
        return seen[0]

    before: list[str] = []

    def around(context: JobContext) -> Any:
        before.append(span.get())
        return Around()(context)

    async with open_job_queue(around=around, retry=Retry(2, first=0.5)) as queue:
        assert [await queue.run(in_child, id=name) for name in "ab"] == ["a", "b"]
        with pytest.raises(JobFailed):
            await queue.run(fail, id="c")

    assert before == ["none"] * 4
    assert span.get() == "none"


@pytest.mark.parametrize("where", ["enter", "leave"])
async def test_an_error_of_the_manager_is_one_of_the_attempt(
    where: str, autojump_clock: MockClock
) -> None:
    managers = [Around(errors={where: OSError("no span")}), Around()]

    def around(context: JobContext) -> Any:
        return managers.pop(0)(context)

    async with open_job_queue(around=around) as queue:
        handle = queue.submit_nowait(value)
        with pytest.raises(JobFailed, match="no span"):
            await handle.result()
        assert await queue.run(value) == "job-2"

    assert handle.snapshot().attempt == 1


async def test_a_swallowed_error_is_the_value_none(autojump_clock: MockClock) -> None:
    around = Around(swallows=True)
    async with open_job_queue(around=around, retry=Retry(3)) as queue:
        ended = await queue.submit_nowait(fail).wait()

    assert (ended.status, ended.result, ended.attempt) == (JobStatus.COMPLETED, None, 1)


async def cleans_up_badly(context: JobContext) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        try:
            await trio.sleep_forever()
        finally:
            raise OSError


@pytest.mark.parametrize("body", [forever, cleans_up_badly])
async def test_a_cancellation_cannot_be_swallowed(body: Any, autojump_clock: MockClock) -> None:
    around = Around(swallows=True)
    async with open_job_queue(around=around) as queue:
        handle = queue.submit_nowait(body)
        await wait_all_tasks_blocked()
        ended = await handle.cancel_and_wait()
        late = await queue.submit_nowait(body, timeout=2).wait()

    assert (ended.status, ended.cancel_cause) == (JobStatus.CANCELLED, CancelCause.USER)
    assert (late.status, late.cancel_cause) == (JobStatus.FAILED, CancelCause.TIMEOUT)
    assert around.seen[2] == "leave job-1"


@contextmanager
def sync_manager(context: JobContext) -> Generator[None]:
    yield


async def test_what_gives_no_async_context_manager_fails_the_attempt(
    autojump_clock: MockClock,
) -> None:
    for around in (lambda context: None, sync_manager):
        async with open_job_queue(around=around) as queue:  # type: ignore[arg-type]
            handle = queue.submit_nowait(value)
            with pytest.raises(JobFailed, match="around must give an async context manager, not "):
                await handle.result()


async def generator(context: JobContext) -> AsyncGenerator[None]:
    yield


@pytest.mark.parametrize(
    ("around", "words"),
    [
        (5, "around must be a function, not 5"),
        (value, "around is not awaited"),
        (generator, "decorate <function generator .* with contextlib.asynccontextmanager"),
    ],
)
def test_what_cannot_be_around_is_refused(around: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        open_job_queue(around=around)
