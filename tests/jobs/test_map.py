"""``queue.map``: what it gives, in which order, and how it ends."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from functools import partial
from typing import Any

import pytest
import trio
from fakes.small_jobs import give
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    JobContext,
    JobFailed,
    JobQueue,
    JobSnapshot,
    JobStatus,
    Keep,
    OnConflict,
    QueueClosed,
    open_job_queue,
)
from ticketr.jobs._groups import unwrap_single
from ticketr.testing import cancel_at_every_step


async def double(context: JobContext, number: float) -> float:
    """Take as many seconds as the number."""
    await trio.sleep(number)
    return number * 2


async def fail_at_3(context: JobContext, number: float) -> float:
    await trio.sleep(number)
    if number == 3:
        raise ValueError("three")
    return number


async def one_second(context: JobContext, number: int) -> int:
    await trio.sleep(1)
    return number


class Drawn:
    """Items that count how many were drawn."""

    def __init__(self, count: float = float("inf")) -> None:
        self.count = count
        self.drawn = 0

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        if self.drawn >= self.count:
            raise StopIteration
        self.drawn += 1
        return self.drawn - 1


class AsyncDrawn(Drawn):
    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        await trio.lowlevel.checkpoint()
        if self.drawn >= self.count:
            raise StopAsyncIteration
        return next(self)


async def numbers(count: int, seconds: float = 0) -> AsyncGenerator[int]:
    for number in range(count):
        await trio.sleep(seconds)
        yield number


@pytest.fixture
def told() -> list[JobSnapshot]:
    """Collect what ``on_job_error`` is given."""
    return []


# What it gives


async def test_values_come_in_the_order_of_the_items(autojump_clock: MockClock) -> None:
    times: list[tuple[float, float]] = []

    async with open_job_queue(workers=3) as queue, queue.map(double, [3, 1, 2, 1]) as values:
        async for value in values:
            times.append((value, trio.current_time()))

    assert times == [(6, 3), (2, 3), (4, 3), (2, 3)]


async def test_unordered_values_come_as_the_jobs_end(autojump_clock: MockClock) -> None:
    times: list[tuple[float, float]] = []

    async with (
        open_job_queue(workers=3) as queue,
        queue.map(double, [3, 1, 2, 1.5], ordered=False) as values,
    ):
        async for value in values:
            times.append((value, trio.current_time()))

    assert times == [(2, 1), (4, 2), (3, 2.5), (6, 3)]


@pytest.mark.parametrize("workers", [1, 3, 20])
@pytest.mark.parametrize("max_pending", [1, 2, 10, None])
@pytest.mark.parametrize("ordered", [True, False])
async def test_each_item_has_one_result(
    autojump_clock: MockClock, *, workers: int, max_pending: int | None, ordered: bool
) -> None:
    async with open_job_queue(workers=workers, max_pending=max_pending) as queue:
        async with queue.map(give, range(100), ordered=ordered) as values:
            from_range = [value async for value in values]
        async with queue.map(give, numbers(100), ordered=ordered) as values:
            from_generator = [value async for value in values]

    assert sorted(from_range) == sorted(from_generator) == list(range(100))
    if ordered or workers == 1:
        assert from_range == from_generator == list(range(100))


async def test_outcomes_are_snapshots_and_failures_do_not_end_the_map(
    autojump_clock: MockClock, told: list[JobSnapshot]
) -> None:
    async with (
        open_job_queue(workers=2, on_job_error=told.append) as queue,
        queue.map(fail_at_3, [1, 3, 2], outcomes=True) as outcomes,
    ):
        found = [(job.status.value, job.result, job.item) async for job in outcomes]

    assert found == [("completed", 1, 1), ("failed", None, 3), ("completed", 2, 2)]
    assert told == []


async def test_options_hold_for_each_job(autojump_clock: MockClock) -> None:
    async with (
        open_job_queue(workers=4) as queue,
        queue.map(
            double, [1, 1, 1], outcomes=True, key="k", tags=iter(["a", "b"]), name="n", priority=3
        ) as jobs,
    ):
        found = [job async for job in jobs]

    assert {(job.key, job.tags, job.name, job.priority) for job in found} == {
        ("k", frozenset("ab"), "n", 3)
    }
    assert [job.finished_at for job in found] == [1, 2, 3]


# How far it runs ahead


@pytest.mark.parametrize("items", [Drawn, AsyncDrawn])
@pytest.mark.parametrize(("max_pending", "most"), [(1, 4), (10, 13), (197, 200), (None, 6)])
async def test_no_more_are_submitted_than_workers_and_room(
    autojump_clock: MockClock, items: type[Drawn], max_pending: int | None, most: int
) -> None:
    endless = items(10_000)
    unread: list[int] = []

    async with (
        open_job_queue(workers=3, max_pending=max_pending) as queue,
        queue.map(give, endless) as values,
    ):
        await trio.sleep(1)
        async for number in values:
            unread.append(endless.drawn - number)
            await trio.sleep(1)
            if number == 2 * most:
                break

    assert unread[0] == max(unread) == most
    assert min(unread) >= 3  # or a worker could be idle


# Failures


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_failure_cancels_the_rest_and_is_raised_at_once(
    autojump_clock: MockClock, told: list[JobSnapshot], *, ordered: bool
) -> None:
    async with open_job_queue(workers=2, on_job_error=told.append) as queue:
        with pytest.raises(JobFailed) as caught:  # noqa: PT012 - it leaves the block
            async with queue.map(fail_at_3, [10, 3, 5, 5, 5], ordered=ordered) as values:
                async for _ in values:
                    pass

        assert trio.current_time() == 3
        assert isinstance(caught.value.__cause__, ValueError)
        jobs = queue.jobs()
        assert [job.status.value for job in jobs] == ["cancelled", "failed", *["cancelled"] * 3]
        causes = {job.cancel_cause for job in jobs if job.status is JobStatus.CANCELLED}
        assert causes == {CancelCause.SCOPE}
        assert [job.attempt for job in jobs] == [1, 1, 0, 0, 0]

    assert told == []


async def test_a_failure_cancels_the_rest_while_the_reader_is_busy(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=2) as queue:
        with pytest.raises(JobFailed):  # noqa: PT012 - it leaves the block
            async with queue.map(fail_at_3, [1, 3, 100, 5]) as values:
                assert await anext(values) == 1
                await trio.sleep(10)
                ended = {job.finished_at for job in queue.jobs()}
                assert ended == {1, 3}
                await anext(values)


async def test_a_failure_that_is_not_read_goes_to_on_job_error(
    autojump_clock: MockClock, told: list[JobSnapshot]
) -> None:
    async with open_job_queue(workers=2, keep=Keep(0), on_job_error=told.append) as queue:
        async with queue.map(fail_at_3, [1, 3]) as values:
            assert await anext(values) == 1
            await trio.sleep(5)
            assert told == []  # it can still be read

        await wait_all_tasks_blocked()
        assert [job.status for job in told] == [JobStatus.FAILED]

    assert len(told) == 1


# Leaving the block


@pytest.mark.parametrize("items", [Drawn, AsyncDrawn])
async def test_a_map_that_is_not_iterated_runs_all_items(
    autojump_clock: MockClock, items: type[Drawn]
) -> None:
    async with open_job_queue(workers=2, max_pending=2) as queue:
        async with queue.map(one_second, items(20)):
            pass

        assert trio.current_time() == 10
        assert queue.statistics().completed == 20


async def test_a_map_that_is_not_iterated_raises_the_first_failure(
    autojump_clock: MockClock, told: list[JobSnapshot]
) -> None:
    async with open_job_queue(workers=2, on_job_error=told.append) as queue:
        with pytest.raises(JobFailed) as caught:
            async with queue.map(fail_at_3, [10, 3, 5]):
                pass

        assert isinstance(caught.value.__cause__, ValueError)
        assert trio.current_time() == 3
        with pytest.raises(BadItemsError):
            async with queue.map(give, bad_items(1)):
                pass
        async with queue.map(fail_at_3, [3, 4, 3], outcomes=True):
            pass

    assert [job.status.value for job in told] == ["failed"] * 2


async def test_leaving_early_cancels_the_rest_and_waits_for_it(autojump_clock: MockClock) -> None:
    async def clean_up(context: JobContext, number: float) -> float:
        try:
            await trio.sleep(number)
        finally:
            with context.cleanup(9):
                await trio.sleep(2)
        return number

    async with open_job_queue(workers=2) as queue:
        async with queue.map(clean_up, [1, 50, 50, 50]) as values:
            async for value in values:
                assert value == 1
                await trio.sleep(1)
                break

        assert trio.current_time() == 6
        jobs = queue.jobs()
        assert [job.status.value for job in jobs] == ["completed", *["cancelled"] * 3]
        assert [job.finished_at for job in jobs] == [3, 6, 6, 4]
        assert [job.cancel_cause for job in jobs[1:]] == [CancelCause.SCOPE] * 3


async def test_the_error_of_the_body_leaves_as_it_is(autojump_clock: MockClock) -> None:
    error = ExceptionGroup("mine", [OSError()])
    async with open_job_queue(workers=2) as queue:
        with pytest.RaisesGroup(OSError) as caught:
            async with queue.map(double, [1, 50, 50]) as values:
                await anext(values)
                raise error

        assert caught.value is error
        assert error.__context__ is None
        assert trio.current_time() == 1
        assert queue.statistics().running == queue.statistics().pending == 0


# Items that misbehave


class BadItemsError(Exception):
    pass


def bad_items(good: int) -> Generator[int]:
    yield from range(good)
    raise BadItemsError


async def bad_async_items(good: int) -> AsyncGenerator[int]:
    for number in range(good):
        yield number
    await trio.sleep(0.5)
    raise BadItemsError


@pytest.mark.parametrize("good", [0, 1, 20])
@pytest.mark.parametrize("items", [bad_items, bad_async_items])
async def test_an_error_of_the_items_cancels_all_and_comes_out_bare(
    autojump_clock: MockClock, items: Any, good: int
) -> None:
    async def short(context: JobContext, number: int) -> None:
        await trio.sleep(0.1)

    async with open_job_queue(workers=2) as queue:
        with pytest.raises(BadItemsError) as caught:  # noqa: PT012 - it leaves the block
            async with queue.map(short, items(good)) as values:
                async for _ in values:
                    pass

        assert caught.value.__context__ is None
        assert queue.statistics().pending == queue.statistics().running == 0


async def test_an_error_of_the_items_beside_that_of_the_body_is_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_job_queue() as queue:
        with caplog.at_level(logging.ERROR, "ticketr.jobs"), pytest.raises(KeyError):  # noqa: PT012 - it leaves the block
            async with queue.map(give, bad_items(1)):
                await trio.sleep(1)
                raise KeyError

    assert "BadItemsError" in caplog.text


def test_items_with_a_cancel_scope_of_their_own_leave_no_cancelled_without_a_scope() -> None:
    """In a run of its own: a Cancelled that left a test would end it silently."""

    def items() -> Generator[int]:
        with trio.move_on_after(2):  # noqa: ASYNC100 - the map awaits in it
            yield from range(99)  # noqa: ASYNC101 - it is what items must not do

    async def main() -> float:
        async with open_job_queue() as queue:
            with pytest.raises(RuntimeError, match="hold a cancel scope open") as caught:  # noqa: PT012
                async with queue.map(double, items()) as results:
                    async for _ in results:
                        pass
            assert type(caught.value.__cause__) is trio.Cancelled
            return await queue.run(double, 4)

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == 8


async def drawn_in_a_nursery(ends: list[str], error: Exception | None) -> AsyncGenerator[int]:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
        try:
            for number in range(99):
                yield number  # noqa: ASYNC101, ASYNC119 - as people write it
                await trio.lowlevel.checkpoint()
        finally:
            ends.append("closed")
            if error is not None:
                raise error


@pytest.mark.parametrize("error", [None, OSError("while closing")])
def test_items_that_hold_a_nursery_are_closed_when_the_block_is_left(
    error: OSError | None,
) -> None:
    ends: list[str] = []

    async def main() -> BaseException | None:
        async with open_job_queue() as queue:
            try:
                async with queue.map(double, drawn_in_a_nursery(ends, error)) as values:
                    async for value in values:
                        assert value == 0
                        await wait_all_tasks_blocked()  # the generator is at its yield
                        break
            except BaseExceptionGroup as group:
                return unwrap_single(group)
            return None

    assert trio.run(main) is error
    assert ends == ["closed"]


async def test_a_generator_is_closed_when_the_map_ends_early(autojump_clock: MockClock) -> None:
    closed: list[float] = []

    def items() -> Generator[int]:
        try:
            yield from range(100)
        finally:
            closed.append(trio.current_time())

    async with open_job_queue(workers=2) as queue:
        async with queue.map(give, items()) as values:
            await anext(values)
        assert closed == [0]


async def test_a_generator_that_does_not_close_is_cancelled(autojump_clock: MockClock) -> None:
    async def items() -> AsyncGenerator[int]:
        try:
            for number in range(100):
                yield number
        finally:
            await trio.sleep_forever()

    async with open_job_queue() as queue, queue.map(give, items()) as values:
        await anext(values)

    assert trio.current_time() == 5


# The queue ends


@pytest.mark.parametrize("items", [range(100), numbers(100)])
async def test_a_shutdown_gives_the_grace_to_what_a_map_has_submitted(
    autojump_clock: MockClock, items: Any
) -> None:
    values = []
    async with open_job_queue(workers=2, max_pending=3) as queue, trio.open_nursery() as nursery:
        with pytest.raises(QueueClosed):  # noqa: PT012 - it leaves the block
            async with queue.map(double, items) as results:
                await trio.sleep(1.5)
                nursery.start_soon(partial(queue.shutdown, grace=10))
                async for value in results:
                    values.append(value)

    assert values == [0, 2, 4, 6, 8]
    assert {job.status for job in queue.jobs()} == {"completed"}


async def test_a_map_may_be_left_early_in_a_shutdown(autojump_clock: MockClock) -> None:
    async with (
        open_job_queue(workers=2) as queue,
        trio.open_nursery() as nursery,
        queue.map(double, range(100)) as results,
    ):
        await trio.sleep(1.5)
        nursery.start_soon(partial(queue.shutdown, grace=10))
        await wait_all_tasks_blocked()
        assert await anext(results) == 0


# Inside jobs


async def test_a_job_may_map_on_its_own_queue(autojump_clock: MockClock) -> None:
    async def outer(context: JobContext, queue: JobQueue) -> list[float]:
        async with queue.map(double, [1.0] * 20) as values:
            return [value async for value in values]

    async with open_job_queue(workers=2, max_pending=3) as queue:
        assert await queue.run(outer, queue) == [2] * 20

    assert trio.current_time() == 20


# Wrong use


async def test_what_cannot_be_mapped_is_refused_at_the_call(autojump_clock: MockClock) -> None:
    async def no_item(context: JobContext) -> None: ...

    wrong: list[tuple[type[Exception], str, Any, Any, dict[str, Any]]] = [
        (TypeError, "iterable", give, 3, {}),
        (TypeError, "iterable", give, None, {}),
        (TypeError, "no_item", no_item, [1], {}),
        (TypeError, "a job is", "no function", [1], {}),
        (TypeError, "'id'", give, [1], {"id": "a"}),
        (TypeError, "'on_conflict'", give, [1], {"on_conflict": OnConflict.JOIN, "key": 1}),
        (TypeError, "no option", give, [1], {"order": True}),
        (TypeError, "priority", give, [1], {"priority": "high"}),
    ]
    async with open_job_queue() as queue:
        for kind, words, function, items, options in wrong:
            with pytest.raises(kind, match=words):
                queue.map(function, items, **options)

        assert queue.jobs() == []


async def test_a_map_is_read_in_its_block(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        unentered: Any = queue.map(give, [1])
        with pytest.raises(RuntimeError, match="async with queue"):
            async for _ in unentered:
                pass

        async with queue.map(give, [1]) as values:
            pass
        with pytest.raises(trio.ClosedResourceError, match="left"):
            await anext(values)
        with pytest.raises(RuntimeError, match="entered once"):
            async with unentered, unentered:
                pass


async def test_a_reader_that_waits_as_the_block_is_left_is_woken(autojump_clock: MockClock) -> None:
    async def read(values: AsyncIterator[float]) -> None:
        with pytest.raises(trio.ClosedResourceError):
            await anext(values)

    async with (
        open_job_queue() as queue,
        trio.open_nursery() as nursery,
        queue.map(double, [9]) as values,
    ):
        nursery.start_soon(read, values)  # noqa: ASYNC111 - it reads as the map closes
        await trio.sleep(1)

    assert trio.current_time() == 1


@pytest.mark.parametrize("ordered", [True, False])
async def test_several_tasks_may_read(autojump_clock: MockClock, *, ordered: bool) -> None:
    results: list[float] = []

    async def read(values: AsyncIterator[float]) -> None:
        async for value in values:
            results.append(value)
            await trio.sleep(1)

    async with (
        open_job_queue(workers=2) as queue,
        queue.map(double, range(9), ordered=ordered) as values,
        trio.open_nursery() as nursery,
    ):
        for _ in range(3):
            nursery.start_soon(read, values)

    assert sorted(results) == [2 * number for number in range(9)]


def test_a_map_is_left_by_ctrl_c_at_every_step_with_no_job_behind() -> None:
    left: set[int] = set()

    async def clean_up(context: JobContext, number: int) -> int:
        left.add(number)
        try:
            await trio.sleep(number)
        finally:
            with context.cleanup(5):
                await trio.sleep(1)
            left.remove(number)
        return number

    async def leave_early() -> None:
        async with open_job_queue(workers=2) as queue:
            try:
                async with queue.map(clean_up, [1, 2, 3]) as values:
                    await anext(values)
            finally:
                assert not left

    assert cancel_at_every_step(leave_early).cancelled
