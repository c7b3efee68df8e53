"""Jobs that start after other jobs."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import trio
from fakes.small_jobs import fail, quiet, sleep, starts, waits
from trio.testing import MockClock

from ticketr import (
    CancelCause,
    CancelOutcome,
    JobHandle,
    JobStatus,
    Keep,
    UnknownJob,
    open_job_queue,
)

CANCELLED = JobStatus.CANCELLED


def causes(*handles: JobHandle[object]) -> list[CancelCause | None]:
    return [handle.snapshot().cancel_cause for handle in handles]


async def test_a_job_starts_when_all_before_it_have_completed_and_holds_no_worker(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(workers=2) as queue:
        first = queue.submit_nowait(sleep, 2)
        queue.submit_nowait(sleep, 3, id="second")
        last = queue.submit_nowait(sleep, after=[first, "second", first], priority=9)
        other = queue.submit_nowait(sleep, 1)
        await last.wait()
        assert queue.submit_nowait(sleep, after=[first, last]).snapshot().waiting_for == "worker"

    assert starts(other, last) == [2, 3]


@pytest.mark.parametrize("any_end", [False, True])
@pytest.mark.parametrize("how", ["fails", "is cancelled", "had failed", "was cancelled"])
async def test_a_job_after_one_that_does_not_complete(
    how: str, any_end: bool, autojump_clock: MockClock
) -> None:
    async with open_job_queue(workers=2, on_job_error=quiet) as queue:
        before = queue.submit_nowait(partial(fail, after=1) if "fail" in how else sleep)
        if how == "was cancelled":
            before.cancel()
        if how.startswith(("had", "was")):
            await before.wait()
        later = queue.submit_nowait(sleep, 5)
        job = queue.submit_nowait(sleep, after=[before, later], after_any_end=any_end)
        next_one = queue.submit_nowait(sleep, after=[job])
        if how == "is cancelled":
            await trio.sleep(0.5)
            before.cancel()
        begun = trio.current_time()

    if any_end:
        assert job.snapshot().started_at == later.snapshot().finished_at
        assert next_one.snapshot().started_at == job.snapshot().finished_at
        return
    assert causes(job, next_one) == [CancelCause.DEPENDENCY] * 2
    assert job.status is next_one.status is CANCELLED
    assert job.snapshot().finished_at == (1 if how == "fails" else begun)
    assert not job.snapshot().cancel_requested


async def test_a_delay_counts_from_the_submit(autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        before = queue.submit_nowait(sleep, 3)
        soon = queue.submit_nowait(sleep, 0, after=[before], delay=2)
        late = queue.submit_nowait(sleep, 0, after=[before], delay=5)
        now = queue.submit_nowait(sleep, 0, after=[before], delay=50)
        seen = waits(late)
        assert queue.run_now(now)
        assert not queue.run_now(now)
        await trio.sleep(4)
        seen += waits(late)

    assert seen == ["after", "time"]
    assert starts(soon, now, late) == [3, 3, 5]


async def test_an_id_or_handle_that_is_unknown_is_refused(autojump_clock: MockClock) -> None:
    async with open_job_queue(keep=Keep(jobs=0)) as queue, open_job_queue() as other:
        held = queue.submit_nowait(sleep)
        await held.wait()
        queue.jobs()

        for unknown in (held.id, "nobody"):
            with pytest.raises(UnknownJob):
                queue.submit_nowait(sleep, after=[unknown])
        with pytest.raises(ValueError, match="same queue"):
            queue.submit_nowait(sleep, after=[other.submit_nowait(sleep)])
        wrong: Any
        for wrong in (held, "job-1", [None]):
            with pytest.raises(TypeError, match="after"):
                queue.submit_nowait(sleep, after=wrong)
        assert queue.statistics().pending == 0
        job = queue.submit_nowait(sleep, after=[held], after_any_end=False)

    assert starts(job) == [0]


async def test_a_chain_of_20_000_is_cancelled_without_recursion(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue(max_pending=None, keep=Keep(jobs=10)) as queue:
        last = first = queue.submit_nowait(sleep, delay=9)
        for _ in range(20_000):
            last = queue.submit_nowait(sleep, after=[last])
        queue.submit_nowait(sleep, after=[first])  # beside the chain
        first.cancel()
        assert causes(last) == [CancelCause.DEPENDENCY]
        assert queue.statistics().pending == 0


async def test_cancel_all_and_a_cut_off_give_each_job_the_cause_that_was_asked_for(
    autojump_clock: MockClock,
) -> None:
    async with open_job_queue() as queue:
        before = queue.submit_nowait(sleep, delay=9)
        middle = queue.submit_nowait(sleep, after=[before])
        last = queue.submit_nowait(sleep, after=[middle, before])
        assert queue.cancel_all() == dict.fromkeys(
            (job.id for job in (before, middle, last)), CancelOutcome.CANCELLED
        )
        assert causes(before, middle, last) == [CancelCause.USER] * 3

        running = queue.submit_nowait(sleep, 99)
        middle = queue.submit_nowait(sleep, after=[running])
        last = queue.submit_nowait(sleep, after=[middle])
        with trio.move_on_after(1):
            await queue.shutdown(grace=3)

    assert causes(running, middle, last) == [CancelCause.SHUTDOWN] * 3
