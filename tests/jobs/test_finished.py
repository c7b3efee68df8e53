from __future__ import annotations

import math
from datetime import UTC, datetime

import pytest
import trio
from fakes.internals import record_of
from trio.testing import MockClock

from ticketr import FinishedJob, JobContext, JobHandle, JobStatus, open_job_queue
from ticketr.jobs._sqlite.finished import (
    MAX_CHARS,
    MAX_TAG_CHARS,
    job_of_row,
    row_of_record,
    storable_number,
)


async def value(context: JobContext) -> str:
    await trio.sleep(5)
    context.report(current=1, total=2, message="at it")
    return "done"


def entry(handle: JobHandle[object], number: int, *, offset: float = 0.0) -> FinishedJob:
    return job_of_row(row_of_record(record_of(handle), "run", number, repr, offset))


async def nothing(context: JobContext) -> None:
    pass


async def test_the_times_become_dates(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    async with open_job_queue() as queue:
        first = await queue.submit(value)
        second = await queue.submit(value)
        await second.wait()

    job = entry(second, 2, offset=record_of(second).queue.wall_clock.offset())

    def date(seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    assert (job.submitted_at, job.started_at, job.finished_at) == (
        date(1_000_000),
        date(1_000_005),
        date(1_000_010),
    )
    assert (job.status, job.attempts, job.result) == (JobStatus.COMPLETED, 1, "'done'")
    assert (job.current, job.total, job.message, job.key) == (1, 2, "at it", None)
    assert first.snapshot().finished_at != second.snapshot().finished_at


async def test_tags_are_kept_whole_up_to_a_limit(autojump_clock: MockClock) -> None:
    long = [f"{letter * (MAX_TAG_CHARS // 2)}" for letter in "abc"]
    async with open_job_queue() as queue:
        handles = [await queue.submit(value, tags=tags) for tags in (["b ä", "a\udcff"], long, [])]

    kept = [entry(handle, 1) for handle in handles]
    assert [job.tags for job in kept] == [{"b ä", "a\udcff"}, set(long[:2]), set()]


async def test_the_texts_of_a_plain_job_are_cut(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(nothing, name="n" * 5000)
        other = await queue.submit(nothing, name="ä\udcff")

    def result(_: object) -> str:
        return "r" * 5000

    long = job_of_row(row_of_record(record_of(handle), "run", 1, result, 0.0))
    assert (len(long.name), len(long.result or "")) == (MAX_CHARS, MAX_CHARS)
    assert entry(other, 1).name == "ä\\udcff"


def test_a_number_fits_into_a_database() -> None:
    assert (
        storable_number(5),
        storable_number(0.5),
        storable_number(2**70),
        storable_number(10**400),
    ) == (5, 0.5, 2.0**70, math.inf)
    assert type(storable_number(5)) is int
