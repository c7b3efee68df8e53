"""Test the five outcomes of a cancel, and what becomes of the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import CancelCause, CancelOutcome, JobStatus

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_running_job_is_interrupted(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.with_children)
        await until(handle, JobStatus.RUNNING)

        assert await handle.request_cancel() is CancelOutcome.REQUESTED
        snapshot = await handle.wait()
        assert (snapshot.status, snapshot.attempt) == (JobStatus.CANCELLED, 1)
        assert snapshot.cancel_requested
        assert snapshot.cancel_cause is CancelCause.USER
        assert await queue.request_cancel(handle.id) is CancelOutcome.ALREADY_FINISHED


async def test_a_pending_job_is_never_called(url: str, tmp_path: Path) -> None:
    async with open_cluster(url, workers=1) as queue:
        gate = await queue.submit(jobs.until_file, str(tmp_path / "go"))
        await until(gate, JobStatus.RUNNING)
        handle = await queue.submit(jobs.log, str(tmp_path / "log"))

        assert await queue.request_cancel(handle) is CancelOutcome.CANCELLED
        snapshot = await handle.wait()
        assert (snapshot.status, snapshot.attempt) == (JobStatus.CANCELLED, 0)
        (tmp_path / "go").touch()
    assert not (tmp_path / "log").exists()


async def test_a_delayed_job_is_never_called(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        handle = await queue.submit(jobs.echo, delay=1000)

        assert await handle.request_cancel() is CancelOutcome.CANCELLED
        assert (await handle.wait()).attempt == 0


async def test_an_unknown_job(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        assert await queue.request_cancel("none") is CancelOutcome.UNKNOWN


async def test_one_of_many_cancels_is_the_first(url: str) -> None:
    async with open_cluster(url) as queue:
        handle = await queue.submit(jobs.stubborn)
        await until(handle, JobStatus.RUNNING)
        outcomes: list[CancelOutcome] = []

        async def cancel() -> None:
            outcomes.append(await handle.request_cancel())

        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(cancel)

        assert outcomes.count(CancelOutcome.REQUESTED) == 1
        others = {CancelOutcome.ALREADY_REQUESTED, CancelOutcome.ALREADY_FINISHED}
        assert set(outcomes) - {CancelOutcome.REQUESTED} <= others
        assert await handle.result() == "a value wins"
        snapshot = handle.snapshot()
        assert snapshot.cancel_requested
        assert snapshot.status is JobStatus.COMPLETED


async def test_another_process_cancels(url: str) -> None:
    name = new_name()
    async with (
        open_cluster(url, name=name) as queue,
        open_cluster(url, workers=0, name=name, detach=True) as other,
    ):
        handle = await queue.submit(jobs.forever, id="mine")
        await until(handle, JobStatus.RUNNING)

        snapshot = await (await other.attach("mine")).cancel_and_wait()
        assert snapshot.status is JobStatus.CANCELLED
        assert (await handle.wait()).cancel_cause is CancelCause.USER


async def test_cancels_at_any_moment_are_true(url: str, tmp_path: Path) -> None:
    """A cancel may come before the job is there, before its begin is answered, or too late."""
    path = tmp_path / "log"
    async with open_cluster(url, workers=8) as queue:
        outcomes: dict[str, CancelOutcome] = {}

        async def one(number: int) -> None:
            handle = await queue.submit(jobs.log, str(path), 0.004, id=f"j{number}")
            await trio.sleep(number % 16 * 0.0005)
            outcomes[handle.id] = await handle.request_cancel()
            await handle.wait()

        async with trio.open_nursery() as nursery:
            for number in range(80):
                nursery.start_soon(one, number)
        ends = {snapshot.id: snapshot for snapshot in queue.jobs()}

    started = {line.split()[1] for line in path.read_text().splitlines() if "start" in line}
    for job_id, outcome in outcomes.items():
        snapshot = ends[job_id]
        match outcome:
            case CancelOutcome.CANCELLED:
                assert (snapshot.status, snapshot.attempt) == (JobStatus.CANCELLED, 0)
                assert job_id not in started
            case CancelOutcome.REQUESTED:
                assert snapshot.attempt == 1
                assert snapshot.cancel_requested
                assert snapshot.status in (JobStatus.CANCELLED, JobStatus.COMPLETED)
            case CancelOutcome.ALREADY_FINISHED:
                assert snapshot.status is JobStatus.COMPLETED
            case _:
                pytest.fail(f"{job_id}: {outcome}")
