"""Test the five outcomes of a cancel, and what becomes of the job."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
import trio
from fakes import cluster_jobs as jobs
from fakes.clusters import new_name, open_cluster, until

from ticketr import CancelCause, CancelOutcome, JobStatus, Keep

if TYPE_CHECKING:
    from pathlib import Path

    from ticketr.cluster import ClusterQueue
    from ticketr.jobs import JobSnapshot


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


@dataclass
class Cancelled:
    """What was answered to the cancels of one job.

    Attributes:
        outcomes: The answers to those that were asked once it had been submitted.
        early: The answers to those that were asked before.
    """

    outcomes: Counter[CancelOutcome] = field(default_factory=Counter)
    early: Counter[CancelOutcome] = field(default_factory=Counter)


async def cancel_at_random(
    queue: ClusterQueue, job: str, path: Path, chance: random.Random, found: Cancelled
) -> None:
    """Submit a job, and cancel it up to three times at moments around its life."""
    submitted, moments = (
        trio.Event(),
        [chance.uniform(0, 0.02) for _ in range(chance.randint(1, 3))],
    )

    async def cancel(moment: float) -> None:
        await trio.sleep(moment)
        answers = found.outcomes if submitted.is_set() else found.early
        answers[await queue.request_cancel(job)] += 1

    async with trio.open_nursery() as nursery:
        for moment in moments:
            nursery.start_soon(cancel, moment)
        await trio.sleep(0.003)
        handle = await queue.submit(jobs.log, str(path), 0.004, id=job)
        submitted.set()
        await handle.wait()


def check_truth(found: Cancelled, end: JobSnapshot, *, has_started: bool) -> None:
    """Compare the answers with what became of the job."""
    outcomes = found.outcomes + found.early
    first = [each for each in (CancelOutcome.CANCELLED, CancelOutcome.REQUESTED) if outcomes[each]]
    assert sum(outcomes[each] for each in first) == len(first) <= 1
    assert CancelOutcome.UNKNOWN not in found.outcomes
    if CancelOutcome.CANCELLED in first:
        assert (end.status, end.attempt, has_started) == (JobStatus.CANCELLED, 0, False)
        assert CancelOutcome.ALREADY_REQUESTED not in outcomes
    elif first:
        assert end.attempt == 1
        assert end.status in (JobStatus.CANCELLED, JobStatus.COMPLETED)
    else:
        assert (end.status, end.attempt, has_started) == (JobStatus.COMPLETED, 1, True)
        assert CancelOutcome.ALREADY_REQUESTED not in outcomes
    assert end.cancel_requested is bool(first)
    assert end.cancel_cause is (CancelCause.USER if first else None)


@pytest.mark.parametrize(
    "count",
    [
        pytest.param(80, id="sample"),
        pytest.param(10_000, id="whole", marks=[pytest.mark.stress, pytest.mark.timeout(3600)]),
    ],
)
async def test_cancels_at_any_moment_are_true(url: str, tmp_path: Path, count: int) -> None:
    """A cancel may come before the job is there, before its begin is answered, or too late."""
    path, chance = tmp_path / "log", random.Random(1)
    found = {f"j{number}": Cancelled() for number in range(count)}
    path.touch()
    async with open_cluster(url, workers=8, keep=Keep(jobs=count)) as queue:
        room = trio.CapacityLimiter(40)

        async def one(job: str) -> None:
            async with room:
                await cancel_at_random(queue, job, path, chance, found[job])

        async with trio.open_nursery() as nursery:
            for job in found:
                nursery.start_soon(one, job)
        ends = {snapshot.id: snapshot for snapshot in queue.jobs()}

    started = {line.split()[1] for line in path.read_text().splitlines() if "start" in line}
    assert set(ends) == set(found)
    for job, answers in found.items():
        check_truth(answers, ends[job], has_started=job in started)
    if count > 1000:  # a sample need not meet all
        seen = sum(
            (each.outcomes + each.early for each in found.values()), Counter[CancelOutcome]()
        )
        assert set(seen) == set(CancelOutcome)
