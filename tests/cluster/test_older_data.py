"""Test a server that comes back with an older copy of its data, while its workers live on."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import open_cluster, until, until_lines

from ticketr import JobStatus

if TYPE_CHECKING:
    from pathlib import Path

    from fakes.valkeys import Valkey

    from ticketr.cluster import ClusterHandle, ClusterQueue


async def count_live(queue: ClusterQueue) -> int:
    totals = await queue.totals()
    return totals[JobStatus.PENDING] + totals[JobStatus.RUNNING]


async def test_what_has_happened_since_happens_again(own_valkey: Valkey, tmp_path: Path) -> None:
    go, log, copy = tmp_path / "go", tmp_path / "log", tmp_path / "copy"
    async with open_cluster(own_valkey.url, workers=3) as queue:
        ended = await queue.submit(jobs.until_file, str(go), "ended")
        await until(ended, JobStatus.RUNNING)
        started = await queue.submit(jobs.tracked, str(log), delay=1000)
        await trio.to_thread.run_sync(own_valkey.save, copy)
        go.touch()
        await ended.result()
        await queue.run_now(started)
        assert await until_lines(log, 1) == ["start"]
        new = await queue.submit(jobs.until_file, str(tmp_path / "new"), "new")
        await until(new, JobStatus.RUNNING)

        await trio.to_thread.run_sync(own_valkey.go_back, copy)

        with trio.fail_after(20):  # less than half of the lease
            again = await queue.attach(ended.id)
            assert await again.result() == "ended"
            assert again.snapshot().attempt == 2
            await until(started, JobStatus.PENDING)
            assert await until_lines(log, 2) == ["start", "stop"]  # the worker stops it
        assert await queue.run_now(started) is True
        assert await until_lines(log, 3) == ["start", "stop", "start"]
        await started.cancel_and_wait()
        assert await until_lines(log, 4) == ["start", "stop", "start", "stop"]
        (tmp_path / "new").touch()
        assert await new.result() == "new"


async def test_an_attempt_that_the_server_has_forgotten_ends_before_the_next(
    own_valkey: Valkey, tmp_path: Path
) -> None:
    go, log, copy = tmp_path / "go", tmp_path / "log", tmp_path / "copy"
    async with open_cluster(own_valkey.url, workers=2) as queue:
        handle = await queue.submit(jobs.slow_to_stop, str(log), str(go), delay=1000)
        await trio.to_thread.run_sync(own_valkey.save, copy)
        await queue.run_now(handle)
        assert await until_lines(log, 1) == ["start"]
        await trio.to_thread.run_sync(own_valkey.go_back, copy)
        await until(handle, JobStatus.PENDING)
        await queue.run_now(handle)
        await until(handle, JobStatus.RUNNING)
        go.touch()
        assert await handle.result() == 1
    assert await until_lines(log, 4) == ["start", "end", "start", "end"]


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100))
async def test_nothing_waits_long_whatever_is_lost(
    own_valkey: Valkey, tmp_path: Path, seed: int
) -> None:
    """No job waits for a lease, nor for the engine, which looks for lost messages after half of it."""
    chance, log = random.Random(seed), tmp_path / "log"
    log.touch()
    async with open_cluster(own_valkey.url, workers=3, lease=600) as queue:
        handles: list[ClusterHandle[None]] = []

        async def submit_all() -> None:
            for number in range(100):
                key, seconds = f"k{number % 10}", chance.expovariate(200)
                handles.append(await queue.submit(jobs.tracked, str(log), seconds, key=key))

        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(submit_all)
                for part in range(3):
                    await trio.sleep(chance.uniform(0, 0.2))
                    await trio.to_thread.run_sync(own_valkey.save, tmp_path / f"copy{part}")
                    await trio.sleep(chance.uniform(0, 0.2))
                    await trio.to_thread.run_sync(own_valkey.go_back, tmp_path / f"copy{part}")
            for handle in handles:
                await handle.result()
            while await count_live(queue):  # noqa: ASYNC110 - what has ended here runs again
                await trio.sleep(0.01)

    running: set[str] = set()
    for line in log.read_text().splitlines():
        word, job_id, *_ = line.split()
        assert (job_id in running) is (word == "stop"), f"{job_id} runs twice at the same time"
        running ^= {job_id}
    assert not running
    assert {line.split()[1] for line in log.read_text().splitlines()} == {
        each.id for each in handles
    }
