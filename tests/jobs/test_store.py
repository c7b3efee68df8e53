"""Jobs that outlive their queue."""

from __future__ import annotations

import math
import shutil
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trio.lowlevel
from fakes import durable
from fakes.durable import RAN, change, cut_off, fail, live_ids, note, open_stored, rows, slow
from fakes.small_jobs import quiet
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    CancelOutcome,
    DuplicateJob,
    JobCancelled,
    JobContext,
    JobFailed,
    JobHandle,
    JobQueue,
    JobStatus,
    JobTimedOut,
    Keep,
    NotSendable,
    OnConflict,
    Retry,
    TooManyKills,
    plain,
)


@pytest.fixture(autouse=True)
def wall_clock(autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wall clock go with the mock clock."""
    monkeypatch.setattr(time, "time", lambda: 1e9 + autojump_clock.current_time())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "jobs ?#%.sqlite"


async def left_by(path: Path, submit: Callable[[JobQueue], Awaitable[Any]], **options: Any) -> None:
    """Open a queue, submit, and shut down at once while nothing runs."""
    async with cut_off(path, **options) as queue:
        queue.pause()
        await submit(queue)
    RAN.clear()


async def plainly(what: object) -> object:
    return what


async def give_key(context: JobContext) -> object:
    return context.key


async def give_object(context: JobContext) -> object:
    return {1, 2}


@dataclass(frozen=True)
class Numbered:
    number: int
    name: str = "numbered"

    async def execute(self, context: JobContext) -> int:
        RAN.append((self.number, context.attempt))
        return self.number


async def test_a_submit_returns_when_the_job_is_in_the_file(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path) as queue:
        handle = await queue.submit(slow, "a", 1.0, name="n", tags=["t"], key="k", priority=3)

        assert live_ids(path) == [handle.id]
        assert rows(path, "SELECT job, key, priority FROM jobs") == [
            (
                f'{{"job":{{"function":"{slow.__module__}:slow"}},"args":["a",1.0]}}'.encode(),
                b'"k"',
                3,
            )
        ]


async def test_what_a_shutdown_cancels_is_run_by_the_next_opening(
    autojump_clock: MockClock, path: Path
) -> None:
    async with cut_off(path, 1) as queue:
        handle = await queue.submit(slow, "running")
        await queue.submit(note, "pending")
        await queue.submit(note, "delayed", delay=50)
    assert handle.snapshot().cancel_cause is CancelCause.SHUTDOWN
    assert RAN == [("running", 1)]

    async with open_stored(path) as queue:
        assert [job.waiting_for for job in queue.jobs()] == ["worker", "worker", "time"]
        assert [job.attempt for job in queue.jobs()] == [1, 0, 0]

    assert RAN[1:] == [("running", 2), ("running", 2, "end"), ("pending", 1), ("delayed", 1)]
    assert trio.current_time() == pytest.approx(50)
    assert live_ids(path) == []


async def test_a_cancelled_scope_around_the_queue_leaves_the_jobs(
    autojump_clock: MockClock, path: Path
) -> None:
    with trio.move_on_after(1):
        async with open_stored(path) as queue:
            await queue.submit(slow, "a")
            await queue.submit(note, "b")
            await trio.sleep_forever()

    assert live_ids(path) == ["job-1", "job-2"]
    assert rows(path, "SELECT status, attempts, uncounted FROM jobs") == [
        ("pending", 1, 1),
        ("pending", 0, 0),
    ]


async def test_what_a_user_cancels_is_gone(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path) as queue:
        queue.pause()
        first = await queue.submit(note, "a")
        await queue.submit(note, "b", after=[first])
        await queue.submit(note, "c", key="k", name="c")
        await queue.submit(note, "d", key="k", on_conflict=OnConflict.SUPERSEDE)
        await queue.submit(note, "e", within=0)
        await queue.submit(note, "f")

        assert queue.cancel(first) is CancelOutcome.CANCELLED
        causes = [job.cancel_cause for job in queue.jobs()]

    assert causes == [
        CancelCause.USER,
        CancelCause.DEPENDENCY,
        CancelCause.SUPERSEDED,
        None,
        CancelCause.EXPIRED,
        None,
    ]
    assert live_ids(path) == ["job-4", "job-6"]
    assert rows(path, "SELECT * FROM links") == []


async def test_a_cancelled_submit_has_submitted_nothing(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, max_pending=1) as queue:
        queue.pause()
        with trio.CancelScope() as scope:
            scope.cancel()
            await queue.submit(note, "a")
        await queue.submit(note, "b")
        with trio.move_on_after(1):
            await queue.submit(note, "c")

        assert live_ids(path) == ["job-1"]

    assert RAN == [("b", 1)]


async def test_a_submit_whose_job_is_being_written_is_not_cancelled(path: Path) -> None:
    handles = list[JobHandle[Any]]()

    async def submit() -> None:
        with scope:
            handles.append(await queue.submit(note, "a"))

    scope = trio.CancelScope()
    async with open_stored(path) as queue, trio.open_nursery() as nursery:
        nursery.start_soon(submit)
        for _ in range(2):  # the steps in which it may begin
            await trio.lowlevel.checkpoint()
        scope.cancel()

    assert [handle.status for handle in handles] == [JobStatus.COMPLETED]


async def test_jobs_keep_their_options(autojump_clock: MockClock, path: Path) -> None:
    retry = Retry(attempts=3, first=2, jitter=0, on=(ValueError, JobTimedOut))

    async def submit(queue: JobQueue) -> None:
        await queue.submit(note, "a", id="my id", name="my name", tags=["x", "y"], priority=7)
        await queue.submit(slow, "b", timeout=3, retry=retry, key=5, within=100)

    await left_by(path, submit)

    async with open_stored(path) as queue:
        first, second = queue.jobs()
        await queue.wait_idle()
        ended = queue.snapshot(second.id)

    assert (first.id, first.name, first.priority) == ("my id", "my name", 7)
    assert first.tags == {"x", "y"}
    assert (second.key, second.waiting_for) == (5, "worker")
    assert ended.error is not None
    assert ended.error.type == "JobTimedOut"
    assert RAN == [("a", 1), ("b", 1), ("b", 2), ("b", 3)]


async def test_the_order_and_the_priorities_are_kept(autojump_clock: MockClock, path: Path) -> None:
    async def submit(queue: JobQueue) -> None:
        for number in range(250):
            await queue.submit(note, number)
        await queue.submit(note, 250, priority=1)
        queue.set_priority("job-2", -1)

    await left_by(path, submit, max_pending=None)
    autojump_clock.rate = 1  # the opening takes time

    async with open_stored(path):
        pass

    assert [what for what, _ in RAN] == [250, 0, *range(2, 250), 1]


async def tidy(context: JobContext) -> None:
    RAN.append(("tidy", context.attempt))
    try:
        await trio.sleep_forever()
    finally:
        with context.cleanup(5):
            await trio.sleep(2)


async def test_a_superseded_job_that_was_cut_off_does_not_run_again(path: Path) -> None:
    cut_off = path.with_name("cut off.sqlite")
    async with open_stored(path, workers=2) as queue:
        await queue.submit(tidy, id="i")
        await trio.sleep(1)
        await queue.submit(note, "new", id="i", on_conflict=OnConflict.SUPERSEDE)
        for ending in ("", "-wal"):  # as a kill would leave it
            shutil.copyfile(f"{path}{ending}", f"{cut_off}{ending}")
    RAN.clear()

    async with open_stored(cut_off, workers=2) as queue:
        assert queue.snapshot("i").waiting_for == "worker"

    assert RAN == [("new", 1)]
    assert rows(cut_off, "SELECT status, cancel_cause FROM jobs ORDER BY number") == [
        ("cancelled", "superseded"),
        ("completed", None),
    ]


async def test_jobs_start_after_others(autojump_clock: MockClock, path: Path) -> None:
    async def submit(queue: JobQueue) -> None:
        first = await queue.submit(slow, "first", 1)
        second = await queue.submit(fail, "second", delay=5)
        await queue.submit(note, "third", after=[first])
        await queue.submit(note, "fourth", after=[first, second])
        await queue.submit(note, "fifth", after=[first, second], after_any_end=True)

    await left_by(path, submit)
    assert rows(path, "SELECT job, predecessor FROM links ORDER BY job, predecessor") == [
        (3, 1), (4, 1), (4, 2), (5, 1), (5, 2)
    ]  # fmt: skip

    async with cut_off(path, on_job_error=quiet) as queue:
        await trio.sleep(2)
        assert rows(path, "SELECT job, predecessor FROM links ORDER BY job") == [(4, 2), (5, 2)]

    async with open_stored(path, on_job_error=quiet) as queue:
        assert queue.snapshot("job-4").waiting_for == "after"
        await queue.wait_idle()
        assert queue.snapshot("job-4").cancel_cause is CancelCause.DEPENDENCY

    assert [what[0] for what in RAN] == ["first", "first", "third", "second", "fifth"]
    assert rows(path, "SELECT * FROM links") == []


async def test_a_job_may_start_after_one_of_an_earlier_opening(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, on_job_error=quiet) as queue:
        await queue.submit(note, 1, id="good")
        await queue.submit(fail, 2, id="bad")

    async with open_stored(path) as queue:
        good = await queue.submit(note, 3, after=["good"])
        bad = await queue.submit(note, 4, after=["bad"])
        await queue.wait_idle()

    assert good.status is JobStatus.COMPLETED
    assert bad.snapshot().cancel_cause is CancelCause.DEPENDENCY


async def test_a_wait_for_a_time_goes_on_by_the_wall_clock(
    autojump_clock: MockClock, path: Path
) -> None:
    async def submit(queue: JobQueue) -> None:
        await queue.submit(note, "a", delay=30)
        await queue.submit(note, "b", delay=90, within=60)
        await queue.submit(note, "c", delay=500)
        queue.run_now("job-3")

    await left_by(path, submit)
    await trio.sleep(20)

    async with open_stored(path) as queue:
        await trio.testing.wait_all_tasks_blocked()
        assert RAN == [("c", 1)]
        await trio.sleep(9.9)
        assert RAN == [("c", 1)]
        await queue.wait_idle()
        assert queue.snapshot("job-2").cancel_cause is CancelCause.EXPIRED

    assert RAN == [("c", 1), ("a", 1)]
    assert trio.current_time() == pytest.approx(60)


async def test_the_attempts_are_counted_on(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path, retry=Retry(attempts=3, first=10, factor=1, jitter=0)) as queue:
        await queue.submit(fail, "a")
        await trio.sleep(15)
        assert [job.attempt for job in queue.jobs()] == [2]

    async with open_stored(path, on_job_error=quiet) as queue:
        (job,) = queue.jobs()
        assert (job.attempt, job.waiting_for) == (2, "time")

    assert RAN == [("a", 1), ("a", 2), ("a", 3)]


async def test_the_limit_of_all_attempts_is_kept(autojump_clock: MockClock, path: Path) -> None:
    async with cut_off(path, 15) as queue:
        await queue.submit(slow, "a", 30, retry=Retry(total=20))

    async with open_stored(path, on_job_error=quiet) as queue:
        with pytest.raises(JobTimedOut):
            await queue.handle("job-1").result()

    assert trio.current_time() == pytest.approx(20)


@pytest.mark.parametrize(
    ("retry", "kills", "attempts", "is_too_often"),
    [
        *((retry, 0, 1, False) for retry in (None, Retry(attempts=9), Retry(total=900))),
        (None, 4, 4, True),
        (Retry(attempts=2), 1, 2, True),
        (Retry(attempts=math.inf), 4, 40, True),
    ],
)
async def test_a_kill_counts_as_an_attempt_and_too_many_fail_the_job(
    autojump_clock: MockClock,
    *,
    retry: Retry | None,
    kills: int,
    attempts: int,
    is_too_often: bool,
    path: Path,
) -> None:
    await left_by(path, lambda queue: queue.submit(note, "a", retry=retry))
    running = f"status = 'running', started_at = 1e9, attempts = {attempts}, kills = {kills}"
    change(path, f"UPDATE jobs SET {running}")

    async with open_stored(path) as queue:
        ended = await queue.handle("job-1").wait()
        if is_too_often:
            with pytest.raises(JobFailed) as failed:
                await queue.handle("job-1").result()
            assert type(failed.value.__cause__) is TooManyKills
            assert failed.value.__cause__.kills == kills + 1

    assert ([] if is_too_often else [("a", 2)]) == RAN
    assert ended.status == ("failed" if is_too_often else "completed")
    assert rows(path, "SELECT status FROM jobs") == [(ended.status,)]


async def test_an_interrupted_attempt_is_no_kill(autojump_clock: MockClock, path: Path) -> None:
    for _ in range(7):
        async with cut_off(path, 1, retry=Retry(attempts=1)) as queue:
            if not queue.jobs():
                await queue.submit(slow, "a")

    assert [("a", number) for number in range(1, 8)] == RAN
    assert rows(path, "SELECT attempts, uncounted, kills FROM jobs") == [(7, 7, 0)]


async def test_adapters_and_objects_are_kept(autojump_clock: MockClock, path: Path) -> None:
    async def submit(queue: JobQueue) -> None:
        await queue.submit(plain(plainly), 1)
        await queue.submit(Numbered(3))
        await queue.submit(give_key, key=4)

    await left_by(path, submit)

    async with open_stored(path) as queue:
        handles = [queue.handle(job.id) for job in queue.jobs()]
        assert [await handle.result() for handle in handles] == [1, 3, 4]
        assert [handle.name for handle in handles] == [
            "plainly",
            "numbered",
            "give_key",
        ]


async def test_pickle_is_taken_on_request(autojump_clock: MockClock, path: Path) -> None:
    store = {"codec": "pickle"}
    await left_by(path, lambda queue: queue.submit(note, {1, 2}, key=("a", 1)), store=store)

    async with open_stored(path, store=store) as queue:
        assert queue.jobs()[0].key == ("a", 1)
        assert await queue.handle("job-1").result() == {1, 2}

    async with open_stored(path, store=store) as queue:
        assert queue.snapshot("job-1").result == {1, 2}
        assert queue.snapshot("job-1").key == ("a", 1)


@pytest.mark.parametrize(
    ("job", "args", "options", "words"),
    [
        (note, ((1,),), {}, "argument 1 cannot be sent"),
        (lambda _: None, (), {}, "is a lambda"),
        (note, (1,), {"key": (1,)}, "the key cannot be sent"),
        (note, (1,), {"id": "\ud800"}, "id cannot be sent"),
        (note, (1,), {"name": "\ud800"}, "name cannot be sent"),
        (note, (1,), {"tags": ["\ud800"]}, r"tags\[0\] cannot be sent"),
        (note, (1,), {"retry": Retry(2, on=lambda _: True)}, "'on' of the retry rule .* lambda"),
        (note, ("x" * 10_000_000,), {}, "a job of more than 10,000,000 bytes is too large"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    autojump_clock: MockClock,
    job: Any,
    args: tuple[object, ...],
    options: Any,
    words: str,
    path: Path,
) -> None:
    async with open_stored(path) as queue:
        with pytest.raises(NotSendable, match=words):
            await queue.submit(job, *args, **options)
        with pytest.raises(NotSendable, match=words):
            await queue.run(job, *args, **options)

        assert queue.jobs() == []
        assert queue.statistics().pending == 0

    assert rows(path, "SELECT * FROM jobs") == []


async def test_submit_nowait_is_refused(autojump_clock: MockClock, path: Path) -> None:
    async with open_stored(path) as queue:
        with pytest.raises(RuntimeError, match=r"use await submit\(\)"):
            queue.submit_nowait(note, 1)

    assert RAN == []


# Ended jobs


async def test_ended_jobs_are_known_to_the_next_opening(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, on_job_error=quiet) as queue:
        await queue.submit(note, {"a": [1]}, key="k", tags=["t"], priority=2)
        await queue.submit(fail, "no")
        await queue.submit(slow, "late", timeout=1)
        cancelled = await queue.submit(note, "c", delay=9)
        queue.cancel(cancelled)
        await queue.submit(give_object)
        await trio.sleep(5)
        before = queue.jobs()

    async with open_stored(path) as queue:
        after = queue.jobs()
        with pytest.raises(JobFailed, match="ValueError: no"):
            await queue.handle("job-2").result()
        with pytest.raises(JobTimedOut):
            await queue.handle("job-3").result()
        with pytest.raises(JobCancelled, match="cause: user"):
            await queue.handle("job-4").result()
        statistics = queue.statistics()
        handle = await queue.submit(note, 1)

    kept = ("id", "name", "status", "key", "tags", "priority", "attempt", "cancel_cause", "error",
            "submitted_at", "due_at", "started_at", "finished_at")  # fmt: skip
    assert [[getattr(job, name) for name in kept] for job in after] == [
        [getattr(job, name) for name in kept] for job in before
    ]
    assert [job.result for job in after] == [{"a": [1]}, None, None, None, "{1, 2}"]
    assert (statistics.completed, statistics.failed, statistics.cancelled) == (2, 2, 1)
    assert statistics.evicted == 0
    assert handle.id == "job-6"


async def test_as_many_ended_jobs_stay_as_the_queue_keeps(
    autojump_clock: MockClock, path: Path
) -> None:
    async with open_stored(path, keep=Keep(jobs=16)) as queue:
        for number in range(40):
            await queue.run(note, number)
    assert 16 <= len(rows(path, "SELECT * FROM jobs")) <= 17

    async with open_stored(path, keep=Keep(jobs=3)) as queue:
        assert [job.id for job in queue.jobs()] == ["job-38", "job-39", "job-40"]
    assert len(rows(path, "SELECT * FROM jobs")) == 3

    await trio.sleep(100)
    async with open_stored(path, keep=Keep(age=99)) as queue:
        assert queue.jobs() == []
        assert (await queue.submit(note, 1)).id == "job-41"

    async with open_stored(path, keep=Keep(jobs=0)):
        pass
    assert rows(path, "SELECT * FROM jobs") == []


# What cannot be taken up


async def test_a_job_that_cannot_be_loaded_is_listed_and_can_be_discarded(
    autojump_clock: MockClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def submit(queue: JobQueue) -> None:
        first = await queue.submit(note, "a", id="gone")
        await queue.submit(slow, "b", id="after", after=[first])
        await queue.submit(slow, "c", id="whole")

    await left_by(path, submit)

    with monkeypatch.context() as patch:
        patch.delattr(durable, "note")
        async with open_stored(path) as queue:
            assert queue.unloaded() == {
                "gone": f"{durable.__name__}:note cannot be imported: module"
                f" '{durable.__name__}' has no attribute 'note'",
                "after": "it starts after a job that stays there",
            }
            for choice in (OnConflict.REJECT, OnConflict.JOIN, OnConflict.SUPERSEDE):
                with pytest.raises(DuplicateJob, match="gone"):
                    await queue.submit(slow, "d", id="gone", on_conflict=choice)
            with pytest.raises(TypeError, match="job_id must be text"):
                await queue.discard(5)  # type: ignore[arg-type]
            assert not await queue.discard("whole")
            assert await queue.discard("gone")
            assert not await queue.discard("gone")
            assert live_ids(path) == ["after", "whole"]
            assert [*queue.unloaded()] == ["after"]
            assert await queue.run(slow, "e", 1, id="gone") == "e"

    async with open_stored(path) as queue:
        assert queue.unloaded() == {}
        assert queue.snapshot("after").cancel_cause is CancelCause.DEPENDENCY

    assert {what[0] for what in RAN} == {"c", "e"}


class StepLengths(trio.abc.Instrument):
    """Counts the calls of functions in the longest step of a task."""

    def __init__(self) -> None:
        self.longest = self._calls = 0

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._calls = 0
        sys.setprofile(self._count)

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        sys.setprofile(None)
        self.longest = max(self.longest, self._calls)

    def _count(self, frame: object, event: str, value: object) -> None:
        self._calls += event == "call"


async def test_an_opening_has_no_longer_step_for_more_jobs(
    autojump_clock: MockClock, path: Path
) -> None:
    longest: list[int] = []
    for count in (200, 800):
        file = path.with_name(f"{count}.sqlite")
        async with cut_off(file, max_pending=None) as queue:
            async with trio.open_nursery() as nursery:
                for number in range(count):
                    nursery.start_soon(partial(queue.submit, note, number, delay=1e6))
            async with trio.open_nursery() as nursery:
                for job in queue.jobs()[::2]:
                    nursery.start_soon(queue.request_cancel, job.id)
        lengths = StepLengths()
        block = open_stored(file)
        trio.lowlevel.add_instrument(lengths)
        await trio.lowlevel.checkpoint()
        queue = await block.__aenter__()
        await trio.lowlevel.checkpoint()  # the end of the step
        trio.lowlevel.remove_instrument(lengths)
        sys.setprofile(None)
        assert queue.statistics().pending == count / 2
        assert queue.statistics().cancelled == count / 2
        await queue.shutdown(grace=0)
        await block.__aexit__(None, None, None)
        longest.append(lengths.longest)

    assert longest[1] < longest[0] * 1.1, longest


@pytest.mark.parametrize(
    ("has_ended", "statement", "words"),
    [
        (False, "job = x'7b'", "this is not JSON"),
        (False, "options = '{}'", "its options are damaged"),
        (False, "codec = 'yaml'", "its codec is 'yaml'"),
        (False, "key = x'5b5d'", "its options are damaged: TypeError"),
        (False, "attempts = 'x'", "its values are damaged"),
        (False, "job = CAST(replace(job, '[1]', '[1,2,3]') AS BLOB)", "cannot be called: too many"),
        (True, "options = '{'", "Expecting property name"),
        (True, "status = 'gone'", "'gone' is not a valid JobStatus"),
        (True, "cancel_cause = 'none'", "'none' is not a valid CancelCause"),
        (True, "error = '{'", "Expecting property name"),
    ],
)
async def test_a_damaged_job_stays_in_the_file(
    autojump_clock: MockClock,
    *,
    has_ended: bool,
    statement: str,
    words: str,
    path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with cut_off(path) as queue:
        if not has_ended:
            queue.pause()
        await queue.submit(note, 1, key="k")
        await trio.testing.wait_all_tasks_blocked()
    change(path, f"UPDATE jobs SET {statement}")

    async with open_stored(path) as queue:
        assert queue.jobs() == []
        assert await queue.run(note, 2) == 2

    assert words in caplog.text
    assert live_ids(path) == ([] if has_ended else ["job-1"])
    assert rows(path, "SELECT count(*) FROM jobs") == [(2,)]


async def test_a_clock_that_was_set_back_holds_up_no_job(
    autojump_clock: MockClock, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def submit(queue: JobQueue) -> None:
        await queue.submit(note, "delayed", delay=30)
        await queue.submit(note, "due")

    await left_by(path, submit)
    right = time.time()
    monkeypatch.setattr(time, "time", lambda: right - 1e6)

    async with open_stored(path) as queue:
        await trio.sleep(29)
        assert [what for what, _ in RAN] == ["due"]
        assert queue.snapshot("job-2").submitted_at <= trio.current_time()
        await trio.sleep(2)

    assert [what for what, _ in RAN] == ["due", "delayed"]
