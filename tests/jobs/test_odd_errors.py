"""Jobs that raise errors which nobody would expect: their own job fails, and nothing else."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from ticketr import JobStatus, RetryLater, open_job_queue

if TYPE_CHECKING:
    from trio.testing import MockClock

    from ticketr import JobContext


class Later(RetryLater):
    def __init__(self, delay: Any) -> None:
        super().__init__()
        self.delay = delay


async def fine(context: JobContext) -> str:
    return "fine"


async def throw(context: JobContext, error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("delay", [math.inf, math.nan, -1, "5", None, 10**400])
async def test_a_delay_that_is_none_fails_the_job(delay: object, autojump_clock: MockClock) -> None:
    async with open_job_queue() as queue:
        job = await queue.submit(throw, Later(delay))

        snapshot = await job.wait()
        assert snapshot.status is JobStatus.FAILED
        assert snapshot.error is not None
        assert snapshot.error.type == "Later"
        assert await queue.run(fine) == "fine"
