"""A submit that has returned is kept, whatever is cancelled or interrupted at whatever step."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
from fakes.durable import (
    RAN,
    REPAIRED,
    break_down,
    live_ids,
    note,
    open_stored,
    rows,
    slow,
)
from fakes.small_jobs import quiet

from ticketr import JobStatus
from ticketr.testing import StepReport, cancel_at_every_step


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.stress) for n in (1, 2))])
def test_what_was_submitted_is_run_at_last(seed: int, tmp_path: Path) -> None:
    numbers = itertools.count()
    path = tmp_path
    submitted: list[object] = []

    async def use() -> None:
        nonlocal path
        path = tmp_path / str(next(numbers))
        submitted.clear()
        RAN.clear()
        async with open_stored(path, workers=2) as queue:
            first = await queue.submit(slow, "a", 1)
            submitted.append("a")
            await queue.submit(note, "b", after=[first])
            submitted.append("b")
            await queue.submit(note, "c", delay=2, key="k")
            submitted.append("c")
            await queue.run(note, "run")

    async def check(_: StepReport) -> None:
        if not path.exists():
            assert submitted == []
            return
        async with open_stored(path):
            pass
        ran = {what[0] for what in RAN}
        assert {*submitted} <= ran
        assert live_ids(path) == []
        known = rows(path, "SELECT job FROM jobs WHERE status = 'completed'")
        assert len(known) <= 4
        attempts = [what for what in RAN if len(what) == 2]
        assert len(attempts) == len({*attempts})  # no attempt has the number of another

    summary = cancel_at_every_step(use, check=check, seed=seed, every=1 if seed else 10)

    assert summary.cancelled_first


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.stress)])
def test_what_was_retried_is_run_at_last(seed: int, tmp_path: Path) -> None:
    numbers = itertools.count()
    path = tmp_path
    is_retried = False

    async def use() -> None:
        nonlocal path, is_retried
        path, is_retried = tmp_path / str(next(numbers)), False
        RAN.clear()
        REPAIRED.clear()
        async with open_stored(path, on_job_error=quiet) as queue:
            await (await queue.submit(break_down, "a", id="a")).wait()
            REPAIRED.add("a")
            await queue.retry("a")
            is_retried = True

    async def check(_: StepReport) -> None:
        if not path.exists():
            return
        async with open_stored(path, on_job_error=quiet) as queue:
            await queue.wait_idle()
            failed = queue.jobs(status=JobStatus.FAILED)
            if failed:
                assert not is_retried
                REPAIRED.add("a")
                assert await (await queue.retry("a")).result() == "a"
        assert live_ids(path) == []
        assert len([ran for ran in RAN if "end" in ran]) <= 1

    summary = cancel_at_every_step(use, check=check, seed=seed, every=1 if seed else 5)

    assert summary.cancelled_first
