"""Repeats, and their due times."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import trio
import trio.lowlevel
from cronsim import CronSim
from fakes.small_jobs import fail, give, nothing
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from ticketr import (
    CancelCause,
    DuplicateJob,
    JobContext,
    JobStatus,
    QueueClosed,
    RepeatHandle,
    open_job_queue,
)
from ticketr.jobs._maps.due_times import DueTimes, DueTimesFromFunction, Interval, make_due_times

HOUR = timedelta(hours=1)


class Log:
    """A job that takes the given seconds in turn, then none, and notes when it starts."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = [*seconds]
        self.starts: list[float] = []
        self.ids: list[str] = []

    async def job(self, context: JobContext) -> None:
        self.starts.append(trio.current_time())
        self.ids.append(context.id)
        if self.seconds:
            await trio.sleep(self.seconds.pop(0))


def wall_seconds(handle: RepeatHandle, since: datetime) -> float:
    assert handle.next_at is not None
    return (handle.next_at - since).total_seconds()


# Due times


async def test_due_times_do_not_drift(autojump_clock: MockClock) -> None:
    log = Log(*[0.05] * 1000)

    async with open_job_queue() as queue:
        queue.repeat(log.job, every=0.1, first=0.3)
        await trio.sleep(100.25)

    assert log.starts == [0.3 + n * 0.1 for n in range(1000)]


async def test_runs_do_not_overlap_and_missed_ones_are_counted(autojump_clock: MockClock) -> None:
    log = Log(25, 1, 10, 35)

    async with open_job_queue(workers=4) as queue:
        handle = queue.repeat(log.job, every=10.0)
        await trio.sleep(99)

    # A run that ends when the next is due misses none.
    assert log.starts == [0, 30, 40, 50, 90]
    assert (handle.runs, handle.missed) == (5, 2 + 0 + 0 + 3)


async def test_next_at_is_none_while_a_run_has_not_ended(autojump_clock: MockClock) -> None:
    log = Log(0, 25)

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=60.0, first=30.0)
        start = handle.next_at
        assert start is not None
        assert start.tzinfo is UTC
        await trio.sleep(31)
        seen = [wall_seconds(handle, start)]
        await trio.sleep(60)
        assert handle.next_at is None
        await trio.sleep(30)
        seen.append(wall_seconds(handle, start))
        handle.cancel()
        assert handle.next_at is None

    assert seen == [60, 120]


# Runs


async def test_each_run_is_a_job_of_its_own(autojump_clock: MockClock) -> None:
    log = Log()

    async with open_job_queue() as queue:
        handle = queue.repeat(
            log.job, every=60.0, id="sync", name="nightly", key="k", priority=3, tags=["t"]
        )
        await trio.sleep(100)
        jobs = queue.jobs()

    assert handle.id == "sync"
    assert log.ids == [job.id for job in jobs] == ["sync#1", "sync#2"]
    assert {(job.name, job.key, job.priority, job.tags) for job in jobs} == {
        ("nightly", "k", 3, frozenset({"t"}))
    }
    assert handle.snapshot() == jobs[-1]


async def test_run_enters_above_max_pending(autojump_clock: MockClock) -> None:
    log = Log()

    async with open_job_queue(max_pending=1) as queue:
        await queue.submit(Log(20).job)
        await wait_all_tasks_blocked()
        await queue.submit(Log().job)
        queue.repeat(log.job, every=60.0, first=10.0)
        await trio.sleep(15)
        assert queue.statistics().pending == 2

    assert log.starts == [20]


async def test_failed_run_does_not_end_the_repeat(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_job_queue() as queue:
        handle = queue.repeat(fail, every=60.0)
        await trio.sleep(130)

    assert handle.runs == 3
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3


async def test_cancel_of_a_run_stops_that_run_alone(autojump_clock: MockClock) -> None:
    log = Log(50, 1)

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=60.0, id="r")
        await trio.sleep(10)
        queue.cancel("r#1")
        await trio.sleep(1)
        assert queue.status("r#1") is JobStatus.CANCELLED
        assert handle.next_at is not None
        await trio.sleep(60)

    assert log.starts == [0, 60]


# Steering


async def test_cancel_leaves_a_run_under_way(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = queue.repeat(Log(50).job, every=60.0)
        await trio.sleep(10)
        assert handle.cancel()
        assert not handle.cancel()
        await trio.sleep(300)

    snapshot = handle.snapshot()
    assert snapshot is not None
    assert (snapshot.status, snapshot.finished_at) == (JobStatus.COMPLETED, 50)
    assert handle.runs == 1


async def test_run_now_keeps_the_due_times(autojump_clock: MockClock) -> None:
    log = Log(0, 5, 30)

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=60.0)
        await trio.sleep(20)
        assert handle.run_now()
        assert not handle.run_now()
        await trio.sleep(25)
        assert handle.next_at is not None
        assert handle.missed == 0
        assert handle.run_now()  # until 75: the run at 60 is missed
        await trio.sleep(100)

    assert log.starts == [0, 20, 45, 120]
    assert (handle.runs, handle.missed) == (4, 1)


async def test_pause_skips_runs_without_counting_them(autojump_clock: MockClock) -> None:
    log = Log()

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=10.0)
        await trio.sleep(5)
        handle.pause()
        handle.pause()
        assert handle.next_at is None
        await trio.sleep(30)
        handle.resume()
        handle.resume()
        assert handle.next_at is not None
        await trio.sleep(10)

    assert log.starts == [0, 40]
    assert handle.missed == 0


@pytest.mark.parametrize("pause", [0.5, 500.0])
async def test_pause_of_a_calendar_is_not_counted(autojump_clock: MockClock, pause: float) -> None:
    log = Log(0.1, 3.5)

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=lambda due: due + timedelta(seconds=1))
        await trio.sleep(0.2)
        handle.pause()
        await trio.sleep(pause)
        handle.resume()
        await trio.sleep(5.5)

    assert handle.missed == 3  # during the second run


# Functions of the due time


async def test_function_gives_each_due_time(autojump_clock: MockClock) -> None:
    log, given_times = Log(), list[datetime]()

    def every(due: datetime) -> datetime:
        given_times.append(due)
        return due + HOUR

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=every, first=60.0)
        first = handle.next_at
        assert first is not None
        await trio.sleep(2 * 3600)
        assert handle.next_at == first + 2 * HOUR

    assert log.starts == [60, 3660]
    assert given_times == [first, first + HOUR]
    assert {due.tzinfo for due in given_times} == {UTC}


async def test_many_missed_due_times_are_skipped_in_one_instant(
    autojump_clock: MockClock,
) -> None:
    log = Log(1000.5)

    async with open_job_queue() as queue:
        handle = queue.repeat(log.job, every=lambda due: due + timedelta(seconds=1))
        await trio.sleep(1001)
        await wait_all_tasks_blocked()
        assert handle.missed == 1000
        await trio.sleep(1)

    assert log.starts[:2] == [0, 1001]


@pytest.mark.parametrize(
    ("every", "words"),
    [
        (lambda due: due, "must return a later time than it is given"),
        (lambda due: due - HOUR, "must return a later time"),
        (lambda _: datetime(2100, 1, 1), "must have a time zone"),  # noqa: DTZ001
        (lambda _: datetime(9999, 12, 31, 23, tzinfo=ZoneInfo("Etc/GMT+5")), "beyond its years"),
        (lambda _: None, "must be a datetime, not None"),
        (lambda _: 60.0, "must be a datetime, not 60.0"),
        (lambda _: 1 / 0, "division by zero"),
    ],
)
async def test_function_that_gives_no_later_time_ends_the_repeat(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, every: Any, words: str
) -> None:
    async with open_job_queue() as queue:
        handle = queue.repeat(Log().job, every=every, id="r")
        await trio.sleep(10)
        assert handle.next_at is None
        assert not handle.cancel()
        assert await queue.run(give, 1) == 1

    (record,) = caplog.records
    assert (record.levelno, record.name) == (logging.ERROR, "ticketr.jobs")
    assert "repeat 'r' has ended" in record.message
    assert words in caplog.text


async def test_function_that_exits_ends_the_program(autojump_clock: MockClock) -> None:
    def every(due: datetime) -> datetime:
        raise SystemExit(3)

    with pytest.raises(SystemExit):  # noqa: PT012 - it leaves by the block
        async with open_job_queue() as queue:
            queue.repeat(Log().job, every=every)
            await trio.sleep(10)


# What is refused


@pytest.mark.parametrize("option", ["after", "delay", "start_by", "within", "on_conflict"])
async def test_option_that_makes_no_sense_is_refused(option: str) -> None:
    async with open_job_queue() as queue:
        options: Any = {option: 1}
        with pytest.raises(TypeError, match=rf"repeat\(\) has no option '{option}': "):
            queue.repeat(nothing, every=60.0, **options)
        assert queue.jobs() == []


async def test_id_of_another_repeat_is_refused() -> None:
    async with open_job_queue() as queue:
        first = queue.repeat(nothing, every=60.0, first=60.0, id="r")
        with pytest.raises(DuplicateJob, match="'r'"):
            queue.repeat(nothing, every=60.0, id="r")
        first.cancel()
        queue.repeat(nothing, every=60.0, id="r")


async def test_made_up_id_is_that_of_no_other_repeat() -> None:
    async with open_job_queue() as queue:
        ids = {queue.repeat(nothing, every=60.0, first=9, id="repeat-2").id}
        ids |= {queue.repeat(nothing, every=60.0, first=9).id for _ in range(3)}

    assert len(ids) == 4


async def test_refused_first_run_leaves_no_repeat(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        await queue.submit(Log(5).job, id="r#1")
        with pytest.raises(DuplicateJob, match="'r#1'"):
            queue.repeat(nothing, every=60.0, id="r")
        await trio.sleep(10)
        assert queue.repeat(nothing, every=60.0, id="r").runs == 1


async def test_run_whose_id_is_taken_is_missed_and_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    log = Log()

    async with open_job_queue(workers=2) as queue:
        await queue.submit(Log(15).job, id="r#1")
        handle = queue.repeat(log.job, every=10.0, first=10.0, id="r")
        await trio.sleep(22)

    assert log.starts == [20]
    assert (handle.runs, handle.missed) == (1, 1)
    assert "run 'r#1' was not submitted" in caplog.text


# The end


async def test_repeats_do_not_hold_the_block_open(autojump_clock: MockClock) -> None:
    log = Log(1, 30)

    async with open_job_queue() as queue:
        queue.repeat(log.job, every=60.0)
        await trio.sleep(65)

    assert trio.current_time() == 90  # the run under way is waited for
    assert log.starts == [0, 60]


async def test_no_run_begins_while_the_block_is_being_left(autojump_clock: MockClock) -> None:
    log = Log()

    async with open_job_queue(workers=2) as queue:
        await queue.submit(Log(300).job)
        handle = queue.repeat(log.job, every=60.0)
        await trio.sleep(10)

    assert log.starts == [0]
    assert handle.next_at is None
    assert not handle.run_now()


async def test_shutdown_ends_repeats(autojump_clock: MockClock) -> None:
    log = Log(1, 30)

    async with open_job_queue(workers=2) as queue:
        handle = queue.repeat(log.job, every=60.0)
        await trio.sleep(65)
        await queue.shutdown(grace=10)
        with pytest.raises(QueueClosed):
            queue.repeat(log.job, every=60.0)

    assert trio.current_time() == 75
    snapshot = handle.snapshot()
    assert snapshot is not None
    assert (snapshot.status, snapshot.cancel_cause) == (JobStatus.CANCELLED, CancelCause.SHUTDOWN)
    assert handle.next_at is None


async def test_repr_says_where_it_is(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = queue.repeat(Log(1).job, every=60.0, id="r")
        seen = [repr(handle)]
        await trio.sleep(1.5)
        seen.append(repr(handle))
        handle.pause()
        seen.append(repr(handle))
        handle.cancel()
        seen.append(repr(handle))

    assert seen == [
        f"<RepeatHandle id='r', {state}, 1 runs, 0 missed>"
        for state in ("running", "waiting", "paused", "ended")
    ]


async def test_refused_run_now_keeps_the_next_run(autojump_clock: MockClock) -> None:
    log = Log()

    async with open_job_queue(workers=2) as queue:
        await queue.submit(Log(5).job, id="r#1")
        handle = queue.repeat(log.job, every=10.0, first=10.0, id="r")
        with pytest.raises(DuplicateJob):
            handle.run_now()
        await trio.sleep(12)

    assert log.starts == [10]
    assert handle.missed == 0


# Due times that were missed


@pytest.mark.parametrize(
    ("missed", "starts", "due"),
    [("skip", [0, 40], [0, 40]), ("run_once", [0, 35, 40], [0, 30, 40])],
)
async def test_a_missed_due_time_has_one_run_at_once_if_that_was_asked(
    autojump_clock: MockClock, missed: Any, starts: list[float], due: list[float]
) -> None:
    log = Log(35)
    scheduled: list[datetime | None] = []

    async def note(context: JobContext) -> None:
        scheduled.append(context.scheduled_at)
        await log.job(context)

    async with open_job_queue() as queue:
        handle = queue.repeat(note, every=10.0, missed=missed)
        await trio.sleep(45)
        assert (handle.missed, handle.runs) == (3, len(starts))
        assert log.starts == starts
        await queue.run(note)

    assert scheduled.pop() is None
    times = [at for at in scheduled if at is not None]
    assert [(at - times[0]).total_seconds() for at in times] == pytest.approx(due)


async def test_a_wrong_word_for_missed_is_refused(autojump_clock: MockClock) -> None:
    wrong: Any = "run"
    async with open_job_queue() as queue:
        with pytest.raises(ValueError, match="'skip' or 'run_once'"):
            queue.repeat(fail, every=1.0, missed=wrong)


# The due times of repeats.


OFFSET = 1_700_000_000.0
"""Wall-clock time minus that of Trio's clock."""
START = datetime.fromtimestamp(OFFSET, UTC)


def calendar(every: Callable[[datetime], Any]) -> DueTimesFromFunction:
    return DueTimesFromFunction(START, every, OFFSET)


def make(every: object, first: object = 0.0, now: float = 0.0) -> DueTimes:
    return make_due_times(every, first, now, OFFSET, lambda function, due: function(due))


@given(
    first=st.floats(0, 1e6),
    every=st.floats(0.001, 1e5),
    waits=st.lists(st.floats(0, 1e6), min_size=1, max_size=20),
)
def test_interval_gives_the_first_due_time_that_is_not_past(
    first: float, every: float, waits: list[float]
) -> None:
    times, number = Interval(first, every), 0
    for wait in waits:
        now = times.due_at + wait
        skipped = times.advance(now, OFFSET)
        number += skipped + 1
        assert times.due_at == first + number * every >= now
        assert not skipped or first + (number - 1) * every < now


def test_calendar_follows_a_wall_clock_that_was_set() -> None:
    times = calendar(lambda due: due + timedelta(hours=1))

    times.advance(0.0, OFFSET + 600)  # the clock was set ten minutes ahead

    assert times.due_at == 3000.0


def test_cron_library_in_local_time_keeps_its_hour_when_clocks_are_set() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    first = datetime(2026, 10, 24, 7, 30, tzinfo=berlin)

    def every(due: datetime) -> datetime:
        return next(CronSim("30 7 * * *", due.astimezone(berlin)))

    times = DueTimesFromFunction(first.astimezone(UTC), every, 0.0)
    seconds = []
    for _ in range(3):
        before = times.due_at
        times.advance(before, 0.0)
        seconds.append(times.due_at - before)

    assert seconds == [25 * 3600, 24 * 3600, 24 * 3600]


def test_first_may_be_a_datetime() -> None:
    first = (START + timedelta(minutes=5)).astimezone(ZoneInfo("Asia/Tokyo"))

    for every in (60.0, lambda due: due + HOUR):
        times = make(every, first, now=10.0)
        assert (times.due_at, times.due_utc(OFFSET)) == (300.0, first)


NO_TIMES = [-1, math.inf, math.nan, 1e10]


@pytest.mark.parametrize(
    ("every", "first"),
    [
        *((every, 0.0) for every in (*NO_TIMES, 0, 0.0005)),
        *((60.0, first) for first in (*NO_TIMES, datetime(2100, 1, 1))),  # noqa: DTZ001
    ],
)
def test_what_is_no_time_is_refused(every: object, first: object) -> None:
    with pytest.raises(ValueError, match=r"^(every|first) must"):
        make(every, first)


def test_function_of_the_due_time_is_not_async() -> None:
    async def every(due: datetime) -> datetime:
        return due

    with pytest.raises(TypeError, match="every is not awaited"):
        make(every)
