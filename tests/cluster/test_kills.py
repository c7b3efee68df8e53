"""Test workers that are killed at random moments while jobs flow: each job ends once.

A job is given up after three deaths, so with many kills chance gives up some. Each of those deaths has
to be one that the test has caused.
"""

from __future__ import annotations

import itertools
import random
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest
import trio
import trio.testing
from fakes import cluster_jobs as jobs
from fakes.clusters import SECRET, WorkerProcess, new_name

from ticketr import JobStatus, Keep
from ticketr.cluster import open_cluster_queue

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr import Updates
    from ticketr.cluster import ClusterQueue
    from ticketr.jobs import JobSnapshot

#: A worker that gets no core for three quarters of it gives its jobs up without being killed.
LEASE = 2.0


class Killer:
    """Keeps several workers alive, and kills one every so often.

    Attributes:
        workers: The workers that live.
        kills: How many were killed.
        killed: The process IDs of those that were killed.
    """

    def __init__(self, url: str, name: str, seed: int) -> None:
        self._random = random.Random(seed)
        self._url, self._name = url, name
        self.workers = [self._start() for _ in range(3)]
        self.kills = 0
        self.killed: set[int] = set()

    def _start(self) -> WorkerProcess:
        return WorkerProcess(self._url, self._name, workers=8, lease=LEASE)

    async def run(self, kills: int) -> None:
        while self.kills < kills:
            await trio.sleep(self._random.uniform(0.1, 0.6))
            number = self._random.randrange(len(self.workers))
            self.killed.add(self.workers[number].pid)
            await trio.to_thread.run_sync(self.workers[number].end, signal.SIGKILL)
            self.kills += 1
            self.workers[number] = self._start()

    def end(self) -> None:
        for worker in self.workers:
            worker.end(signal.SIGKILL)


class Deaths:
    """Watches which workers have a job when it is given to the next one, or given up.

    Attributes:
        ends: How often each job was told to have ended.
        unproven: The jobs that left a worker which had not been killed, by their IDs.
    """

    def __init__(self, queue: ClusterQueue, killer: Killer) -> None:
        self.ends: Counter[str] = Counter()
        self.unproven: set[str] = set()
        self._queue, self._killer = queue, killer
        self._workers: dict[str, tuple[int, str]] = {}

    async def watch(self, updates: Updates[JobSnapshot]) -> None:
        async for snapshot in updates:
            self.ends[snapshot.id] += snapshot.status.is_terminal
            attempt, worker = self._workers.get(snapshot.id, (0, ""))
            if worker and (snapshot.attempt > attempt or snapshot.status is JobStatus.FAILED):
                self._check(snapshot.id, worker)
            handle = self._queue.handle(snapshot.id)
            if handle.status is JobStatus.RUNNING:
                self._workers[snapshot.id] = handle.snapshot().attempt, handle.worker

    def _check(self, job_id: str, worker: str) -> None:
        pid = int(worker.split("-")[-2])  # its ID is machine, process and a random word
        if pid not in self._killer.killed:
            self.unproven.add(job_id)


def overlaps_of_keys(path: Path) -> int:
    """Return how many attempts of a key started while an earlier one still wrote its end later.

    The end of an attempt that was killed is never written. So an overlap is a start between the start
    and the end of one and the same attempt of another job of the key.
    """
    spans: dict[tuple[str, str, str], list[int]] = {}
    for place, line in enumerate(path.read_text().splitlines()):
        what, job_id, attempt, pid = line.split()
        spans.setdefault((job_id, attempt, pid), []).append(place if what == "start" else -place)
    whole = [(k[0], v[0], -v[1]) for k, v in spans.items() if len(v) == 2]
    by_key: dict[str, list[tuple[int, int]]] = {}
    for job_id, begin, end in whole:
        key = job_id.partition(".")[0]
        if key != "none":
            by_key.setdefault(key, []).append((begin, end))
    found = 0
    for spans_of_key in by_key.values():
        ordered = sorted(spans_of_key)
        found += sum(b[0] < a[1] for a, b in itertools.pairwise(ordered))
    return found


@pytest.mark.parametrize(
    ("kills", "count"),
    [
        pytest.param(2, 60),
        pytest.param(200, 10_000, marks=[pytest.mark.stress, pytest.mark.timeout(3600)]),
    ],
)
async def test_each_job_ends_once_however_often_workers_are_killed(
    url: str, tmp_path: Path, kills: int, count: int
) -> None:
    name, path, chance = new_name(), tmp_path / "log", random.Random(1)
    killer = Killer(url, name, seed=2)
    try:
        async with (
            open_cluster_queue(url, name=name, secret=SECRET, keep=Keep(jobs=10**6)) as queue,
            trio.open_nursery() as nursery,
        ):
            deaths = Deaths(queue, killer)
            nursery.start_soon(deaths.watch, queue.watch())
            async with trio.open_nursery() as flow:
                flow.start_soon(killer.run, kills)
                for number in range(count):
                    key = f"k{number % 40}" if number % 4 == 0 else None
                    seconds = chance.uniform(0.001, 0.1)
                    await queue.submit(
                        jobs.log,
                        str(path),
                        seconds,
                        id=f"{key or 'none'}.{number}",
                        key=key,
                        priority=chance.choice((-1, 0, 1)),
                    )
                    while queue.statistics().pending > 200:  # noqa: ASYNC110 - it is no hurry
                        await trio.sleep(0.05)
            await queue.wait_idle()
            await trio.testing.wait_all_tasks_blocked()
            totals = await queue.totals()
            lost = queue.jobs(status=JobStatus.FAILED)
            nursery.cancel_scope.cancel()
    finally:
        killer.end()

    assert totals[JobStatus.COMPLETED] + len(lost) == count
    for snapshot in lost:
        assert snapshot.error is not None
        assert (snapshot.error.type, snapshot.attempt) == ("JobLost", 3)
        assert snapshot.id not in deaths.unproven
    assert len(lost) <= count // 500
    assert len(deaths.ends) == count
    assert set(deaths.ends.values()) == {1}
    assert overlaps_of_keys(path) == 0
