"""Test the state of an attempt, which is told to stop before it has begun, or after."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes import cluster_jobs as jobs

from ticketr import JobStatus, open_job_queue
from ticketr.cluster._attempt import Attempt
from ticketr.cluster._keys import TaskName

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize("is_early", [True, False])
@pytest.mark.parametrize("tell", [Attempt.stop, Attempt.give_back])
async def test_an_attempt_stops_whenever_it_is_told_to(
    tell: Callable[[Attempt], None], is_early: bool
) -> None:
    attempt = Attempt(TaskName("j", "n"), "normal", "1-0")
    async with open_job_queue() as queue:
        handle = await queue.submit(jobs.forever)
        if is_early:  # a cancel may be faster than the answer that says what to run
            tell(attempt)
        attempt.start(handle)
        if not is_early:
            tell(attempt)
        assert handle.snapshot().cancel_requested
        assert (await handle.wait()).status is JobStatus.CANCELLED
    assert attempt.cancel_requested is (tell is Attempt.stop)
