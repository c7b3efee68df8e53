"""``once=True``: a job that has completed is not run again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fakes.durable import RAN, fail, note, open_stored, slow
from fakes.small_jobs import quiet

from ticketr import CancelCause, DuplicateJob, JobStatus, Keep, OnConflict, open_job_queue

if TYPE_CHECKING:
    from pathlib import Path

    from trio.testing import MockClock


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
