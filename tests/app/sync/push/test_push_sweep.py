"""Push and sync cancelled at their every scheduling step: a true count, and a clean next sync."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.cancelled_jobs import NEVER, job_cancelled_at, settings
from fakes.pulls import Bench
from fakes.scenes import (
    Facts,
    check_afterwards,
    copy_scene,
    counts,
    done,
    make_scene,
    undisturbed,
)
from fakes.steps import AtStep
from trio.testing import MockClock

from ticketr import JobSnapshot, JobStatus, open_job_queue
from ticketr.app.sync import PullJob, PushJob, SyncJob
from ticketr.app.sync.concurrency import CONCURRENCY

LATENCY = 0.1


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return make_scene(tmp_path_factory.mktemp("scene") / "work")


@pytest.fixture(scope="module")
def wanted(scene: Bench, tmp_path_factory: pytest.TempPathFactory) -> Facts:
    return undisturbed(scene, tmp_path_factory.mktemp("whole") / "work")


def call_cancelled_at(bench: Bench, step: int) -> AtStep:
    """Cancel whoever waits for a sync, at a step."""
    instrument = AtStep(step)

    async def main() -> None:
        async with trio.open_nursery() as site:
            with trio.fail_after(3600), trio.CancelScope() as scope:
                async with open_job_queue(workers=1) as queue:
                    instrument.arm(scope.cancel)
                    await queue.run(SyncJob(**settings(bench, site)))

    trio.run(main, clock=MockClock(autojump_threshold=0), instruments=[instrument])
    return instrument


def check_count(bench: Bench, snapshot: JobSnapshot) -> None:
    """See that the last message claims no more than Jira has, and leaves out no more than is open."""
    if snapshot.status is JobStatus.CANCELLED and snapshot.progress is not None:
        message = snapshot.progress.message or ""
        count = counts(message)
        assert count is not None, message
        assert count[0] <= count[1] or count[1] == 0, message
        if message.endswith("pushed"):
            assert count[0] == snapshot.progress.current
            assert done(bench.site) - CONCURRENCY <= count[0] <= done(bench.site), message
        else:
            assert done(bench.site) == 0


def sweep(
    scene: Bench, root: Path, kind: type[Any], steps: Iterable[int], wanted: Facts
) -> set[JobStatus]:
    """Cancel at each of the steps, each time in a new folder; gives the ends that were seen."""
    seen = set()
    for step in steps:
        bench = copy_scene(scene, root / str(step), latency=LATENCY)
        instrument, snapshot = job_cancelled_at(bench, kind, step)
        bench.latency = 0.0
        try:
            if instrument.fired:
                seen.add(snapshot.status)
            else:  # Trio shuffles what is ready, so runs differ by a step or two
                assert snapshot.status is JobStatus.COMPLETED
            check_count(bench, snapshot)
            check_afterwards(bench, wanted)
        except BaseException as error:
            error.add_note(f"{kind.__name__} cancelled at step {step}; see {bench.root}")
            raise
        shutil.rmtree(bench.root)
    return seen


def count_steps(scene: Bench, root: Path, kind: type[Any]) -> int:
    bench = copy_scene(scene, root / "counted", latency=LATENCY)
    instrument, snapshot = job_cancelled_at(bench, kind, NEVER)
    assert snapshot.status is JobStatus.COMPLETED
    return instrument.seen


@pytest.mark.unmeasured
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_it_may_be_cancelled_at_any_of_a_sample_of_its_steps(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any]
) -> None:
    last = count_steps(scene, tmp_path, kind)
    steps = random.Random(5).sample(range(1, last), 6)

    seen = sweep(scene, tmp_path, kind, [*steps, last - 1, last], wanted)

    assert JobStatus.CANCELLED in seen
    assert seen <= {JobStatus.CANCELLED, JobStatus.COMPLETED}


def sweep_callers(scene: Bench, root: Path, steps: Iterable[int], wanted: Facts) -> None:
    for step in steps:
        bench = copy_scene(scene, root / str(step), latency=LATENCY)
        assert call_cancelled_at(bench, step).fired
        bench.latency = 0.0
        check_afterwards(bench, wanted)
        shutil.rmtree(bench.root)


def test_whoever_waits_for_it_may_be_cancelled(scene: Bench, wanted: Facts, tmp_path: Path) -> None:
    last = count_steps(scene, tmp_path, SyncJob)

    sweep_callers(scene, tmp_path, random.Random(6).sample(range(1, last - 10), 5), wanted)


def sweep_pairs(scene: Bench, root: Path, count: int, wanted: Facts) -> None:
    """Cancel a push, and then what follows it, often in the middle of settling the first."""
    rng = random.Random(8)
    last = count_steps(scene, root, PushJob)
    for turn in range(count):
        bench = copy_scene(scene, root / str(turn), latency=LATENCY)
        steps = rng.randrange(40, last), rng.randrange(1, last // 2)
        kind = rng.choice([PullJob, PushJob, SyncJob])
        for each, step in zip((PushJob, kind), steps, strict=True):
            _, snapshot = job_cancelled_at(bench, each, step)
            assert snapshot.status in {JobStatus.CANCELLED, JobStatus.COMPLETED}, steps
        bench.latency = 0.0
        check_afterwards(bench, wanted)
        shutil.rmtree(bench.root)


@pytest.mark.unmeasured
def test_what_follows_may_be_cancelled_as_well(scene: Bench, wanted: Facts, tmp_path: Path) -> None:
    sweep_pairs(scene, tmp_path, 5, wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_what_follows_may_be_cancelled_wherever_it_is(
    scene: Bench, wanted: Facts, tmp_path: Path
) -> None:
    sweep_pairs(scene, tmp_path, 300, wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
def test_whoever_waits_for_it_may_be_cancelled_at_every_step(
    scene: Bench, wanted: Facts, tmp_path: Path
) -> None:
    last = count_steps(scene, tmp_path, SyncJob)

    sweep_callers(scene, tmp_path, range(1, last - 10), wanted)


@pytest.mark.stress
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("kind", [PushJob, SyncJob])
def test_it_may_be_cancelled_at_every_step(
    scene: Bench, wanted: Facts, tmp_path: Path, kind: type[Any]
) -> None:
    last = count_steps(scene, tmp_path, kind)

    seen = sweep(scene, tmp_path, kind, range(1, last + 1), wanted)

    assert JobStatus.CANCELLED in seen
    assert seen <= {JobStatus.CANCELLED, JobStatus.COMPLETED}
