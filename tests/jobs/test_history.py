"""What is written to the file, and files that are damaged, shared or moved."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio
import trio.testing
from fakes.durable import change, in_place, open_stored
from fakes.job_snapshots import EARLIER
from fakes.processes import unmeasured
from fakes.small_jobs import fail, give, nothing, quiet, sleep
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    FinishedJob,
    HistoryFailed,
    JobContext,
    JobStatus,
    SqliteHistory,
    open_job_queue,
)
from ticketr.jobs._sqlite import history as _history
from ticketr.jobs._sqlite.database import Schema, connect

T = TypeVar("T")


async def report_and_give(context: JobContext, given: object) -> object:
    context.report(current=1, total=2, message="at it")
    return given


def job(number: int, *, run: str = "run", age: float = 0, **facts: Any) -> FinishedJob:
    now = datetime.now(UTC).replace(microsecond=123457) - timedelta(seconds=age)
    times = {"submitted_at": now, "started_at": now, "finished_at": now}
    failure = {"status": JobStatus.FAILED, "error_type": "OSError", "error_message": "ä\0"}
    row: dict[str, Any] = {"run": run, "number": number, "id": f"job-{number}", "total": 2.5}
    cause = {"cancel_cause": CancelCause.TIMEOUT, "result": None}
    return replace(EARLIER, **{**row, **times, **failure, **cause, **facts})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a ?#% file.sqlite"


def numbers(jobs: list[FinishedJob]) -> list[int]:
    return [job.number for job in jobs]


async def test_every_job_that_has_ended_is_in_the_file(path: Path) -> None:
    history = SqliteHistory(path)

    async with open_job_queue(history=history, on_job_error=quiet) as queue:
        await queue.submit(report_and_give, 5, name="five")
        await queue.submit(fail)

    failed, found = await history.read()
    assert (found.name, found.status, found.result) == ("five", JobStatus.COMPLETED, "5")
    assert (failed.error_type, failed.error_message) == ("ValueError", "no good")
    assert await queue.history() == [failed, found]
    assert str(path) in repr(history)


async def test_what_was_written_is_read_whole_and_newest_first(path: Path) -> None:
    history = SqliteHistory(path)
    old = job(1, age=10)
    new = job(2, started_at=None, cancel_cause=None, key=None, status=JobStatus.COMPLETED)

    await history.write([new, old])

    assert await history.read() == [new, old]
    with closing(sqlite3.connect(path)) as db:
        stored = "SELECT number FROM jobs WHERE started_at IS NULL"
        assert db.execute(stored).fetchall() == [(2,)]
    assert await history.read(limit=1) == [new]
    assert await history.read(status=JobStatus.FAILED) == [old]


DAMAGED = {
    "status": ("paused", None, 5),
    "run": (None, 5),
    "name": (None, b"x"),
    "id": (5,),
    "submitted_at": ("x", 1e300, math.inf, None),
    "started_at": ("x", -1e300),
    "finished_at": ("x", 1e300, math.inf),
    "details": (
        *("{", "5", "[" * 100_000, '{"another": 1}', '{"cancel_cause": "strike"}'),
        *('{"attempts": "x"}', '{"current": null}', '{"tags": "x"}', '{"tags": [5]}'),
        '{"tags": [[]]}',
    ),
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


async def test_plain_jobs_are_stored_like_others(
    path: Path, tmp_path: Path, autojump_clock: MockClock
) -> None:
    history = SqliteHistory(path, run_sync=in_place)
    async with open_job_queue(history=history) as queue:
        for count in (3, 1):  # a batch of plain jobs, and one of plain and other jobs
            for _ in range(count):
                await queue.run(nothing)
            await trio.sleep(0.5)
            await queue.run(report_and_give, 5, key="k")
        unwritten_too = await queue.history()
    jobs = await history.read()
    assert jobs == unwritten_too
    assert [job.key for job in jobs] == ["k", None, "k", None, None, None]
    assert [job.id for job in jobs] == [f"job-{number}" for number in range(6, 0, -1)]
    assert [(job.name, job.attempts) for job in jobs[1:]] == [
        ("nothing", 1),
        ("report_and_give", 1),
        *[("nothing", 1)] * 3,
    ]

    other = tmp_path / "other.sqlite"
    await SqliteHistory(other, run_sync=in_place).write(jobs[::-1])
    stored = "SELECT * FROM jobs ORDER BY row"
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
        await queue.run(report_and_give, "hunter2")

    (found,) = await history.read()
    assert found.result == "hidden"
    assert b"hunter2" not in path.read_bytes()


async def test_reading_makes_no_file(path: Path) -> None:
    assert await SqliteHistory(path).read() == []
    assert not path.exists()


async def test_the_file_is_its_owners(path: Path) -> None:
    await SqliteHistory(path).write([job(1)])

    assert path.stat().st_mode & 0o777 == 0o600


async def test_two_that_make_the_file_at_once_both_succeed(path: Path) -> None:
    async with trio.open_nursery() as nursery:
        for run in "abcdefgh":
            nursery.start_soon(SqliteHistory(path).write, [job(1, run=run)])

    assert len(await SqliteHistory(path).read()) == 8


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("letters", "not a database"),
        ("tables", "it is another database, not the history"),
        ("store", "it is another database, not the history"),
        ("later version", "another version of ticketr wrote it"),
    ],
)
async def test_a_file_that_is_something_else_is_left_alone(
    what: str, words: str, path: Path
) -> None:
    if what == "letters":
        path.write_text("my letters " * 100)
    elif what == "store":
        async with open_stored(path):
            pass
    else:
        if what == "later version":
            await SqliteHistory(path).write([job(1)])
        change(
            path, "CREATE TABLE letters (text)" if what == "tables" else "PRAGMA user_version = 99"
        )
    before = path.read_bytes()

    with pytest.raises(HistoryFailed, match=words) as caught:
        await SqliteHistory(path).write([job(2)])

    assert caught.value.path == str(path)
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
        handles = [queue.submit_nowait(report_and_give, "x", name="n" * 999) for _ in range(200)]
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


# No job is affected by its history, whatever that does.


class Memory:
    """A history in memory, which can fail or be slow."""

    def __init__(self, *, failures: int = 0, seconds: float = 0) -> None:
        self.failures = failures
        self.seconds = seconds
        self.tries: list[float] = []
        self.batches: list[list[str]] = []
        self.jobs: list[FinishedJob] = []

    def summary(self, result: object) -> str:
        if isinstance(result, Exception):
            raise result
        return str(result)

    async def write(self, jobs: Sequence[FinishedJob], /) -> None:
        self.tries.append(trio.current_time())
        await trio.sleep(self.seconds)
        if self.failures:
            self.failures -= 1
            raise OSError("disk full")
        self.batches.append([job.name for job in jobs])
        self.jobs += jobs

    async def read(self, *, limit: int, status: JobStatus | None) -> list[FinishedJob]:
        await trio.lowlevel.checkpoint()
        found = [job for job in self.jobs if status is None or job.status is status]
        return found[::-1][:limit]


def names(jobs: list[FinishedJob]) -> list[str]:
    return [job.name for job in jobs]


async def test_jobs_are_written_in_batches(autojump_clock: MockClock) -> None:
    history = Memory()

    async with open_job_queue(history=history) as queue:
        for name in ("a", "b"):
            await queue.run(nothing, name=name)
        await trio.sleep(0.5)
        await queue.run(nothing, name="c")
        assert history.batches == [["a", "b"]]

    assert history.batches == [["a", "b"], ["c"]]
    assert [job.number for job in history.jobs] == [1, 2, 3]
    assert len({job.run for job in history.jobs}) == 1
    assert trio.current_time() == pytest.approx(0.5)


async def test_what_is_not_written_yet_is_in_the_history(autojump_clock: MockClock) -> None:
    history = Memory(seconds=1)

    async with open_job_queue(history=history) as queue:
        await queue.run(nothing, name="a")
        await trio.sleep(0.2)  # "a" is being written
        await queue.run(nothing, name="b")
        await queue.submit(sleep, 1, name="c")
        queue.cancel("job-3")
        await queue.wait_idle()

        assert names(await queue.history()) == ["c", "b", "a"]
        assert names(await queue.history(limit=1)) == ["c"]
        assert names(await queue.history(status=JobStatus.COMPLETED)) == ["b", "a"]
        await trio.sleep(5)
        assert names(await queue.history()) == ["c", "b", "a"]

    assert names(await queue.history()) == ["c", "b", "a"]


async def test_a_failing_history_is_retried_with_growing_pauses(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    history = Memory(failures=8)

    async with open_job_queue(history=history) as queue:
        await queue.run(nothing, name="a")
        await trio.sleep(1000)
        assert names(history.jobs) == ["a"]
        assert queue.statistics().unrecorded == 0

    assert history.tries == pytest.approx([0.1, 1.1, 3.1, 7.1, 15.1, 31.1, 63.1, 123.1, 183.1])
    assert [(record.name, record.message) for record in caplog.records] == [
        ("ticketr.jobs", "The history of jobs is not complete: disk full")
    ]


async def test_the_end_waits_for_the_history_for_a_bounded_time(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_job_queue(history=Memory(seconds=1e5)) as queue:
        await queue.run(nothing)
        await trio.sleep(1)  # it is being written

    assert trio.current_time() == pytest.approx(1 + _history.FLUSH_TIMEOUT_SECONDS)
    assert queue.statistics().unrecorded == 1
    assert await queue.history() == []
    assert "took longer than 5 s" in caplog.text


async def test_a_summary_that_raises_costs_one_record(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    history = Memory()

    async with open_job_queue(history=history) as queue:
        await queue.run(give, ValueError("no words"), name="a")
        await queue.run(nothing, name="b")

    assert names(history.jobs) == ["b"]
    assert queue.statistics().unrecorded == 1
    assert "no words" in caplog.text


@pytest.mark.parametrize("seconds", [0, 0.05])
async def test_a_queue_that_is_busier_than_batches_are_long_loses_nothing(
    seconds: float, autojump_clock: MockClock
) -> None:
    history = Memory(seconds=seconds)

    async with open_job_queue(workers=3, max_pending=100, history=history) as queue:
        for number in range(9_000):
            await queue.submit(nothing, name=str(number))
            if not number % 1000:
                await trio.sleep(seconds / 5)

    assert sorted(map(int, names(history.jobs))) == [*range(9_000)]
    assert [job.number for job in history.jobs] == [*range(1, 9_001)]
    assert queue.statistics().unrecorded == 0
    assert history.tries[1] - history.tries[0] == pytest.approx(seconds)  # without a pause


async def test_jobs_of_an_id_are_found_whether_written_or_not(autojump_clock: MockClock) -> None:
    history = Memory()

    async with open_job_queue(history=history) as queue:
        for name in "abc":
            await queue.run(nothing, name=name, id="b" if name == "b" else "a")
            await trio.sleep(1 if name != "c" else 0)
        handle = await queue.submit(nothing, name="d", id="a")
        await handle.wait()
        assert names(history.jobs) == ["a", "b"]

        assert names(await queue.history(id="a")) == ["d", "c", "a"]
        assert names(await queue.history(id=handle, limit=2)) == ["d", "c"]
        assert names(await queue.history(id="b", limit=1)) == ["b"]
        assert await queue.history(id="a", status=JobStatus.FAILED) == []
        assert await queue.history(id="c") == await queue.history(id="") == []
        with pytest.raises(TypeError, match="id must be text"):
            await queue.history(id=5)  # type: ignore[arg-type]
        async with open_job_queue() as other:
            stranger = await other.submit(nothing, id="a")
            assert await queue.history(id=stranger) == []
            await stranger.wait()
            assert [job.id for job in await other.history(id="a")] == ["a"]
        await trio.sleep(5)
        assert names(history.jobs) == [*"abcd"]
        assert names(await queue.history(id="b", limit=1)) == ["b"]


async def test_a_batch_that_comes_back_does_not_widen_the_bound(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_history, "MAX_UNWRITTEN_ROWS", 3)
    history = Memory(seconds=1, failures=1)

    async with open_job_queue(history=history) as queue:
        for name in "abc":
            await queue.run(nothing, name=name)
        await trio.sleep(0.5)  # these are being written
        for name in "def":
            await queue.run(nothing, name=name)
        await trio.sleep(1)  # and have come back
        await queue.run(nothing, name="g")

        assert names(await queue.history()) == ["g", "f", "e"]
        assert queue.statistics().unrecorded == 4


async def test_without_a_history_the_queue_tells_what_it_remembers(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        await queue.run(give, 5, name="a")
        queue.submit_nowait(sleep, 9, name="b").cancel()

        jobs = await queue.history()
        assert [(job.name, job.number, job.result) for job in jobs] == [
            ("b", 2, None),
            ("a", 1, "5"),
        ]
        assert names(await queue.history(status=JobStatus.COMPLETED)) == ["a"]
        word: Any = "completed"
        assert names(await queue.history(status=word)) == ["a"]
        assert [job.id for job in queue.jobs(status=word)] == ["job-1"]
        assert names(await queue.history(limit=1)) == ["b"]
        with pytest.raises(ValueError, match="limit"):
            await queue.history(limit=-1)


async def test_the_dates_follow_a_clock_that_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    right = time.time
    async with open_job_queue() as queue:
        monkeypatch.setattr("time.time", lambda: right() + 3600)
        await queue.run(nothing)
        (job,) = await queue.history()

    assert job.finished_at.timestamp() > right() + 1800


async def test_a_history_has_dates_and_texts_up_to_a_limit(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def report_much(context: JobContext) -> int:
        context.report(current=2**70)
        return 5

    monkeypatch.setattr("time.time", lambda: 1e6 + trio.current_time())
    tags = [["b ä", "a\udcff"], [letter * 50_000 for letter in "abc"], []]
    async with open_job_queue() as queue:
        await queue.submit(sleep, 5)
        for some in tags:
            await queue.submit(report_much, tags=some, name="n" * 5000)
        await queue.submit(nothing, name="ä\udcff")
        await queue.wait_idle()
        plain, *jobs, first = await queue.history()

    seconds = [time.timestamp() for time in (first.submitted_at, first.finished_at)]
    assert seconds == [1e6, 1e6 + 5]
    assert plain.name == "ä\\udcff"
    assert [job.tags for job in jobs] == [set(), set(tags[1][:2]), set(tags[0])]
    assert {(len(job.name), job.result, job.current) for job in jobs} == {(2000, "5", 2.0**70)}
