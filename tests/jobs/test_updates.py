"""Readers of changes and of progress: what they get, when they end, and how they are closed."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
import trio
from trio.testing import MockClock, assert_checkpoints, wait_all_tasks_blocked

from ticketr import JobContext, JobProgress, JobQueue, JobSnapshot, JobStatus, open_job_queue
from ticketr.jobs._progress import advance_ignoring_invalid


async def steps(context: JobContext, number: int, seconds: float = 1) -> int:
    """Report each step."""
    for step in range(1, number + 1):
        await trio.sleep(seconds)
        context.report(current=step, total=number, message=f"step {step}")
    return number


async def fail_at_once(context: JobContext) -> None:
    context.report(current=1, total=2)
    raise ValueError


async def forever(context: JobContext) -> None:
    context.report(current=1, total=2)
    await trio.sleep_forever()


def told(snapshot: JobSnapshot) -> tuple[str, float | None]:
    return snapshot.status.value, snapshot.progress.current if snapshot.progress else None


async def test_a_reader_that_keeps_up_sees_every_change(autojump_clock: MockClock) -> None:
    seen: list[JobSnapshot] = []

    async def read() -> None:
        with queue.watch() as updates:
            async for snapshot in updates:
                seen.append(snapshot)

    async with trio.open_nursery() as nursery, open_job_queue() as queue:
        nursery.start_soon(read)
        await queue.submit(steps, 1)
        await wait_all_tasks_blocked()
        handle = await queue.submit(steps, 3)

    seen = [snapshot for snapshot in seen if snapshot.id == handle.id]
    assert [told(snapshot) for snapshot in seen] == [
        ("pending", None),
        ("running", None),
        ("running", 1),
        ("running", 2),
        ("completed", 3),
    ]
    revisions = [snapshot.revision for snapshot in seen]
    assert revisions == sorted(set(revisions))


async def test_a_slow_reader_gets_the_newest_and_always_the_last(
    autojump_clock: MockClock,
) -> None:
    seen: list[tuple[float, tuple[str, float | None]]] = []

    async with open_job_queue() as queue:
        with queue.watch() as updates:
            await queue.submit(steps, 10)
            for _ in range(3):
                await trio.sleep(3.5)
                snapshot = await anext(updates)
                seen.append((trio.current_time(), told(snapshot)))

    assert seen == [(3.5, ("running", 3)), (7, ("running", 7)), (10.5, ("completed", 10))]


async def test_a_reader_that_never_read_gets_one_final_snapshot_of_each_job(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=3, max_pending=None) as queue:
        updates, reports = queue.watch(), queue.progress()
        handles = [
            await queue.submit(steps, 5),
            await queue.submit(fail_at_once),
            await queue.submit(forever),
            await queue.submit(forever),
        ]
        await trio.sleep(1)
        handles[2].cancel()
        handles[3].cancel()
        for handle in handles:
            await handle.wait()

    with updates, reports:
        assert [told(snapshot) async for snapshot in updates] == [
            ("completed", 5),
            ("failed", 1),
            ("cancelled", 1),
            ("cancelled", 1),
        ]
        last = {report.job_id: report.current async for report in reports}
        assert last == {"job-1": 5, "job-2": 1, "job-3": 1, "job-4": 1}


@pytest.mark.parametrize("readers", [0, 1, 5])
async def test_dead_readers_cost_the_jobs_nothing(readers: int, autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2) as queue:
        dead = [(queue.watch(), queue.progress()) for _ in range(readers)]
        for _ in range(6):
            await queue.submit(steps, 10)

    assert trio.current_time() == 30
    assert len(dead) == readers


async def test_watching_one_job_ends_with_its_end(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=2) as queue:
        other = queue.submit_nowait(steps, 5)
        handle = queue.submit_nowait(steps, 2)

        with handle.watch() as updates, other.watch():
            seen = [(snapshot.id, *told(snapshot)) async for snapshot in updates]

        assert trio.current_time() == 2
        assert seen == [
            (handle.id, "running", None),
            (handle.id, "running", 1),
            (handle.id, "completed", 2),
        ]


async def test_a_request_to_cancel_is_a_change(autojump_clock: MockClock) -> None:
    async def tidy(context: JobContext) -> None:
        try:
            await trio.sleep_forever()
        finally:
            with context.cleanup(1):
                await trio.sleep_forever()

    async with open_job_queue() as queue:
        handle = await queue.submit(tidy)
        await wait_all_tasks_blocked()
        before = handle.snapshot().revision
        with handle.watch() as updates:
            handle.cancel()
            seen = [
                (s.status.value, s.cancel_requested, s.revision - before) async for s in updates
            ]

    assert seen == [("running", True, 1), ("cancelled", True, 2)]


async def test_reading_a_closed_queue_ends_at_once(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        pass

    with queue.watch() as updates, queue.progress() as reports:
        assert [snapshot async for snapshot in updates] == []
        assert [report async for report in reports] == []


async def test_a_cancelled_reader_loses_nothing(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with queue.progress() as reports:
            await queue.submit(steps, 2)
            with trio.move_on_after(0.5):
                await anext(reports)
            await trio.sleep(1)

            assert (await anext(reports)).current == 1
            assert (await anext(reports)).current == 2


async def test_too_many_unread_jobs_drop_the_oldest(
    monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    monkeypatch.setattr("ticketr.jobs._updates.MAX_UNREAD_JOBS", 3)
    async with open_job_queue(max_pending=None) as queue:
        with queue.watch() as updates:
            for _ in range(5):
                queue.submit_nowait(steps, 0)
            assert updates.missed == 2
            await queue.shutdown()

            seen = [snapshot async for snapshot in updates]

    assert [snapshot.id for snapshot in seen] == ["job-3", "job-4", "job-5"]
    assert all(snapshot.status is JobStatus.COMPLETED for snapshot in seen)
    assert updates.missed == 7  # one was dropped each time


async def test_what_is_unread_can_be_taken_without_waiting(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with queue.watch() as updates:
            with pytest.raises(trio.WouldBlock):
                updates.receive_nowait()
            handle = queue.submit_nowait(steps, 2)
            assert told(updates.receive_nowait()) == ("pending", None)
            await handle.wait()
            assert told(updates.receive_nowait()) == ("completed", 2)
            await queue.shutdown()
            with pytest.raises(trio.EndOfChannel):
                updates.receive_nowait()
            with pytest.raises(trio.EndOfChannel):
                await updates.receive()


# Ends with the last job: until_idle=True


def read(queue: JobQueue, kind: str) -> Any:
    return queue.watch(until_idle=True) if kind == "watch" else queue.progress(until_idle=True)


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_reader_ends_with_the_last_job(autojump_clock: MockClock, kind: str) -> None:
    async with open_job_queue(workers=2) as queue:
        with read(queue, kind) as updates:
            await queue.submit(steps, 3)
            await queue.submit(steps, 5)
            await queue.submit(steps, 1, delay=9)
            found = [update async for update in updates]

        assert trio.current_time() == 10
        assert found[-1].revision == queue.jobs()[-1].revision - (kind == "progress")
        await queue.submit(steps, 1)


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_reader_of_an_idle_queue_ends_at_once(autojump_clock: MockClock, kind: str) -> None:
    async with open_job_queue() as queue:
        with read(queue, kind) as updates:
            assert [update async for update in updates] == []
        with read(queue, kind) as updates, pytest.raises(trio.EndOfChannel):
            updates.receive_nowait()

    assert trio.current_time() == 0


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_reader_that_has_ended_is_not_told_of_later_jobs(
    autojump_clock: MockClock, kind: str
) -> None:
    async with open_job_queue() as queue:
        with read(queue, kind) as updates:
            assert [update async for update in updates] == []
            assert (await (await queue.submit(steps, 1)).wait()).status == "completed"
            assert [update async for update in updates] == []


@pytest.mark.parametrize("kind", ["watch", "progress"])
async def test_a_late_reader_gets_what_is_unread_before_the_end(
    autojump_clock: MockClock, kind: str
) -> None:
    async with open_job_queue() as queue:
        with read(queue, kind) as updates:
            await queue.submit(steps, 2)
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
        first = await queue.submit(steps, 1)
        nursery.start_soon(partial(queue.submit, steps, 2))
        with read(queue, kind) as updates:
            await trio.sleep(1)
            first.cancel()
            queue.resume()
            async for _ in updates:
                pass

        assert trio.current_time() == 3


# Closed, or unreferenced


async def nothing(context: JobContext) -> None:
    context.report(current=1)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def test_a_wait_ends_when_its_reader_is_closed_meanwhile(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        updates = queue.watch()
        closed = []

        async def wait() -> None:
            with trio.fail_after(60), pytest.raises(trio.ClosedResourceError):
                await updates.receive()
            closed.append(trio.current_time())

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await trio.sleep(1)
            updates.close()

    assert closed == [1]


async def test_an_unreferenced_reader_is_freed_at_once(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with no_garbage_collection():
            reader = queue.watch()
            await queue.submit(nothing)
            reference = weakref.ref(reader)
            del reader
            assert reference() is None
        await queue.run(nothing)


async def read_all(channel: trio.abc.ReceiveChannel[JobSnapshot]) -> list[str]:
    async with channel:
        return [snapshot.status.value async for snapshot in channel]


async def test_a_reader_is_a_receive_channel_of_trio(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(nothing)
        updates = handle.watch()
        assert isinstance(updates, trio.abc.ReceiveChannel)
        assert (await read_all(updates))[-1] == "completed"
        with pytest.raises(trio.ClosedResourceError):
            await updates.receive()
        await updates.aclose()
        with pytest.raises(trio.ClosedResourceError):
            updates.receive_nowait()


async def test_closing_a_reader_asynchronously_is_a_checkpoint(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        updates = queue.watch()
        with assert_checkpoints():
            await updates.aclose()

        other = queue.watch()
        with trio.CancelScope() as scope:
            scope.cancel()
            await other.aclose()
        assert scope.cancelled_caught
        with pytest.raises(trio.ClosedResourceError):
            other.receive_nowait()


def progress(current: float, total: float, message: str = "") -> JobProgress:
    return JobProgress("job-1", current, total, message, 1)


@pytest.mark.parametrize(
    ("current", "total", "percentage"),
    [(0, 0, 0.0), (7, 0, 0.0), (0, 4, 0.0), (1, 4, 25.0), (4, 4, 100.0), (5, 4, 100.0)],
)
def test_percentage(current: float, total: float, percentage: float) -> None:
    assert progress(current, total).percentage == percentage


@pytest.mark.parametrize(
    ("shown", "current", "total", "message"),
    [
        ("45% (54/120) Pulling tickets", 54, 120, "Pulling tickets"),
        ("38% (45/120)", 45, 120, ""),
        ("99% (999999/1000000)", 999_999, 1_000_000, ""),
        ("100% (3/3)", 3, 3, ""),
        ("(7) Looking", 7, 0, "Looking"),
    ],
)
def test_shown_as(shown: str, current: float, total: float, message: str) -> None:
    assert str(progress(current, total, message)) == shown


@pytest.mark.parametrize(
    ("old", "reported", "new"),
    [
        ((0, 0), (3, 10), (3, 10)),
        ((3, 10), (4, None), (4, 10)),
        ((4, 10), (3, None), (4, 10)),  # a late report of a slower child
        ((4, 10), (3, 10), (4, 10)),
        ((9, 10), (0, 50), (0, 50)),  # a new phase
        ((4, 10), (11, None), (10, 10)),
        ((4, 0), (11, None), (11, 0)),
        ((4, 10), (-1, 20), (0, 20)),
        ((4, 10), (5, -1), (5, 0)),
        ((4, 10), (math.nan, None), (4, 10)),
        ((4, 10), (math.inf, None), (4, 10)),
        ((4, 10), (5, math.nan), (5, 10)),
        ((4, 10), (5, math.inf), (5, 10)),
        ((0, 0), (10**300, 2 * 10**300), (10**300, 2 * 10**300)),
        ((4, 10), (10**400, None), (4, 10)),
        ((4, 10), (5, 10**400), (5, 10)),  # 5.0 / 10**400 is not a percentage but an OverflowError
    ],
)
def test_a_report_is_folded_into_the_progress_so_far(
    old: tuple[float, float], reported: tuple[float, float | None], new: tuple[float, float]
) -> None:
    assert advance_ignoring_invalid(*old, *reported) == new
