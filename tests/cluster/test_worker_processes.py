"""Test workers in processes of their own: killed, frozen, ended, cut off."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, WorkerProcess, new_name, until, until_attempt

from ticketr import JobStatus, plain
from ticketr.cluster import JobLost, open_cluster_queue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: A worker that gets no core for three quarters of it gives its jobs up, as if it were cut off.
LEASE = 2.0


@contextmanager
def worker_processes(
    url: str, name: str, count: int, *, lease: float = LEASE, workers: int = 4, grace: float = 0.0
) -> Iterator[list[WorkerProcess]]:
    found: list[WorkerProcess] = []
    try:
        for _ in range(count):
            found.append(WorkerProcess(url, name, lease=lease, workers=workers, grace=grace))
        assert all(worker.id for worker in found)  # they start side by side
        yield found
    finally:
        for worker in found:
            if worker.is_alive:
                worker.send(signal.SIGCONT)
            worker.end(signal.SIGKILL)


def lines(path: Path) -> list[list[str]]:
    return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


async def test_the_jobs_of_a_killed_worker_run_elsewhere(url: str, tmp_path: Path) -> None:
    name, path, go = new_name(), tmp_path / "log", tmp_path / "go"
    with worker_processes(url, name, 2) as workers:
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            handles = [await queue.submit(jobs.until_file, str(go), n) for n in range(4)]
            for handle in handles:
                await until(handle, JobStatus.RUNNING)
            victim = next(w for w in workers if w.id == handles[0].worker)
            theirs = [handle for handle in handles if handle.worker == victim.id]
            victim.send(signal.SIGKILL)
            for handle in theirs:
                await until_attempt(handle, 2)
            go.touch()

            assert [await handle.result() for handle in handles] == [0, 1, 2, 3]
            for handle in handles:
                assert handle.snapshot().attempt == (2 if handle in theirs else 1)
                assert handle.worker != victim.id
        assert not path.exists()


async def test_a_job_that_kills_its_workers_is_lost(url: str, tmp_path: Path) -> None:
    name, path = new_name(), tmp_path / "log"
    with worker_processes(url, name, 4, workers=1) as workers:
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            handle = await queue.submit(jobs.die, str(path), 10)
            with pytest.raises(JobLost, match="3 workers died while they ran it") as caught:
                await handle.result()

            assert caught.value.deaths == 3
            assert handle.status is JobStatus.FAILED
            assert [line[2] for line in lines(path)] == ["1", "2", "3"]
            assert await queue.run(jobs.echo, 1) == 1
        assert sum(worker.is_alive for worker in workers) == 1


async def test_a_job_that_kills_two_workers_completes(url: str, tmp_path: Path) -> None:
    name, path = new_name(), tmp_path / "log"
    with worker_processes(url, name, 3, workers=1):
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            assert await queue.run(jobs.die, str(path), 2) == 3


async def test_a_frozen_worker_is_taken_over_and_its_late_word_is_refused(
    url: str, tmp_path: Path
) -> None:
    name, go = new_name(), tmp_path / "go"
    with worker_processes(url, name, 1) as workers:
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            handle = await queue.submit(jobs.until_file, str(go), "x")
            await until(handle, JobStatus.RUNNING)
            frozen = workers[0]
            with worker_processes(url, name, 1) as others:
                frozen.send(signal.SIGSTOP)
                await until_attempt(handle, 2)
                assert handle.worker == others[0].id
                frozen.send(signal.SIGCONT)
                go.touch()
                assert await handle.result() == "x"
                assert handle.worker == others[0].id
            assert await queue.run(jobs.echo, 1) == 1  # by the worker that was frozen
        assert frozen.is_alive


async def test_sigterm_gives_the_jobs_back(url: str, tmp_path: Path) -> None:
    name, go = new_name(), tmp_path / "go"
    with worker_processes(url, name, 1, lease=60) as workers:
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            handle = await queue.submit(jobs.until_file, str(go), "x")
            await until(handle, JobStatus.RUNNING)
            with worker_processes(url, name, 1, lease=60):
                code = await trio.to_thread.run_sync(workers[0].end)
                assert code == 0
                go.touch()
                assert await handle.result() == "x"
        assert handle.snapshot().attempt in (1, 2)


async def test_a_killed_submitter_is_no_loss(url: str, tmp_path: Path) -> None:
    name = new_name()
    with worker_processes(url, name, 1):
        async with open_cluster_queue(url, name=name, secret=SECRET, detach=True) as queue:
            await queue.submit(jobs.until_file, str(tmp_path / "go"), "x", id="mine")
        (tmp_path / "go").touch()
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            assert await (await queue.attach("mine")).result() == "x"


async def test_a_job_of_another_module_is_refused(url: str) -> None:
    name = new_name()
    with worker_processes(url, name, 1):
        async with open_cluster_queue(url, name=name, secret=SECRET) as queue:
            handle = await queue.submit(plain(trio.sleep), 0)
            snapshot = await handle.wait()
            assert snapshot.error is not None
            assert snapshot.error.type == "NotAllowed"
            assert "module 'trio'" in snapshot.error.message
