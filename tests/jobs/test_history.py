"""What is written to the file, and files that are damaged, shared or moved."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
import textwrap
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
from fakes.processes import unmeasured
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    FinishedJob,
    HistoryFailed,
    JobContext,
    JobStatus,
    SqliteHistory,
    SqliteStore,
    open_job_queue,
)
from ticketr.jobs._sqlite import history as _history
from ticketr.jobs._sqlite.database import Schema, connect

T = TypeVar("T")


async def value(context: JobContext, given: object) -> object:
    context.report(current=1, total=2, message="at it")
    return given


async def fail(context: JobContext) -> None:
    raise OSError("no good")


def job(number: int, *, run: str = "run", age: float = 0, **facts: Any) -> FinishedJob:
    now = datetime.now(UTC).replace(microsecond=123457) - timedelta(seconds=age)
    made = FinishedJob(
        run=run,
        number=number,
        id=f"job-{number}",
        name="pull",
        key="k",
        status=JobStatus.FAILED,
        attempts=2,
        submitted_at=now,
        started_at=now,
        finished_at=now,
        cancel_cause=CancelCause.TIMEOUT,
        error_type="OSError",
        error_message="ä\0",
        current=1,
        total=2.5,
        message="m",
        result=None,
    )
    return replace(made, **facts)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a ?#% file.sqlite"


async def in_place(function: Callable[[], T], /) -> T:
    await trio.lowlevel.checkpoint()
    return function()


def numbers(jobs: list[FinishedJob]) -> list[int]:
    return [job.number for job in jobs]


async def test_every_job_that_has_ended_is_in_the_file(path: Path) -> None:
    history = SqliteHistory(path)

    async with open_job_queue(history=history, on_job_error=lambda _: None) as queue:
        await queue.submit(value, 5, name="five")
        await queue.submit(fail)

    failed, found = await history.read()
    assert (found.name, found.status, found.result) == ("five", JobStatus.COMPLETED, "5")
    assert (failed.error_type, failed.error_message) == ("OSError", "no good")
    assert await queue.history() == [failed, found]
    assert str(path) in repr(history)


async def test_what_was_written_is_read_whole_and_newest_first(path: Path) -> None:
    history = SqliteHistory(path)
    old = job(1, age=10)
    new = job(2, started_at=None, cancel_cause=None, key=None, status=JobStatus.COMPLETED)

    await history.write([new, old])

    assert await history.read() == [new, old]
    with closing(sqlite3.connect(path)) as db:
        stored = "SELECT number FROM jobs WHERE started_at IS NULL AND key IS NULL"
        assert db.execute(stored).fetchall() == [(2,)]
    assert await history.read(limit=1) == [new]
    assert await history.read(status=JobStatus.FAILED) == [old]


DAMAGED = {
    "status": ("paused", None, 5),
    "cancel_cause": ("strike", 5),
    "run": (None, 5),
    "name": (None, b"x"),
    "id": (5,),
    "attempts": ("x", None),
    "submitted_at": ("x", 1e300, math.inf, None),
    "started_at": ("x", -1e300),
    "finished_at": ("x", 1e300, math.inf),
    "current": ("x", None),
    "tags": ("{", "5", "[5]", "[[]]", "[" * 100_000),
}


@pytest.mark.parametrize(
    ("column", "damage"), [(name, each) for name, some in DAMAGED.items() for each in some]
)
async def test_a_damaged_row_is_left_out_alone_and_named(
    path: Path, column: str, damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    history = SqliteHistory(path)
    await history.write([job(1, age=60), job(2)])
    with closing(sqlite3.connect(path)) as db:
        db.execute(f"UPDATE jobs SET {column} = ? WHERE number = 2", (damage,))
        db.commit()

    found = await history.read(limit=1)

    assert numbers(found) == [1]
    (message,) = caplog.messages
    assert "job 2 of run" in message
    assert str(path) in message


async def nothing(context: JobContext) -> None:
    pass


async def test_plain_jobs_are_stored_like_others(
    path: Path, tmp_path: Path, autojump_clock: MockClock
) -> None:
    history = SqliteHistory(path, run_sync=in_place)
    async with open_job_queue(history=history) as queue:
        for count in (3, 1):  # a batch of plain jobs, and one of plain and other jobs
            for _ in range(count):
                await queue.run(nothing)
            await trio.sleep(0.5)
            await queue.run(value, 5, key="k")
        unwritten_too = await queue.history()
    jobs = await history.read()
    assert jobs == unwritten_too
    assert [job.key for job in jobs] == ["k", None, "k", None, None, None]
    assert [job.id for job in jobs] == [f"job-{number}" for number in range(6, 0, -1)]
    assert [(job.name, job.attempts) for job in jobs[1:]] == [
        ("nothing", 1),
        ("value", 1),
        *[("nothing", 1)] * 3,
    ]

    other = tmp_path / "other.sqlite"
    await SqliteHistory(other, run_sync=in_place).write(jobs[::-1])
    stored = "SELECT *, typeof(attempts), typeof(total) FROM jobs ORDER BY row"
    with closing(sqlite3.connect(path)) as db, closing(sqlite3.connect(other)) as whole:
        assert db.execute(stored).fetchall() == whole.execute(stored).fetchall()


async def test_the_same_job_is_kept_once(path: Path) -> None:
    history = SqliteHistory(path)

    await history.write([job(1)])
    await history.write([job(1), job(2), job(1, run="other")])

    assert sorted(numbers(await history.read())) == [1, 1, 2]


async def test_too_many_and_too_old_jobs_are_dropped(path: Path) -> None:
    history = SqliteHistory(path, max_jobs=3, max_age=100)

    await history.write([job(1, age=50)])
    await history.write([job(number) for number in (2, 3, 4)])
    assert numbers(await history.read()) == [4, 3, 2]
    await history.write([job(5, age=101)])
    assert numbers(await history.read()) == [4, 3, 2]


@pytest.mark.parametrize("bounds", [{"max_jobs": 0}, {"max_age": 0}, {"max_age": math.nan}])
def test_bounds_are_above_zero(path: Path, bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"max_(jobs|age) must be"):
        SqliteHistory(path, **bounds)


async def test_a_summary_may_leave_the_secret_out(path: Path) -> None:
    history = SqliteHistory(path, summary=lambda _: "hidden")

    async with open_job_queue(history=history) as queue:
        await queue.run(value, "hunter2")

    (found,) = await history.read()
    assert found.result == "hidden"
    assert b"hunter2" not in path.read_bytes()


async def test_reading_makes_no_file(path: Path) -> None:
    assert await SqliteHistory(path).read() == []
    assert not path.exists()


async def test_the_file_is_its_owners(path: Path) -> None:
    await SqliteHistory(path).write([job(1)])

    assert path.stat().st_mode & 0o777 == 0o600


async def test_the_tables_of_another_version_are_left_alone(path: Path) -> None:
    await SqliteHistory(path).write([job(1)])
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    before = path.read_bytes()

    with pytest.raises(HistoryFailed, match="another version of ticketr wrote it"):
        await SqliteHistory(path).write([job(2)])
    assert path.read_bytes() == before


async def test_two_that_make_the_file_at_once_both_succeed(path: Path) -> None:
    async with trio.open_nursery() as nursery:
        for run in "abcdefgh":
            nursery.start_soon(SqliteHistory(path).write, [job(1, run=run)])

    assert len(await SqliteHistory(path).read()) == 8


async def test_a_file_that_is_something_else_is_left_alone(path: Path) -> None:
    path.write_text("my letters " * 100)

    with pytest.raises(HistoryFailed, match="not a database") as caught:
        await SqliteHistory(path).write([job(1)])

    assert caught.value.path == str(path)
    assert path.read_text() == "my letters " * 100


@pytest.mark.parametrize("is_store", [False, True])
async def test_the_database_of_something_else_is_left_alone(is_store: bool, path: Path) -> None:
    if is_store:
        async with open_job_queue(store=SqliteStore(path, run_sync=in_place)):
            pass
    else:
        with closing(sqlite3.connect(path)) as db:
            db.execute("CREATE TABLE letters (text)")
    before = path.read_bytes()

    with pytest.raises(HistoryFailed, match="it is another database, not the history"):
        await SqliteHistory(path).write([job(1)])

    assert path.read_bytes() == before


async def test_a_full_disk_fails_no_job(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = SqliteHistory(path)
    await history.write([job(1)])

    def connect_full(path: Path, schema: Schema) -> sqlite3.Connection:
        db = connect(path, schema)
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages}")
        return db

    monkeypatch.setattr(_history, "connect", connect_full)
    async with open_job_queue(workers=4, max_pending=None, history=history) as queue:
        handles = [queue.submit_nowait(value, "x", name="n" * 999) for _ in range(200)]
        assert [await handle.result() for handle in handles] == ["x"] * 200

    assert queue.statistics().unrecorded == 200
    monkeypatch.undo()
    assert numbers(await history.read()) == [1]


CHILD = textwrap.dedent("""\
    import sys, trio
    from ticketr import SqliteHistory, open_job_queue
    from ticketr.jobs._sqlite import history as _history

    def insert(db, rows, insert=_history.insert):
        insert(db, rows)
        print("inside", rows[-1][1], flush=True)
        sys.stdin.readline()

    _history.insert = insert

    class Told:
        def __init__(self, history):
            self.summary, self.read, self._history = history.summary, history.read, history

        async def write(self, jobs):
            await self._history.write(jobs)
            print("wrote", jobs[-1].number, flush=True)

    async def work(context):
        await trio.sleep(0.001)

    async def main():
        async with open_job_queue(history=Told(SqliteHistory(sys.argv[1]))) as queue:
            while True:
                await queue.run(work)

    trio.run(main)
""")


async def test_a_kill_in_a_write_costs_that_batch_alone_and_readers_see_whole_batches(
    path: Path,
) -> None:
    history = SqliteHistory(path)
    written, batches = 0, 0
    with subprocess.Popen(  # noqa: ASYNC220 - only started here
        [sys.executable, "-c", CHILD, str(path)],
        env=unmeasured(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            while True:
                line = await trio.to_thread.run_sync(child.stdout.readline)
                what, number = line.split()
                if what == "wrote":
                    written, batches = int(number), batches + 1
                assert numbers(await history.read(limit=1_000_000)) == [*range(written, 0, -1)]
                if what == "inside":  # of the transaction, until it is answered
                    if batches == 3:
                        break
                    child.stdin.write("go on\n")
        finally:
            child.send_signal(signal.SIGKILL)

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert numbers(await history.read(limit=1_000_000)) == [*range(written, 0, -1)]


@pytest.mark.parametrize(("refusals", "ends_well"), [(3, True), (1000, False)])
async def test_a_reader_that_is_refused_for_a_moment_tries_again(
    refusals: int, ends_well: bool, path: Path, autojump_clock: MockClock
) -> None:
    left = [refusals]

    async def refused(call: Callable[[], T]) -> T:
        await trio.lowlevel.checkpoint()
        if left[0]:
            left[0] -= 1
            raise HistoryFailed(str(path), "database is locked")
        return call()

    history = SqliteHistory(path, run_sync=refused)
    if ends_well:
        assert await history.read() == []
    else:
        with pytest.raises(HistoryFailed, match="locked"):
            await history.read()

    assert trio.current_time() <= 6
