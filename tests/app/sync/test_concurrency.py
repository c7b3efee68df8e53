"""How a job makes several requests at once."""

from __future__ import annotations

from collections import deque
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from ticketr.app.sync.concurrency import CONCURRENCY, run_in_tasks
from ticketr.app.sync.errors import FileFailed


async def test_as_many_tasks_as_there_may_be_requests_share_the_work(
    autojump_clock: MockClock,
) -> None:
    waiting = deque(range(3 * CONCURRENCY))

    async def take() -> None:
        while waiting:
            waiting.popleft()
            await trio.sleep(1)

    await run_in_tasks(take)

    assert trio.current_time() == 3


async def test_the_first_error_comes_bare_and_stops_the_other_tasks(
    autojump_clock: MockClock,
) -> None:
    begun: list[int] = []

    async def fail_second() -> None:
        begun.append(len(begun))
        if len(begun) == 2:
            raise FileFailed(Path("x.md"), "read", "no")
        await trio.sleep(60)

    with pytest.raises(FileFailed):
        await run_in_tasks(fail_second)

    assert trio.current_time() == 0
