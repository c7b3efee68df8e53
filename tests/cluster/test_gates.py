"""Test pauses and rates of a cluster's queue, which hold for all of its workers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until, until_waiting

from ticketr import CancelOutcome, JobStatus, Rate, Retry

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.cluster import ClusterHandle, ClusterQueue

HOUR = 3600.0


async def submit(queue: ClusterQueue, count: int, **options: Any) -> list[ClusterHandle[object]]:
    return [await queue.submit(jobs.echo, number, **options) for number in range(count)]


async def until_refused(handle: ClusterHandle[object]) -> None:
    """Wait until a job has ended, or has to wait for a rate."""
    with handle.watch() as changes:
        while handle.snapshot().waiting_for == "worker" or handle.status is JobStatus.RUNNING:
            await changes.receive()


async def test_a_pause_takes_back_what_no_worker_has_begun(url: str) -> None:
    name = new_name()
    async with open_cluster(url, workers=0, name=name) as queue:
        handles = await submit(queue, 2) + await submit(queue, 2, key="k")
        await queue.pause()
        for handle in handles:
            await until_waiting(handle, "paused")
        stream = f"{queue._store.keys.engine}:queues:normal"
        assert await queue._store.client.xlen(stream) == 0

        async with open_cluster(url, workers=2, name=name) as other:
            await other.resume()
            assert [await handle.result() for handle in handles] == [0, 1, 0, 1]


async def test_a_pause_of_a_key_takes_back_what_no_worker_has_begun(url: str) -> None:
    name = new_name()
    async with open_cluster(url, workers=0, name=name) as queue:
        handles = await submit(queue, 2, key="k")
        free = await queue.submit(jobs.echo, 7)
        await queue.pause("k")
        for handle in handles:
            await until_waiting(handle, "paused")

        async with open_cluster(url, workers=2, name=name) as other:
            assert await free.result() == 7
            await other.resume("k")
            assert [await handle.result() for handle in handles] == [0, 1]


async def test_running_jobs_go_on_in_a_pause_and_their_retries_wait(
    url: str, tmp_path: Path
) -> None:
    async with open_cluster(url) as queue:
        running = await queue.submit(jobs.until_file, str(tmp_path / "go"), 1)
        await until(running, JobStatus.RUNNING)
        await queue.pause()
        (tmp_path / "go").touch()
        assert await running.result() == 1

        await queue.resume()
        await queue.set_rate(Rate(1, per=HOUR))
        failing = await queue.submit(jobs.good_at, 2, retry=Retry(2, first=0, jitter=0))
        await until_waiting(failing, "rate")
        assert failing.snapshot().attempt == 1
        await queue.set_rate(None)
        assert await failing.result() == 2


async def test_after_a_pause_jobs_start_by_level(url: str, tmp_path: Path) -> None:
    path, go = tmp_path / "log", tmp_path / "go"
    async with open_cluster(url, workers=1) as queue:
        busy = await queue.submit(jobs.until_file, str(go))
        await until(busy, JobStatus.RUNNING)
        await queue.pause()
        for job_id, priority in [("low", -1), ("normal", 0), ("high", 1), ("normal2", 0)]:
            await queue.submit(jobs.log, str(path), id=job_id, priority=priority)
        await queue.resume()
        go.touch()
        await queue.wait_idle()
    starts = [line.split()[1] for line in path.read_text().splitlines() if line[0] == "s"]
    assert starts == ["high", "normal", "normal2", "low"]


async def test_a_job_that_waits_at_a_gate_is_cancelled_at_once(url: str) -> None:
    async with open_cluster(url, workers=0, detach=True) as queue:
        await queue.pause()
        await queue.pause("k")
        gated = await submit(queue, 1) + await submit(queue, 2, key="k")
        for handle in gated:
            assert await handle.request_cancel() is CancelOutcome.CANCELLED
        await queue.resume()
        await queue.resume("k")
        found = await queue._store.client.keys(f"{queue._store.keys.prefix}*")
        left = {key.decode().removeprefix(queue._store.keys.prefix).split(":")[0] for key in found}
        assert left <= {"job", "ended", "totals", "settings", "secret", "events", "late"}


async def test_a_rate_holds_for_all_workers_together(url: str) -> None:
    name = new_name()
    async with (
        open_cluster(url, name=name, rate=Rate(3, per=HOUR)) as queue,
        open_cluster(url, name=name) as other,
    ):
        handles = await submit(queue, 4) + await submit(other, 4)
        for handle in handles:
            await until_refused(handle)
        totals = await other.totals()
        assert (totals[JobStatus.COMPLETED], totals[JobStatus.PENDING]) == (3, 5)
        await other.set_rate(None)
        assert [await handle.result() for handle in handles] == [0, 1, 2, 3] * 2


async def test_a_new_rate_keeps_count_of_the_starts(url: str) -> None:
    async with open_cluster(url, rate=Rate(2, per=HOUR)) as queue:
        for handle in await submit(queue, 2):
            await handle.wait()
        await queue.set_rate(Rate(4, per=HOUR))
        third = await queue.submit(jobs.echo, 3)
        assert third.snapshot().waiting_for == "rate"
        await queue.set_rate(Rate(4, per=HOUR, burst=5))  # one more than has been taken
        assert third.status is JobStatus.PENDING
        await queue.set_rate(None)
        assert await third.result() == 3


async def test_the_rates_of_the_queue_and_of_a_key_both_hold(url: str) -> None:
    async with open_cluster(url) as queue:
        await queue.set_rate(Rate(1, per=HOUR), "k")
        await queue.set_rate(Rate(2, per=HOUR))
        first, second = await submit(queue, 2, key="k")
        assert await first.result() == 0
        await until_waiting(second, "rate")
        assert await queue.run(jobs.echo, 5) == 5
        third = await queue.submit(jobs.echo, 6)
        await until_waiting(third, "rate")
        await queue.set_rate(None, "k")
        assert second.status is JobStatus.PENDING
        await queue.set_rate(None)
        assert [await second.result(), await third.result()] == [1, 6]


async def test_a_rate_of_a_key_gives_its_starts_back(url: str) -> None:
    async with open_cluster(url) as queue:
        await queue.set_rate(Rate(100, burst=1), "k")
        handles = await submit(queue, 4, key="k")
        await queue.wait_idle()
    starts = sorted(handle.snapshot().started_at or 0.0 for handle in handles)
    assert all(later - earlier > 0.0099 for earlier, later in pairwise(starts))


async def test_the_next_opening_keeps_the_pauses_and_rates(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name, rate=Rate(1, per=HOUR)) as queue:
        await queue.run(jobs.echo)
        await queue.pause("k")
    async with open_cluster(url, name=name, detach=True) as queue:
        handle = await queue.submit(jobs.echo)
        assert handle.snapshot().waiting_for == "rate"
        handle = await queue.submit(jobs.echo, key="k")
        assert handle.snapshot().waiting_for == "paused"


async def test_jobs_at_gates_are_not_taken_for_lost(url: str) -> None:
    async with open_cluster(url, workers=0, detach=True) as queue:
        await queue.pause()
        await queue.pause("k")
        for handle in await submit(queue, 1) + await submit(queue, 2, key="k"):
            job = f"{queue._store.keys.prefix}job:{handle.id}"
            await queue._store.client.hset(job, {"due": "1"})
        assert await queue._store.call("repair") == 0


async def test_what_is_no_rate_or_key_is_refused(url: str) -> None:
    async with open_cluster(url, workers=0) as queue:
        with pytest.raises(TypeError, match="rate must be a Rate"):
            await queue.set_rate(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="a key across processes is text"):
            await queue.pause(1)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="at least one character"):
            await queue.resume("")
    with pytest.RaisesGroup(pytest.RaisesExc(TypeError, match="rate must be a Rate")):
        async with open_cluster(url, workers=0, rate=5):
            pass
    await trio.lowlevel.checkpoint()
