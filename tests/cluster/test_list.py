"""Test what those see who look at a queue and submit nothing."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, new_name, open_cluster, until

from ticketr import CancelCause, CancelOutcome, JobStatus
from ticketr.cluster._connection import open_connection
from ticketr.cluster._list import JobList, _words
from ticketr.cluster._signed import SignedCodec
from ticketr.cluster._store import RecordStore

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator


@asynccontextmanager
async def looking(url: str, name: str) -> AsyncGenerator[JobList]:
    async with open_connection(url, name=name, secret=SECRET) as connection:
        store = RecordStore(connection)
        yield JobList(store, SignedCodec(connection.secret), await store.clock_shift())


async def test_the_jobs_of_all_processes_are_listed(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name, workers=1) as queue, looking(url, name) as listed:
        done = await queue.submit(jobs.echo, {"a": 1}, id="done", tags={"t"}, key="k")
        await done.wait()
        failed = await queue.submit(jobs.fail, "no", id="failed")
        await failed.wait()
        running = await queue.submit(jobs.forever, id="running")
        await until(running, JobStatus.RUNNING)
        await queue.submit(jobs.forever, id="pending")

        found = {job.id: job for job in await listed.newest(None, 10)}

        assert {job_id: job.status.value for job_id, job in found.items()} == {
            "done": "completed",
            "failed": "failed",
            "running": "running",
            "pending": "pending",
        }
        assert list(found) == ["pending", "running", "failed", "done"]
        done_job = found["done"]
        assert (done_job.name, done_job.key, done_job.tags) == ("echo", "k", frozenset({"t"}))
        assert done_job.result == {"a": 1}
        error = found["failed"].error
        assert error is not None
        assert (error.type, error.message) == ("ValueError", "no")
        assert await listed.totals() == {
            JobStatus.PENDING: 1,
            JobStatus.RUNNING: 1,
            JobStatus.COMPLETED: 1,
            JobStatus.FAILED: 1,
            JobStatus.CANCELLED: 0,
        }
        for status in JobStatus:
            assert [job.id for job in await listed.newest(status, 10)] == [
                job.id for job in found.values() if job.status is status
            ]
        [worker] = await listed.workers()
        assert worker.running == 1
        assert 0 < worker.lease <= 60
        await queue.request_cancel("running")
        await queue.request_cancel("pending")


async def test_a_job_is_found_and_cancelled_by_its_id(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name, workers=1) as queue, looking(url, name) as listed:
        running = await queue.submit(jobs.forever, id="r")
        pending = await queue.submit(jobs.forever, id="p")
        await until(running, JobStatus.RUNNING)

        assert await listed.cancel("p") is CancelOutcome.CANCELLED
        assert await listed.cancel("r") is CancelOutcome.REQUESTED
        assert await listed.cancel("nothing") is CancelOutcome.UNKNOWN
        await running.wait()
        await pending.wait()
        assert await listed.cancel("r") is CancelOutcome.ALREADY_FINISHED

        found = await listed.find("r")
        assert found is not None
        assert (found.status, found.cancel_cause) == (JobStatus.CANCELLED, CancelCause.USER)
        assert await listed.find("nothing") is None


async def test_a_progress_is_seen(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as queue, looking(url, name) as listed:
        counted = await queue.submit(jobs.count, 7, id="c")
        await counted.wait()

        found = await listed.find("c")

    assert found is not None
    assert found.progress is not None
    assert (found.progress.current, found.progress.total) == (7, 7)
    assert found.wall_offset is not None
    assert abs(found.submitted_at - trio.current_time()) < 600


def test_what_a_worker_says_of_itself_is_told_in_words() -> None:
    assert _words("host 7 4") == "host, process 7, 4 jobs at most"
    assert _words("something else") == "something else"
    assert _words("") == ""


async def test_the_end_of_a_run_is_kept_when_its_record_is_dropped(url: str) -> None:
    name = new_name()
    async with open_cluster(url, name=name) as queue, looking(url, name) as listed:
        repeat = await queue.repeat(jobs.fail, "no", every=3600.0, first=3600.0, id="r")
        await repeat.run_now()
        run = await queue.attach("r#1")
        await run.wait()
        await listed._store.client.delete([f"ticketr:{name}:job:r#1"])

        [state] = await listed.repeats(10)
        assert (state.runs, state.last_status, state.is_running) == (1, JobStatus.FAILED, False)
        assert state.next_at is not None
        other = await queue.repeat(jobs.echo, every=3600.0, first=7200.0, id="s")
        assert [each.id for each in await listed.repeats(10)] == ["r", "s"]
        assert await listed.repeats(1) == [state]
        for each in (repeat, other):
            await each.cancel()
        assert await listed.repeats(10) == []
