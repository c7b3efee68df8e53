"""Test jobs that start after others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import CancelCause, JobStatus, UnknownJob

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_job_starts_when_all_before_it_have_completed(url: str, tmp_path: Path) -> None:
    path = str(tmp_path / "log")
    async with open_cluster(url) as queue:
        one = await queue.submit(jobs.log, path, 0.01, id="one")
        await queue.submit(jobs.later, 1, id="two")
        last = await queue.submit(jobs.log, path, id="last", after=[one, "two"])  # type: ignore[list-item]
        if not one.status.is_terminal:
            assert last.snapshot().waiting_for == "after"
        assert await last.result() == "last"

    lines = [line.split()[:2] for line in (tmp_path / "log").read_text().splitlines()]
    assert lines == [["start", "one"], ["end", "one"], ["start", "last"], ["end", "last"]]


async def test_a_job_after_one_that_fails_is_cancelled_and_so_are_those_after_it(url: str) -> None:
    async with open_cluster(url) as queue:
        gate = await queue.submit(jobs.forever)
        await until(gate, JobStatus.RUNNING)
        second = await queue.submit(jobs.echo, after=[gate.id])
        third = await queue.submit(jobs.echo, after=[second.id], key="k")
        any_end = await queue.submit(jobs.echo, 1, after=[gate.id], after_any_end=True)
        await gate.request_cancel()

        for handle in (second, third):
            snapshot = await handle.wait()
            assert (snapshot.status, snapshot.attempt) == (JobStatus.CANCELLED, 0)
            assert snapshot.cancel_cause is CancelCause.DEPENDENCY
        assert await any_end.result() == 1


async def test_jobs_before_that_have_ended(url: str) -> None:
    async with open_cluster(url) as queue:
        good = await queue.submit(jobs.echo)
        bad = await queue.submit(jobs.fail, "no")
        await good.wait()
        await bad.wait()

        assert await queue.run(jobs.echo, 1, after=[good.id]) == 1
        doomed = await queue.submit(jobs.echo, after=[good.id, bad.id])
        assert (await doomed.wait()).cancel_cause is CancelCause.DEPENDENCY
        assert await queue.run(jobs.echo, 2, after=[bad.id], after_any_end=True) == 2


async def test_a_delay_counts_from_the_submit_and_a_waiting_job_can_be_cancelled(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as queue:
        gate = await queue.submit(jobs.forever)
        late = await queue.submit(jobs.echo, 1, after=[gate.id], after_any_end=True, delay=1000)
        dropped = await queue.submit(jobs.echo, 1, after=[gate.id])
        assert await dropped.request_cancel() == "cancelled"
        await gate.cancel_and_wait()
        again = await queue.attach(late.id)
        assert again.snapshot().waiting_for in ("after", "time")
        while not await queue.run_now(late):
            pass
        assert await late.result() == 1
        assert (await dropped.wait()).cancel_cause is CancelCause.USER


async def test_an_unknown_job_before(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        with pytest.raises(UnknownJob, match="'none'"):
            await queue.submit(jobs.echo, after=["none"])
        with pytest.raises(TypeError, match=r"write after=\["):
            await queue.submit(jobs.echo, after="none")
        assert queue.statistics().pending == 0
