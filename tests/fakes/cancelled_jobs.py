"""Runs a job that is cancelled at a step, in virtual time, on a site that outlives it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import trio
from fakes.lossy import Detached
from fakes.pulls import Bench
from fakes.scenes import AnyBench, copy_scene
from fakes.steps import AtStep
from trio.testing import MockClock

from jira_sandbox import create_app
from ticketr import JobSnapshot, JobStatus, open_job_queue

NEVER = 10**9
"""A step that no run comes to."""


def settings(bench: Bench, nursery: trio.Nursery) -> dict[str, Any]:
    """What a job is told that asks a site which lives in another nursery."""
    app = create_app(bench.site, latency=bench.latency)
    return bench.settings(transport=Detached(app, nursery))


def job_cancelled_at(bench: Bench, kind: type[Any], step: int) -> tuple[AtStep, JobSnapshot]:
    """Run a job and cancel it at a step, on a site that carries out what it was asked."""
    instrument = AtStep(step)

    async def main() -> JobSnapshot:
        with trio.fail_after(3600):
            async with trio.open_nursery() as site, open_job_queue(workers=1) as queue:
                handle = await queue.submit(kind(**settings(bench, site)))
                instrument.arm(lambda: queue.cancel(handle.id))
                snapshot = await handle.wait()
        return snapshot

    clock = MockClock(autojump_threshold=0)
    return instrument, trio.run(main, clock=clock, instruments=[instrument])


def count_steps(scene: AnyBench, root: Path, kind: type[Any], latency: float) -> int:
    """Return the number of steps of a job that nobody cancels."""
    bench = copy_scene(scene, root / "counted", latency=latency)
    instrument, snapshot = job_cancelled_at(bench, kind, NEVER)
    assert snapshot.status is JobStatus.COMPLETED
    return instrument.seen


def cancel_at_each(
    steps: Iterable[int],
    scene: AnyBench,
    root: Path,
    kind: type[Any],
    check: Callable[[AnyBench, JobSnapshot], None],
    *,
    latency: float,
) -> set[JobStatus]:
    """Cancel a job at each of some steps, every time on a copy of the scene, and check the copy.

    Returns:
        The statuses of the jobs that came to their step.
    """
    seen = set()
    for step in steps:
        bench = copy_scene(scene, root / str(step), latency=latency)
        instrument, snapshot = job_cancelled_at(bench, kind, step)
        bench.latency = 0.0
        try:
            if instrument.fired:
                seen.add(snapshot.status)
            else:  # Trio shuffles what is ready, so runs differ by a step or two
                assert snapshot.status is JobStatus.COMPLETED
            check(bench, snapshot)
        except BaseException as error:
            error.add_note(f"{kind.__name__} cancelled at step {step}; see {bench.root}")
            raise
        shutil.rmtree(bench.root)
    assert seen <= {JobStatus.CANCELLED, JobStatus.COMPLETED}
    return seen
