"""Test the queue for threads that are not Trio's: real threads, asyncio, forks and exits."""

from __future__ import annotations

import asyncio  # noqa: TID251 - the portal serves it
import gc
import os
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed, wait
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from ticketr import (
    DuplicateJob,
    JobCancelled,
    JobContext,
    JobProgress,
    JobTimedOut,
    QueueClosed,
    Retry,
    SqliteStore,
    StoreFailed,
    open_job_queue,
)
from ticketr.portal import JobFuture, JobPortal, open_portal_queue

LIMIT = 60
"""Seconds to wait for a future that a fault would leave open."""

user = ContextVar("user", default="nobody")


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert [each for each in threading.enumerate() if each.name == "ticketr portal"] == []


async def double(context: JobContext, number: int) -> int:
    await trio.lowlevel.checkpoint()
    return 2 * number


async def endless(context: JobContext, started: threading.Event | None = None) -> None:
    if started is not None:
        started.set()
    await trio.sleep_forever()


async def failing(context: JobContext) -> None:
    raise ValueError("no such ticket")


async def clean(context: JobContext, started: threading.Event, cleaned: list[bool]) -> None:
    try:
        started.set()
        await trio.sleep_forever()
    finally:
        with context.cleanup(LIMIT):
            await trio.sleep(0.01)
            cleaned.append(True)


async def says_user(context: JobContext) -> str:
    return user.get()


def test_many_threads_submit_and_get_their_results() -> None:
    with JobPortal(workers=4) as portal, ThreadPoolExecutor(8) as pool:
        values = pool.map(lambda number: portal.submit(double, number).result(LIMIT), range(100))

        assert [*values] == [2 * number for number in range(100)]


def test_the_error_is_the_jobs_own_with_its_traceback() -> None:
    with JobPortal() as portal:
        error = portal.submit(failing).exception(LIMIT)

    assert type(error) is ValueError
    assert "in failing" in error.__notes__[0]


def test_an_error_that_two_jobs_raise_gets_each_traceback_once() -> None:
    error = ValueError("shared")

    async def raise_it(context: JobContext) -> None:
        raise error

    with JobPortal() as portal:
        first, second = portal.submit(raise_it), portal.submit(raise_it)

        assert first.exception(LIMIT) is second.exception(LIMIT) is error
    assert len(error.__notes__) == len(set(error.__notes__))


def test_a_failure_that_the_future_carries_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with JobPortal() as portal:
        portal.submit(failing).exception(LIMIT)

    assert caplog.records == []


def test_a_job_that_exceeds_its_time_limit_raises_job_timed_out() -> None:
    with JobPortal() as portal:
        future = portal.submit(endless, timeout=0.01)

        with pytest.raises(JobTimedOut):
            future.result(LIMIT)


def test_options_reach_the_queue() -> None:
    attempts = []

    async def flaky(context: JobContext) -> int:
        attempts.append(context.attempt)
        if context.attempt < 3:
            raise ConnectionError
        return context.attempt

    with JobPortal() as portal:
        future = portal.submit(flaky, retry=Retry(attempts=3, first=0.0), id="flaky")

        assert future.result(LIMIT) == 3
    assert attempts == [1, 2, 3]


def test_a_refused_submit_is_the_futures_error() -> None:
    with JobPortal(workers=1, grace=0) as portal:
        portal.submit(endless, id="one")
        twice, misspelt = portal.submit(endless, id="one"), portal.submit(endless, job=1)  # type: ignore[call-arg]

        assert isinstance(twice.exception(LIMIT), DuplicateJob)
        assert isinstance(misspelt.exception(LIMIT), TypeError)


def test_a_job_sees_the_context_variables_of_its_submitter() -> None:
    with JobPortal() as portal:
        token = user.set("ada")
        first = portal.submit(says_user)
        user.reset(token)

        assert (first.result(LIMIT), portal.submit(says_user).result(LIMIT)) == ("ada", "nobody")


def test_a_cancelled_future_ends_after_the_jobs_clean_up() -> None:
    started, cleaned = threading.Event(), list[bool]()
    with JobPortal() as portal:
        future = portal.submit(clean, started, cleaned)
        assert started.wait(LIMIT)
        assert future.running()

        assert future.cancel()

        with pytest.raises(CancelledError):
            future.result(LIMIT)
        assert cleaned == [True]
        assert future.cancelled()
        assert not future.running()
        assert future.cancel()


def test_a_pending_job_that_is_cancelled_is_never_called() -> None:
    called = []

    async def note(context: JobContext) -> None:
        called.append(True)

    with JobPortal(workers=1, grace=0) as portal:
        first, second = portal.submit(endless), portal.submit(note)
        assert second.cancel()

        assert wait([second], LIMIT).done == {second}
        assert second.cancelled()
        assert first.cancel()
    assert called == []


def test_cancel_at_once_after_each_submit_reaches_every_job() -> None:
    with JobPortal(workers=4) as portal:
        futures = [portal.submit(endless) for _ in range(200)]
        for future in futures:
            future.cancel()

        assert {future.cancelled() for future in as_completed(futures, LIMIT)} == {True}


def test_a_job_that_swallows_its_cancellation_gives_its_value() -> None:
    started = threading.Event()

    async def stubborn(context: JobContext) -> str:
        with trio.CancelScope() as scope:
            started.set()
            try:
                await trio.sleep_forever()
            finally:
                return "kept"  # noqa: ASYNC104, B012
        del scope
        return "never"

    with JobPortal() as portal:
        future = portal.submit(stubborn)
        assert started.wait(LIMIT)

        assert future.cancel()

        assert future.result(LIMIT) == "kept"
        assert not future.cancel()


@pytest.mark.parametrize("error", [JobCancelled("1", "inner", "user"), CancelledError()])
def test_the_cancellation_of_another_job_is_an_error(error: Exception) -> None:
    async def raise_it(context: JobContext) -> None:
        raise error

    with JobPortal() as portal:
        future = portal.submit(raise_it)

        assert future.exception(LIMIT) is error
    assert not future.cancelled()


def test_progress_is_told_in_trios_thread_and_ends_with_the_last_report() -> None:
    reports: list[tuple[JobProgress, str]] = []

    async def counting(context: JobContext) -> None:
        for number in range(1, 1001):
            context.report(current=number, total=1000)
            if number % 100 == 0:
                await trio.lowlevel.checkpoint()

    def note(progress: JobProgress) -> None:
        reports.append((progress, threading.current_thread().name))

    with JobPortal() as portal:
        portal.submit(counting, on_progress=note).result(LIMIT)

    numbers = [progress.current for progress, _ in reports]
    assert numbers == sorted(set(numbers))
    assert numbers[-1] == 1000
    assert {name for _, name in reports} == {"ticketr portal"}


def test_an_error_of_on_progress_is_logged_and_stops_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def reporting(context: JobContext) -> str:
        context.report(current=1)
        await told.wait()
        context.report(current=2)
        return "done"

    told = trio.Event()

    def broken(progress: JobProgress) -> None:
        told.set()
        raise ValueError(f"at {progress.current}")

    with JobPortal() as portal:
        assert portal.submit(reporting, on_progress=broken).result(LIMIT) == "done"
        assert portal.submit(double, 1).result(LIMIT) == 2

    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]


def test_asyncio_awaits_and_cancels_jobs() -> None:
    started, cleaned = threading.Event(), list[bool]()

    async def program(portal: JobPortal) -> list[int]:
        task = asyncio.ensure_future(
            asyncio.wrap_future(running := portal.submit(clean, started, cleaned))
        )
        await asyncio.to_thread(started.wait, LIMIT)
        task.cancel()
        await asyncio.wait([task])
        await asyncio.to_thread(wait, [running], LIMIT)
        assert running.cancelled()
        assert cleaned == [True]
        with pytest.raises(ValueError, match="no such ticket"):
            await asyncio.wrap_future(portal.submit(failing))
        return await asyncio.gather(
            *(asyncio.wrap_future(portal.submit(double, number)) for number in range(20))
        )

    with JobPortal(workers=4) as portal:
        assert asyncio.run(program(portal)) == [2 * number for number in range(20)]


def test_the_end_of_the_block_waits_for_all_jobs() -> None:
    with JobPortal(workers=2) as portal:
        futures = [portal.submit(double, number) for number in range(50)]
        delayed = portal.submit(double, 1, delay=0.02)

    assert [future.result(0) for future in futures] == [2 * number for number in range(50)]
    assert delayed.result(0) == 2


def test_the_end_of_the_block_cancels_after_the_grace() -> None:
    started, cleaned = threading.Event(), list[bool]()
    with JobPortal(grace=0.02) as portal:
        future = portal.submit(clean, started, cleaned)
        assert started.wait(LIMIT)

    assert future.cancelled()
    assert cleaned == [True]


def test_an_error_of_the_body_cancels_the_jobs_and_leaves_alone() -> None:
    started, cleaned = threading.Event(), list[bool]()
    error = KeyError("body")

    with pytest.raises(KeyError) as info, JobPortal() as portal:  # noqa: PT012 - it is the block that raises
        running, pending = portal.submit(clean, started, cleaned), portal.submit(double, 1)
        assert started.wait(LIMIT)
        raise error

    assert info.value is error
    assert (running.cancelled(), pending.cancelled(), cleaned) == (True, True, [True])


def test_a_ctrl_c_while_the_block_waits_cancels_the_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    portal = JobPortal()
    join, calls = portal._thread.join, list[bool]()

    def interrupted() -> None:
        calls.append(True)
        if len(calls) == 1:
            raise KeyboardInterrupt
        join()

    monkeypatch.setattr(portal._thread, "join", interrupted)

    with pytest.raises(KeyboardInterrupt), portal:
        future = portal.submit(endless)

    assert future.cancelled()


def test_submit_outside_of_the_block_is_refused() -> None:
    portal = JobPortal()
    with pytest.raises(RuntimeError, match="'with' block"):
        portal.submit(double, 1)

    with portal:
        pass

    with pytest.raises(QueueClosed):
        portal.submit(double, 1)
    with pytest.raises(RuntimeError, match="once"):
        portal.__enter__()


def test_threads_that_submit_while_the_block_ends_get_an_answer() -> None:
    pause = threading.Event()

    def submit_until_closed(portal: JobPortal) -> list[Any]:
        futures = []
        while True:
            try:
                futures.append(portal.submit(double, 1))
            except QueueClosed:
                return futures
            pause.wait(0.0001)

    with ThreadPoolExecutor(4) as pool:
        with JobPortal(grace=0) as portal:
            answers = [pool.submit(submit_until_closed, portal) for _ in range(4)]
            portal.submit(double, 1).result(LIMIT)
        for answer in answers:
            assert wait(answer.result(LIMIT), LIMIT).not_done == set()


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_an_exit_of_a_job_ends_all_futures_and_leaves_the_block(
    kind: type[BaseException],
) -> None:
    submitted = threading.Event()

    async def exiting(context: JobContext) -> None:
        await trio.to_thread.run_sync(submitted.wait)
        raise kind("stop")

    portal = JobPortal(workers=2)
    with pytest.raises(kind, match="stop"), portal:  # noqa: PT012 - it is the block that raises
        running = portal.submit(endless)
        fatal = portal.submit(exiting)
        pending = portal.submit(endless)
        submitted.set()
        wait([running, fatal, pending], LIMIT)
        with pytest.raises(QueueClosed):  # noqa: PT012
            while True:
                portal.submit(double, 1).exception(LIMIT)

    assert (running.cancelled(), pending.cancelled()) == (True, True)
    assert type(fatal.exception(0)) is kind


def test_an_exit_of_a_job_and_an_error_of_the_body_leave_together() -> None:
    async def exiting(context: JobContext) -> None:
        raise SystemExit(3)

    with pytest.RaisesGroup(KeyError, SystemExit), JobPortal() as portal:
        wait([portal.submit(exiting)], LIMIT)
        portal._thread.join()
        raise KeyError("body")


def test_the_first_failure_ends_a_portal_that_asks_for_it() -> None:
    with pytest.RaisesGroup(ValueError), JobPortal(workers=2, on_error="cancel") as portal:
        other = portal.submit(endless)
        failed = portal.submit(failing)
        wait([other, failed], LIMIT)

    assert other.cancelled()
    assert type(failed.exception(0)) is ValueError


def test_wrong_arguments_are_refused_at_the_call(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="workers"):
        JobPortal(workers=0)
    with pytest.raises(ValueError, match="grace"):
        JobPortal(grace=-1)
    with pytest.raises(TypeError, match="worker"):
        JobPortal(worker=1)
    (tmp_path / "jobs.db").write_text("no database, and longer than a header of one " * 9)
    with pytest.raises(StoreFailed), JobPortal(store=SqliteStore(tmp_path / "jobs.db")):
        pass


def test_a_submit_that_waits_for_room_is_cancelled() -> None:
    with JobPortal(workers=1, max_pending=1, grace=0) as portal:
        futures = [portal.submit(endless) for _ in range(3)]
        futures[2].cancel()
        futures[0].cancel()
        futures[1].cancel()

        wait(futures, LIMIT)

    assert [future.cancelled() for future in futures] == [True, True, True]


async def stored(context: JobContext, number: int) -> int:
    return 2 * number


def test_a_portal_keeps_its_jobs_in_a_store(tmp_path: Path) -> None:
    with JobPortal(workers=2, store=SqliteStore(tmp_path / "jobs.db")) as portal:
        futures = [portal.submit(stored, number) for number in range(20)]

        assert [future.result(LIMIT) for future in futures] == [2 * n for n in range(20)]
    with pytest.raises(QueueClosed):
        portal.submit(stored, 1)


def test_a_job_of_the_portal_submits_from_its_threads() -> None:
    async def outer(context: JobContext) -> int:
        def inner() -> int:
            return portal.submit(double, 21).result(LIMIT)

        return await trio.to_thread.run_sync(inner)

    with JobPortal(workers=2) as portal:
        assert portal.submit(outer).result(LIMIT) == 42


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_is_refused_with_its_reason() -> None:
    with JobPortal() as portal:
        portal.submit(double, 1).result(LIMIT)
        child = os.fork()
        if not child:
            try:
                portal.submit(double, 1)
            except RuntimeError as error:
                portal.__exit__(None, None, None)
                os._exit(0 if "fork" in str(error) else 2)
            finally:
                os._exit(3)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert portal.submit(double, 1).result(LIMIT) == 2


async def test_a_trio_run_in_the_main_thread_takes_jobs_from_others() -> None:
    def serve() -> list[int]:
        return [portal.submit(double, number).result(LIMIT) for number in range(10)]

    async with open_portal_queue(open_job_queue(workers=2)) as portal:
        values = await trio.to_thread.run_sync(serve)
        handle = await portal.queue.submit(double, 5)
        assert await handle.result() == 10

    assert values == [2 * number for number in range(10)]
    late = portal.submit(double, 1)
    assert type(await trio.to_thread.run_sync(late.exception, LIMIT)) is QueueClosed


async def test_the_error_of_the_body_leaves_a_portal_queue_as_it_is() -> None:
    error = KeyError("body")
    with pytest.raises(KeyError) as info:  # noqa: PT012 - it is the block that raises
        async with open_portal_queue(open_job_queue()) as portal:
            future = portal.submit(endless)
            raise error

    assert info.value is error
    assert future.done()


def test_nothing_is_kept_of_jobs_that_have_ended() -> None:
    with JobPortal(workers=4) as portal:
        futures = [weakref.ref(portal.submit(double, number)) for number in range(100)]
        portal.submit(double, 1).result(LIMIT)
    gc.collect()

    assert [future() for future in futures] == [None] * 100


def test_an_exit_in_on_progress_ends_the_portal() -> None:
    async def reporting(context: JobContext) -> None:
        context.report(current=1)
        await trio.sleep_forever()

    def stop(progress: JobProgress) -> None:
        raise SystemExit(4)

    with pytest.raises(SystemExit), JobPortal() as portal:  # noqa: PT012 - it is the block that raises
        future = portal.submit(reporting, on_progress=stop)
        wait([future], LIMIT)

    assert type(future.exception(0)) is SystemExit


async def test_a_callback_of_a_future_sees_its_job() -> None:
    told = list[str]()

    def note(future: JobFuture[object]) -> None:
        assert future.handle is not None
        error = future.handle.snapshot().error
        assert error is not None
        told.append(error.type)

    def serve() -> None:
        for submit in (
            partial(portal.submit, failing),
            partial(portal.submit, endless, timeout=0.01),
        ):
            future = submit()
            future.add_done_callback(note)  # type: ignore[arg-type]
            wait([future], LIMIT)

    async with open_portal_queue(open_job_queue(workers=2)) as portal:
        await trio.to_thread.run_sync(serve)

    assert told == ["ValueError", "JobTimedOut"]
