"""Since when a site has not answered, in virtual time."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from ticketr.app.jira.rest_api import Silence


async def test_an_answer_to_one_request_ends_the_silence_of_all(autojump_clock: MockClock) -> None:
    silence = Silence()
    start = trio.current_time()
    assert silence.since is None

    with silence.waiting():
        await trio.sleep(2)
        with silence.waiting():
            await trio.sleep(3)
            assert silence.since == start
        await trio.sleep(4)
        assert silence.since == start + 5

    assert silence.since is None
    await trio.sleep(1)
    with silence.waiting():
        assert silence.since == start + 10
