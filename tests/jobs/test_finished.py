from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import trio

from ticketr import FinishedJob, JobContext, JobStatus, open_job_queue
from ticketr.jobs._finished import (
    MAX_CHARS,
    clipped,
    finished_job,
    storable_number,
    wall_clock_offset,
)

if TYPE_CHECKING:
    from trio.testing import MockClock


async def value(context: JobContext) -> str:
    await trio.sleep(5)
    context.report(current=1, total=2, message="at it")
    return "done"


async def test_the_times_become_dates_at_the_moment_of_finishing(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.time", lambda: 1_000_000.0)
    async with open_job_queue() as queue:
        first = await queue.submit(value)
        second = await queue.submit(value)
        await second.wait()

    job = finished_job(second.snapshot(), "run", 2, repr, wall_clock_offset(None))

    def date(seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)

    assert (job.submitted_at, job.started_at, job.finished_at) == (
        date(999_990),
        date(999_995),
        date(1_000_000),
    )
    assert (job.status, job.attempts, job.result) == (JobStatus.COMPLETED, 1, "'done'")
    assert (job.current, job.total, job.message, job.key) == (1, 2, "at it", None)
    assert first.snapshot().finished_at != second.snapshot().finished_at


async def test_a_job_that_never_ran_has_no_start_and_no_result(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        handle = queue.submit_nowait(value)
        handle.cancel()

    job = finished_job(handle.snapshot(), "run", 1, repr, 0.0)

    assert (job.started_at, job.result, job.attempts, job.message) == (None, None, 0, "")
    assert (job.cancel_cause, job.error_type) == ("user", None)


class Keyed:
    """Return a snapshot with this key."""

    def __init__(self, snapshot: object, key: object) -> None:
        self._snapshot = snapshot
        self.key = key

    def __getattr__(self, name: str) -> object:
        return getattr(self._snapshot, name)


@pytest.mark.parametrize(("key", "text"), [("a", "a"), (("a", 1), "('a', 1)"), (None, None)])
async def test_a_key_is_kept_as_text(
    key: object, text: str | None, autojump_clock: MockClock
) -> None:
    async with open_job_queue() as queue:
        handle = await queue.submit(value)
        await handle.wait()

    job: FinishedJob = finished_job(Keyed(handle.snapshot(), key), "r", 1, repr, 0.0)  # type: ignore[arg-type]

    assert job.key == text
    assert replace(job, key=None).key is None


def test_a_text_is_cut_and_can_be_written() -> None:
    assert clipped("a" * MAX_CHARS) == "a" * MAX_CHARS
    assert clipped("a" * (MAX_CHARS + 1)) == "a" * (MAX_CHARS - 1) + "…"
    assert clipped("file \udcff ä") == "file \\udcff ä"


def test_a_number_fits_into_a_database() -> None:
    assert (
        storable_number(5),
        storable_number(0.5),
        storable_number(2**70),
        storable_number(10**400),
    ) == (5, 0.5, 2.0**70, math.inf)
    assert type(storable_number(5)) is int
