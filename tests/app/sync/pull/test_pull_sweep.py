"""A pull cancelled at its every scheduling step: whole files, an honest count, a clean next pull."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import trio
from fakes.pulls import Bench
from fakes.scenes import counts
from fakes.steps import AtStep
from trio.testing import MockClock

from jira_sandbox import make_site
from ticketr import JobSnapshot, JobStatus, open_job_queue
from ticketr.app.sync import PullResult
from ticketr.app.sync.pull import pipeline

TICKETS = 30
NEVER = 10**9


def pull_cancelled_at(bench: Bench, step: int) -> tuple[AtStep, JobSnapshot]:
    instrument = AtStep(step)

    async def main() -> JobSnapshot:
        with trio.fail_after(3600):
            async with open_job_queue(workers=1) as queue:
                handle = await queue.submit(bench.job())
                instrument.arm(lambda: queue.cancel(handle.id))
                return await handle.wait()

    clock = MockClock(autojump_threshold=0)
    return instrument, trio.run(main, clock=clock, instruments=[instrument])


def pull_again(bench: Bench) -> PullResult:
    return trio.run(bench.pull, clock=MockClock(autojump_threshold=0))


def sweep(root: Path, steps: Iterable[int], site: Any) -> set[JobStatus]:
    """Cancel at each of the steps, each time in a new folder; gives the ends that were seen."""
    seen = set()
    whole = Bench(site, root / "whole", latency=0.1)
    pull_again(whole)
    for step in steps:
        bench = Bench(site, root / str(step), latency=0.1)
        instrument, snapshot = pull_cancelled_at(bench, step)
        if instrument.fired:
            seen.add(snapshot.status)
        else:  # Trio shuffles what is ready, so runs differ by a step or two
            assert snapshot.status is JobStatus.COMPLETED, step

        keys = bench.keys()
        assert len(keys) == len(set(keys)), step
        if snapshot.status is JobStatus.CANCELLED:
            assert_honest(snapshot, len(keys), step)
        result = pull_again(bench)
        assert result.total == TICKETS, step
        assert result.kept == result.failed == (), step
        assert result.unchanged >= len(keys), step
        assert bench.files() == whole.files(), step
    return seen


def assert_honest(snapshot: JobSnapshot, written: int, step: int) -> None:
    """What a cancelled pull tells is what it did; one that never began did nothing."""
    if snapshot.progress is None:
        assert written == 0, step
    elif snapshot.progress.message:
        count = counts(snapshot.progress.message)
        assert count is not None, (step, snapshot)
        assert count[0] == written, (step, snapshot)
    else:
        assert written == 0, step


def count_steps(root: Path, site: Any) -> int:
    instrument, snapshot = pull_cancelled_at(Bench(site, root / "counted", latency=0.1), NEVER)
    assert snapshot.status is JobStatus.COMPLETED
    return instrument.seen


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(pipeline, "PAGE", 4)
    return make_site(tickets=TICKETS, seed=3)


@pytest.mark.unmeasured
def test_a_pull_may_be_cancelled_at_any_of_a_sample_of_its_steps(tmp_path: Path, site: Any) -> None:
    last = count_steps(tmp_path, site)
    steps = random.Random(7).sample(range(1, last - 3), 24)

    seen = sweep(tmp_path, [*steps, *range(last - 3, last + 1)], site)

    assert seen == {JobStatus.CANCELLED, JobStatus.COMPLETED}


@pytest.mark.stress
@pytest.mark.timeout(1800)
def test_a_pull_may_be_cancelled_at_every_step(tmp_path: Path, site: Any) -> None:
    seen = sweep(tmp_path, range(1, count_steps(tmp_path, site) + 1), site)

    assert seen == {JobStatus.CANCELLED, JobStatus.COMPLETED}
