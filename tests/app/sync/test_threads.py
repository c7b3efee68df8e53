"""Work on threads: what is left behind when cancelled, and how work is cut."""

from __future__ import annotations

import threading

import trio

from ticketr.app.sync.threads import (
    MAX_INLINE_WORK,
    compute,
)


async def test_a_cancel_does_not_wait_for_heavy_work() -> None:
    begun, go_on, ended = trio.Event(), threading.Event(), threading.Event()

    def work() -> None:
        trio.from_thread.run_sync(begun.set)
        go_on.wait()
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(compute, trio.to_thread.run_sync, MAX_INLINE_WORK + 1, work)
        await begun.wait()
        nursery.cancel_scope.cancel()

    assert not ended.is_set()
    go_on.set()
    await trio.to_thread.run_sync(ended.wait)
