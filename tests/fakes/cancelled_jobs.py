"""Runs a job that is cancelled at a step, in virtual time, on a site that outlives it."""

from __future__ import annotations

from typing import Any

import trio
from fakes.lossy import Detached
from fakes.pulls import Bench
from fakes.steps import AtStep
from trio.testing import MockClock

from jira_sandbox import create_app
from ticketr import JobSnapshot, open_job_queue

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
