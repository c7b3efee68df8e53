"""The queue of a cluster as its users see it."""

from __future__ import annotations

from typing import final

import trio

from ticketr.cluster._submits import ClusterSubmits
from ticketr.jobs._job import CancelCause


@final
class ClusterQueue(ClusterSubmits):
    """Runs jobs in worker processes, on this machine and others; see :func:`open_cluster_queue`."""

    # The end

    async def close(self, *, cancels: bool) -> None:
        """Take no more jobs; internal.

        Args:
            cancels: Whether to cancel the jobs that this process has submitted, too.
        """
        self._is_closed = True
        if cancels:
            async with trio.open_nursery() as nursery:
                for record in list(self._events.submissions):
                    nursery.start_soon(self._cancel, record.id, CancelCause.SCOPE)

    async def wait_own(self) -> None:
        """Wait for the jobs that this process has submitted; internal."""
        while self._events.submissions:
            await next(iter(self._events.submissions)).ended.wait()
        await trio.lowlevel.checkpoint()

    def __repr__(self) -> str:
        state = "closed" if self._is_closed else "open"
        live = len(self._mirror.live)
        return (
            f"<ClusterQueue {self._store.keys.queue!r} {state}: {live} jobs of ours have not ended>"
        )
