"""Test jobs of one key, and submits that meet a live job."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import CancelCause, DuplicateJob, JobStatus, OnConflict

if TYPE_CHECKING:
    from pathlib import Path


def overlaps(path: Path) -> int:
    """Return how many jobs of a log started while another had not ended."""
    running: set[str] = set()
    found = 0
    for line in path.read_text().splitlines():
        what, job_id, *_ = line.split()
        if what == "start":
            found += bool(running)
            running.add(job_id)
        else:
            running.discard(job_id)
    return found


async def test_jobs_of_a_key_run_one_by_one(url: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with open_cluster(url, workers=4) as queue:
        for number in range(12):
            await queue.submit(jobs.log, str(path), 0.002, key="k", id=f"j{number}")
        await queue.wait_idle()
        totals = await queue.totals()

    assert overlaps(path) == 0
    assert totals[JobStatus.COMPLETED] == 12


async def test_a_blocked_job_holds_no_worker(url: str, tmp_path: Path) -> None:
    async with open_cluster(url, workers=2) as queue:
        gate = await queue.submit(jobs.until_file, str(tmp_path / "go"), key="k")
        await until(gate, JobStatus.RUNNING)
        blocked = [await queue.submit(jobs.echo, key="k") for _ in range(5)]

        assert await queue.run(jobs.echo, 1) == 1
        again = await queue.attach(blocked[0].id)
        assert again.snapshot().waiting_for == "key"
        (tmp_path / "go").touch()


async def test_the_line_of_a_key_is_in_order_of_priority(url: str, tmp_path: Path) -> None:
    path = tmp_path / "log"
    async with open_cluster(url, workers=4) as queue:
        gate = await queue.submit(jobs.until_file, str(tmp_path / "go"), key="k")
        await until(gate, JobStatus.RUNNING)
        for job_id, priority in [("a", 0), ("b", -5), ("c", 5), ("d", 0)]:
            await queue.submit(jobs.log, str(path), key="k", id=job_id, priority=priority)
        (tmp_path / "go").touch()

    starts = [line.split()[1] for line in path.read_text().splitlines() if "start" in line]
    assert starts == ["c", "a", "d", "b"]


async def test_a_cancelled_holder_and_a_cancelled_waiter_free_the_key(
    url: str, tmp_path: Path
) -> None:
    async with open_cluster(url, workers=2) as queue:
        gate = await queue.submit(jobs.forever, key="k")
        await until(gate, JobStatus.RUNNING)
        waiter = await queue.submit(jobs.echo, key="k")
        last = await queue.submit(jobs.echo, "last", key="k")
        await waiter.request_cancel()
        await gate.request_cancel()

        assert await last.result() == "last"


async def test_a_retry_gives_its_key_back(url: str) -> None:
    async with open_cluster(url, workers=2) as queue:
        first = await queue.submit(jobs.later, 1, key="k")
        second = await queue.submit(jobs.echo, 2, key="k")

        assert await second.result() == 2
        assert await first.result() == 2


async def test_reject(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        first = await queue.submit(jobs.echo, key="k", delay=1000)
        with pytest.raises(DuplicateJob) as caught:
            await queue.submit(jobs.echo, key="k", on_conflict=OnConflict.REJECT)

        assert (caught.value.job_id, caught.value.key) == (first.id, "k")
        await first.request_cancel()


async def test_join(url: str) -> None:
    async with open_cluster(url) as queue:
        first = await queue.submit(jobs.echo, 1, key="k", delay=1000)
        joined = await queue.submit(jobs.echo, 2, key="k", on_conflict=OnConflict.JOIN)

        assert joined.id == first.id
        await queue.run_now(first)
        assert await joined.result() == 1


async def test_supersede(url: str) -> None:
    async with open_cluster(url) as queue:
        running = await queue.submit(jobs.forever, key="k")
        await until(running, JobStatus.RUNNING)
        waiting = await queue.submit(jobs.echo, key="k")
        new = await queue.submit(jobs.echo, "new", key="k", on_conflict=OnConflict.SUPERSEDE)

        assert await new.result() == "new"
        for handle in (running, waiting):
            assert (await handle.wait()).cancel_cause is CancelCause.SUPERSEDED


async def test_a_job_waits_for_another_process_to_free_its_id(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as one, open_cluster(url, name=name) as two:
        first = await one.submit(jobs.forever, id="mine")
        await until(first, JobStatus.RUNNING)
        new: list[object] = []

        async def wait() -> None:
            new.append(await two.run(jobs.echo, 2, id="mine", on_conflict=OnConflict.WAIT))

        with two.watch() as updates:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(wait)
                assert (
                    await updates.receive()
                ).status is JobStatus.RUNNING  # it knows of the first
                assert new == []
                await first.request_cancel()
        assert new == [2]
        assert (await first.wait()).cancel_cause is CancelCause.USER


async def test_a_job_takes_the_place_of_one_of_its_id(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as one, open_cluster(url, name=name) as two:
        for status in (JobStatus.RUNNING, JobStatus.PENDING):
            delay = 1000.0 if status is JobStatus.PENDING else 0.0
            first = await one.submit(jobs.forever, id="mine", delay=delay)
            await until(first, status)
            value = await two.run(jobs.echo, 2, id="mine", on_conflict=OnConflict.SUPERSEDE)
            assert value == 2
            assert (await first.wait()).cancel_cause is CancelCause.SUPERSEDED


async def test_a_submit_that_waits_for_an_id_is_cancelled_alone(url: str) -> None:
    async with open_cluster(url) as queue:
        first = await queue.submit(jobs.forever, id="mine")
        await until(first, JobStatus.RUNNING)
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                options = {"id": "mine", "on_conflict": OnConflict.WAIT}
                nursery.start_soon(partial(queue.submit, jobs.echo, **options))
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        assert first.status is JobStatus.RUNNING
        assert queue.handle("mine").id == first.id
        await first.cancel_and_wait()


async def test_an_id_is_rejected_or_joined(url: str) -> None:
    async with open_cluster(url) as queue:
        first = await queue.submit(jobs.echo, 1, id="mine", delay=1000)
        with pytest.raises(DuplicateJob) as caught:
            await queue.submit(jobs.echo, id="mine")
        assert (caught.value.job_id, caught.value.key) == ("mine", None)

        joined = await queue.submit(jobs.echo, 2, id="mine", on_conflict=OnConflict.JOIN)
        await queue.run_now("mine")
        assert await joined.result() == 1
        assert await first.result() == 1
