"""How a queue's block ends, and which errors leave it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
import trio
from trio.testing import MockClock

from ticketr import JobContext, JobQueue, QueueClosed, open_job_queue


async def sleep(context: JobContext, seconds: float) -> float:
    await trio.sleep(seconds)
    return seconds


async def forever(context: JobContext) -> None:
    await trio.sleep_forever()


async def tidy(context: JobContext, seconds: float) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True):
            await trio.sleep(seconds)


async def interrupt(context: JobContext) -> None:
    await trio.sleep(1)
    raise KeyboardInterrupt


def ends(queue: JobQueue) -> list[tuple[str, str | None]]:
    return [(job.status.value, job.cancel_cause) for job in queue.jobs()]


async def test_left_normally_a_block_waits_for_its_jobs(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        await queue.submit(sleep, 2)
        await queue.submit(sleep, 3)

    assert trio.current_time() == 5
    assert ends(queue) == [("completed", None)] * 2


async def test_jobs_may_submit_more_while_the_block_ends(autojump_clock: MockClock) -> None:
    async def again(context: JobContext, times: int) -> None:
        await trio.sleep(1)
        if times > 1:
            queue.submit_nowait(again, times - 1)

    async with open_job_queue() as queue:
        await queue.submit(again, 4)

    assert trio.current_time() == 4
    assert queue.statistics().completed == 4


async def test_an_exception_in_the_body_cancels_everything_and_leaves_unchanged(
    autojump_clock: MockClock,
) -> None:
    error = ValueError("in the body")

    with pytest.raises(ValueError, match="in the body") as caught:  # noqa: PT012
        async with open_job_queue() as queue:
            await queue.submit(tidy, 2)
            await queue.submit(forever)
            await trio.sleep(1)
            raise error

    assert caught.value is error
    assert trio.current_time() == 3
    assert ends(queue) == [("cancelled", "shutdown")] * 2
    assert queue.snapshot("job-2").finished_at == 1
    assert repr(queue).startswith("<JobQueue closed")


async def test_an_outer_cancel_cancels_everything(autojump_clock: MockClock) -> None:
    with trio.move_on_after(1) as scope:
        async with open_job_queue() as queue:
            await queue.submit(tidy, 2)
            await queue.submit(forever)
            await trio.sleep_forever()

    assert scope.cancelled_caught
    assert trio.current_time() == 3
    assert ends(queue) == [("cancelled", "scope")] * 2


async def fail_as_it_is_cancelled(context: JobContext) -> None:
    try:
        await trio.sleep_forever()
    except trio.Cancelled as cancelled:
        raise BaseExceptionGroup("both", [cancelled, ValueError()]) from None


@pytest.mark.parametrize("body", [forever, fail_as_it_is_cancelled])
async def test_an_outer_cancel_lets_no_pending_job_start(
    body: Callable[[JobContext], Awaitable[None]], autojump_clock: MockClock
) -> None:
    for _ in range(30):  # Trio's order of tasks is random
        with trio.move_on_after(1):
            async with open_job_queue() as queue:
                await queue.submit(body)
                pending = await queue.submit(forever)

        assert pending.snapshot().cancel_cause == "scope"
        assert pending.snapshot().started_at is None


async def test_a_body_error_beside_an_outer_cancel_comes_out_alone(
    autojump_clock: MockClock,
) -> None:
    error = ValueError("while being cancelled")

    with trio.move_on_after(1) as scope:
        with pytest.raises(ValueError, match="while being cancelled") as caught:  # noqa: PT012
            async with open_job_queue(workers=2) as queue:
                await queue.submit(tidy, 1)
                await queue.submit(forever)
                try:
                    await trio.sleep_forever()
                finally:
                    raise error
        assert caught.value is error

    assert not scope.cancelled_caught
    assert [status for status, _ in ends(queue)] == ["cancelled"] * 2


async def test_a_shielded_body_does_not_keep_a_cancelled_queue_open(
    autojump_clock: MockClock,
) -> None:
    async def never(context: JobContext) -> None:
        pytest.fail("it was called")

    with trio.move_on_after(1):
        async with open_job_queue() as queue:
            await queue.submit(tidy, 5)
            pending = await queue.submit(never)
            with trio.CancelScope(shield=True):
                await trio.sleep(2)
                assert pending.snapshot().finished_at == 1
                assert pending.snapshot().cancel_cause == "scope"
                with pytest.raises(QueueClosed):
                    queue.submit_nowait(never)

    assert trio.current_time() == 6


async def test_an_interrupt_in_a_job_while_the_block_waits(autojump_clock: MockClock) -> None:
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        async with open_job_queue(workers=2) as queue:
            await queue.submit(interrupt)
            await queue.submit(tidy, 2)
            await queue.submit(forever)

    assert trio.current_time() == 3
    assert ends(queue) == [("failed", None), ("cancelled", "shutdown"), ("cancelled", "shutdown")]


async def test_an_interrupt_among_errors_of_a_job_leaves_with_them(
    autojump_clock: MockClock,
) -> None:
    async def fail_and_interrupt(context: JobContext) -> None:
        raise BaseExceptionGroup("of the job", [ValueError(), KeyboardInterrupt()])

    with pytest.RaisesGroup(ValueError, KeyboardInterrupt, match="of the job"):
        async with open_job_queue() as queue:
            await queue.submit(fail_and_interrupt)
            await queue.submit(forever)

    assert ends(queue) == [("failed", None), ("cancelled", "shutdown")]


async def test_an_interrupt_and_an_error_of_the_body_leave_together(
    autojump_clock: MockClock,
) -> None:
    error = ValueError("of the body")

    with pytest.RaisesGroup(ValueError, KeyboardInterrupt) as caught:
        async with open_job_queue() as queue:
            await queue.submit(interrupt)
            try:
                await trio.sleep_forever()
            finally:
                raise error

    assert caught.value.exceptions[0] is error


async def test_a_fault_of_ours_does_not_hang(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    def broken(*_: object) -> None:
        raise AssertionError("a fault")

    monkeypatch.setattr("ticketr.jobs._core.QueueCore.take", broken)

    with pytest.RaisesGroup(AssertionError, match="Please report it"):
        async with open_job_queue() as queue:
            await queue.submit(forever)
            await trio.sleep_forever()
