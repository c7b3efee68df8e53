"""Jobs that have ended are submitted again: ``queue.retry(id)``, and ``once=True``."""

from __future__ import annotations

import gc
import time
import weakref
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.testing
from fakes.durable import RAN, REPAIRED, Disk, change, cut_off, fail, note, open_stored, rows, slow
from fakes.small_jobs import nothing, quiet
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    DuplicateJob,
    JobContext,
    JobFailed,
    JobHandle,
    JobStatus,
    JobTimedOut,
    Keep,
    NotSendable,
    OnConflict,
    QueueClosed,
    Retry,
    SqliteStore,
    StoreFailed,
    UnknownJob,
    open_job_queue,
)

VARIABLE: ContextVar[str] = ContextVar("VARIABLE", default="none")


async def send(context: JobContext, server: str) -> str:
    """Fail until the server is repaired."""
    RAN.append((context.id, context.attempt, context.key, VARIABLE.get()))
    await trio.sleep(1)
    if server not in REPAIRED:
        raise OSError(f"no answer from {server}")
    return f"sent by {server}"


async def too_slow(context: JobContext) -> None:
    RAN.append((context.attempt, trio.current_time()))
    await trio.sleep(10)


async def test_a_failed_job_is_run_again_as_the_same_job(autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=quiet) as queue:
        options: Any = {"id": "mail", "key": "k", "tags": ["t"], "priority": 3, "name": "a mail"}
        failed = await queue.submit(send, "a", delay=2, **options)
        await failed.wait()
        REPAIRED.add("a")
        VARIABLE.set("of the retry")
        again = await queue.retry("mail")

        assert (again.id, again.name, again == failed) == ("mail", "a mail", False)
        snapshot = again.snapshot()
        assert (snapshot.key, snapshot.tags, snapshot.priority) == ("k", frozenset("t"), 3)
        assert (snapshot.due_at, snapshot.submitted_at) == (3, 3)
        assert await again.result() == "sent by a"
        assert trio.current_time() == 4
        # What has ended stays so.
        assert failed.status is JobStatus.FAILED
        with pytest.raises(JobFailed):
            await failed.result()
        with failed.watch() as updates:
            assert [update.status async for update in updates] == [JobStatus.FAILED]
        assert queue.status("mail") is JobStatus.COMPLETED
        assert [job.status for job in queue.jobs()] == [JobStatus.COMPLETED]
    assert RAN == [("mail", 1, "k", "none"), ("mail", 2, "k", "of the retry")]


async def test_a_retry_has_a_fresh_budget(autojump_clock: MockClock) -> None:
    rule = Retry(2, first=1, jitter=0, total=20)
    async with open_job_queue(on_job_error=quiet) as queue:
        handle: JobHandle[object] = await queue.submit(too_slow, retry=rule, timeout=6, within=100)
        for attempts in (2, 4):
            snapshot = await handle.wait()
            assert (snapshot.status, snapshot.attempt) == (JobStatus.FAILED, attempts)
            await trio.sleep(100)
            handle = await queue.retry(handle)
        await handle.wait()
    start = RAN[0][1]
    assert [(attempt, at - start) for attempt, at in RAN] == [
        *((1, 0), (2, 7)),
        *((3, 113), (4, 120)),
        *((5, 226), (6, 233)),
    ]


async def test_each_attempt_has_its_own_limit_after_one_that_the_total_cut_off(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(on_job_error=quiet) as queue:
        rule = Retry(3, first=0, jitter=0, total=10)
        handle = await queue.submit(too_slow, retry=rule, timeout=8)
        with pytest.raises(JobTimedOut, match="after 10 s"):
            await handle.result()
        assert trio.current_time() == 10

        again = await queue.retry(handle)
        await again.wait()

    assert RAN == [(1, 0), (2, 8), (3, 10), (4, 18)]


async def test_only_a_failed_job_that_is_known_is_retried(autojump_clock: MockClock) -> None:
    async def value(context: JobContext) -> int:
        await trio.sleep(1)
        return 1

    async with open_job_queue(keep=Keep(jobs=2), on_job_error=quiet) as queue:
        live = await queue.submit(value, id="live")
        with pytest.raises(DuplicateJob):
            await queue.retry(live)
        await live.wait()
        with pytest.raises(ValueError, match="job 'live' is completed: only a failed job is re"):
            await queue.retry("live")
        cancelled = await queue.submit(value, id="cancelled")
        cancelled.cancel()
        await cancelled.wait()
        with pytest.raises(ValueError, match="cancelled"):
            await queue.retry("cancelled")
        with pytest.raises(UnknownJob):
            await queue.retry("nothing")

        failed = await queue.submit(send, "a", id="mail")
        await failed.wait()
        again = await queue.retry(failed)
        with pytest.raises(DuplicateJob):
            await queue.retry(failed)  # a handle stands for its ID
        await again.wait()
        for _ in range(3):
            await queue.run(value)
        with pytest.raises(UnknownJob):
            await queue.retry(again)  # its record was dropped
        last = await queue.submit(send, "a")
        await last.wait()
    with pytest.raises(QueueClosed):
        await queue.retry(last)


async def test_a_retry_waits_for_room_and_does_not_repeat_one_that_has_completed(
    autojump_clock: MockClock,
) -> None:
    handles = []

    async with open_job_queue(workers=1, max_pending=1, on_job_error=quiet) as queue:

        async def retry() -> None:
            handles.append(await queue.retry("mail"))

        await (await queue.submit(send, "a", id="mail")).wait()
        REPAIRED.update("ab")
        await queue.submit(send, "b", id="1")
        await queue.submit(send, "b", id="2")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(retry)
            await trio.testing.wait_all_tasks_blocked()
            assert queue.statistics().submitters_waiting == 1
            for job_id in ("mail", "3"):  # a job takes the ID meanwhile, and ends
                await queue.submit(send, "b", id=job_id, priority=1)
        assert [await handle.result() for handle in handles] == ["sent by b"]
    assert [job for job, *_ in RAN] == ["mail", "1", "2", "mail", "3"]


async def test_a_job_retries_another_in_a_full_queue(autojump_clock: MockClock) -> None:
    async with open_job_queue(workers=1, max_pending=1, on_job_error=quiet) as queue:

        async def repair(context: JobContext) -> str:
            REPAIRED.add("a")
            await queue.submit(send, "a", id="other")
            return (await queue.retry("mail")).id

        await (await queue.submit(send, "a", id="mail")).wait()
        assert await queue.run(repair) == "mail"
        assert await queue.handle("mail").result() == "sent by a"


async def test_a_map_and_a_repeat_keep_the_end(autojump_clock: MockClock) -> None:
    scheduled = []

    async def night(context: JobContext) -> None:
        scheduled.append((context.id, context.attempt, context.scheduled_at))
        raise OSError

    async with open_job_queue(on_job_error=quiet) as queue:
        async with queue.map(send, ["a"], outcomes=True) as outcomes:
            (outcome,) = [outcome async for outcome in outcomes]
        REPAIRED.add("a")
        assert await (await queue.retry(outcome.id)).result() == "sent by a"

        repeat = queue.repeat(night, every=60, first=1, id="night")
        await trio.sleep(2)
        await (await queue.retry("night#1")).wait()
        assert (repeat.runs, repeat.missed) == (1, 0)
        repeat.cancel()
    (_, _, due), (_, _, due_again) = scheduled
    assert due is not None
    assert scheduled == [("night#1", 1, due), ("night#1", 2, due)]
    assert due_again == due


class Big:
    """An argument."""


async def test_a_failed_job_keeps_its_arguments_as_long_as_its_record(
    autojump_clock: MockClock,
) -> None:
    async def raise_it(context: JobContext, big: Big) -> None:
        raise ValueError

    async with open_job_queue(keep=Keep(jobs=1), on_job_error=quiet) as queue:
        big = Big()
        watched = weakref.ref(big)
        failed = await queue.submit(raise_it, big)
        await failed.wait()
        del big
        gc.collect()
        assert watched() is not None

        await queue.run(nothing)
        assert len(queue.jobs()) == 1
        gc.collect()
        assert watched() is None
        assert failed.status is JobStatus.FAILED


# With a store


async def test_a_failed_job_is_found_and_retried_after_a_restart(
    autojump_clock: MockClock, path: Path
) -> None:
    options: Any = {"key": "k", "tags": ["t"], "priority": 3, "name": "a mail", "timeout": 50}
    async with open_stored(path, on_job_error=quiet) as queue:
        for number in range(3):
            await queue.submit(send, "ab"[number % 2], id=f"mail-{number}", **options)
        await queue.submit(note, "b", retry=Retry(5, total=3))
    async with open_stored(path, on_job_error=quiet) as queue:
        REPAIRED.add("a")
        failed = queue.jobs(status=JobStatus.FAILED)
        assert [job.id for job in failed] == ["mail-0", "mail-1", "mail-2"]
        handles = [await queue.retry(job.id) for job in failed]
        assert [handle.name for handle in handles] == ["a mail"] * 3
        snapshots = [await handle.wait() for handle in handles]
        assert [(job.status, job.attempt) for job in snapshots] == [
            (JobStatus.COMPLETED, 2),
            (JobStatus.FAILED, 2),
            (JobStatus.COMPLETED, 2),
        ]
        assert (snapshots[0].key, snapshots[0].tags, snapshots[0].priority) == (
            *("k", frozenset("t"), 3),
        )
    async with open_stored(path, on_job_error=quiet) as queue:
        (failed_again,) = queue.jobs(status=JobStatus.FAILED)
        assert (failed_again.id, failed_again.attempt) == ("mail-1", 2)
        REPAIRED.add("b")
        assert await (await queue.retry("mail-1")).result() == "sent by b"
        assert queue.snapshot("mail-1").attempt == 3


async def test_a_retry_is_in_the_file_when_it_returns(
    autojump_clock: MockClock, path: Path
) -> None:
    rule = Retry(2, first=1, jitter=0, total=20)
    async with cut_off(path, on_job_error=quiet) as queue:
        handle = await queue.submit(send, "a", id="mail", retry=rule, delay=1)
        await handle.wait()
        queue.pause()
        await queue.retry(handle)
        ended = rows(path, "SELECT status, attempts FROM jobs ORDER BY number")
        assert ended == [("failed", 2), ("pending", 2)]
    RAN.clear()
    async with open_stored(path, on_job_error=quiet) as queue:
        assert queue.snapshot("mail").status is JobStatus.PENDING
    assert [attempt for _, attempt, *_ in RAN] == [3, 4]  # a fresh budget after a restart, too


async def night(context: JobContext) -> None:
    RAN.append((context.id, context.attempt, context.scheduled_at))
    raise OSError


async def test_a_retried_run_of_a_repeat_knows_its_due_time_after_a_restart(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, on_job_error=quiet) as queue:
        queue.repeat(night, every=3600, id="night")
        await trio.sleep(1)
    async with open_stored(path, on_job_error=quiet) as queue:
        await (await queue.retry("night#1")).wait()
        queue.cancel_repeat("night")
    (*first, due), (*second, due_again) = RAN
    assert (first, second) == (["night#1", 1], ["night#1", 2])
    assert due is not None
    assert due == due_again


async def test_only_failed_jobs_keep_their_call_in_the_file(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, on_job_error=quiet, keep=Keep(jobs=2)) as queue:
        for what in range(3):
            await (await queue.submit(fail, what, id=f"fail-{what}")).wait()
        await (await queue.submit(note, "a", id="note")).wait()
        assert len(queue.jobs()) == 2
    kept = rows(path, "SELECT id, job IS NOT NULL FROM jobs ORDER BY number")
    assert kept == [("fail-2", 1), ("note", 0)]


async def test_a_retry_that_cannot_be_written_has_retried_nothing(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    store = SqliteStore(path, run_sync=disk)
    async with open_job_queue(store=store, on_job_error=quiet) as queue:
        await (await queue.submit(send, "a", id="mail")).wait()
        queue.pause()
        disk.seconds = 1

        async def fill() -> None:
            await trio.sleep(1.5)  # the call was read, and the new job is being written
            disk.problem = "full"

        async with trio.open_nursery() as nursery:
            nursery.start_soon(fill)
            with pytest.raises(StoreFailed, match="full"):
                await queue.retry("mail")
        assert queue.status("mail") is JobStatus.FAILED
        disk.problem = ""
        queue.resume()
        REPAIRED.add("a")
        assert await (await queue.retry("mail")).result() == "sent by a"
    assert [attempt for _, attempt, *_ in RAN] == [1, 2]


async def test_a_retry_while_the_queue_closes_is_refused(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    refused = []
    async with (
        trio.open_nursery() as nursery,
        open_job_queue(store=SqliteStore(path, run_sync=disk), on_job_error=quiet) as queue,
    ):

        async def retry() -> None:
            with pytest.raises(QueueClosed):
                await queue.retry("mail")
            refused.append(trio.current_time())

        await (await queue.submit(send, "a", id="mail")).wait()
        disk.seconds = 1
        for _ in range(2):
            nursery.start_soon(retry)
        await trio.testing.wait_all_tasks_blocked()
    assert len(refused) == 2


async def test_a_call_that_cannot_be_loaded_is_an_error_of_the_retry(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, on_job_error=quiet) as queue:
        await queue.submit(fail, "a", id="mail")
    change(path, "UPDATE jobs SET job = CAST(replace(job, 'durable', 'gone') AS BLOB)")
    async with open_stored(path, on_job_error=quiet) as queue:
        with pytest.raises(NotSendable, match=r"'mail'.*fakes.gone"):
            await queue.retry("mail")
        assert queue.status("mail") is JobStatus.FAILED
    change(path, "DELETE FROM jobs")
    async with open_stored(path, on_job_error=quiet) as queue:
        await (await queue.submit(fail, "a", id="mail")).wait()
        await queue.request_cancel("mail")
        change(path, "DELETE FROM jobs")
        with pytest.raises(UnknownJob):
            await queue.retry("mail")


# ``once=True``: a job that has completed is not run again.


async def test_a_job_that_completed_is_not_run_again(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        first = await queue.submit(note, "a", id="a", once=True)
        await first.wait()

        again = await queue.submit(note, "b", id="a", once=True)
        now = queue.submit_nowait(note, "b", id="a", once=True, on_conflict=OnConflict.SUPERSEDE)
        assert first == again == now
        assert await queue.run(note, "b", id="a", once=True, on_conflict=OnConflict.REJECT) == "a"
        assert queue.statistics().completed == 1
        assert await queue.run(note, "c", id="a") == "c"  # without it an ID is free again
    assert [what for what, _ in RAN] == ["a", "c"]


async def test_a_live_job_is_joined_unless_something_else_is_asked(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        first = await queue.submit(slow, "a", id="a", once=True)
        assert await queue.submit(slow, "b", id="a", once=True) == first
        with pytest.raises(DuplicateJob):
            await queue.submit(slow, "c", id="a", once=True, on_conflict=OnConflict.REJECT)
        last = await queue.submit(slow, "d", id="a", once=True, on_conflict=OnConflict.SUPERSEDE)
        assert await last.result() == "d"
        assert first.snapshot().cancel_cause is CancelCause.SUPERSEDED


async def test_jobs_that_failed_or_were_cancelled_run_again(autojump_clock: MockClock) -> None:
    async with open_job_queue(on_job_error=quiet) as queue:
        await (await queue.submit(fail, "a", id="a", once=True)).wait()
        cancelled = await queue.submit(slow, "b", id="b", once=True)
        await cancelled.cancel_and_wait()

        assert await queue.run(note, "again", id="a", once=True) == "again"
        assert await queue.run(note, "again", id="b", once=True) == "again"


async def test_what_keep_has_dropped_runs_again(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(jobs=2, age=60)) as queue:
        for what in "abc":
            await queue.run(note, what, id=what, once=True)
        await trio.sleep(59)
        await queue.run(note, "c", id="c", once=True)
        await queue.run(note, "a", id="a", once=True)
        await trio.sleep(61)
        await queue.run(note, "a", id="a", once=True)
    assert [what for what, _ in RAN] == ["a", "b", "c", "a", "a"]


@pytest.mark.parametrize("options", [{}, {"key": "k"}])
async def test_once_is_for_jobs_with_an_id(options: Any, autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        with pytest.raises(ValueError, match="once needs an id"):
            queue.submit_nowait(note, "a", once=True, **options)
        with pytest.raises(
            TypeError, match=r"repeat.. has no option 'once': each run is a job of its own"
        ):
            queue.repeat(note, "a", every=1, once=True, id="r")
        await queue.run(note, "a", once=False)
    assert len(RAN) == 1


async def test_an_import_that_is_started_again_does_the_rest(
    autojump_clock: MockClock, path: Path
) -> None:
    async def charge_all(grace: float | None) -> list[JobStatus]:
        async with open_stored(path, on_job_error=quiet) as queue:
            for number in range(5):
                job = fail if number == 1 else slow
                await queue.submit(job, number, id=f"charge-{number}", once=True)
            await trio.sleep(25)
            await queue.shutdown(grace=grace)
            handle = queue.handle("charge-0")
            assert await handle.result() == 0
            return [job.status for job in queue.jobs()]

    await charge_all(0)
    assert [what for what, _, *end in RAN if end] == [0, 2]
    assert await charge_all(None) == [
        *(JobStatus.COMPLETED, JobStatus.COMPLETED),
        *(JobStatus.COMPLETED, JobStatus.COMPLETED, JobStatus.FAILED),
    ]
    assert [what for what, _, *end in RAN if end] == [0, 2, 3, 4]
    assert [run for run in RAN if run[0] == 1] == [(1, 1), (1, 1)]  # a new job


async def test_a_later_job_of_an_id_is_the_one_that_is_known_after_a_restart(
    autojump_clock: MockClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if the wall clock was set back between the ends of the two."""
    async with open_stored(path, on_job_error=quiet) as queue:
        await queue.submit(fail, "a", id="a", once=True)
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right - 1000)
    async with open_stored(path, on_job_error=quiet) as queue:
        await queue.run(note, "a", id="a", once=True)
    async with open_stored(path, on_job_error=quiet) as queue:
        assert await queue.run(note, "b", id="a", once=True) == "a"
