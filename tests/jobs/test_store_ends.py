"""Ends of jobs that are in the file before anybody is told of them."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes import durable
from fakes.durable import RAN, Disk, fail, live_ids, note, rows, slow
from fakes.processes import unmeasured
from fakes.small_jobs import quiet
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    CancelOutcome,
    JobQueue,
    JobStatus,
    OnConflict,
    SqliteStore,
    StoreFailed,
    open_job_queue,
)


async def by_result(queue: JobQueue, path: Path) -> None:
    await (await queue.submit(slow, "a")).result()


async def by_wait(queue: JobQueue, path: Path) -> None:
    await (await queue.submit(fail, "a")).wait()


async def by_a_late_wait(queue: JobQueue, path: Path) -> None:
    handle = await queue.submit(slow, "a")
    with handle.watch() as changes:
        assert [snapshot.status async for snapshot in changes]
    await handle.wait()


async def by_run(queue: JobQueue, path: Path) -> None:
    await queue.run(slow, "a")


async def by_a_cancelled_run(queue: JobQueue, path: Path) -> None:
    with trio.move_on_after(1):
        await queue.run(slow, "a")


async def by_cancel_and_wait(queue: JobQueue, path: Path) -> None:
    handle = await queue.submit(slow, "a")
    await trio.sleep(1)
    await handle.cancel_and_wait()


async def by_a_map(queue: JobQueue, path: Path) -> None:
    async with queue.map(note, ["a"]) as values:
        async for _ in values:
            assert live_ids(path) == []


async def by_a_map_that_fails(queue: JobQueue, path: Path) -> None:
    async with queue.map(fail, ["a", "b"]) as values:
        with pytest.raises(Exception, match="ValueError"):
            await anext(aiter(values))
        assert ("failed",) in rows(path, "SELECT status FROM jobs")


async def by_a_map_that_is_left(queue: JobQueue, path: Path) -> None:
    async with queue.map(slow, ["a", "b"]):
        await trio.sleep(1)


async def by_request_cancel(queue: JobQueue, path: Path) -> None:
    handle = await queue.submit(slow, "a", delay=5)
    assert await queue.request_cancel(handle) is CancelOutcome.CANCELLED


async def by_wait_idle(queue: JobQueue, path: Path) -> None:
    await queue.submit(slow, "a")
    await queue.wait_idle()


async def by_shutdown(queue: JobQueue, path: Path) -> None:
    await queue.submit(slow, "a")
    await queue.shutdown(grace=20)


@pytest.mark.parametrize(
    "wait",
    [
        by_result,
        by_wait,
        by_a_late_wait,
        by_run,
        by_a_cancelled_run,
        by_cancel_and_wait,
        by_a_map,
        by_a_map_that_fails,
        by_a_map_that_is_left,
        by_request_cancel,
        by_wait_idle,
        by_shutdown,
    ],
)
async def test_whoever_waits_for_an_end_is_answered_when_it_is_in_the_file(
    wait: Callable[[JobQueue, Path], Awaitable[None]], autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    store = SqliteStore(path, run_sync=disk)
    async with open_job_queue(store=store, on_job_error=quiet) as queue:
        disk.seconds = 0.5
        await wait(queue, path)

        assert live_ids(path) == []
        assert rows(path, "SELECT status FROM jobs") != []


async def test_status_and_readers_show_an_end_at_once(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk)) as queue:
        handle = await queue.submit(slow, "a")
        await trio.sleep(5)
        disk.seconds = 3
        with handle.watch() as changes:
            ended = [snapshot.status async for snapshot in changes][-1]
        assert (trio.current_time(), ended) == (10, JobStatus.COMPLETED)
        assert handle.status is JobStatus.COMPLETED
        assert live_ids(path) == ["job-1"]
        await handle.wait()
        assert trio.current_time() == 13


async def test_a_write_that_fails_answers_all_that_wait_and_is_logged(
    autojump_clock: MockClock, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk), workers=2) as queue:
        for problem in ("full", "gone"):
            handle = await queue.submit(slow, "a")
            cancelled = await queue.submit(slow, "b", delay=20)
            await trio.sleep(1)
            disk.problem = problem
            assert await handle.result() == "a"
            assert await queue.request_cancel(cancelled) is CancelOutcome.CANCELLED
            assert await handle.result() == "a"
            assert cancelled.id in live_ids(path)
            disk.problem = ""
            await trio.sleep(60)
            assert live_ids(path) == []

    # Each time that the disk begins to fail is logged once.
    assert [record.message for record in caplog.records] == [
        f"Changes of jobs are not written: {StoreFailed('jobs.sqlite', problem)}"
        for problem in ("full", "gone")
    ]


# Kills

PROGRAM = """
import os, signal, sys
import trio
from fakes.durable_ends import charge, charge_later
from ticketr import Retry, SqliteStore, open_job_queue

path, how = sys.argv[1:]

def die():
    os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with open_job_queue(store=SqliteStore(path), retry=Retry(attempts=1)) as queue:
        if how == "run":
            await queue.run(charge, path + ".log")
            die()
        if how == "cancel":
            handle = await queue.submit(charge, path + ".log", delay=30)
            print(await queue.request_cancel(handle))
            sys.stdout.flush()
            die()
        if how == "retry":
            failed = await queue.submit(charge_later, path + ".log", id="charge")
            await failed.wait()
            queue.pause()
            await queue.retry("charge")
            die()
    for job in queue.jobs():
        print(job.status)

trio.run(main)
"""


def run_program(path: Path, how: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-c", PROGRAM, str(path), how]
    env = {**unmeasured(), "PYTHONPATH": str(Path(durable.__file__).parents[1])}
    return subprocess.run(command, env=env, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of POSIX alone")
@pytest.mark.parametrize(
    ("how", "charges", "said"),
    [("run", "x", "completed"), ("cancel", "", "cancelled"), ("retry", "x", "completed")],
)
def test_a_kill_right_after_the_answer_loses_and_repeats_nothing(
    how: str, charges: str, said: str, path: Path
) -> None:
    log = path.with_name("jobs.sqlite.log")
    log.touch()

    killed = run_program(path, how)
    last = run_program(path, "look")

    assert (killed.returncode, killed.stderr) == (-signal.SIGKILL, "")
    assert (last.stdout.split(), last.stderr) == ([said], "")
    assert log.read_text() == charges


# Jobs whose place another one takes


@pytest.mark.parametrize("options", [{"id": "i"}, {"key": "k"}])
async def test_a_job_stays_if_the_one_that_supersedes_it_cannot_be_written(
    options: dict[str, Any], autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk), workers=2) as queue:
        await queue.submit(slow, "first", key="k", id="i", delay=5)
        running = await queue.submit(slow, "runs", id="r")
        await trio.sleep(1)
        disk.problem = "database or disk is full"
        with pytest.raises(StoreFailed):
            await queue.submit(note, "second", on_conflict=OnConflict.SUPERSEDE, **options)
        with pytest.raises(StoreFailed):
            await queue.submit(note, "third", on_conflict=OnConflict.SUPERSEDE, id="r")
        assert queue.status("i") is JobStatus.PENDING
        assert running.status is JobStatus.RUNNING
        disk.problem = ""

    assert sorted(what[0] for what in RAN) == ["first", "first", "runs", "runs"]


@pytest.mark.parametrize("is_taken", [False, True])
async def test_a_pending_job_is_superseded_in_the_transaction_of_the_new_one(
    is_taken: bool, autojump_clock: MockClock, path: Path
) -> None:
    states: list[list[tuple[Any, ...]]] = []
    seconds = 1.0

    async def record(function: Callable[[], Any], /) -> Any:
        await trio.sleep(seconds)
        value = function()
        if path.exists():
            states.append(rows(path, "SELECT id, status, cancel_cause FROM jobs ORDER BY number"))
        return value

    async with open_job_queue(store=SqliteStore(path, run_sync=record)) as queue:
        delay = 2.5 if is_taken else 100  # a worker takes it while the new one is being written
        first = await queue.submit(slow, "first", id="i", delay=delay)
        await trio.sleep(1)
        states.clear()
        await queue.submit(note, "second", id="i", on_conflict=OnConflict.SUPERSEDE)
        superseded = ("i", "cancelled", "superseded")
        assert states == [[superseded, ("i", "pending", None)]]
        last = await first.wait()
        assert (last.status, last.cancel_cause) == (JobStatus.CANCELLED, CancelCause.SUPERSEDED)

    assert RAN == [("second", 1)]
    assert states[-1] == [superseded, ("i", "completed", None)]


async def test_a_running_job_is_superseded_after_the_transaction(
    autojump_clock: MockClock, path: Path
) -> None:
    disk = Disk()
    async with open_job_queue(store=SqliteStore(path, run_sync=disk)) as queue:
        first = await queue.submit(slow, "first", id="i")
        await trio.sleep(1)
        disk.seconds = 2
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                lambda: queue.submit(note, "second", id="i", on_conflict=OnConflict.SUPERSEDE)
            )
            await trio.sleep(1.5)
            assert not first.snapshot().cancel_requested
        assert trio.current_time() == 3
        assert first.snapshot().cancel_requested

    assert RAN == [("first", 1), ("second", 1)]


# Processes with a store that are killed: no job is lost, and no file is damaged.


CHILD = Path(durable.__file__).with_name("durable_child.py")


def start(path: Path, log: Path, prefix: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", str(CHILD), str(path), str(log), prefix, str(count)]
    return subprocess.Popen(command, env=unmeasured(), stderr=subprocess.PIPE, text=True)


def kill_after(process: subprocess.Popen[str], log: Path, lines: int) -> None:
    """Kill a process once the log has so many lines, or more if the kernel runs this one late."""
    while read(log).count("\n") < lines and process.poll() is None:
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.001)
    process.kill()
    _, said = process.communicate()
    assert said == ""


def read(log: Path) -> str:
    return log.read_text() if log.exists() else ""


@pytest.mark.parametrize("kills", [3, pytest.param(200, marks=pytest.mark.stress)])
def test_every_submitted_job_ends_whatever_is_killed(kills: int, tmp_path: Path) -> None:
    path, log = tmp_path / "jobs.sqlite", tmp_path / "log"
    chance = random.Random(kills)

    for number in range(kills):
        prefix = f"{number}-"
        lines = read(log).count("\n") + chance.randint(10, 150)
        kill_after(start(path, log, prefix, 20), log, lines)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    last = start(path, log, "last-", 20)
    _, said = last.communicate(timeout=300)

    told = [line.split() for line in log.read_text().splitlines()]
    submitted = {line[1] for line in told if line[0] == "submitted"}
    starts = Counter(line[1] for line in told if line[0] == "start")
    ended = Counter(line[1] for line in told if line[0] == "end")
    attempts = {(line[1], line[2]) for line in told if line[0] == "start"}
    assert (said, last.returncode) == ("", 0)
    assert submitted <= set(ended)
    assert len(attempts) == sum(starts.values())  # no attempt has the number of another
    # A job is started again only if a kill came between its start and the writing of its end.
    written = {line[1]: place for place, line in enumerate(told) if line[0] == "written"}
    late = [line for place, line in enumerate(told) if place > written.get(line[1], len(told))]
    assert {f"last-{number}" for number in range(20)} <= set(written)
    assert [line for line in late if line[0] == "start"] == []
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM jobs WHERE finished_at IS NULL").fetchone() == (0,)
        assert db.execute("SELECT count(*) FROM links").fetchone() == (0,)
